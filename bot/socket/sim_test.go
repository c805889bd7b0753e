package socket

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/pipe"
	"pagbot/sim/slack"
)

// office is a simulated workspace with a requester and our app in it.
func office(cfg slack.Config) (w *slack.World, appToken string) {
	w = slack.New(cfg)
	w.AddTeam(slack.Team{ID: "T0CONTOSO", Domain: "contoso", Name: "Contoso"})
	w.AddUser(slack.User{ID: "U0REQUESTER", Team: "T0CONTOSO", Name: "requester"})
	app := w.AddApp(slack.App{ID: "A0PAG", Name: "pag", Team: "T0CONTOSO", BotUser: "U0BOT",
		Commands: []slack.Command{{Name: "/pag"}}, Scopes: []string{"commands"}})
	w.AddChannel(slack.Channel{ID: "C0GENERAL", Team: "T0CONTOSO", Name: "general"}, "U0REQUESTER")
	return w, app.AppToken
}

// typed is a person's view of the loop: commands typed four times a second,
// and what Slack said to each.
type typed struct {
	mu      sync.Mutex
	all     int
	failed  map[string]int
	slowest time.Duration
}

func (y *typed) note(r slack.Reply, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.all++
	if err != nil {
		r.Error = err.Error()
	}
	if r.Error != "" {
		y.failed[r.Error]++
	}
	y.slowest = max(y.slowest, r.Latency)
}

// atOffice runs the loop against the simulated Slack while commands are typed
// for ten minutes and happen takes its course.
func atOffice(t *testing.T, turn func(*slack.Dials), happen func(*slack.World), check func(*testing.T, *typed, *slack.World, Health)) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipe.Net{}
		w, token := office(slack.Config{Seed: 7, BaseURL: "http://slack.test"})
		w.Turn(turn)
		stop := network.Serve("slack.test", w.Handler())
		l, err := New(Config{AppToken: token, APIURL: "http://slack.test/api/", Dial: network.Dial, Handle: bare})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		time.Sleep(3 * time.Second)
		go happen(w)
		y := &typed{failed: map[string]int{}}
		var people sync.WaitGroup
		for range 2400 {
			time.Sleep(250 * time.Millisecond)
			people.Go(func() { y.note(w.Person("U0REQUESTER").Command(ctx, "C0GENERAL", "/pag list")) })
		}
		people.Wait()
		check(t, y, w, l.Health())
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
		synctest.Wait()
		for _, s := range w.Sockets() {
			if !s.Ghost && !s.Frozen {
				t.Errorf("left behind: %+v", s)
			}
		}
		w.Close()
		stop()
	})
}

// Each connection lives 20 s, by Slack's own clock of warning, refresh and
// close, and only the socket of the delivery counts for an ack. Slack's close
// comes before a third connection would make us close the first ourselves,
// which could cross an envelope.
func TestSimulatedRefreshes(t *testing.T) {
	for _, skip := range []bool{false, true} {
		atOffice(t, func(d *slack.Dials) {
			d.Lifetime, d.WarningGap, d.SkipWarning, d.AckOwnSocketOnly, d.DuplicateRate = 20, 5, skip, true, .1
		},
			func(*slack.World) {},
			func(t *testing.T, y *typed, w *slack.World, h Health) {
				if len(y.failed) > 0 || y.slowest > time.Second || y.all != 2400 || h.Hellos < 60 {
					t.Errorf("of %d commands failed %v; slowest %v; health %+v", y.all, y.failed, y.slowest, h)
				}
			})
	}
}

// Surprise refreshes of everything at once, also for reasons of next year.
func TestSimulatedSurprises(t *testing.T) {
	atOffice(t, func(d *slack.Dials) { d.AckOwnSocketOnly = true },
		func(w *slack.World) {
			for _, reason := range []string{"warning", "refresh_requested", "a reason of next year"} {
				time.Sleep(2 * time.Minute)
				if reason == "warning" {
					w.Refresh(0)
				} else {
					w.Disconnect(w.Sockets()[0].ID, reason)
				}
			}
		},
		func(t *testing.T, y *typed, w *slack.World, h Health) {
			if len(y.failed) > 0 || h.Hellos != 6 || h.Live() != 2 {
				t.Errorf("of %d commands failed %v; health %+v", y.all, y.failed, h)
			}
		})
}

// Ghosts up to the cap: nothing that goes to them can be saved, but the loop
// notices, opens no storm, and is whole again once they are gone.
func TestSimulatedGhostsAndCap(t *testing.T) {
	atOffice(t, func(d *slack.Dials) { d.MaxConnections = 3 },
		func(w *slack.World) {
			time.Sleep(time.Minute)
			w.MakeGhost(w.Sockets()[0].ID)
			time.Sleep(10 * time.Second)
			w.HalfOpen(w.Sockets()[1].ID)
			time.Sleep(4 * time.Minute)
			w.ReapGhosts()
		},
		func(t *testing.T, y *typed, w *slack.World, h Health) {
			capped := len(w.History(slack.Query{Kind: "socket", Name: "too_many_websockets"}))
			if h.Live() != 2 || len(y.failed) != 1 || y.failed["operation_timeout"] == 0 || capped < 2 || h.Opens > 12 {
				t.Errorf("of %d commands failed %v; health %+v", y.all, y.failed, h)
			}
			t.Logf("of %d commands failed %v (sent to ghosts); %d opens, %d at the cap", y.all, y.failed, h.Opens, capped)
		})
}
