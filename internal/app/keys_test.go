package app

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFloorFile(t *testing.T) {
	f := floorFile(filepath.Join(t.TempDir(), "signed-out.json"))
	if m, err := f.Load(); err != nil || len(m) != 0 {
		t.Errorf("nothing yet: %v %v", m, err)
	}
	for _, want := range []map[string]int64{{"a": 1, "b": 2}, {"a": 3}} {
		if err := f.Save(want); err != nil {
			t.Fatal(err)
		}
		if m, err := f.Load(); err != nil || !maps.Equal(m, want) {
			t.Errorf("%v, want %v: %v", m, want, err)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(string(f))); len(left) != 1 {
		t.Errorf("%d files", len(left))
	}
	if i, err := os.Stat(string(f)); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", i.Mode(), err)
	}
	if err := os.WriteFile(string(f), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	// What can't be read must not pass for nothing: old sessions would open.
	if _, err := f.Load(); err == nil || !strings.Contains(err.Error(), "signout --all") {
		t.Errorf("broken: %v", err)
	}
}
