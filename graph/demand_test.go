package graph

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"pagbot/activation"
	"pagbot/sim/entra"
	"pagbot/sim/provision"
	"pagbot/sim/target"
)

const awsPrincipal = "77777777-0000-4000-8000-000000000001"

// works is a tenant whose provisioning Graph shows, too.
type works struct {
	*world
	provision *provision.World
	job       *target.Job
	copy      *target.Copy
	app       *Provisioner
	hand      *Demands
	a         activation.Activation
}

// ownApp is the provisioner's credential.
type ownApp struct {
	w   *world
	app entra.App
}

func (c ownApp) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t := c.w.token(url.Values{"grant_type": {"client_credentials"}, "client_id": {c.app.ID}, "client_secret": {"made-up"}, "scope": {"https://graph.microsoft.com/.default"}})
	return azcore.AccessToken{Token: t.Value, ExpiresOn: t.Expires}, nil
}

// inWorks has the requester made a member, and one application that Entra writes
// to with its cycle only.
func inWorks(t *testing.T, app Application, test func(*testing.T, *works)) {
	inWorld(t, func(t *testing.T, w *world) {
		x := &works{world: w}
		f := target.New(target.Config{Seed: 1})
		follow := target.Provisioning()
		follow.Push.Off = true
		f.Do(func() {
			x.copy = f.Copy(func() target.Follow { return follow }, func(key string, at time.Time) bool {
				group, oid, _ := strings.Cut(key, "/")
				return w.DirectMember(group, oid, at)
			}, w.group.ID+"/"+w.requester.ID, w.group.ID+"/"+w.second.ID)
			x.job = x.copy.Provision()
		})
		own := w.AddApp(entra.App{Name: "provisioner", Secret: "made-up", Roles: []string{"Application.ReadWrite.OwnedBy"}})
		var err error
		x.provision, err = provision.New(provision.Config{Tenant: w.Tenant(), Apps: []provision.App{{Principal: awsPrincipal, Name: "AWS", Owners: []string{own.Principal}, Job: x.job}},
			Verify: func(token string) (target.Caller, error) {
				claims, err := w.Verify(token, entra.GraphAudience)
				return target.CallerOf(claims), err
			}})
		w.must(err)
		theirs, rest := x.provision.Handler(), described(t, w.Graph())
		client := w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if provision.Serves(r) {
				theirs.ServeHTTP(rw, r)
				return
			}
			rest.ServeHTTP(rw, r)
		}))
		x.app, err = NewProvisioner(Config{Base: "http://graph.test", Tenant: w.Tenant(), Credential: ownApp{w, own}, HTTP: client}, app)
		w.must(err)
		x.hand = NewDemands(w.reader, map[string]*Provisioner{"aws": x.app})
		x.a = activation.Activation{Person: w.person(w.requester), Group: activation.Group{Tenant: w.Tenant(), ID: w.group.ID}, Access: activation.Member, From: time.Now()}
		test(t, x)
	})
}

// joins makes the requester a member.
func (x *works) joins() { x.must(x.AddTie(x.group.ID, "member", x.requester.ID)) }

func (x *works) knows() bool { return x.copy.Knows(x.group.ID+"/"+x.requester.ID, time.Now()) }

// demand does the effect until it is finished, and says how long that took.
func (x *works) demand() (activation.Demanded, time.Duration) {
	x.t.Helper()
	e, began := activation.Effect{Kind: activation.Demand, Target: "aws"}, time.Now()
	for range 100 {
		r := x.hand.Do(x.t.Context(), x.a, e)
		if r.Finished() {
			told, _ := r.Tell.(activation.Demanded)
			return told, time.Since(began)
		}
		if r.Tell != nil {
			x.t.Fatalf("it tells %+v and goes on", r.Tell)
		}
		if r.Memory != nil {
			e.Memory = r.Memory
		}
		pass(max(time.Until(r.Again), r.After))
	}
	x.t.Fatal("it never ends")
	return activation.Demanded{}, 0
}

func (x *works) demands() (n int) {
	for _, r := range x.provision.History() {
		if strings.HasSuffix(r.Path, "/provisionOnDemand") {
			n++
		}
	}
	return n
}

// Entra is asked when it lists the member, and not before; what is there already
// is fine, too, as after a crash.
func TestDemand(t *testing.T) {
	inWorks(t, Application{Principal: awsPrincipal}, func(t *testing.T, x *works) {
		time.AfterFunc(12*time.Second, x.joins)
		told, took := x.demand()
		if told.Target != "aws" || told.Refusal != nil || told.At.IsZero() || !x.knows() || took < 12*time.Second || took > 20*time.Second {
			t.Errorf("after %v: %+v, written: %v", took, told, x.knows())
		}
		if told, _ := x.demand(); told.Refusal != nil || x.demands() != 2 {
			t.Errorf("again: %+v, %d calls", told, x.demands())
		}
		x.a.Access = activation.Owner
		if r := x.hand.Do(t.Context(), x.a, activation.Effect{Kind: activation.Demand, Target: "aws"}); !r.Finished() || r.Tell != nil || x.demands() != 2 {
			t.Errorf("an owner: %+v", r)
		}
	})
}

// A demand that a killed bot left behind is for whom the group lists, and for
// nobody who has left it meanwhile: what provisioning reads may be minutes old,
// and would write them there again, until the next cycle.
func TestDemandAfterAnAbsence(t *testing.T) {
	inWorks(t, Application{Principal: awsPrincipal}, func(t *testing.T, x *works) {
		x.job.Turn(func(d *target.JobDials) { d.DemandLag = 5 * time.Minute })
		x.joins()
		pass(6 * time.Minute)
		x.must(x.RemoveTie(x.group.ID, "member", x.requester.ID))
		told, _ := x.demand()
		if told.Refusal == nil || told.Refusal.Code != activation.NotProvisioned || x.demands() != 0 || x.knows() {
			t.Errorf("%+v after %d demands; written: %v", told, x.demands(), x.knows())
		}
	})
}

// Where it can't be seen whether the group lists the person, nothing is asked
// for, and they are told so in the end.
func TestDemandUnseen(t *testing.T) {
	inWorks(t, Application{Principal: awsPrincipal}, func(t *testing.T, x *works) {
		x.joins()
		x.Inject(entra.Fault{Path: "/v1.0/", Do: entra.DoStatus, Status: 503, App: x.readerApp.ID})
		told, took := x.demand()
		if told.Refusal == nil || told.Refusal.Code != activation.Unavailable || x.demands() != 0 || took < 5*time.Minute || took > 15*time.Minute {
			t.Errorf("after %v and %d demands: %+v", took, x.demands(), told)
		}
	})
}

// What Entra won't do is said once, by its reason; where asking again may help,
// it is asked again, and not for ever.
func TestDemandDeclined(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*works)
		want  activation.Code
		calls int
		text  string
	}{
		"not an owner": {func(x *works) { x.provision.Change(awsPrincipal, func(a *provision.App) { a.Owners = nil }) }, activation.PermissionNeeded, 0, ""},
		"no job":       {func(x *works) { x.provision.Change(awsPrincipal, func(a *provision.App) { a.Jobless = true }) }, activation.NotProvisioned, 0, "0 provisioning jobs"},
		"gone":         {func(x *works) { x.provision.Inject(target.Fault{Path: "/jobs", Do: target.DoStatus, Status: 404}) }, activation.NotProvisioned, 0, ""},
		"refused":      {func(x *works) { x.job.Turn(func(d *target.JobDials) { d.Refuses = true }) }, activation.Broken, 1, "InvalidCredentials"},
		"quarantine": {func(x *works) {
			x.job.Turn(func(d *target.JobDials) { d.Refuses, d.Quarantine = true, 1 })
			pass(time.Hour)
			x.a.From = time.Now()
		}, activation.Quarantined, 1, "InvalidCredentials"},
		"nothing to write": {func(x *works) { x.job.Turn(func(d *target.JobDials) { d.DemandLag = time.Hour }) }, activation.NotProvisioned, 5, "NotEffectivelyEntitled"},
		"away":             {func(x *works) { x.provision.Inject(target.Fault{Path: "OnDemand", Do: target.DoStatus}) }, activation.Unavailable, 5, ""},
		"HTML":             {func(x *works) { x.provision.Inject(target.Fault{Path: "OnDemand", Do: target.DoHTML}) }, activation.Unavailable, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inWorks(t, Application{Principal: awsPrincipal}, func(t *testing.T, x *works) {
				x.joins()
				c.spoil(x)
				pass(time.Second)
				told, took := x.demand()
				if told.Refusal == nil || told.Refusal.Code != c.want || x.demands() != c.calls || took > 10*time.Minute {
					t.Fatalf("after %v and %d calls: %+v", took, x.demands(), told.Refusal)
				}
				if !strings.Contains(told.Refusal.Text, c.text) || (c.want == activation.Quarantined) == told.Refusal.Until.IsZero() {
					t.Errorf("%+v", told.Refusal)
				}
			})
		})
	}
}

// Five in ten seconds are let through; the others wait for their turn, and none
// is refused. If others use them up, a 429 is waited for.
func TestDemandsTakeTurns(t *testing.T) {
	inWorks(t, Application{Principal: awsPrincipal}, func(t *testing.T, x *works) {
		x.joins()
		pass(time.Second)
		for i := range 7 {
			told, took := x.demand()
			if told.Refusal != nil || (took > 0) != (i == 5) || took > demandsWithin {
				t.Errorf("demand %d: %v, %+v", i+1, took, told.Refusal)
			}
		}
		for _, r := range x.provision.History() {
			if r.Status == http.StatusTooManyRequests {
				t.Error("one came too soon")
			}
		}
		x.provision.Turn(func(d *provision.Dials) { d.Demands = 1 })
		if told, took := x.demand(); told.Refusal != nil || took < 5*time.Second {
			t.Errorf("throttled: %v, %+v", took, told.Refusal)
		}
	})
}

// First contact says what is missing.
func TestProvisionerSetup(t *testing.T) {
	for _, c := range []struct {
		app   Application
		spoil func(*provision.App)
		want  string
	}{
		{Application{Principal: awsPrincipal}, func(*provision.App) {}, ""},
		{Application{Principal: awsPrincipal, Job: "j", Rule: "r"}, func(*provision.App) {}, ""},
		{Application{Principal: awsPrincipal}, func(a *provision.App) { a.Jobless = true }, "0 provisioning jobs: name the right one"},
		{Application{Principal: awsPrincipal}, func(a *provision.App) { a.Owners = nil }, "make it an owner of that enterprise application"},
	} {
		inWorks(t, c.app, func(t *testing.T, x *works) {
			x.provision.Change(awsPrincipal, c.spoil)
			if err := x.app.Setup(t.Context()); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	inWorks(t, Application{Principal: awsPrincipal}, func(t *testing.T, x *works) {
		x.provision.Inject(target.Fault{Path: "/jobs", Do: target.DoStatus, Status: 404})
		if err := x.app.Setup(t.Context()); err == nil || !strings.Contains(err.Error(), "not from App registrations") {
			t.Errorf("%v", err)
		}
	})
}
