package scim

import (
	"testing"
	"time"
)

// nested is a directory where everybody is in every group, but only some of
// them themselves.
type nested struct{ direct map[string]bool }

func (nested) Member(string, string, time.Time) bool { return true }

func (n nested) DirectMember(_, oid string, _ time.Time) bool { return n.direct[oid] }

// Entra ignores nested groups when it provisions.
func TestNestedMembersAreNotProvisioned(t *testing.T) {
	w, err := New(Config{Directory: nested{map[string]bool{"direct": true}}, Token: "the token",
		Groups: []Group{{"db-admins", "pag"}}, Users: []User{{"direct", "direct@contoso.example", true}, {"inside", "inside@contoso.example", true}}})
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]bool{"direct": true, "inside": false} {
		if got := w.Knows("db-admins", who, w.Now()); got != want {
			t.Errorf("%s: %v", who, got)
		}
	}
}
