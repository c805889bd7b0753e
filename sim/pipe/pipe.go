// Package pipe is a network in memory: listeners and connections that work
// inside a testing/synctest bubble, where real sockets would stop the fake
// clock. A connection buffers like TCP does, honours deadlines, and can be
// reset.
package pipe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// A Listener accepts connections that its own Dial makes.
type Listener struct {
	host   string
	accept chan net.Conn
	done   chan struct{}
	close  sync.Once
}

// Listen returns a listener that stands alone: its Dial takes every address.
func Listen() *Listener { return listen("pipe") }

func listen(host string) *Listener {
	return &Listener{host: host, accept: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for the next Dial.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Dial; connections that were accepted live on.
func (l *Listener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

// Addr names the listener's host.
func (l *Listener) Addr() net.Addr { return addr(l.host) }

// Dial connects to the listener whatever the address says.
func (l *Listener) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !hasPort(address) {
		return nil, refused(network, address, fmt.Errorf("address %q has no port", address))
	}
	ours, theirs := Pair(addr("client"), addr(address))
	select {
	case l.accept <- theirs:
		return ours, nil
	case <-l.done:
		return nil, refused(network, address, fmt.Errorf("connection refused"))
	case <-ctx.Done():
		return nil, refused(network, address, ctx.Err())
	}
}

// Client returns an HTTP client whose connections all reach this listener.
func (l *Listener) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: l.Dial}}
}

func hasPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port != ""
}

func refused(network, address string, err error) error {
	return &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: err}
}

type addr string

func (addr) Network() string  { return "pipe" }
func (a addr) String() string { return string(a) }
