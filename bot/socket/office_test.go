package socket

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// desk is the simulated Slack on real loopback sockets: its own history says
// how long each ack took.
type desk struct {
	*slack.World
	url, token string
}

func newOffice(b *testing.B) shooter {
	w, token := office(slack.Config{Seed: 7})
	w.Turn(func(d *slack.Dials) { d.AckDeadline = 60 })
	server := httptest.NewServer(w.Handler())
	b.Cleanup(func() { w.Close(); server.Close() })
	return &desk{w, server.URL + "/api/", token}
}

func (d *desk) api() (url, token string) { return d.url, d.token }

func (d *desk) ready(b *testing.B, n int) {
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	if err := d.Wait(ctx, func(now slack.Snapshot) bool { return len(now.Sockets()) >= n }); err != nil {
		b.Fatal(err)
	}
}

// fire has 2,000 commands typed at once.
func (d *desk) fire(int) []time.Duration {
	took := make([]time.Duration, burst)
	var typing sync.WaitGroup
	for i := range took {
		typing.Go(func() {
			r, err := d.Person("U0REQUESTER").Command(context.Background(), "C0GENERAL", `/pag activate db-admin 2h "incident 42"`)
			if took[i] = r.Latency; err != nil || r.Error != "" {
				took[i] = time.Hour
			}
		})
	}
	typing.Wait()
	return took
}

func (d *desk) end() { d.Close() }
