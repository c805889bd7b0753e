package signin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

// lockbox is a root that prefixes; what it wraps can be made by anybody, as
// with a public key.
type lockbox struct {
	version string
	fail    error
	calls   int
}

func (l *lockbox) Wrap(_ context.Context, plain []byte) (string, []byte, error) {
	l.calls++
	return "vault/" + l.version, append([]byte(l.version+":"), plain...), l.fail
}

func (l *lockbox) Unwrap(_ context.Context, by string, wrapped []byte) ([]byte, error) {
	l.calls++
	plain, ok := bytes.CutPrefix(wrapped, []byte(strings.TrimPrefix(by, "vault/")+":"))
	if !ok {
		return nil, errors.New("not wrapped by " + by)
	}
	return plain, l.fail
}

func TestRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		all := []activation.Warrant{w.session(w.requester), w.session(w.admin), w.session(w.approver)}
		before := w.box.copy()
		did, err := w.svc.Rotate(t.Context())
		w.must(err)
		if did != (signin.Rotated{Key: 2, Resealed: 3, Bindings: 3, Dropped: 1}) {
			t.Errorf("%+v", did)
		}
		for _, restart := range []bool{false, true} {
			if restart {
				w.restart()
			}
			for _, wt := range all {
				w.token(wt)
			}
		}
		if bytes.Equal(before["custody-key T0CONTOSO/U0REQUESTER"], w.box.copy()["custody-key T0CONTOSO/U0REQUESTER"]) {
			t.Error("nothing was sealed anew")
		}
		// What an earlier copy of the rows holds, the new ring does not open.
		w.box.set("custody-key T0CONTOSO/U0REQUESTER", before["custody-key T0CONTOSO/U0REQUESTER"])
		w.restart()
		w.noToken(all[0], "sealed with a key that was dropped")
		w.token(all[2])
	})
}

// A process that dies at any write of a rotation leaves everything readable,
// for the next process and for the next rotation.
func TestRotationBreaksOff(t *testing.T) {
	died := 0
	for at := 1; ; at++ {
		done := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			all := []activation.Warrant{w.session(w.requester), w.session(w.approver)}
			w.box.dieAt = at
			_, err := w.svc.Rotate(t.Context())
			done = err == nil
			w.box.revive()
			if !done {
				died++
			}
			w.restart()
			for _, wt := range all {
				w.token(wt)
			}
			did, err := w.svc.Rotate(t.Context())
			w.must(err)
			if did.Resealed != 2 || did.Dropped == 0 {
				t.Errorf("after dying at write %d: %+v", at, did)
			}
			w.restart()
			for _, wt := range all {
				w.token(wt)
			}
		})
		if done || t.Failed() {
			break
		}
	}
	if died != 6 { // a new key, two people's keys and bindings, the old key dropped
		t.Errorf("died at %d writes", died)
	}
}

// The configured key itself is changed: what the old one sealed opens until all
// is sealed anew, and warrants that were clicked before stay good.
func TestNewConfiguredKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt, link := w.session(w.requester), w.svc.Link(w.fresh())
		w.old, w.key = [][]byte{w.key}, bytes.Repeat([]byte{9}, signin.KeySize)
		var err error
		w.cfg.Sealer, err = signin.NewSealer(w.key, w.old...)
		w.must(err)
		w.sealer = w.cfg.Sealer
		w.restart()
		w.token(wt)
		if p := w.open(w.browser(), link); p.Status != 200 {
			t.Errorf("a link from before: %d %s", p.Status, p.Title)
		}
		_, err = w.svc.Rotate(t.Context())
		w.must(err)
		w.old = nil
		w.cfg.Sealer, err = signin.NewSealer(w.key)
		w.must(err)
		w.sealer = w.cfg.Sealer
		w.restart()
		w.token(w.ask(activation.End, w.person(w.requester), activation.Session))
		if _, err := w.svc.Token(t.Context(), wt, ""); code(err) != activation.WarrantBad {
			t.Errorf("a warrant of a key that is named no more: %v", err)
		}
	})
}

func TestRingBehindARoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := &lockbox{version: "v1"}
		w := newWorld(t, func(*signin.Config) {})
		w.root = root
		w.box = &box{rows: map[string]boxed{}}
		w.cfg.Box = w.box
		w.restart()
		wt := w.session(w.requester)
		calls := root.calls
		for range 3 {
			w.token(wt)
		}
		if root.calls != calls {
			t.Error("the root is asked for every token")
		}
		root.version = "v2" // a new version of the vault's key
		_, err := w.svc.Rotate(t.Context())
		w.must(err)
		w.restart()
		w.token(wt)
		if !strings.Contains(w.box.String(), "vault/v2") || strings.Contains(w.box.String(), "vault/v1") {
			t.Errorf("not wrapped anew: %s", w.box)
		}
		root.fail = errors.New("forbidden")
		if _, err := signin.OpenRing(t.Context(), w.box, root, nil, w.key); err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("a root that refuses: %v", err)
		}
		root.fail = nil
		// Whoever can write the database and use the public key, but has not the
		// configured key, can't put a key of their own in.
		_, forged, _ := root.Wrap(t.Context(), bytes.Repeat([]byte{1}, 72))
		w.box.set("custody-ring all", fmt.Appendf(nil, `[{"id":9,"made":"2030-01-01T00:00:00Z","by":"vault/v2","key":%q}]`, enc(forged)))
		w.restart()
		w.noToken(wt, "under a ring that was made up")
		// And without the root, what it wrapped stays shut.
		w.root = nil
		w.restart()
		w.noToken(wt, "without the root")
	})
}

func TestRotateNeedsCustody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *signin.Config) { c.Custody = signin.KeepNone })
		if _, err := w.svc.Rotate(t.Context()); err == nil {
			t.Error("rotated nothing")
		}
		if _, err := signin.OpenRing(t.Context(), w.box, nil, nil, w.key[:5]); err == nil || !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("a short key: %v", err)
		}
	})
}

// Deeds go on while everything is sealed anew.
func TestRotateAmongDeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wts := map[string]activation.Warrant{}
		for _, u := range []entra.User{w.requester, w.approver} {
			wts[u.ID] = w.session(u)
		}
		time.Sleep(2 * time.Hour)
		done := make(chan error)
		for _, wt := range wts {
			for range 4 {
				go func() {
					_, err := w.svc.Token(context.Background(), wt, "")
					done <- err
				}()
			}
		}
		go func() { _, err := w.svc.Rotate(context.Background()); done <- err }()
		for range 9 {
			w.must(<-done)
		}
	})
}
