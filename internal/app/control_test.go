package app

import (
	"os"
	"testing"
)

// TestControlIsItsUsersAlone: whoever else is on the machine asks nothing of the
// serving process, also after one that died has left its socket behind.
func TestControlIsItsUsersAlone(t *testing.T) {
	path := socketPath(t.TempDir())
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := ownListener("unix", path)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	s, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Mode().Type() != os.ModeSocket || s.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %s", s.Mode())
	}
}
