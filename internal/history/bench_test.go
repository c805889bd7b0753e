package history

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/engine"
	"pagbot/store"
)

const many = 10_000

// stored is an engine whose store has many activations of the last 30 days, and
// as many of the 30 days before.
func stored(b *testing.B) *engine.Engine {
	b.Helper()
	db, err := store.Open(filepath.Join(b.TempDir(), "pagbot.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	var t store.Turn
	for i := range 2 * many {
		from := now.Add(-time.Duration(i) * (30 * 24 * time.Hour / many))
		a := ended(granted(fmt.Sprintf("a%05d", i), from, 8, 9), from.Add(time.Hour), 3, 4)
		a.Reason, a.Settings.Approvers = "a reason as long as people write them", make([]activation.Approver, 5)
		body, err := json.Marshal(a)
		if err != nil {
			b.Fatal(err)
		}
		t.Docs = append(t.Docs, store.Doc{Kind: "activation", Key: a.ID, Index: []string{engine.Day(a.From)}, Body: body})
		if len(t.Docs) == 1000 {
			if err := db.Commit(b.Context(), t); err != nil {
				b.Fatal(err)
			}
			t = store.Turn{}
		}
	}
	e, err := engine.New(engine.Config{Store: db, Reader: nobody{}})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

type nobody struct{}

func (nobody) Read(context.Context, activation.Kept) (string, activation.Input, error) {
	return "", nil, nil
}

// BenchmarkBook measures what 10,000 activations cost: once at the start, then
// for each that changes, and for each question.
func BenchmarkBook(b *testing.B) {
	e := stored(b)
	at := now
	book := func() *Book { return NewBook(Config{Find: e.Find, Now: func() time.Time { return at }}) }
	full := book()
	if err := full.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	if n := len(full.History("devops", activation.Grant)); n < many || n > many+1 {
		b.Fatalf("%d of %d are there", n, many)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if err := book().Load(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("note", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			at = at.Add(5 * time.Minute)
			full.Note(granted(fmt.Sprint("n", i), at, 8, 9))
		}
	})
	at = now
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			full.History("devops", activation.Grant)
		}
	})
}
