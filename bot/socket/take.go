package socket

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// adopt makes a fresh WebSocket one of ours.
func (l *Loop) adopt(s *slot, ws *websocket.Conn, w *wire) *conn {
	now := time.Now()
	c := &conn{
		loop: l, slot: s.id, ws: ws, wire: w, handling: s.handling, born: now,
		log:   l.cfg.Log.With("slot", s.id),
		first: make(chan frame, 1), asked: make(chan string, 1), wake: make(chan struct{}, 1),
		leaving: make(chan struct{}), gone: make(chan struct{}), over: make(chan struct{}),
	}
	l.mu.Lock()
	l.conns[c] = &standing{Greeting, now}
	l.mu.Unlock()
	c.start()
	return c
}

// greet makes a connection live, and hands it the acks that had none to go by.
func (l *Loop) greet(c *conn, hello frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Hellos++
	l.stats.Alarm, l.stats.Trouble = "", ""
	held := 1
	for other, st := range l.conns {
		if other != c && st.state != Greeting {
			held++
		}
	}
	l.stats.Ghosts = max(0, hello.NumConnections-held)
	if st := l.conns[c]; st != nil {
		*st = standing{Live, time.Now()}
	}
	left := l.orphans
	l.orphans = nil
	for _, a := range left {
		l.place(nil, a)
	}
	c.log.Info("connected to Slack", "host", hello.Debug.Host, "life", hello.life(), "ghosts", l.stats.Ghosts)
}

func (l *Loop) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

func (l *Loop) held() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*conn
	for c := range l.conns {
		all = append(all, c)
	}
	return all
}

// take is called by a reader: it hands over, or refuses, at once.
func (l *Loop) take(c *conn, e Envelope) {
	l.mu.Lock()
	l.stats.Envelopes++
	if l.closing || l.taken >= l.cfg.InFlight {
		l.stats.Busy++
		l.mu.Unlock()
		l.turnAway(c, e)
		return
	}
	l.taken++
	l.mu.Unlock()
	c.owed.Add(1)
	l.call(&taken{l: l, c: c, e: e})
}

// turnAway is what happens to an envelope that can't be taken.
func (l *Loop) turnAway(c *conn, e Envelope) {
	c.log.Warn("an envelope was not taken: stopping, or too many at once", "id", e.ID, "type", e.Type)
	if e.Type != "slash_commands" || l.cfg.Busy == "" {
		return
	}
	b, err := encodeAck(e.ID, map[string]string{"response_type": "ephemeral", "text": l.cfg.Busy})
	if err == nil {
		c.push(ack{kind: websocket.TextMessage, frame: b})
	}
}

// taken is an envelope that somebody owes an answer for.
type taken struct {
	l    *Loop
	c    *conn
	e    Envelope
	done atomic.Bool
}

// answer sends the acknowledgement, or says why there is none.
func (t *taken) answer(payload any, err error) {
	if t.done.Swap(true) {
		return
	}
	l, c, e := t.l, t.c, t.e
	defer l.handled(c)
	var b []byte
	if err == nil {
		b, err = encodeAck(e.ID, payload)
	}
	if err != nil {
		l.count(func(s *Counts) { s.Failed++ })
		c.log.Error("an envelope stays unacknowledged", "id", e.ID, "type", e.Type, "err", err)
		return
	}
	if took := time.Since(e.Received); took > ackIsLate {
		l.count(func(s *Counts) { s.Late++ })
		c.log.Warn("an acknowledgement is late", "id", e.ID, "type", e.Type, "took", took)
	}
	if a := (ack{kind: websocket.TextMessage, id: e.ID, frame: b, received: e.Received}); !c.push(a) {
		l.elsewhere(c, []ack{a})
	}
}

// call keeps a panic over one envelope from ending all others.
func (l *Loop) call(t *taken) {
	defer func() {
		if r := recover(); r != nil {
			t.answer(nil, fmt.Errorf("the handler panicked: %v\n%s", r, debug.Stack()))
		}
	}()
	l.cfg.Handle(t.c.handling, t.e, t.answer)
}

func (l *Loop) handled(c *conn) {
	if c.owed.Add(-1) == 0 {
		c.nudge() // it may be waiting to leave
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken--
	if l.closing && l.taken == 0 {
		close(l.idle)
	}
}

// elsewhere sends acks whose own connection has died, or is about to.
func (l *Loop) elsewhere(from *conn, batch []ack) {
	batch = slices.DeleteFunc(batch, func(a ack) bool { return a.id == "" })
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range batch {
		l.place(from, a)
	}
}

// place finds a connection for an ack, or lets it wait for the next hello, but
// not for ever. It is called with the lock held.
func (l *Loop) place(from *conn, a ack) {
	for c, st := range l.conns {
		if c != from && st.state != Greeting && !c.ended() && c.push(a) {
			l.stats.Strayed++
			return
		}
	}
	if time.Since(a.received) < orphanLife && len(l.orphans) < l.cfg.InFlight {
		l.orphans = append(l.orphans, a)
		return
	}
	l.stats.Lost++
	l.cfg.Log.Error("an acknowledgement was lost with its connection", "id", a.id)
}
