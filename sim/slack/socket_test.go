package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"

	"pagbot/sim/slack"
)

// A peer is a plain WebSocket client that writes down what it gets, with times.
type peer struct {
	ws     *websocket.Conn
	mu     sync.Mutex
	frames []map[string]any
	at     []time.Time
	pings  []time.Time
	mute   atomic.Bool  // answer no pings
	keep   atomic.Bool  // leave TCP open at the end
	onPong atomic.Value // func()
	err    error
	done   chan struct{}
}

// dial opens a socket; answer makes the frames that are sent for an envelope id.
func (s *scene) dial(answer func(id any) []any) *peer {
	s.t.Helper()
	_, url, err := s.api().StartSocketModeContext(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.dialURL(url, answer)
}

func (s *scene) dialURL(url string, answer func(id any) []any) *peer {
	s.t.Helper()
	d := websocket.Dialer{NetDialContext: s.net.Dial, WriteBufferSize: 8 << 10}
	ws, _, err := d.DialContext(s.ctx, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &peer{ws: ws, done: make(chan struct{})}
	context.AfterFunc(s.ctx, func() { ws.Close() })
	ws.SetPingHandler(func(text string) error {
		p.mu.Lock()
		p.pings = append(p.pings, time.Now())
		p.mu.Unlock()
		if p.mute.Load() {
			return nil
		}
		return ws.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(time.Second))
	})
	ws.SetPongHandler(func(string) error {
		if f, ok := p.onPong.Load().(func()); ok {
			f()
		}
		return nil
	})
	go func() {
		defer close(p.done)
		for {
			_, frame, err := ws.ReadMessage()
			if err != nil {
				p.mu.Lock()
				p.err = err
				p.mu.Unlock()
				if !p.keep.Load() {
					ws.Close()
				}
				return
			}
			var m map[string]any
			_ = json.Unmarshal(frame, &m)
			p.mu.Lock()
			p.frames, p.at = append(p.frames, m), append(p.at, time.Now())
			p.mu.Unlock()
			if id, ok := m["envelope_id"]; ok {
				for _, frame := range answer(id) {
					_ = ws.WriteJSON(frame)
				}
			}
		}
	}()
	return p
}

func acks(id any) []any { return []any{map[string]any{"envelope_id": id}} }
func silent(any) []any  { return nil }

// types are the frames' types, a disconnect with its reason.
func (p *peer) types() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, f := range p.frames {
		kind, _ := f["type"].(string)
		if reason, ok := f["reason"].(string); ok {
			kind += ":" + reason
		}
		all = append(all, kind)
	}
	return strings.Join(all, " ")
}

func (p *peer) first() map[string]any {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frames[0]
}

func TestHelloTicketAndCap(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		_, url, err := s.api().StartSocketModeContext(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		p := s.dialURL(url, acks)
		if _, _, err := (&websocket.Dialer{NetDialContext: s.net.Dial}).Dial(url, nil); err == nil {
			t.Error("a ticket worked twice")
		}
		for range 9 {
			s.dial(acks)
		}
		s.connected(10)
		eleventh := s.dial(acks)
		<-eleventh.done
		if eleventh.types() != "disconnect:too_many_websockets" || !websocket.IsCloseError(eleventh.err, websocket.CloseAbnormalClosure) {
			t.Errorf("at the cap: %s, %v", eleventh.types(), eleventh.err)
		}
		hello := p.first()
		if hello["type"] != "hello" || hello["num_connections"] != 1.0 || hello["debug_info"].(map[string]any)["approximate_connection_time"] != 3600.0 {
			t.Errorf("%v", hello)
		}
		if n := len(s.Sockets()); n != 10 {
			t.Errorf("%d sockets", n)
		}
		for _, e := range s.History(slack.Query{Kind: "call"}) {
			if b, _ := json.Marshal(e); strings.Contains(string(b), "ticket=") || strings.Contains(string(b), s.app.AppToken) {
				t.Errorf("a secret in the history: %s", b)
			}
		}
	})
}

func TestRefreshAtTheEndOfALife(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		<-p.done
		if p.types() != "hello disconnect:warning disconnect:refresh_requested" || !websocket.IsCloseError(p.err, websocket.CloseNormalClosure) {
			t.Fatalf("%s %v", p.types(), p.err)
		}
		if life, gap := p.at[1].Sub(p.at[0]), p.at[2].Sub(p.at[1]); life != time.Hour || gap != 10*time.Second {
			t.Errorf("warning after %v, refresh after %v more", life, gap)
		}
		s.wait("gone", func(now slack.Snapshot) bool { return len(now.Sockets()) == 0 })
	})
}

func TestDebugReconnectsCutsTheLife(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		_, url, err := s.api().StartSocketModeContext(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		p := s.dialURL(url+"&debug_reconnects=true", acks)
		<-p.done
		if took := time.Since(began); took < 6*time.Minute || took > 7*time.Minute {
			t.Errorf("%v", took)
		}
	})
}

func TestAnyOneConnectionNeverAll(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		peers := []*peer{s.dial(acks), s.dial(acks)}
		s.connected(2)
		for range 60 {
			if r, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil || r.Error != "" {
				t.Fatal(r, err)
			}
		}
		got := []int{strings.Count(peers[0].types(), "slash"), strings.Count(peers[1].types(), "slash")}
		if got[0]+got[1] != 60 || got[0] < 10 || got[1] < 10 {
			t.Errorf("distributed %v", got)
		}
	})
}

func TestGhostsSwallowEnvelopes(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.Distribution = "oldest" })
		first := s.dial(acks)
		s.connected(1)
		s.MakeGhost(0)
		<-first.done
		second := s.dial(acks)
		s.connected(2)
		if second.first()["num_connections"] != 2.0 {
			t.Errorf("ghosts count: %v", second.first())
		}
		if r, _ := s.Person(requester).Command(s.ctx, general, "/pag list"); r.Error != "operation_timeout" {
			t.Errorf("the ghost acked: %+v", r)
		}
		s.ReapGhosts()
		if r, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil || r.Error != "" {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestHalfOpenIsSilent(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		time.Sleep(20 * time.Second)
		s.HalfOpen(0)
		cut := time.Now()
		time.Sleep(time.Minute)
		if r, _ := s.Person(requester).Command(s.ctx, general, "/pag list"); r.Error != "operation_timeout" {
			t.Errorf("%+v", r)
		}
		if err := p.ws.WriteMessage(websocket.TextMessage, []byte("{}")); err != nil {
			t.Errorf("writes still go into the void: %v", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.pings) == 0 || p.pings[len(p.pings)-1].After(cut) {
			t.Errorf("pings at %v, cut at %v", p.pings, cut)
		}
		select {
		case <-p.done:
			t.Error("half-open closed something")
		default:
		}
		if len(s.Sockets()) != 1 {
			t.Error("the registration is gone")
		}
	})
}

func TestDisconnectReasonsAndReset(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		s.Disconnect(0, "link_disabled")
		if <-p.done; p.types() != "hello disconnect:link_disabled" {
			t.Errorf("%s", p.types())
		}
		q := s.dial(acks)
		s.wait("socket", func(now slack.Snapshot) bool { return len(now.Sockets()) == 1 })
		s.Reset(0)
		if <-q.done; q.err == nil || errors.As(q.err, new(*websocket.CloseError)) {
			t.Errorf("a reset has no close frame: %v", q.err)
		}
	})
}

func TestUnackedEventsAreRetried(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(silent)
		s.connected(1)
		began := time.Now()
		if err := s.Person(requester).OpenHome(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if p.types() != "hello events_api events_api events_api events_api" {
			t.Fatalf("%s", p.types())
		}
		want := []time.Duration{0, 3 * time.Second, 66 * time.Second, 369 * time.Second} // each 3 s deadline, then at once, 1 min, 5 min
		ids := map[any]bool{}
		for i, f := range p.frames[1:] {
			if got := p.at[i+1].Sub(began); got != want[i] || f["retry_attempt"] != float64(i) {
				t.Errorf("attempt %v after %v, want %v", f["retry_attempt"], got, want[i])
			}
			ids[f["payload"].(map[string]any)["event_id"]] = true
		}
		if len(ids) != 1 {
			t.Errorf("event ids %v", ids)
		}
	})
}

func TestAckRules(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		big := map[string]any{"text": strings.Repeat("x", 20480)}
		s.dial(func(id any) []any {
			return []any{map[string]any{"envelope_id": id, "payload": big}, map[string]any{"envelope_id": "unknown"}}
		})
		s.connected(1)
		r, err := s.Person(requester).Command(s.ctx, general, "/pag list")
		if err != nil || r.Error != "operation_timeout" {
			t.Errorf("a big ack counted: %+v %v", r, err)
		}
		if e := s.History(slack.Query{Name: "unknown_frame"}); len(e) != 1 {
			t.Errorf("%+v", e)
		}
		if e := s.History(slack.Query{Kind: "envelope"}); e[0].Acks != 0 {
			t.Errorf("%+v", e)
		}
	})
}

func TestDuplicates(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.DuplicateRate = 1 })
		p := s.dial(acks)
		s.connected(1)
		if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
			t.Fatal(err)
		}
		s.wait("both", func(slack.Snapshot) bool { return p.types() == "hello slash_commands slash_commands" })
		if p.frames[1]["envelope_id"] != p.frames[2]["envelope_id"] {
			t.Error("a duplicate has the same envelope_id")
		}
	})
}

func TestServerThatNeverPings(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.PingEvery = 0 })
		s.socket(func(*socketmode.Client, socketmode.Event) {})
		time.Sleep(100 * time.Second)
		if n := len(s.History(slack.Query{Kind: "socket", Name: "connected"})); n < 3 {
			t.Errorf("slack-go reconnects every 30 s without pings; %d connections", n)
		}
	})
}
