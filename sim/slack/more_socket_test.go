package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"pagbot/sim/slack"
)

// last is the newest frame, or what lies below the names in it.
func (p *peer) last(names ...string) map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.frames[len(p.frames)-1]
	for _, name := range names {
		at, _ = at[name].(map[string]any)
	}
	return at
}

// An ack in several frames is not put together again, unless a dial says so.
func TestSplitAcks(t *testing.T) {
	for accept, want := range map[bool]string{false: "operation_timeout", true: ""} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.AcceptContinuation = accept })
			var p *peer
			p = s.dial(func(id any) []any {
				split, _ := json.Marshal(map[string]any{"envelope_id": id})
				w, err := p.ws.NextWriter(websocket.TextMessage)
				if err != nil {
					t.Error(err)
					return nil
				}
				_, _ = w.Write(split)
				_, _ = w.Write([]byte(strings.Repeat(" ", 10000))) // more than the write buffer holds
				_ = w.Close()
				return nil
			})
			s.connected(1)
			r, err := s.Person(requester).Command(s.ctx, general, "/pag list")
			if err != nil || r.Error != want {
				t.Errorf("accepted %v: %+v %v", accept, r, err)
			}
			if e := s.History(slack.Query{Kind: "envelope"})[0]; !accept && e.Error != "ack_in_several_frames" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestTheCap(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.MaxConnections = 1 })
		first := s.dial(acks)
		s.connected(1)
		began := time.Now()
		second := s.dial(acks)
		if <-second.done; second.types() != "disconnect:too_many_websockets" || second.at[0].Sub(began) != 10*time.Millisecond {
			t.Errorf("%s after %v", second.types(), second.at[0].Sub(began))
		}
		s.Turn(func(d *slack.Dials) { d.CapDropsOldest = true })
		third := s.dial(acks)
		if <-first.done; first.types() != "hello disconnect:too_many_websockets" || third.types() != "hello" {
			t.Errorf("%s, %s", first.types(), third.types())
		}
	})
}

func TestStickyDistribution(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.Distribution = "sticky" })
		peers := []*peer{s.dial(acks), s.dial(acks)}
		s.connected(2)
		for range 8 {
			if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
				t.Fatal(err)
			}
		}
		a, b := strings.Count(peers[0].types(), "slash"), strings.Count(peers[1].types(), "slash")
		if a*b != 0 || a+b != 8 {
			t.Errorf("%d and %d", a, b)
		}
	})
}

func TestRoundRobin(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.Distribution = "round_robin" })
		peers := []*peer{s.dial(acks), s.dial(acks)}
		s.connected(2)
		for range 8 {
			if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := strings.Count(peers[0].types(), "slash"), strings.Count(peers[1].types(), "slash"); a != 4 || b != 4 {
			t.Errorf("%d and %d", a, b)
		}
	})
}

func TestMiddleboxKillsTheIdle(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.PingEvery, d.IdleKill = 20, 10 })
		began := time.Now()
		p := s.dial(acks)
		if <-p.done; time.Since(began) != 10*time.Second || !websocket.IsCloseError(p.err, websocket.CloseAbnormalClosure) {
			t.Errorf("%v after %v", p.err, time.Since(began))
		}
		s.Turn(func(d *slack.Dials) { d.PingEvery = 8 })
		q := s.dial(acks)
		s.pass(5 * time.Minute)
		select {
		case <-q.done:
			t.Error("pings keep a connection alive")
		default:
		}
	})
}

func TestPingsSaySomething(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.PingEvery, d.PingText = 5, "Ping from applink-2" })
		p := s.dial(acks)
		said := make(chan string, 9)
		p.ws.SetPingHandler(func(text string) error { said <- text; return nil })
		s.pass(6 * time.Second)
		if got := <-said; got != "Ping from applink-2" {
			t.Error(got)
		}
	})
}

// A server that leaves TCP open after the close handshake keeps clients waiting
// that expect it to close.
func TestTCPLeftOpenAfterTheHandshake(t *testing.T) {
	for open, want := range map[bool]bool{false: true, true: false} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.LeaveTCPOpen = open })
			p := s.dial(acks)
			s.connected(1)
			p.keep.Store(true)
			ended := make(chan struct{})
			bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			if err := p.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			raw := p.ws.NetConn()
			<-p.done // the echo
			go func() {
				_, _ = raw.Read(make([]byte, 1))
				close(ended)
			}()
			s.pass(time.Minute)
			select {
			case <-ended:
				if !want {
					t.Error("TCP ended")
				}
			default:
				if want {
					t.Error("TCP is still open")
				}
			}
			if len(s.Sockets()) != 0 {
				t.Error("the registration ends with the handshake")
			}
			raw.Close()
		})
	}
}
