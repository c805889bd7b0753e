package slack_test

import (
	"context"
	"io"
	"log"
	"net/http/httptest"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"pagbot/sim/slack"
)

const burst = 2000

// everybody types a command at once; the answers' errors come back.
func everybody(ctx context.Context, w *slack.World, t testing.TB) {
	failed := make(chan string, burst)
	for range burst {
		go func() {
			r, err := w.Person(requester).Command(ctx, general, "/pag list")
			if err != nil {
				r.Error = err.Error()
			}
			failed <- r.Error
		}()
	}
	for range burst {
		if e := <-failed; e != "" {
			t.Fatal(e)
		}
	}
}

func TestBurst(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.socket(ackAll(map[string]any{"text": "ok"}))
		everybody(s.ctx, s.World, t)
		if n := len(s.Latencies(slack.Query{})); n != burst {
			t.Errorf("%d acks", n)
		}
		if n := len(s.Person(requester).Messages(general)); n != burst {
			t.Errorf("%d answers", n)
		}
	})
}

// BenchmarkBurst is 2,000 commands at once over real TCP to slack-go's loop that
// only acks; p50 and p99 are until the ack.
func BenchmarkBurst(b *testing.B) {
	for range b.N {
		s := &scene{World: slack.New(slack.Config{Seed: 7})}
		s.populate()
		srv := httptest.NewServer(s.Handler())
		ctx, cancel := context.WithCancel(b.Context())
		api := slackgo.New(s.app.BotToken, slackgo.OptionAppLevelToken(s.app.AppToken), slackgo.OptionAPIURL(srv.URL+"/api/"))
		c := socketmode.New(api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
		go c.RunContext(ctx)
		go func() {
			for ev := range c.Events {
				ackAll(nil)(c, ev)
			}
		}()
		if err := s.Wait(ctx, func(now slack.Snapshot) bool { return len(now.Sockets()) == 1 }); err != nil {
			b.Fatal(err)
		}
		everybody(ctx, s.World, b)
		all := s.Latencies(slack.Query{})
		b.ReportMetric(float64(all[len(all)/2])/float64(time.Millisecond), "p50-ms")
		b.ReportMetric(float64(all[len(all)*99/100])/float64(time.Millisecond), "p99-ms")
		cancel()
		s.Close()
		srv.Close()
	}
}
