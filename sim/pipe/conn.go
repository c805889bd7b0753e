package pipe

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how much one side may write before the other has to read, like a
// TCP socket's buffers: a peer that stops reading is noticed late.
const window = 256 << 10

// Pair returns the two ends of a connection. Each end's SetLinger(0) makes its
// Close a reset, as with a *net.TCPConn.
func Pair(a, b net.Addr) (net.Conn, net.Conn) {
	ab, ba := newStream(), newStream()
	return &conn{in: ba, out: ab, local: a, remote: b}, &conn{in: ab, out: ba, local: b, remote: a}
}

type conn struct {
	in, out       *stream
	local, remote net.Addr
	mu            sync.Mutex
	linger        int
	closed        bool
}

func (c *conn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *conn) LocalAddr() net.Addr         { return c.local }
func (c *conn) RemoteAddr() net.Addr        { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.in.limit(&c.in.readBy, t)
	c.out.limit(&c.out.writeBy, t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.limit(&c.in.readBy, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.limit(&c.out.writeBy, t)
	return nil
}

// SetLinger with 0 seconds turns Close into a reset.
func (c *conn) SetLinger(seconds int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linger = seconds + 1 // so that the zero value means "not set"
	return nil
}

func (c *conn) Close() error {
	c.mu.Lock()
	again, reset := c.closed, c.linger == 1
	c.closed = true
	c.mu.Unlock()
	if again {
		return net.ErrClosed
	}
	c.out.end(reset)
	c.in.abandon(reset)
	return nil
}

// A stream carries bytes one way.
type stream struct {
	mu              sync.Mutex
	changed         *sync.Cond
	buf             []byte
	readBy, writeBy deadline
	ended           bool  // the writer closed: readers get what is left, then EOF
	readErr         error // set when reading is over at once
	writeErr        error // set when writing is over
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readErr != nil:
			return 0, s.readErr
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0 || len(p) == 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	for {
		switch {
		case s.writeErr != nil:
			return written, s.writeErr
		case s.writeBy.passed():
			return written, os.ErrDeadlineExceeded
		case written == len(p):
			return written, nil
		}
		if n := min(window-len(s.buf), len(p)-written); n > 0 {
			s.buf = append(s.buf, p[written:written+n]...)
			written += n
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

// end is the writer's close.
func (s *stream) end(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.writeErr = true, net.ErrClosed
	if reset {
		s.buf, s.readErr = nil, syscall.ECONNRESET
	}
	s.stop()
}

// abandon is the reader's close: the other side's writes fail from now on.
func (s *stream) abandon(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf, s.readErr = nil, net.ErrClosed
	if s.writeErr == nil {
		s.writeErr = syscall.EPIPE
		if reset {
			s.writeErr = syscall.ECONNRESET
		}
	}
	s.stop()
}

// stop wakes everybody and lets no timer outlive the stream's last use.
func (s *stream) stop() {
	for _, d := range []*deadline{&s.readBy, &s.writeBy} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
	s.changed.Broadcast()
}

func (s *stream) limit(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if left := time.Until(t); !t.IsZero() && left > 0 {
		d.timer = time.AfterFunc(left, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed.Broadcast()
		})
	}
	s.changed.Broadcast()
}
