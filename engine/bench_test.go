package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// on is an engine on the real store, on a disk or in memory, that runs until
// the benchmark ends.
func on(b *testing.B, dir string, change func(*Config)) *Engine {
	b.Helper()
	db, err := store.Open(filepath.Join(dir, "pagbot.db"), store.Options{Remember: Remember})
	if err != nil {
		b.Fatal(err)
	}
	c := Config{Store: db, Reader: reader(crowded), Hands: hands(hand{})}
	if change != nil {
		change(&c)
	}
	e, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { e.Run(ctx) })
	b.Cleanup(func() {
		cancel()
		wg.Wait()
		_ = db.Close()
	})
	return e
}

// crowded reads an envelope as the ask of a person of its own.
func crowded(_ context.Context, k activation.Kept) (string, activation.Input, error) {
	who := activation.Person{Tenant: "t", Object: k.ID}
	return "a-" + k.ID, activation.Ask{ID: "a-" + k.ID, Tag: k.ID, Person: who, Group: group, Access: activation.Member, Length: length,
		Warrant: activation.Warrant{ID: "w-" + k.ID, Actor: who, Deed: activation.Submit, Proof: activation.Fresh, Clicked: k.At, Expires: k.At.Add(time.Hour)},
		Facts:   activation.Facts{Eligible: true}}, nil
}

const crowd = 2000

// BenchmarkBurst lets a crowd click at once: how long until each envelope is
// kept, so that it can be acknowledged, and until all are decided.
func BenchmarkBurst(b *testing.B) {
	var waits []time.Duration
	var kept, decided time.Duration
	var turns sync.WaitGroup
	e := on(b, b.TempDir(), func(c *Config) { c.Store = counted{c.Store, turns.Done} })
	envelope := raw(strings.Repeat("x", 800)) // about what a click has
	for round := range b.N {
		each := make([]time.Duration, crowd)
		turns.Add(crowd)
		began := time.Now()
		var wg sync.WaitGroup
		for i := range crowd {
			wg.Go(func() {
				from := time.Now()
				if err := wait(b.Context(), e, fmt.Sprintf("%d-%d", round, i), envelope); err != nil {
					panic(err) // its answer would be waited for in vain
				}
				each[i] = time.Since(from)
			})
		}
		wg.Wait()
		kept += time.Since(began)
		waits = append(waits, each...)
		turns.Wait()
		decided += time.Since(began)
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Nanoseconds()), "ns-p50/keep")
	b.ReportMetric(float64(waits[len(waits)*99/100].Nanoseconds()), "ns-p99/keep")
	b.ReportMetric(float64(b.N*crowd)/kept.Seconds(), "keeps/s")
	b.ReportMetric(float64(b.N*crowd)/decided.Seconds(), "turns/s")
}

// counted tells of every turn of an activation.
type counted struct {
	store.Store
	turn func()
}

func (c counted) Commit(ctx context.Context, t store.Turn) error {
	err := c.Store.Commit(ctx, t)
	for _, d := range t.Docs {
		if err == nil && d.Kind == kindActivation {
			c.turn()
		}
	}
	return err
}
