package devops

import (
	"testing"
	"time"

	"pagbot/sim/entra"
)

// The tenant's true history is the directory, and its tokens open the door.
func TestFollowsEntra(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	tenant := entra.New(entra.Config{Seed: 1, Now: now})
	u := tenant.AddUser(entra.User{UPN: upn})
	g := tenant.AddGroup(entra.Group{Name: "devops-admins"})
	app := tenant.AddApp(entra.App{Name: "reader"})
	if _, err := tenant.AddEligibility(g.ID, "member", u.ID, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w, err := New(Config{Now: now, Tenant: tenant.Tenant(), Directory: tenant,
		Verify: func(token string) (Caller, error) {
			claims, err := tenant.Verify(token, entra.DevOpsAudience)
			oid, _ := claims["oid"].(string)
			return Caller{OID: oid}, err
		},
		Orgs: []Org{{Name: "contoso", Groups: []string{g.ID}, Phase: 30 * time.Minute, Readers: []string{app.Principal},
			Users: []User{{OID: u.ID, UPN: upn, Standing: true, SignedIn: true}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.Portal(u.ID).Activate(g.ID, "member", 2*time.Hour, "wiring"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after        time.Duration
		member, know bool
	}{{2 * time.Second, true, false}, {30 * time.Minute, true, true}, {90 * time.Minute, false, true}, {30 * time.Minute, false, false}} {
		at = at.Add(step.after)
		if m, k := tenant.Member(g.ID, u.ID, at), w.Org("contoso").Knows(u.ID, at); m != step.member || k != step.know {
			t.Errorf("%s: member %v, known %v", at, m, k)
		}
	}
	x := &world{World: w, t: t}
	if rec := x.call("not-a-token", "GET", vssps+"identities?"+version, ""); rec.Code != 401 {
		t.Errorf("a token that Entra never issued: %d", rec.Code)
	}
}
