package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"pagbot/activation"
	"pagbot/bot/socket"
	"pagbot/engine"
	"pagbot/store"
)

// envelopes are in one burst.
const envelopes = 2000

// gauge is a Slack on a real socket that does nothing but measure: from the
// write of an envelope to the reading of its ack.
type gauge struct {
	url   string
	mu    sync.Mutex
	conns []*websocket.Conn
	acked map[string]time.Time
	all   chan struct{}
	rest  func(bursts int) // until the client has nothing left of so many bursts
}

func newGauge(b *testing.B) *gauge {
	g := &gauge{acked: map[string]time.Time{}, all: make(chan struct{}, envelopes), rest: func(int) {}}
	server := httptest.NewServer(g)
	b.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// ServeHTTP opens connections and reads acks.
func (g *gauge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/link" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"ok":true,"url":"ws%s/link"}`, strings.TrimPrefix(g.url, "http"))
		return
	}
	up := websocket.Upgrader{ReadBufferSize: 32 << 10, CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	if ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","num_connections":1}`)) != nil {
		return
	}
	g.mu.Lock()
	g.conns = append(g.conns, ws)
	g.mu.Unlock()
	for {
		_, body, err := ws.ReadMessage()
		if err != nil {
			return
		}
		now := time.Now()
		var a struct {
			ID string `json:"envelope_id"`
		}
		if json.Unmarshal(body, &a) == nil && a.ID != "" {
			g.mu.Lock()
			g.acked[a.ID] = now
			g.mu.Unlock()
			g.all <- struct{}{}
		}
	}
}

func (g *gauge) ready(b *testing.B, n int) {
	if !until(b.Context(), 10*time.Second, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return len(g.conns) >= n }) {
		b.Fatal("no connection")
	}
}

// fire sends a burst, each envelope to one of the connections as Slack does,
// and returns how long each one's ack took.
func (g *gauge) fire(b *testing.B, round int) []time.Duration {
	id := func(i int) string { return fmt.Sprintf("%d-%d", round, i) }
	frames := make([][]byte, envelopes) // made beforehand, so that the server takes little of the time
	for i := range frames {
		text := fmt.Sprintf(`{"envelope_id":%q,"type":"slash_commands","accepts_response_payload":true,"payload":{"token":"legacy","team_id":"T1",`+
			`"team_domain":"contoso","channel_id":"C1","channel_name":"approvals","user_id":"U1","command":"/pag","text":"activate db-admin 2h \"incident 42\"",`+
			`"api_app_id":"A1","is_enterprise_install":"false","response_url":"https://hooks.slack.com/commands/T1/1/x","trigger_id":"1.2.x"}}`, id(i))
		frames[i] = append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text))), text...)
	}
	for _, ws := range g.conns { // slack-go gives up a connection without pings
		_ = ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
	}
	sent := make([]time.Time, envelopes)
	for i := range frames {
		sent[i] = time.Now()
		_, _ = g.conns[i%len(g.conns)].NetConn().Write(frames[i])
	}
	wait := time.After(10 * time.Second)
	for n := range envelopes {
		select {
		case <-g.all:
		case <-wait:
			b.Fatalf("%d of %d acknowledged", n, envelopes)
		}
	}
	took := make([]time.Duration, envelopes)
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range took {
		took[i] = g.acked[id(i)].Sub(sent[i])
	}
	clear(g.acked)
	g.rest(round + 1)
	return took
}

// theirs runs slack-go's own loop, which acknowledges and keeps nothing.
func theirs(b *testing.B) *gauge {
	g := newGauge(b)
	api := slack.New("", slack.OptionAppLevelToken("xapp-test"), slack.OptionAPIURL(g.url+"/api/"))
	c := socketmode.New(api, socketmode.OptionDialer(&websocket.Dialer{WriteBufferSize: 32 << 10, NetDialContext: (&net.Dialer{}).DialContext}))
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = c.RunContext(ctx) })
	tasks.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-c.Events:
				if ev.Type == socketmode.EventTypeSlashCommand {
					_ = c.AckCtx(ctx, ev.Request.EnvelopeID, nil)
				}
			}
		}
	})
	b.Cleanup(func() {
		cancel()
		for _, ws := range g.conns {
			_ = ws.Close()
		}
		tasks.Wait()
	})
	g.ready(b, 1)
	return g
}

// slowReader understands an envelope as slowly as a quick Entra answers.
type slowReader struct{ read atomic.Int64 }

func (r *slowReader) Read(ctx context.Context, _ activation.Kept) (string, activation.Input, error) {
	select {
	case <-time.After(5 * time.Millisecond):
	case <-ctx.Done():
	}
	r.read.Add(1)
	return "", nil, ctx.Err()
}

// ours runs the bot's loop, which acknowledges what the engine has kept in a
// database on disk, while the engine's workers take it up.
func ours(b *testing.B) *gauge {
	g := newGauge(b)
	db, err := store.Open(filepath.Join(b.TempDir(), "pagbot.db"), store.Options{Remember: engine.Remember})
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	reader := &slowReader{}
	g.rest = func(bursts int) {
		if !until(b.Context(), time.Minute, func() bool { return reader.read.Load() >= int64(bursts*envelopes) }) {
			b.Fatal("what was kept is not read")
		}
	}
	e, err := engine.New(engine.Config{Store: db, Reader: reader, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	loop, err := socket.New(socket.Config{Log: log, AppToken: "xapp-test", APIURL: g.url + "/api/", Handle: func(ctx context.Context, v socket.Envelope, answer func(any, error)) {
		e.Keep(ctx, v.ID, v.Raw, func(err error) { answer(nil, err) })
	}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = loop.Run(ctx) })
	tasks.Go(func() { e.Run(ctx) })
	b.Cleanup(func() { cancel(); tasks.Wait(); _ = db.Close() })
	g.ready(b, 2)
	return g
}

// BenchmarkBurst sends 2,000 /pag at once, and compares how long our acks take,
// which come after an fsync, with those of slack-go's own loop, which keeps
// nothing: same server, same run, in turns. Each burst meets a bot that has read
// the one before. Percentiles are those of a round, and of the rounds the median
// is told: a machine that is busy with something else for a moment spoils one.
func BenchmarkBurst(b *testing.B) {
	runs := []struct {
		name     string
		gauge    *gauge
		p50, p99 []float64 // of each round, in ms
	}{{name: "slackgo", gauge: theirs(b)}, {name: "ack", gauge: ours(b)}}
	for _, r := range runs {
		r.gauge.fire(b, 0) // warm
	}
	rounds := 0
	for b.Loop() {
		for range 5 { // one burst alone says little
			rounds++
			for k := range runs {
				r := &runs[(k+rounds)%2] // nobody always comes first
				took := r.gauge.fire(b, rounds)
				slices.Sort(took)
				r.p50 = append(r.p50, took[envelopes/2].Seconds()*1000)
				r.p99 = append(r.p99, took[envelopes*99/100].Seconds()*1000)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	median := func(f []float64) float64 { slices.Sort(f); return f[len(f)/2] }
	for _, r := range runs {
		b.ReportMetric(median(r.p50), r.name+"_p50_ms")
		b.ReportMetric(median(r.p99), r.name+"_p99_ms")
	}
	b.ReportMetric(median(runs[1].p50)/median(runs[0].p50), "ack_p50_ratio")
	b.ReportMetric(median(runs[1].p99)/median(runs[0].p99), "ack_p99_ratio")
}
