package socket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one WebSocket, from its upgrade until its TCP connection is closed.
// Two goroutines serve it: read, and write, which alone writes. All that it
// keeps is its own, so nothing a replaced connection does can touch its successor.
type conn struct {
	loop     *Loop
	slot     int
	ws       *websocket.Conn
	wire     *wire
	log      *slog.Logger
	handling context.Context // for Handle
	born     time.Time
	life     time.Duration // how long Slack means to keep it; 0: it didn't say. The slot's own

	first   chan frame    // Slack's first word: hello or disconnect
	asked   chan string   // why the connection wants to be replaced
	leaving chan struct{} // closed: say goodbye as soon as nothing is owed
	gone    chan struct{} // closed: nothing more will be read
	over    chan struct{} // closed: TCP is closed, the goroutines have ended
	left    sync.Once

	parted  bool // the reading ended with Slack's close frame; read's own until gone
	greeted bool // Slack's first word was heard; read's own

	last  atomic.Int64 // when the last frame came, in nanoseconds since born
	owed  atomic.Int64 // envelopes taken from here and still being handled
	trip  atomic.Int64 // the last ping's round trip
	pings atomic.Uint64

	recent []ack // written so lately that the peer may not have read them; write's own

	mu    sync.Mutex
	queue []ack
	shut  bool // takes no more acks
	wake  chan struct{}
}

// ack is an acknowledgement on its way, or another frame that takes the same way.
type ack struct {
	kind     int    // of WebSocket message
	id       string // of its envelope; empty: not worth sending on another connection
	frame    []byte
	received time.Time // when its envelope was
	written  time.Time
}

var errLeft = errors.New("closed by us")

func (c *conn) start() {
	c.ws.SetPingHandler(func(text string) error {
		c.alive()
		c.push(ack{kind: websocket.PongMessage, frame: []byte(text)})
		return nil
	})
	c.ws.SetPongHandler(func(text string) error { c.alive(); c.answered(text); return nil })
	c.ws.SetCloseHandler(func(int, string) error { return nil }) // write echoes it
	c.loop.tasks.Go(c.read)
	c.loop.tasks.Go(c.write)
}

// leave begins the end: what is owed is still acknowledged, then comes the
// closing handshake.
func (c *conn) leave() { c.left.Do(func() { close(c.leaving) }) }

// ask says once why the connection should be replaced.
func (c *conn) ask(why string) {
	select {
	case c.asked <- why:
	default:
	}
}

func (c *conn) alive()               { c.last.Store(int64(time.Since(c.born))) }
func (c *conn) quiet() time.Duration { return time.Since(c.born) - time.Duration(c.last.Load()) }

// read takes in frames and never waits for anything but the next one.
func (c *conn) read() {
	defer close(c.gone)
	var buf bytes.Buffer
	for {
		_, r, err := c.ws.NextReader()
		if err == nil {
			buf.Reset()
			_, err = buf.ReadFrom(r)
		}
		if err != nil {
			c.log.Debug("reading ended", "err", err)
			var farewell *websocket.CloseError
			c.parted = errors.As(err, &farewell) && farewell.Code != websocket.CloseAbnormalClosure
			return
		}
		c.alive()
		c.take(bytes.Clone(buf.Bytes()))
	}
}

func (c *conn) take(raw []byte) {
	f, err := parse(raw)
	switch {
	case err != nil:
		c.loop.count(func(s *Counts) { s.Unreadable++ })
		c.log.Error("Slack sent a frame that is not JSON", "bytes", len(raw), "err", err)
	case f.EnvelopeID != "":
		c.loop.take(c, f.envelope(raw, time.Now()))
	case f.Type == "hello", f.Type == "disconnect":
		c.told(f)
	default:
		c.log.Debug("Slack sent a frame of a kind that we don't know", "type", f.Type)
	}
}

// told takes Slack's word about the connection itself. The first one answers
// whether it is ours at all; a disconnect after that asks for a replacement.
func (c *conn) told(f frame) {
	if f.Type == "disconnect" {
		c.log.Info("Slack asks for the end of the connection", "reason", f.Reason, "host", f.Debug.Host)
		c.loop.heed(f.Reason)
	}
	switch {
	case !c.greeted:
		c.greeted = true
		c.first <- f
	case f.Type == "disconnect":
		c.ask(f.Reason)
	}
}

// push queues a frame; false: this connection takes none any more.
func (c *conn) push(a ack) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return false
	}
	c.queue = append(c.queue, a)
	c.nudge()
	return true
}

// ended says that nothing more is read; what is written may reach nobody.
func (c *conn) ended() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

func (c *conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// end takes no more acks, and returns those that are left.
func (c *conn) end() []ack {
	c.mu.Lock()
	c.shut = true
	c.mu.Unlock()
	return c.unqueue()
}

func (c *conn) unqueue() []ack {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queue
	c.queue = nil
	return q
}

// write sends what is queued until the end, and then sees to it that the end
// is orderly.
func (c *conn) write() {
	err := c.pump()
	c.loop.elsewhere(c, c.end())
	switch {
	case errors.Is(err, errLeft): // the peer reads all that was written before our farewell
		c.wait(closeTimeout)
	case err != nil:
		c.log.Warn("writing failed; the connection will be replaced", "err", err)
		c.ask(whyWrite)
		select {
		case <-c.gone:
		case <-c.leaving:
		}
	}
	_ = c.ws.Close()
	<-c.gone
	c.loop.forget(c)
	close(c.over)
}

func (c *conn) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.gone:
	case <-t.C:
	}
}

// pump writes until the connection is gone (nil), we have said goodbye
// (errLeft) or a write failed. A peer that said goodbye first may still read
// until it is answered, so it gets what is owed like one that we leave.
func (c *conn) pump() error {
	beat := time.NewTicker(pingEvery)
	defer beat.Stop()
	gone, leaving := c.gone, c.leaving
	var late <-chan time.Time
	for {
		select {
		case <-gone:
			c.loop.elsewhere(c, c.crossing())
			if !c.parted {
				return nil
			}
			gone, leaving, late = nil, nil, time.After(oweTimeout)
		case <-leaving:
			leaving, late = nil, time.After(oweTimeout)
		case <-late:
			return errors.Join(c.flush(), c.goodbye(), errLeft)
		case <-beat.C:
			c.beat()
		case <-c.wake:
			runtime.Gosched() // lets the handlers that are done too queue theirs: one write for all
		}
		if err := c.flush(); err != nil {
			return err
		}
		if late != nil && c.owed.Load() == 0 && c.empty() {
			return errors.Join(c.goodbye(), errLeft)
		}
	}
}

func (c *conn) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) == 0
}

func (c *conn) goodbye() error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
	return c.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
}

// beat sends a ping, and calls for a replacement when nothing at all has come
// for too long: the peer may be half open, or merely slow, as Slack sometimes is.
func (c *conn) beat() {
	if q := c.quiet(); q >= silence {
		c.log.Warn("the connection is silent; it will be replaced", "quiet", q)
		c.ask(whySilent)
	}
	nonce := binary.BigEndian.AppendUint64(nil, c.pings.Add(1))
	c.push(ack{kind: websocket.PingMessage, frame: binary.BigEndian.AppendUint64(nonce, uint64(time.Since(c.born)))})
}

func (c *conn) answered(nonce string) {
	if len(nonce) == 16 && binary.BigEndian.Uint64([]byte(nonce)) == c.pings.Load() {
		c.trip.Store(int64(time.Since(c.born)) - int64(binary.BigEndian.Uint64([]byte(nonce[8:]))))
	}
}

// flush sends all that is queued in as few writes as possible. What the peer
// may not have read, because a write failed or it was about to end the
// connection, goes out again elsewhere: an ack twice does no harm.
func (c *conn) flush() error {
	batch := c.unqueue()
	if len(batch) == 0 {
		return nil
	}
	err := c.send(batch)
	switch {
	case err != nil:
		c.loop.elsewhere(c, slices.Concat(c.crossing(), batch, c.end()))
		return fmt.Errorf("%d frames: %w", len(batch), err)
	case c.ended():
		c.loop.elsewhere(c, batch)
	default:
		c.remember(batch)
	}
	return nil
}

func (c *conn) remember(batch []ack) {
	now := time.Now()
	for i := range batch {
		batch[i].written = now
	}
	c.recent = append(c.crossing(), batch...)
}

// crossing are the acks written so lately that the peer, if it ends the
// connection now, may never read them.
func (c *conn) crossing() []ack {
	late := slices.IndexFunc(c.recent, func(a ack) bool { return time.Since(a.written) <= roundTrip })
	if late < 0 {
		late = len(c.recent)
	}
	return c.recent[late:]
}

func (c *conn) send(batch []ack) error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
	c.wire.cork()
	for _, a := range batch {
		if err := c.ws.WriteMessage(a.kind, a.frame); err != nil {
			return errors.Join(err, c.wire.uncork())
		}
	}
	return c.wire.uncork()
}
