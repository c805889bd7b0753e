package socket

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// recorder keeps what the bot writes, write by write.
type recorder struct {
	net.Conn
	mu     *sync.Mutex
	writes *[][]byte
}

func (r recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	*r.writes = append(*r.writes, bytes.Clone(b))
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// frames reads client frames: whether the first bit says final, the opcode and
// the length. It fails on anything that is cut short.
func frames(t *testing.T, b []byte) (all []string, sizes []int) {
	t.Helper()
	for len(b) > 0 {
		n, head := int(b[1]&0x7f), 6
		switch n {
		case 126:
			n, head = int(binary.BigEndian.Uint16(b[2:])), 8
		case 127:
			n, head = int(binary.BigEndian.Uint64(b[2:])), 14
		}
		kind := map[byte]string{0x81: "text", 0x88: "close", 0x89: "ping", 0x8a: "pong"}[b[0]]
		if kind == "" || b[1]&0x80 == 0 || len(b) < head+n {
			t.Fatalf("a frame begins with %x and has %d of %d bytes", b[:2], len(b)-head, n)
		}
		all, sizes, b = append(all, kind), append(sizes, n), b[head+n:]
	}
	return all, sizes
}

// On the wire: one frame for every ack, also for the largest, and few writes
// for many acks.
func TestAcksOnTheWire(t *testing.T) {
	var mu sync.Mutex
	var writes [][]byte
	gate := make(chan struct{})
	in(t, func(c *Config, _ *peer) {
		gate = make(chan struct{})
		dial := c.Dial
		c.Dial = func(ctx context.Context, n, a string) (net.Conn, error) {
			conn, err := dial(ctx, n, a)
			return recorder{conn, &mu, &writes}, err
		}
		c.Handle = each(func(_ context.Context, e Envelope) (any, error) {
			<-gate
			if e.ID == "large" {
				return strings.Repeat("x", MaxAck-1-len(`{"envelope_id":"large","payload":""}`)), nil
			}
			return nil, nil
		})
	}, func(w *world) {
		w.up()
		for i := range 200 {
			w.side(0).say(slash(slashID(i)))
		}
		w.side(0).say(slash("large"))
		synctest.Wait()
		mu.Lock()
		writes = nil
		mu.Unlock()
		close(gate)
		time.Sleep(time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		kinds, sizes := frames(w.T, bytes.Join(writes, nil))
		largest := 0
		for i, k := range kinds {
			if k != "text" {
				w.Errorf("frame %d is a %s", i, k)
			}
			largest = max(largest, sizes[i])
		}
		if len(kinds) != 201 || largest != MaxAck-1 || len(writes) > 100 {
			w.Errorf("%d frames, the largest of %d bytes, in %d writes", len(kinds), largest, len(writes))
		}
		w.Logf("%d acks in %d writes", len(kinds), len(writes))
	})
}

// Pings go out every 10 s and are answered; Slack's own are answered too.
func TestPings(t *testing.T) {
	var answered atomic.Int64
	in(t, func(_ *Config, p *peer) {
		p.life = 0
		p.link = func(_ int, s *side) bool {
			s.ws.SetPongHandler(func(text string) error {
				if text == "Ping from applink-2" {
					answered.Add(1)
				}
				return nil
			})
			return false
		}
	}, func(w *world) {
		w.up()
		s := w.side(0)
		for range 6 {
			_ = s.ws.WriteControl(websocket.PingMessage, []byte("Ping from applink-2"), time.Now().Add(time.Second))
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if answered.Load() != 6 || s.pings != 6 {
			w.Errorf("%d of 6 pings answered, %d of 6 sent", answered.Load(), s.pings)
		}
	})
}

// The real thing is TLS; corking lies beneath it.
func TestOverTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{host: "example.com", tls: true, acks: map[string][]seen{}}
		network := newNetwork()
		server := httptest.NewUnstartedServer(p)
		_ = server.Listener.Close()
		server.Listener = network
		server.StartTLS()
		client := server.Client()
		transport, _ := client.Transport.(*http.Transport)
		transport.DialContext = network.Dial
		l, err := New(Config{AppToken: "xapp-test", APIURL: "https://example.com/api/", Client: client, Dial: network.Dial, Handle: bare})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		time.Sleep(3 * time.Second)
		for i := range 500 {
			p.side(i % 2).say(slash(slashID(i)))
		}
		time.Sleep(time.Minute)
		for i := range 500 {
			if len(p.acked(slashID(i))) != 1 {
				t.Errorf("%s was not acknowledged", slashID(i))
			}
		}
		cancel()
		if err := <-ended; err != nil || p.count() != 2 || !p.side(0).closedWell() {
			t.Errorf("Run returned %v, over %d connections", err, p.count())
		}
		transport.CloseIdleConnections()
		server.Close()
	})
}

// A frame beyond all measure costs its connection, and nothing else.
func TestFrameTooLarge(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		time.Sleep(2 * time.Minute)
		go w.side(0).say(`{"type":"` + strings.Repeat("x", maxFrame) + `"}`)
		w.within(20*time.Second, "a replacement", func() bool { return w.count() == 3 && w.side(0).isDead() })
		w.side(2).say(slash("next"))
		synctest.Wait()
		if len(w.acked("next")) != 1 {
			w.Error("the next envelope was not acknowledged")
		}
	})
}

func TestRedact(t *testing.T) {
	u, _ := url.Parse("wss://slack.test/link?ticket=secret-1&app_id=A1")
	for _, text := range []string{"dial " + u.String() + ": refused", "ticket secret-1 is used up"} {
		if got := redact(errors.New(text), u).Error(); strings.Contains(got, "secret-1") {
			t.Errorf("%q shows the ticket", got)
		}
	}
	same := errors.New("refused")
	if !errors.Is(redact(same, u), same) {
		t.Error("an innocent error was changed")
	}
}

func TestParse(t *testing.T) {
	odd := `{"envelope_id":"1","type":"interactive","num_connections":"2","debug_info":[],"reason":{}}`
	f, err := parse([]byte(odd))
	if err != nil || f.EnvelopeID != "1" || f.Type != "interactive" {
		t.Errorf("fields of odd types: %+v, %v", f, err)
	}
	f, err = parse([]byte(`{"type":"hello","debug_info":{"approximate_connection_time":18060}}`))
	if err != nil || f.life() != 18060*time.Second {
		t.Errorf("hello: %v, %v", f.life(), err)
	}
	for _, bad := range []string{"", "nothing", "{", "[1]", `"hello"`, "17"} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

// No frame makes the parser panic or its numbers dangerous, and what it takes
// for an envelope can be acknowledged.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		slash("a"), click("b"), `{"type":"hello","num_connections":1,"debug_info":{"approximate_connection_time":3600}}`,
		`{"type":"disconnect","reason":"warning","debug_info":{"host":"wss-111.slack.com"}}`,
		`{"type":"hello","debug_info":{"approximate_connection_time":-1e300}}`, `{"envelope_id":7}`, `{"ENVELOPE_ID":"x","type":null}`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fr, err := parse(raw)
		if err != nil {
			return
		}
		if life := fr.life(); life < 0 || life > 8*24*time.Hour {
			t.Errorf("life %v", life)
		}
		s := &slot{loop: &Loop{cfg: Config{Connections: 2}}, id: 1}
		if d := s.lifetime(fr.life()); d < 0 || d > fr.life() {
			t.Errorf("kept for %v of %v", d, fr.life())
		}
		if fr.EnvelopeID == "" || len(fr.EnvelopeID) > 1000 {
			return
		}
		b, err := encodeAck(fr.EnvelopeID, nil)
		var back struct {
			ID string `json:"envelope_id"`
		}
		if err != nil || json.Unmarshal(b, &back) != nil || back.ID != fr.EnvelopeID {
			t.Errorf("the ack of %q is %s, %v", fr.EnvelopeID, b, err)
		}
	})
}
