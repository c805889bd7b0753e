package slack

import (
	"time"

	"github.com/gorilla/websocket"
)

// Socket is one registered connection, as Sockets lists it.
type Socket struct {
	ID      int       `json:"id"`
	App     string    `json:"app"`
	Opened  time.Time `json:"opened"`
	Ghost   bool      `json:"ghost,omitempty"`
	Frozen  bool      `json:"half_open,omitempty"`
	Leaving bool      `json:"leaving,omitempty"`
}

// Sockets lists the registered connections of all apps, ghosts too.
func (w *World) Sockets() []Socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []Socket{}
	for _, a := range w.apps {
		for _, c := range a.conns {
			all = append(all, Socket{c.id, a.ID, c.opened, c.ghost, c.frozen, c.leaving})
		}
	}
	return all
}

// age refreshes the connection at the end of its life.
func (c *conn) age(life time.Duration) {
	if life > 0 && c.sleep(life) {
		c.refresh()
	}
}

// refresh is warning, refresh_requested, close, with the gaps of the dials.
func (c *conn) refresh() {
	d := c.tuned()
	if !d.SkipWarning {
		c.say("warning", d.StopAfterWarning)
		if !c.sleep(d.WarningGap.Duration()) {
			return
		}
	}
	c.say("refresh_requested", true)
	c.leave("refresh_requested")
}

func (c *conn) say(reason string, leaving bool) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.leaving = c.leaving || leaving
	c.push(marshal(disconnectFrame(reason)))
	c.w.record(Entry{Kind: "socket", App: c.app.ID, Name: reason, Socket: c.id})
}

// leave ends a connection after its disconnect frame: a close frame, the
// client's echo, then TCP.
func (c *conn) leave(reason string) {
	d := c.tuned()
	linger := d.RefreshLinger.Duration()
	if reason != "warning" && reason != "refresh_requested" {
		linger = 100 * time.Millisecond
	}
	if !c.sleep(linger) {
		return
	}
	if d.NoCloseFrame {
		c.drop()
		return
	}
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(5*time.Second))
	if c.sleep(5 * time.Second) {
		c.drop()
	}
}

// each runs f on the named socket, or on all with id 0, and counts them.
func (w *World) each(id int, f func(*conn)) int {
	w.mu.Lock()
	var hit []*conn
	for _, a := range w.apps {
		for _, c := range a.conns {
			if id == 0 || c.id == id {
				hit = append(hit, c)
			}
		}
	}
	w.mu.Unlock()
	for _, c := range hit {
		f(c)
	}
	return len(hit)
}

// Refresh starts the refresh of a socket (0: all): warning, refresh_requested, close.
func (w *World) Refresh(id int) int {
	return w.each(id, func(c *conn) { c.background(c.refresh) })
}

// Disconnect sends a disconnect frame with any reason (link_disabled, an unknown
// one…) and closes; a warning is only sent.
func (w *World) Disconnect(id int, reason string) int {
	return w.each(id, func(c *conn) {
		c.say(reason, reason != "warning")
		if reason != "warning" {
			c.background(func() { c.leave(reason) })
		}
	})
}

// HalfOpen makes a socket (0: all) stop reading and writing without closing.
func (w *World) HalfOpen(id int) int {
	return w.each(id, func(c *conn) {
		w.mu.Lock()
		defer w.mu.Unlock()
		c.frozen = true
		c.fade()
		w.record(Entry{Kind: "socket", App: c.app.ID, Name: "half_open", Socket: c.id})
	})
}

// Reset ends a socket (0: all) with a TCP reset.
func (w *World) Reset(id int) int {
	return w.each(id, func(c *conn) {
		if l, ok := c.ws.NetConn().(interface{ SetLinger(int) error }); ok {
			_ = l.SetLinger(0)
		}
		c.drop()
	})
}

// MakeGhost cuts a socket (0: all) and keeps its registration, which goes on
// getting envelopes that nobody reads.
func (w *World) MakeGhost(id int) int {
	return w.each(id, func(c *conn) {
		w.mu.Lock()
		c.haunt = true
		w.mu.Unlock()
		c.drop()
	})
}

// ReapGhosts forgets all ghosts and half-open sockets.
func (w *World) ReapGhosts() int { return w.reap(0) }

func (w *World) reap(id int) int {
	n := 0
	w.each(id, func(c *conn) {
		w.mu.Lock()
		dead := c.ghost || c.frozen
		w.mu.Unlock()
		if dead {
			n++
			c.drop()
			w.forget(c)
		}
	})
	return n
}

// fade forgets a ghost or a half-open connection after a ghost's life. The
// caller holds the lock.
func (c *conn) fade() {
	life := c.dials.GhostLife.Duration()
	if life <= 0 {
		return
	}
	c.w.spawn(func() {
		if c.w.pause(c.w.ctx, life) {
			c.drop()
			c.w.forget(c)
		}
	})
}

func (c *conn) background(f func()) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.spawn(f)
}
