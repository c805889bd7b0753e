package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"pagbot/store"
	"pagbot/store/storetest"
)

func open(t testing.TB, path string, now func() time.Time) *store.Bolt {
	t.Helper()
	b, err := store.Open(path, store.Options{Now: now, Remember: []string{storetest.Remembered}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		return open(t, filepath.Join(t.TempDir(), "pagbot.db"), now)
	})
}
