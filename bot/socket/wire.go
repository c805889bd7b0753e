package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

// wire is the connection's lowest layer. It can be corked, so that many
// acknowledgements, each a frame of its own, leave in one write.
type wire struct {
	net.Conn
	mu     sync.Mutex
	corked bool
	buf    []byte
}

const wireMost = 64 << 10 // kept back at once

// Write keeps b back while the wire is corked.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.corked {
		return w.Conn.Write(b)
	}
	w.buf = append(w.buf, b...)
	if len(w.buf) < wireMost {
		return len(b), nil
	}
	return len(b), w.send()
}

func (w *wire) cork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corked = true
}

func (w *wire) uncork() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corked = false
	return w.send()
}

func (w *wire) send() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.Conn.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// dial opens the WebSocket behind a ticket.
func (l *Loop) dial(ctx context.Context, u *url.URL) (*websocket.Conn, *wire, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dial := l.cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	var w *wire
	d := websocket.Dialer{
		Proxy: l.cfg.proxy(), HandshakeTimeout: dialTimeout,
		ReadBufferSize: wireBuffer, WriteBufferSize: wireBuffer, TLSClientConfig: l.cfg.tls(),
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			w = &wire{Conn: c}
			return w, nil
		},
	}
	ws, res, err := d.DialContext(ctx, u.String(), http.Header{})
	if err != nil {
		err = fmt.Errorf("dial: %w", redact(err, u))
		if res != nil {
			err = retryAfter(res, fmt.Errorf("%w: %s", err, res.Status))
		}
		return nil, nil, err
	}
	ws.SetReadLimit(maxFrame)
	return ws, w, nil
}

// tls is what the client for apps.connections.open trusts, without the
// protocols that it has agreed on: a WebSocket begins with HTTP/1.1.
func (cfg *Config) tls() *tls.Config {
	t, ok := cfg.Client.Transport.(*http.Transport)
	if !ok || t.TLSClientConfig == nil {
		return nil
	}
	own := t.TLSClientConfig.Clone()
	own.NextProtos = nil
	return own
}

// redact keeps the ticket out of an error that quotes the URL.
func redact(err error, u *url.URL) error {
	text := err.Error()
	for _, secret := range []string{u.RawQuery, u.Query().Get("ticket")} {
		if secret != "" && strings.Contains(text, secret) {
			text = strings.ReplaceAll(text, secret, "…")
			err = errors.New(text)
		}
	}
	return err
}
