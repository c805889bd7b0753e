package pipe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"pagbot/sim/pipe"
)

// The connections keep net.Conn's contract; nettest is the standard's own suite.
func TestConnContract(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		l := pipe.Listen()
		a, b := pipe.Pair(l.Addr(), l.Addr())
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

func TestSeveralServersInOneBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n pipe.Net
		for _, host := range []string{"slack.test", "graph.test"} {
			stop := n.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Hour)
				io.WriteString(w, host+" for "+r.Host)
			}))
			defer stop()
		}
		c := n.Client()
		defer c.CloseIdleConnections()
		for host, url := range map[string]string{"slack.test": "http://slack.test/x", "graph.test": "http://graph.test:443/"} {
			began := time.Now()
			res, err := c.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if !strings.HasPrefix(string(body), host) || time.Since(began) != time.Hour {
				t.Errorf("%s answered %q after %v", url, body, time.Since(began))
			}
		}
		if _, err := c.Get("http://elsewhere.test/"); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Errorf("an unknown host: %v", err)
		}
	})
}

func TestClosedListenerRefuses(t *testing.T) {
	l := pipe.Listen()
	l.Close()
	if _, err := l.Dial(t.Context(), "tcp", "slack.test:80"); err == nil {
		t.Error("dialled a closed listener")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pipe.Listen().Dial(ctx, "tcp", "slack.test:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled dial: %v", err)
	}
}

func TestResetAndDeadlineLikeTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.Pair(nil, nil)
		if _, err := a.Write(make([]byte, 100<<10)); err != nil {
			t.Fatalf("a write that nobody reads yet: %v", err)
		}
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := a.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a write into a full window: %v", err)
		}
		a.(interface{ SetLinger(int) error }).SetLinger(0)
		a.Close()
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read after a reset: %v", err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write after a reset: %v", err)
		}
	})
}
