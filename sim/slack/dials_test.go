package slack_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"pagbot/sim/slack"
)

// Every dial of the sockets does what its comment says.
func TestSocketDials(t *testing.T) {
	for name, c := range map[string]struct {
		turn func(*slack.Dials)
		wait time.Duration
		want string
	}{
		"as it is":              {func(*slack.Dials) {}, time.Minute, "hello"},
		"hello_delay":           {func(d *slack.Dials) { d.HelloDelay = 90 }, time.Minute, ""},
		"no_hello":              {func(d *slack.Dials) { d.NoHello = true }, time.Minute, ""},
		"lifetime":              {func(d *slack.Dials) { d.Lifetime = 30 }, time.Minute, "hello disconnect:warning disconnect:refresh_requested (1000)"},
		"warning_gap":           {func(d *slack.Dials) { d.Lifetime, d.WarningGap = 30, 40 }, time.Minute, "hello disconnect:warning"},
		"skip_warning":          {func(d *slack.Dials) { d.Lifetime, d.SkipWarning = 30, true }, time.Minute, "hello disconnect:refresh_requested (1000)"},
		"no_close_frame":        {func(d *slack.Dials) { d.Lifetime, d.NoCloseFrame = 30, true }, time.Minute, "hello disconnect:warning disconnect:refresh_requested (1006)"},
		"disconnect_on_connect": {func(d *slack.Dials) { d.DisconnectOnConnect = "link_disabled" }, time.Minute, "hello disconnect:link_disabled (1000)"},
		"max_connections":       {func(d *slack.Dials) { d.MaxConnections = 0 }, time.Minute, "disconnect:too_many_websockets (1006)"},
	} {
		t.Run(name, func(t *testing.T) {
			stage(t, func(t *testing.T, s *scene) {
				s.Turn(c.turn)
				p := s.dial(acks)
				s.pass(c.wait)
				got := p.types()
				for _, code := range []int{1000, 1006} {
					if websocket.IsCloseError(p.err, code) {
						got += fmt.Sprintf(" (%d)", code)
					}
				}
				if got != c.want {
					t.Errorf("%s, want %s (%v)", got, c.want, p.err)
				}
			})
		})
	}
}

func TestSilentClientsAreDropped(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		p.mute.Store(true)
		s.pass(2 * time.Minute)
		select {
		case <-p.done:
		default:
			t.Error("a client that answers no pings stays connected")
		}
	})
}

func TestLatePongs(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.PongDelay = 7 })
		p := s.dial(acks)
		s.connected(1)
		var at time.Time
		p.onPong.Store(func() { at = time.Now() })
		began := time.Now()
		if err := p.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		s.pass(time.Minute)
		if at.Sub(began) != 7*time.Second {
			t.Errorf("pong after %v", at.Sub(began))
		}
	})
}

func TestEnvelopeDials(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.Distribution = "oldest" })
		first := s.dial(silent)
		s.connected(1)
		second := s.dial(acks)
		s.connected(2)
		run := func(turn func(*slack.Dials)) (slack.Reply, time.Duration) {
			s.Turn(turn)
			began := time.Now()
			r, err := s.Person(requester).Command(s.ctx, general, "/pag list")
			if err != nil {
				t.Fatal(err)
			}
			return r, time.Since(began)
		}
		if r, took := run(func(d *slack.Dials) { d.AckDeadline = 1.5 }); r.Error != "operation_timeout" || took != 1500*time.Millisecond {
			t.Errorf("deadline: %+v after %v", r, took)
		}
		if r, took := run(func(d *slack.Dials) { d.Distribution, d.EnvelopeDelay = "newest", 2 }); r.Error != "" || took != 2*time.Second {
			t.Errorf("delay: %+v after %v", r, took)
		}
		if r, _ := run(func(d *slack.Dials) { d.EnvelopeDelay, d.DropRate = 0, 1 }); r.Error != "operation_timeout" {
			t.Errorf("dropped: %+v", r)
		}
		run(func(d *slack.Dials) { d.DropRate, d.EnterpriseInstall, d.ExtraFields = 0, "absent", true })
		synctest.Wait()
		second.mu.Lock()
		defer second.mu.Unlock()
		last := second.frames[len(second.frames)-1]
		payload := last["payload"].(map[string]any)
		if _, there := payload["is_enterprise_install"]; there || payload["x_unknown"] != true || last["x_unknown"] == nil {
			t.Errorf("%v", last)
		}
		if strings.Count(first.types(), "slash") != 1 {
			t.Errorf("the oldest got %s", first.types())
		}
	})
}

func TestAcksOnAnotherSocket(t *testing.T) {
	for own, want := range map[bool]string{false: "", true: "operation_timeout"} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.Distribution, d.AckOwnSocketOnly = "oldest", own })
			var other *peer
			s.dial(func(id any) []any {
				_ = other.ws.WriteJSON(acks(id)[0])
				return nil
			})
			s.connected(1)
			other = s.dial(silent)
			s.connected(2)
			if r, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil || r.Error != want {
				t.Errorf("own only %v: %+v %v", own, r, err)
			}
		})
	}
}

func TestSuggestionsAndLinks(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		api := s.api()
		picker := modal("Ask", true)
		picker.Blocks.BlockSet = append(picker.Blocks.BlockSet, slackgo.NewInputBlock("group", slackgo.NewTextBlockObject("plain_text", "Group", false, false), nil,
			slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeExternal, nil, "pick")))
		s.socket(func(c *socketmode.Client, ev socketmode.Event) {
			click, ok := ev.Data.(slackgo.InteractionCallback)
			switch {
			case !ok:
			case click.Type == slackgo.InteractionTypeBlockSuggestion:
				_ = c.Ack(*ev.Request, slackgo.OptionsResponse{Options: []*slackgo.OptionBlockObject{
					slackgo.NewOptionBlockObject(click.Value+"-admin", slackgo.NewTextBlockObject("plain_text", "found", false, false), nil)}})
			default:
				_ = c.Ack(*ev.Request, nil)
				if _, err := api.OpenViewContext(s.ctx, click.TriggerID, picker); err != nil {
					t.Error(err)
				}
			}
		})
		link := slackgo.NewButtonBlockElement("open", "", slackgo.NewTextBlockObject("plain_text", "Confirm", false, false))
		link.URL = "https://signin.example/x"
		ts, p := s.post(t, slackgo.MsgOptionBlocks(slackgo.NewActionBlock("", link))), s.Person(approver)
		if r, err := p.Click(s.ctx, approvals, ts, "open"); err != nil || r.URL != link.URL {
			t.Fatalf("%+v %v", r, err)
		}
		s.wait("modal", func(now slack.Snapshot) bool { return len(now.Views(approver)) == 1 })
		id := p.Views()[0].ID
		if got, err := p.Suggest(s.ctx, id, "pick", "db"); err != nil || got != nil {
			t.Errorf("too short to ask: %v %v", got, err)
		}
		got, err := p.Suggest(s.ctx, id, "pick", "dbs")
		if err != nil || len(got) != 1 || got[0]["value"] != "dbs-admin" {
			t.Errorf("%v %v", got, err)
		}
	})
}
