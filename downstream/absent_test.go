package downstream

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/sim/awsidc"
	"pagbot/sim/scim"
	"pagbot/sim/target"
)

// first is the life of somebody who was never anywhere: from a request that waits
// to three hours after the end. The membership is from..ends.
type first struct {
	*life
	from, ends time.Time
}

// firstEver follows one on a probe.
func firstEver(t *testing.T, p Probe) *first {
	t.Helper()
	w, err := NewWatch(Config{Probes: map[string]Probe{"app": p}})
	if err != nil {
		t.Fatal(err)
	}
	x := &first{life: &life{w: w, settled: map[activation.Direction]time.Time{}}, from: time.Now().Add(5 * time.Minute)}
	x.ends = x.from.Add(2 * time.Hour)
	x.tell(activation.Notice{ID: "a", Person: requester, Group: activation.Group{ID: pagID}, Access: activation.Member, Request: activation.Request{ID: "r", Status: "PendingApproval", Created: time.Now()},
		Targets: []activation.Target{{ID: "app", Kind: "scim", Level: activation.L1, Within: activation.Duration(time.Hour)}}})
	return x
}

// lives the whole of it.
func (x *first) lives(ctx context.Context) (grant, removal activation.Span) {
	x.until(ctx, x.from)
	x.tell(activation.Saw{Looked: true, Present: &activation.Instance{From: x.from, Ends: x.ends}, At: x.from})
	x.until(ctx, x.ends)
	x.tell(activation.Saw{Looked: true, At: x.ends})
	x.until(ctx, x.ends.Add(3*time.Hour))
	return x.a.Targets[0].Grant, x.a.Targets[0].Removal
}

// scimOf is an application that nobody has provisioned the requester to.
func scimOf(t *testing.T, has func(time.Time) bool, d scim.Dials) (*scim.World, *SCIM) {
	t.Helper()
	follow := target.Provisioning()
	follow.Phase = 25 * time.Minute
	w, err := scim.New(scim.Config{Seed: 3, Token: "t", Follow: &follow, Dials: &d, Groups: []scim.Group{{Name: "db-admins", PAG: pagID}},
		Directory: stays{func(oid string, at time.Time) bool { return oid != requester.Object || has(at) }},
		Users:     []scim.User{{OID: requester.Object, UPN: requester.Name}, {OID: colleague.Object, UPN: colleague.Name, Provisioned: true}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewSCIM(SCIMConfig{Base: "http://app.test", Group: "db-admins", Token: func(context.Context) (string, error) { return "t", nil },
		HTTP: serve(t, map[string]http.Handler{"app.test": w.Handler()})})
	if err != nil {
		t.Fatal(err)
	}
	return w, p
}

// judged holds a life against the truth.
func (x *first) judged(t *testing.T, grant, removal activation.Span, came, went time.Time) {
	t.Helper()
	if grant.State != activation.Effective || !grant.After.Before(came) || grant.By.Before(came) || grant.By.Sub(grant.After) > 2*time.Minute {
		t.Errorf("it came at %v; published: %+v", came, grant)
	}
	if removal.State != activation.Gone || removal.After.After(went) || removal.By.Before(went) {
		t.Errorf("it went at %v; published: %+v", went, removal)
	}
}

// An account that was never there is the control of its own first access, also
// where it is deleted with the last.
func TestFirstEverAccount(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var x *first
			d := scim.Usual()
			d.Deprovisions = deleted
			w, p := scimOf(t, func(at time.Time) bool { return x != nil && !at.Before(x.from) && at.Before(x.ends) }, d)
			x = firstEver(t, p)
			grant, removal := x.lives(t.Context())
			came, went, _ := w.TrueEffect("db-admins", requester.Object)
			x.judged(t, grant, removal, came, went)
		})
	}
}

// The same in an identity store of AWS, found by name and by external id.
func TestFirstEverAWSAccount(t *testing.T) {
	for _, issuer := range []string{"", "https://issuer.example/"} {
		synctest.Test(t, func(t *testing.T) {
			var x *first
			follow := target.Provisioning()
			follow.Phase = 25 * time.Minute
			w, err := awsidc.New(awsidc.Config{Seed: 3, Store: "d-1234567890", Region: "eu-central-1", Keys: map[string]string{"AKIA": "secret"}, Issuer: issuer, Follow: &follow,
				Directory: stays{func(_ string, at time.Time) bool { return x != nil && !at.Before(x.from) && at.Before(x.ends) }},
				Groups:    []awsidc.Group{{Name: "db-admins", PAG: pagID}}, Users: []awsidc.User{{OID: requester.Object, UPN: requester.Name}}})
			if err != nil {
				t.Fatal(err)
			}
			p, err := NewAWS(AWSConfig{Region: "eu-central-1", Store: "d-1234567890", Group: "db-admins", AccessKey: "AKIA", SecretKey: "secret", Issuer: issuer, API: "http://aws.test",
				HTTP: serve(t, map[string]http.Handler{"aws.test": w.Handler()})})
			if err != nil {
				t.Fatal(err)
			}
			x = firstEver(t, p)
			grant, removal := x.lives(t.Context())
			came, went, _ := w.TrueEffect("db-admins", requester.Object)
			x.judged(t, grant, removal, came, went)
		})
	}
}

// Somebody who is looked for in the wrong way may have been in the group for
// long: that nobody was found is no control, and no proof that they are gone.
func TestWronglyLookedForIsNotAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := scim.Usual()
		d.NoExternalID = true // an account by hand, which Entra finds by its name
		w, p := scimOf(t, func(time.Time) bool { return true }, d)
		x := firstEver(t, p)
		time.AfterFunc(10*time.Minute, func() { w.Turn(func(d *scim.Dials) { d.NoExternalID = false }) })
		if grant, _ := x.lives(t.Context()); grant.State != activation.Works {
			t.Errorf("published: %+v", grant)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, p := scimOf(t, func(time.Time) bool { return false }, scim.Usual())
		x := firstEver(t, p)
		if grant, removal := x.lives(t.Context()); grant.Settled() || removal.Settled() || removal.Doubt == "" {
			t.Errorf("never seen: %+v, then %+v", grant, removal)
		}
	})
}
