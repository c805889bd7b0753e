package slack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"pagbot/sim/slack"
)

func TestTicketsExpire(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.TicketLife = 5 })
		_, url, err := s.api().StartSocketModeContext(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.pass(6 * time.Second)
		d := websocket.Dialer{NetDialContext: s.net.Dial}
		if _, res, err := d.DialContext(s.ctx, url, nil); err == nil || res.StatusCode != 403 {
			t.Errorf("%v", err)
		}
	})
}

func TestCapDelayAndDeadAfter(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.MaxConnections, d.CapDelay, d.DeadAfter = 1, 2, 20 })
		first := s.dial(acks)
		first.mute.Store(true)
		s.connected(1)
		began := time.Now()
		second := s.dial(acks)
		if <-second.done; second.at[0].Sub(began) != 2*time.Second {
			t.Errorf("refused after %v", second.at[0].Sub(began))
		}
		if <-first.done; time.Since(began) > 35*time.Second {
			t.Errorf("a silent client dropped after %v", time.Since(began))
		}
	})
}

// Whether a warned connection still gets envelopes is not known: both.
func TestDeliveryAfterTheWarning(t *testing.T) {
	for stop, want := range map[bool]string{false: "", true: "dispatch_failed"} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.StopAfterWarning, d.WarningGap, d.RefreshLinger = stop, 30, 20 })
			p := s.dial(acks)
			s.connected(1)
			began := time.Now()
			s.Refresh(0)
			s.pass(time.Second)
			if r, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil || r.Error != want {
				t.Errorf("stop %v: %+v %v", stop, r, err)
			}
			if <-p.done; time.Since(began) != 50*time.Second {
				t.Errorf("closed after %v", time.Since(began))
			}
		})
	}
}

func TestGhostsOfLostSockets(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.GhostNext, d.GhostLife = 1, 600 })
		for i := range 2 { // the first lost socket stays, the second does not
			p := s.dial(acks)
			s.pass(time.Second)
			p.ws.Close()
			s.pass(time.Second)
			if n := len(s.Sockets()); n != 1 || !s.Sockets()[0].Ghost {
				t.Errorf("lost socket %d: %+v", i, s.Sockets())
			}
		}
		s.pass(10 * time.Minute)
		if n := len(s.Sockets()); n != 0 {
			t.Errorf("%d ghosts live for ever", n)
		}
	})
}

func TestEnvelopesOvertakeOneAnother(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.EnvelopeJitter = 1 })
		p := s.dial(acks)
		s.connected(1)
		for _, word := range strings.Split("abcdefgh", "") {
			go func() { _, _ = s.Person(requester).Command(s.ctx, general, "/pag "+word) }()
			s.pass(time.Millisecond)
		}
		s.pass(5 * time.Second)
		p.mu.Lock()
		defer p.mu.Unlock()
		order := ""
		for _, f := range p.frames[1:] {
			order += f["payload"].(map[string]any)["text"].(string)
		}
		if len(order) != 8 || order == "abcdefgh" {
			t.Errorf("in order: %s", order)
		}
	})
}

func TestAckLimitAndTriggerLife(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.AckLimit, d.TriggerLife = 200, 30 })
		size := 100
		p := s.dial(func(id any) []any {
			return []any{map[string]any{"envelope_id": id, "payload": map[string]any{"text": strings.Repeat("x", size)}}}
		})
		s.connected(1)
		for _, want := range []string{"", "operation_timeout"} {
			if r, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil || r.Error != want {
				t.Errorf("%d: %+v %v", size, r, err)
			}
			size *= 2
		}
		s.pass(20 * time.Second)
		view := `{"type":"modal","title":{"type":"plain_text","text":"t"},"blocks":[{"type":"divider"}]}`
		if got := word(s.call("views.open", "trigger_id", p.last("payload")["trigger_id"].(string), "view", view)); got != "ok" {
			t.Error(got)
		}
	})
}

func TestPostBurst(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.PostBurst, d.PostPerSecond = 5, 0.5 })
		got := ""
		for range 6 {
			got += word(s.call("chat.postMessage", "channel", approvals, "text", "x")) + " "
		}
		s.pass(2 * time.Second)
		if got += word(s.call("chat.postMessage", "channel", approvals, "text", "x")); got != strings.Repeat("ok ", 5)+"ratelimited ok" {
			t.Error(got)
		}
	})
}

func TestPushesFromInsideAModal(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		view := `{"type":"modal","title":{"type":"plain_text","text":"t"},"blocks":[` + actions(button("Go", `,"action_id":"go"`)) + `]}`
		deed := func(method string) string {
			return word(s.call(method, "trigger_id", p.last("payload")["trigger_id"].(string), "view", view))
		}
		me := s.Person(requester)
		if _, err := me.Command(s.ctx, general, "/pag list"); err != nil {
			t.Fatal(err)
		}
		if got := deed("views.push"); got != "not_found" {
			t.Errorf("from a command: %s", got)
		}
		if got := deed("views.open"); got != "ok" {
			t.Fatal(got)
		}
		for _, want := range []string{"ok", "ok", "push_limit_reached"} {
			views := me.Views()
			if _, err := me.Press(s.ctx, views[len(views)-1].ID, "go"); err != nil {
				t.Fatal(err)
			}
			if got := deed("views.push"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})
}
