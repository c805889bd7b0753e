package signin_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

// town is what Entra and Slack say of people, as a test wants it.
type town struct {
	mu       sync.Mutex
	accounts map[string]signin.Account
	members  map[string]signin.Member
	asked    int
	down     error
}

func (d *town) Account(_ context.Context, object string) (signin.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	a, ok := d.accounts[object]
	if d.down == nil && !ok {
		return a, signin.ErrNoAccount
	}
	return a, d.down
}

func (d *town) Member(_ context.Context, u activation.SlackUser) (signin.Member, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, ok := d.members[u.ID]
	if d.down == nil && !ok {
		return m, signin.ErrNoAccount
	}
	return m, d.down
}

// withTown is a world whose people stand in both directories.
func withTown(t *testing.T, change ...func(*signin.Config)) (*world, *town) {
	t.Helper()
	d := &town{accounts: map[string]signin.Account{}, members: map[string]signin.Member{}}
	w := newWorld(t, append(change, func(c *signin.Config) { c.Directory, c.Workspace = d, d })...)
	for _, u := range []string{"U0REQUESTER", "U0APPROVER", "U0STRANGER"} {
		name := strings.ToLower(strings.TrimPrefix(u, "U0"))
		d.members[u] = signin.Member{Name: name, Team: "Contoso", Mail: name + "@contoso.example", Active: true}
	}
	for _, u := range []entra.User{w.requester, w.admin, w.approver, w.stranger} {
		d.accounts[u.ID] = signin.Account{UPN: u.UPN, Mail: u.UPN, Enabled: true}
	}
	return w, d
}

// Each of these ends a session at its next use, and, unused, at the next sweep.
func TestSessionEndsWithTheAccount(t *testing.T) {
	for name, change := range map[string]func(*world, *town){
		"disabled": func(w *world, d *town) {
			d.accounts[w.requester.ID] = signin.Account{UPN: w.requester.UPN}
		},
		"deleted": func(w *world, d *town) { delete(d.accounts, w.requester.ID) },
		"revoked": func(w *world, d *town) {
			d.accounts[w.requester.ID] = signin.Account{UPN: w.requester.UPN, Enabled: true, Revoked: time.Now()}
		},
		"deactivated in Slack": func(_ *world, d *town) { d.members["U0REQUESTER"] = signin.Member{Name: "requester"} },
		"deleted in Slack":     func(_ *world, d *town) { delete(d.members, "U0REQUESTER") },
	} {
		for _, by := range []string{"use", "sweep"} {
			synctest.Test(t, func(t *testing.T) {
				w, d := withTown(t)
				wt := w.session(w.requester)
				other := w.session(w.approver)
				time.Sleep(time.Hour)
				w.token(wt)
				change(w, d)
				time.Sleep(2 * time.Minute) // what was asked is remembered for one
				if by == "sweep" {
					w.must(w.svc.Sweep(t.Context()))
				} else {
					w.noToken(wt, name)
				}
				if row := w.box.copy()["custody T0CONTOSO/U0REQUESTER"]; row != nil {
					t.Errorf("%s, by %s: the session is still kept", name, by)
				}
				w.token(other)
				if !strings.Contains(w.log.String(), "forgot a kept session") {
					t.Errorf("%s, by %s: the log doesn't say why", name, by)
				}
			})
		}
	}
}

// A new sign-in after a revocation is as good as any.
func TestRevocationEndsOnlyWhatWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t)
		d.accounts[w.requester.ID] = signin.Account{UPN: w.requester.UPN, Enabled: true, Revoked: time.Now()}
		time.Sleep(time.Second)
		w.token(w.session(w.requester))
	})
}

// While nobody can say how an account stands, its session is neither used nor
// dropped.
func TestStandingUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t)
		wt := w.session(w.requester)
		time.Sleep(2 * time.Minute)
		d.down = errors.New("directory on fire")
		if _, err := w.svc.Token(t.Context(), wt, ""); err == nil || errors.Is(err, signin.ErrSignIn) {
			t.Errorf("a token while nobody knows: %v", err)
		}
		if err := w.svc.Sweep(t.Context()); err == nil {
			t.Error("a sweep that could not look went unnoticed")
		}
		d.down = nil
		asked := d.asked
		for range 5 {
			w.token(wt)
		}
		if d.asked != asked+1 {
			t.Errorf("asked %d times for five deeds at once", d.asked-asked)
		}
	})
}

func TestCustodyOfDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *signin.Config) { c.Custody = "7d" })
		wt := w.session(w.requester)
		for range 3 {
			time.Sleep(55 * time.Hour) // a weekend
			w.token(wt)
		}
		time.Sleep(2 * time.Hour)
		w.token(wt)
		time.Sleep(2 * time.Hour)
		w.noToken(wt, "older than seven days")
		wt = w.session(w.requester)
		time.Sleep(73 * time.Hour)
		w.noToken(wt, "unused for more than three days")
	})
}

// However a copy of the database comes back, after a sign-out nothing in it
// opens: not in the same process, not in the next.
func TestRestoredVault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		floors := &floorFile{}
		w := newWorld(t, func(c *signin.Config) { c.Floors = floors })
		wt := w.session(w.requester)
		other := w.session(w.approver)
		backup := w.box.copy()
		w.must(w.svc.SignOut(t.Context(), wt.Actor.Slack))
		for _, restart := range []bool{false, true} {
			for k, v := range backup {
				w.box.set(k, v)
			}
			if restart {
				w.restart()
			}
			w.noToken(wt, "restored")
		}
		w.token(other) // who did not sign out keeps their session
		w.token(w.session(w.requester))
		w.restart()
		w.token(w.ask(activation.End, w.person(w.requester), activation.Session))
		if s := floors.String(); strings.Contains(s, w.requester.ID) || len(floors.m) != 1 {
			t.Errorf("the floors name people: %s", s)
		}
		time.Sleep(31 * 24 * time.Hour)
		w.session(w.approver)
		w.must(w.svc.SignOut(t.Context(), w.person(w.approver).Slack))
		if len(floors.m) != 1 {
			t.Errorf("%d floors a month later", len(floors.m))
		}
		floors.fail = errors.New("disk full")
		w.session(w.requester)
		if err := w.svc.SignOut(t.Context(), wt.Actor.Slack); err == nil {
			t.Error("a sign-out that was not noted went unnoticed")
		}
	})
}

// floorFile is what lies beside the database.
type floorFile struct {
	m    map[string]int64
	fail error
}

func (f *floorFile) Load() (map[string]int64, error) { return f.m, f.fail }
func (f *floorFile) Save(m map[string]int64) error {
	if f.fail == nil {
		f.m = m
	}
	return f.fail
}

func (f *floorFile) String() (s string) {
	for k := range f.m {
		s += k + "\n"
	}
	return s
}
