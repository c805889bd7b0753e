package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type ticket struct{ until time.Time }

func connectionsOpen(c *call) (answer, error) {
	if c.app.NoSocketMode {
		return nil, refuse("socket_mode_disabled")
	}
	t := c.w.secret(20)
	c.app.tickets[t] = &ticket{time.Now().Add(c.app.dials.TicketLife.Duration())}
	base := strings.Replace(c.w.base, "http", "ws", 1)
	return answer{"url": base + "/link/?" + url.Values{"ticket": {t}, "app_id": {c.app.ID}}.Encode()}, nil
}

// A conn is one Socket Mode connection. The world's lock guards its flags; only
// its writer goroutine writes messages.
type conn struct {
	scope
	w      *World
	app    *app
	id     int
	ws     *websocket.Conn
	opened time.Time
	done   chan struct{} // closed when TCP is over
	once   sync.Once
	wake   chan struct{}
	heard  time.Time
	tap    *tap

	moved   time.Time // the last frame in either direction
	queue   [][]byte
	frozen  bool // half-open: nothing is read or written, nothing is closed
	haunt   bool // becomes a ghost when TCP ends
	ghost   bool // TCP is gone, the registration is not
	leaving bool // gets no new envelopes
}

var upgrader = websocket.Upgrader{
	CheckOrigin:     func(*http.Request) bool { return true }, // slack-go says Origin: https://api.slack.com
	WriteBufferSize: 32 << 10,
}

func (w *World) serveLink(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.mu.Lock()
	a := w.app(q.Get("app_id"))
	t := (*ticket)(nil)
	if a != nil {
		t = a.tickets[q.Get("ticket")]
		delete(a.tickets, q.Get("ticket"))
	}
	closed := w.closed
	if !closed {
		w.wg.Add(1) // a hijacked connection is ours to end
		defer w.wg.Done()
	}
	w.mu.Unlock()
	if closed || t == nil || time.Now().After(t.until) {
		http.Error(rw, "invalid ticket", http.StatusForbidden)
		return
	}
	raw := &tapped{ResponseWriter: rw}
	ws, err := upgrader.Upgrade(raw, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer ws.Close()
	c := &conn{w: w, app: a, ws: ws, tap: raw.tap, moved: time.Now(), opened: time.Now(), heard: time.Now(), done: make(chan struct{}), wake: make(chan struct{}, 1)}
	if !c.register(q.Get("debug_reconnects") == "true") {
		return
	}
	c.lost(c.read())
}

// register counts the connection in, says hello, and starts its goroutines. At
// the cap it sends the refusal as the first frame, and TCP ends without a close
// frame.
func (c *conn) register(debug bool) bool {
	w := c.w
	if !w.pause(w.ctx, w.tuned(c.app).HelloDelay.Duration()) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	c.under(c.app.dials)
	if len(c.app.conns) >= c.dials.MaxConnections && !c.makeRoom() {
		c.refuse()
		return false
	}
	w.lastConn++
	c.id = w.lastConn
	c.app.conns = append(c.app.conns, c)
	life := c.dials.Lifetime
	if debug {
		life = 360
	}
	if !c.dials.NoHello {
		c.push(marshal(c.hello(life)))
	}
	if reason := c.dials.DisconnectOnConnect; reason != "" {
		c.push(marshal(disconnectFrame(reason)))
		w.spawn(func() { c.leave(reason) })
	}
	w.record(Entry{Kind: "socket", App: c.app.ID, Name: "connected", Socket: c.id})
	w.spawn(c.write)
	w.spawn(func() { c.age(life.Duration()) })
	w.spawn(c.ping)
	if kill := c.dials.IdleKill.Duration(); kill > 0 {
		w.spawn(func() { c.killIdle(kill) })
	}
	return true
}

// makeRoom ends the oldest connection instead of the new one, if the dial says
// so. The caller holds the lock.
func (c *conn) makeRoom() bool {
	if !c.dials.CapDropsOldest || len(c.app.conns) == 0 {
		return false
	}
	old := c.app.conns[0]
	c.app.conns = c.app.conns[1:]
	old.leaving = true
	old.push(marshal(disconnectFrame("too_many_websockets")))
	c.w.record(Entry{Kind: "socket", App: c.app.ID, Name: "too_many_websockets", Socket: old.id})
	c.w.spawn(func() { old.leave("too_many_websockets") })
	return true
}

// refuse says that there are too many, as the first frame, a moment after the
// handshake. The caller holds the lock, which is let go meanwhile.
func (c *conn) refuse() {
	w := c.w
	w.record(Entry{Kind: "socket", App: c.app.ID, Name: "too_many_websockets"})
	delay := c.dials.CapDelay.Duration()
	w.mu.Unlock()
	defer w.mu.Lock()
	if w.pause(w.ctx, delay) {
		_ = c.ws.WriteMessage(websocket.TextMessage, marshal(disconnectFrame("too_many_websockets")))
	}
}

func (c *conn) hello(life Seconds) answer {
	return answer{"type": "hello", "connection_info": answer{"app_id": c.app.ID}, "num_connections": len(c.app.conns),
		"debug_info": answer{"host": "applink-sim", "started": c.opened.UTC().Format("2006-01-02 15:04:05.000"),
			"build_number": 1, "approximate_connection_time": int(life)}}
}

func disconnectFrame(reason string) answer {
	return answer{"type": "disconnect", "reason": reason, "debug_info": answer{"host": "applink-sim"}}
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own maps of plain values come here
	}
	return b
}

// push queues a frame for the writer; the caller holds the lock.
func (c *conn) push(frame []byte) {
	if c.frozen || c.ghost {
		return // it goes where nobody reads
	}
	c.moved = time.Now()
	c.queue = append(c.queue, frame)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *conn) write() {
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		c.w.mu.Lock()
		frames := c.queue
		c.queue = nil
		c.w.mu.Unlock()
		for _, f := range frames {
			_ = c.ws.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if c.ws.WriteMessage(websocket.TextMessage, f) != nil {
				c.drop()
				return
			}
		}
	}
}

// read handles what the client sends until the connection ends.
func (c *conn) read() error {
	c.ws.SetReadLimit(1 << 20)
	c.ws.SetPongHandler(func(string) error { c.hear(); return nil })
	c.ws.SetPingHandler(func(text string) error {
		if c.hear() {
			c.pong(text)
		}
		return nil
	})
	for {
		kind, frame, err := c.ws.ReadMessage()
		at := time.Now()
		if !c.hear() { // half-open: stop reading, close nothing
			<-c.done
			return errors.New("half-open")
		}
		if err != nil {
			return err
		}
		whole := c.tap.next()
		if kind == websocket.TextMessage {
			c.ack(frame, at, whole)
		}
	}
}

// ack takes an ack, after the delay of the way back.
func (c *conn) ack(frame []byte, at time.Time, whole bool) {
	delay := c.tuned().AckDelay.Duration()
	if delay <= 0 {
		c.w.takeAck(c, frame, at, whole)
		return
	}
	c.background(func() {
		if c.w.pause(c.w.ctx, delay) {
			c.w.takeAck(c, frame, at.Add(delay), whole)
		}
	})
}

// hear notes that the client lives; false if the connection is half-open.
func (c *conn) hear() bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.heard = time.Now()
	c.moved = c.heard
	return !c.frozen
}

func (c *conn) pong(text string) {
	send := func() { _ = c.ws.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(5*time.Second)) }
	c.w.mu.Lock()
	delay := c.dials.PongDelay.Duration()
	late := delay > 0 && c.w.spawn(func() {
		if c.sleep(delay) {
			send()
		}
	})
	c.w.mu.Unlock()
	if !late {
		send()
	}
}

// ping sends the server's pings and drops a connection that fell silent.
func (c *conn) ping() {
	for {
		d := c.tuned()
		every := d.PingEvery.Duration()
		if every <= 0 {
			every = 10 * time.Second // only to see whether the dial was turned
		}
		if !c.sleep(every) {
			return
		}
		c.w.mu.Lock()
		frozen, silent := c.frozen, time.Since(c.heard)
		c.w.mu.Unlock()
		if dead := d.DeadAfter.Duration(); dead > 0 && d.PingEvery > 0 && silent > dead && !frozen {
			c.drop()
			return
		}
		if d.PingEvery > 0 && !frozen {
			c.hearOwn()
			_ = c.ws.WriteControl(websocket.PingMessage, []byte(d.PingText), time.Now().Add(5*time.Second))
		}
	}
}

func (c *conn) hearOwn() {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.moved = time.Now()
}

// killIdle is a middlebox: it cuts a connection on which nothing moved.
func (c *conn) killIdle(after time.Duration) {
	for {
		c.w.mu.Lock()
		idle := time.Since(c.moved)
		c.w.mu.Unlock()
		if idle >= after {
			c.drop()
			return
		}
		if !c.sleep(after - idle) {
			return
		}
	}
}

// sleep waits unless the connection ends first.
func (c *conn) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.done:
		return false
	}
}

// drop ends TCP without a close frame.
func (c *conn) drop() {
	c.once.Do(func() {
		close(c.done)
		_ = c.ws.Close()
	})
}

// lost ends the registration, or leaves a ghost behind: only a close frame
// tells Slack that a connection is really over.
func (c *conn) lost(err error) {
	w := c.w
	var bye *websocket.CloseError
	clean := errors.As(err, &bye) && bye.Code != websocket.CloseAbnormalClosure
	if clean && c.tuned().LeaveTCPOpen {
		defer c.hold()
	} else {
		c.drop()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	what := "closed"
	if !clean {
		what = "lost"
	}
	if !clean && (c.haunt || (!c.leaving && w.dials.GhostNext > 0)) {
		if !c.haunt {
			w.turn(func(d *Dials) { d.GhostNext-- })
		}
		c.ghost, what = true, "ghost"
		if life := c.dials.GhostLife.Duration(); life > 0 {
			w.spawn(func() {
				if w.pause(w.ctx, life) {
					w.forget(c)
				}
			})
		}
	} else {
		c.app.conns = slices.DeleteFunc(c.app.conns, func(o *conn) bool { return o == c })
	}
	w.record(Entry{Kind: "socket", App: c.app.ID, Name: what, Socket: c.id})
}

// hold keeps TCP open after the close handshake until the client ends it.
func (c *conn) hold() {
	stop := context.AfterFunc(c.w.ctx, c.drop)
	defer stop()
	_, _ = io.Copy(io.Discard, c.ws.NetConn())
	c.drop()
}

func (w *World) forget(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.app.conns = slices.DeleteFunc(c.app.conns, func(o *conn) bool { return o == c })
	w.touch()
}
