package socket

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

const burst = 2000

// bench is a Slack on real loopback sockets that measures, from the write of
// an envelope to the reading of its ack.
type bench struct {
	*peer
	url string
}

// shooter is a Slack that can send a burst.
type shooter interface {
	api() (url, token string)
	ready(b *testing.B, n int)
	fire(round int) []time.Duration
	end()
}

func (s *bench) api() (url, token string) { return s.url, "xapp-test" }

func newBench(b *testing.B) shooter {
	p := &peer{acks: map[string][]seen{}, all: make(chan struct{}, burst)}
	p.link = func(_ int, s *side) bool { go s.ping(); return false } // else slack-go reconnects after 30 s
	server := httptest.NewServer(p)
	b.Cleanup(server.Close)
	p.host = strings.TrimPrefix(server.URL, "http://")
	return &bench{p, server.URL + "/api/"}
}

// ping keeps slack-go content, until the connection ends.
func (s *side) ping() {
	for s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Minute)) == nil {
		<-time.After(5 * time.Second)
	}
}

// ready waits until n connections have been made and answer.
func (s *bench) ready(b *testing.B, n int) {
	for s.alive() < n {
		<-time.After(10 * time.Millisecond)
		if b.Context().Err() != nil {
			b.Fatal("no connection")
		}
	}
}

// fire sends a burst, each envelope to any one of the connections as Slack
// does, and returns how long each one's ack took.
func (s *bench) fire(round int) []time.Duration {
	id := func(i int) string { return fmt.Sprintf("%d-%d", round, i) }
	frames := make([][]byte, burst) // made beforehand, so that the server takes little of the time
	for i := range frames {
		text := slash(id(i))
		frames[i] = append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text))), text...)
	}
	n := s.count()
	sides := make([]*websocket.Conn, n)
	for i := range sides {
		sides[i] = s.side(i).ws
		_ = sides[i].NetConn().SetWriteDeadline(time.Time{}) // left by an earlier hello or ping
	}
	sent := make([]time.Time, burst)
	for i := range frames {
		sent[i] = time.Now()
		if _, err := sides[i%n].NetConn().Write(frames[i]); err != nil {
			panic(err)
		}
	}
	for range burst {
		select {
		case <-s.all:
		case <-time.After(30 * time.Second):
			panic("an ack is missing: did the client reconnect?")
		}
	}
	took := make([]time.Duration, burst)
	for i := range took {
		took[i] = s.acked(id(i))[0].at.Sub(sent[i])
	}
	s.mu.Lock()
	clear(s.acks)
	s.mu.Unlock()
	return took
}

// ours runs the loop; handle is what keeps an envelope.
func ours(b *testing.B, s shooter, connections int, handle func(context.Context, Envelope) (any, error)) shooter {
	url, token := s.api()
	l, err := New(Config{AppToken: token, APIURL: url, Connections: connections, Handle: handle})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ended })
	s.ready(b, connections)
	return s
}

// theirs runs slack-go's own loop, which acknowledges and does nothing else.
func theirs(b *testing.B, s shooter) shooter {
	url, token := s.api()
	api := slackgo.New("", slackgo.OptionAppLevelToken(token), slackgo.OptionAPIURL(url))
	smc := socketmode.New(api, socketmode.OptionDialer(&websocket.Dialer{WriteBufferSize: 32 << 10, NetDialContext: (&net.Dialer{}).DialContext}))
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = smc.RunContext(ctx) })
	tasks.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-smc.Events:
				if ev.Type == socketmode.EventTypeSlashCommand {
					_ = smc.AckCtx(ctx, ev.Request.EnvelopeID, nil)
				}
			}
		}
	})
	b.Cleanup(func() { cancel(); s.end(); tasks.Wait() })
	s.ready(b, 1)
	return s
}

func (s *bench) end() {
	for i := range s.count() {
		_ = s.side(i).ws.Close()
	}
}

// grouped imitates a store that commits all that wait in groups, every 20 ms:
// that much slower than nothing is what the real handler may be.
func grouped(b *testing.B) func(context.Context, Envelope) (any, error) {
	var mu sync.Mutex
	commit := make(chan struct{})
	tick := time.NewTicker(20 * time.Millisecond)
	done := make(chan struct{})
	b.Cleanup(func() { close(done); tick.Stop() })
	go func() {
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				mu.Lock()
				close(commit)
				commit = make(chan struct{})
				mu.Unlock()
			}
		}
	}()
	return func(context.Context, Envelope) (any, error) {
		mu.Lock()
		c := commit
		mu.Unlock()
		select {
		case <-c:
		case <-done:
		}
		return nil, nil
	}
}

// BenchmarkBurst sends 2,000 /pag at once and compares our acks with those of
// slack-go's own loop, which keeps nothing: same server, same run, in turns.
// The server is the simulated Slack, or a bare one that takes less of the time.
func BenchmarkBurst(b *testing.B) {
	for name, serve := range map[string]func(*testing.B) shooter{"slack": newOffice, "bare": newBench} {
		b.Run(name, func(b *testing.B) { compare(b, serve) })
	}
}

// compare reports each round's percentiles by their median over the rounds: a
// machine that is busy with something else for a moment spoils only a round.
func compare(b *testing.B, serve func(*testing.B) shooter) {
	runs := []struct {
		name     string
		peer     shooter
		p50, p99 []float64 // of each round, in ms
	}{
		{name: "slackgo", peer: theirs(b, serve(b))},
		{name: "ack", peer: ours(b, serve(b), 2, bare)},
		{name: "one", peer: ours(b, serve(b), 1, bare)},
		{name: "grouped", peer: ours(b, serve(b), 2, grouped(b))},
	}
	for i := range runs {
		runs[i].peer.fire(0) // warm
	}
	round := 0
	for b.Loop() {
		round++
		for k := range runs {
			r := &runs[(k+round)%len(runs)] // nobody always comes first
			took := r.peer.fire(round)
			slices.Sort(took)
			r.p50 = append(r.p50, took[burst/2].Seconds()*1000)
			r.p99 = append(r.p99, took[burst*99/100].Seconds()*1000)
		}
	}
	median := func(f []float64) float64 { slices.Sort(f); return f[len(f)/2] }
	b.ReportMetric(0, "ns/op")
	base50, base99 := median(runs[0].p50), median(runs[0].p99)
	for i, r := range runs {
		p50, p99 := median(r.p50), median(r.p99)
		b.ReportMetric(p50, r.name+"_p50_ms")
		b.ReportMetric(p99, r.name+"_p99_ms")
		if i > 0 {
			b.ReportMetric(p50/base50, r.name+"_p50_ratio")
			b.ReportMetric(p99/base99, r.name+"_p99_ratio")
		}
	}
}
