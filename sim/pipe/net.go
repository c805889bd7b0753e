package pipe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Net maps host names to listeners, so that several simulated servers live in
// one bubble. Its zero value is an empty network.
type Net struct {
	mu    sync.Mutex
	hosts map[string]*Listener
	names map[string]string // a host's address, where it has another
}

// Resolve has a name lead to another host, such as an address of the internet
// or of somebody's own network: what dials it then sees that at the far end.
func (n *Net) Resolve(name, host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names == nil {
		n.names = map[string]string{}
	}
	n.names[hostOf(name)] = host
}

// Listen makes the listener of a host name, and replaces an earlier one: a
// server that restarts. A port in the name is ignored, as every port of a host
// leads to its one listener.
func (n *Net) Listen(host string) *Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts == nil {
		n.hosts = map[string]*Listener{}
	}
	l := listen(host)
	n.hosts[hostOf(host)] = l
	return l
}

// Dial connects to a host by an address like "slack.test:443".
func (n *Net) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	if host, ok := n.names[hostOf(address)]; ok {
		_, port, _ := net.SplitHostPort(address)
		address = net.JoinHostPort(host, port)
	}
	l := n.hosts[hostOf(address)]
	n.mu.Unlock()
	if l == nil {
		return nil, refused(network, address, fmt.Errorf("no such host %q in this network", hostOf(address)))
	}
	return l.Dial(ctx, network, address)
}

// Transport returns a fresh HTTP transport that dials this network; set its
// TLSClientConfig to speak to hosts that serve TLS.
func (n *Net) Transport() *http.Transport { return &http.Transport{DialContext: n.Dial} }

// Client returns an HTTP client on a fresh transport. Call its
// CloseIdleConnections before the bubble ends.
func (n *Net) Client() *http.Client { return &http.Client{Transport: n.Transport()} }

// Serve serves a handler under a host name until the returned stop is called.
func (n *Net) Serve(host string, h http.Handler) (stop func()) { return Serve(n.Listen(host), h) }

// Serve serves a handler on a listener until the returned stop is called, which
// closes the listener and every connection that HTTP still owns, and waits for
// the server to end. Hijacked connections are the handler's to close.
func Serve(l net.Listener, h http.Handler) (stop func()) {
	srv := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // always ErrServerClosed, by the stop below
	}()
	return func() {
		_ = srv.Close()
		<-done
	}
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	return strings.ToLower(address)
}
