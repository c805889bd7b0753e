package slack_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"pagbot/sim/pipe"
	"pagbot/sim/slack"
	"pagbot/sim/slack/official"
)

// A scene is a World with one team, some people, two channels and an app, served
// on an in-memory network.
type scene struct {
	*slack.World
	t   *testing.T
	app slack.App
	net *pipe.Net
	ctx context.Context
	web *http.Client
	let []string // what the types refuse in what is sent, and a dial lets through
}

const (
	requester = "U0REQUESTER"
	approver  = "U0APPROVER"
	guest     = "U0GUEST"
	outsider  = "W0OUTSIDER"
	general   = "C0GENERAL"
	approvals = "C0APPROVALS"
)

// stage runs a test in a bubble of virtual time; leaked goroutines fail it.
func stage(t *testing.T, play func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &scene{World: slack.New(slack.Config{Seed: 7, BaseURL: "http://slack.test"}), t: t, net: &pipe.Net{}, ctx: ctx}
		s.populate()
		stop := s.net.Serve("slack.test", s.Handler())
		s.web = s.net.Client()
		defer func() {
			cancel()
			s.Close()
			stop()
			s.web.CloseIdleConnections()
			s.judge()
		}()
		play(t, s)
	})
}

// judge has Slack's own types judge all that the world sent, in every test.
func (s *scene) judge() {
	s.t.Helper()
	let := slices.Clone(s.let)
	for _, err := range official.Sent(s.World) {
		i := slices.IndexFunc(let, func(part string) bool { return strings.Contains(err.Error(), part) })
		if i < 0 {
			s.t.Error(err)
			continue
		}
		let = slices.Delete(let, i, i+1)
	}
	if len(let) > 0 {
		s.t.Errorf("not refused by the types: %q", let)
	}
}

func (s *scene) populate() {
	s.AddTeam(slack.Team{ID: "T0CONTOSO", Domain: "contoso", Name: "Contoso"})
	s.AddTeam(slack.Team{ID: "T0FABRIKAM", Domain: "fabrikam", Name: "Fabrikam"})
	s.AddUser(slack.User{ID: requester, Team: "T0CONTOSO", Name: "requester", Email: "requester@contoso.example", TZ: "Europe/Berlin"})
	s.AddUser(slack.User{ID: approver, Team: "T0CONTOSO", Name: "approver", Email: "approver@contoso.example"})
	s.AddUser(slack.User{ID: guest, Team: "T0CONTOSO", Name: "guest", Restricted: true})
	s.AddUser(slack.User{ID: outsider, Team: "T0FABRIKAM", Name: "outsider"})
	s.app = s.AddApp(slack.App{ID: "A0PAG", Name: "pag", Team: "T0CONTOSO", BotUser: "U0BOT",
		Commands: []slack.Command{{Name: "/pag", Escape: true}}, Events: []string{"app_home_opened", "app_mention"},
		Scopes: []string{"commands", "chat:write", "im:write", "users:read", "users:read.email", "channels:read", "groups:read", "app_mentions:read"}})
	s.AddChannel(slack.Channel{ID: general, Team: "T0CONTOSO", Name: "general"}, requester, approver)
	s.AddChannel(slack.Channel{ID: approvals, Team: "T0CONTOSO", Name: "approvals", Private: true}, requester, approver, outsider, guest, "U0BOT")
}

// api is slack-go's Web API client on this world.
func (s *scene) api() *slackgo.Client {
	return slackgo.New(s.app.BotToken, slackgo.OptionAppLevelToken(s.app.AppToken),
		slackgo.OptionAPIURL("http://slack.test/api/"), slackgo.OptionHTTPClient(s.web))
}

// socket runs slack-go's socket client; handle gets every event.
func (s *scene) socket(handle func(*socketmode.Client, socketmode.Event)) {
	c := socketmode.New(s.api(), socketmode.OptionDialer(&websocket.Dialer{WriteBufferSize: 32 << 10,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return s.net.Dial(ctx, network, addr)
		}}),
		socketmode.OptionLog(log.New(io.Discard, "", 0)))
	go c.RunContext(s.ctx)
	go func() {
		for {
			select {
			case ev := <-c.Events:
				handle(c, ev)
			case <-s.ctx.Done():
				return
			}
		}
	}()
	s.connected(1)
}

// pass lets time go by in the bubble, and everything that it sets off.
func (s *scene) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// connected waits until so many sockets are registered.
func (s *scene) connected(n int) {
	s.t.Helper()
	s.wait("sockets", func(now slack.Snapshot) bool { return len(now.Sockets()) >= n })
}

func (s *scene) wait(what string, until func(slack.Snapshot) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 24*time.Hour)
	defer cancel()
	if err := s.Wait(ctx, until); err != nil {
		s.t.Fatalf("waiting for %s: %v", what, err)
	}
	synctest.Wait() // what led there is over too
}

func ackAll(payload any) func(*socketmode.Client, socketmode.Event) {
	return func(c *socketmode.Client, ev socketmode.Event) {
		if ev.Request != nil && ev.Request.EnvelopeID != "" {
			_ = c.Ack(*ev.Request, payload)
		}
	}
}

func TestSlackGoCommandAndPost(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		api := s.api()
		s.socket(func(c *socketmode.Client, ev socketmode.Event) {
			cmd, ok := ev.Data.(slackgo.SlashCommand)
			if !ok {
				return
			}
			_ = c.Ack(*ev.Request, map[string]any{"text": "asked for " + cmd.Text})
			if _, _, err := api.PostMessageContext(s.ctx, approvals, slackgo.MsgOptionText("card", false)); err != nil {
				t.Error(err)
			}
			channel, _, err := api.PostMessageContext(s.ctx, cmd.UserID, slackgo.MsgOptionText("hello", false))
			if err != nil || channel[0] != 'D' {
				t.Errorf("DM: %s %v", channel, err)
			}
		})
		reply, err := s.Person(requester).Command(s.ctx, general, `/pag activate db-admin "prod incident"`)
		if err != nil || reply.Message == nil || reply.Message.Text != `asked for activate db-admin "prod incident"` {
			t.Fatalf("%+v %v", reply, err)
		}
		s.wait("card", func(now slack.Snapshot) bool {
			return len(now.Messages(approver, approvals)) == 1 && len(now.DM(requester)) == 1
		})
		if len(s.Person(approver).Messages(general)) != 0 || len(s.Person(requester).Messages(general)) != 1 {
			t.Error("the command's answer is for the requester alone")
		}
	})
}

func TestNoAckIsATimeoutAndALateAckIsDiscarded(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.socket(func(c *socketmode.Client, ev socketmode.Event) {
			if ev.Type == socketmode.EventTypeSlashCommand {
				time.Sleep(3100 * time.Millisecond)
				_ = c.Ack(*ev.Request, map[string]any{"text": "too late"})
			}
		})
		began := time.Now()
		reply, err := s.Person(requester).Command(s.ctx, general, "/pag list")
		if err != nil || reply.Error != "operation_timeout" || time.Since(began) != 3*time.Second {
			t.Fatalf("%+v %v after %v", reply, err, time.Since(began))
		}
		s.wait("late ack", func(now slack.Snapshot) bool {
			e := now.History(slack.Query{Kind: "envelope"})
			return e[0].Acks == 1 && !e[0].Acked
		})
		if m := s.Person(requester).Messages(general); len(m) != 1 || m[0].User != "USLACKBOT" {
			t.Errorf("the person sees %+v", m)
		}
	})
}

func TestWithoutASocketACommandFailsAtOnce(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		reply, err := s.Person(requester).Command(s.ctx, general, "/pag list")
		if err != nil || reply.Error != "dispatch_failed" {
			t.Fatalf("%+v %v", reply, err)
		}
	})
}
