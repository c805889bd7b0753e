package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/sim/provision"
	"pagbot/sim/scim"
	"pagbot/sim/target"
)

const appPrincipal = "7a3e1c5d-0b2f-4c68-9d41-5e6f7a8b9c01"

// provisioned is a company whose release managers get into an application, too,
// to which Entra writes with its cycle of 40 minutes only; the next is 39 minutes
// away. The bot may have it written on demand.
func provisioned(app **scim.World) setup {
	var own entra.App
	return setup{
		found: func(w *demo.Worlds) {
			follow := target.Provisioning()
			follow.Push.Off = true
			cycle := time.Now().Add(39 * time.Minute)
			follow.Phase = cycle.Sub(cycle.Truncate(follow.Tick))
			x, err := scim.New(scim.Config{Seed: 1, Directory: w.Entra, Token: w.Reader.Secret, Follow: &follow, Groups: []scim.Group{{Name: "Releasers", PAG: w.Groups[demo.Releasers].ID}},
				Users: []scim.User{{OID: w.Account(demo.Requester), UPN: "adm-requester@contoso.example", Provisioned: true}}})
			own = w.Entra.AddApp(entra.App{Name: "provisioner", Secret: w.Reader.Secret, Roles: []string{"Application.ReadWrite.OwnedBy"}})
			if err == nil {
				err = w.Provision(demo.Clocks{}, provision.App{Principal: appPrincipal, Name: "App", Owners: []string{own.Principal}, Job: x.Job})
			}
			if err != nil {
				panic(err)
			}
			*app, w.Also = x, map[string]http.Handler{"http://app.test": x.Handler()}
		},
		yaml: func(_ *demo.Worlds, s string) string {
			s = strings.Replace(s, "\nsignin:", fmt.Sprintf("\n  provisioner: {client_id: %s, client_secret: {file: reader-secret}}\nsignin:", own.ID), 1)
			s = strings.Replace(s, "targets: [entra, devops]}\n  - {name: vault", "targets: [entra, app]}\n  - {name: vault", 1)
			return s + fmt.Sprintf("  - {id: app, kind: scim, name: The app, scim: {base: 'http://app.test/scim/v2', group: Releasers, token: {file: reader-secret}}, provision_on_demand: {service_principal: %s}}\n", appPrincipal)
		},
	}
}

// demands are the calls by which a member was to be written at once.
func (w *town) demands() (n int) {
	for _, r := range w.Provisioning.History() {
		if strings.HasSuffix(r.Path, "/provisionOnDemand") {
			n++
		}
	}
	return n
}

// TestOnDemand: what would come with a cycle of Entra's in 39 minutes takes
// effect in minutes. It is asked for once, also over a restart, by the bot's own
// registration, and the person reads that; that it is there, the target says.
func TestOnDemand(t *testing.T) {
	var app *scim.World
	inTown(t, provisioned(&app), func(w *town) {
		w.Entra.Turn(func(d *entra.Dials) { d.MembershipLag = 20 * time.Second }) // until then there is nothing to write
		began := time.Now()
		w.gets(demo.Releasers, "1h")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "The app may not know it yet", "I ask Entra to write it to The app at once")
		w.stop()
		w.start()
		w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, demo.Releasers, "The app: not seen yet; Entra was asked at", "to write it at once, and I keep looking")
		w.stop()
		w.start()
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "The app has received your "+demo.Releasers)
		if took := time.Since(began); took > 5*time.Minute || w.demands() != 1 {
			t.Errorf("it took %s and %d demands", took, w.demands())
		} else {
			t.Logf("on_demand_minutes: %.1f (with the cycle: 39)", took.Minutes())
		}
		for _, r := range w.Provisioning.History() {
			if r.OID == w.Reader.Principal {
				t.Error("the reader, which must not write, asked")
			}
		}
	})
}

// TestCutOffInADemand: the bot goes between a demand and its answer, and can't
// know that Entra did it. It asks once more, which writes nothing anew, and the
// person reads what is so, once. (engine.TestCrashWalk kills at every point.)
func TestCutOffInADemand(t *testing.T) {
	var app *scim.World
	inTown(t, provisioned(&app), func(w *town) {
		w.Provisioning.Inject(target.Fault{Path: "OnDemand", Do: target.DoHang, Times: 1})
		w.gets(demo.Releasers, "1h")
		for range 60 {
			if w.demands() > 0 {
				break
			}
			w.pass(time.Second)
		}
		if w.demands() != 1 {
			t.Fatalf("%d demands before the end", w.demands())
		}
		w.stop()
		w.pass(time.Minute)
		w.start()
		dm := w.mine(demo.Requester)
		w.sees(demo.Requester, dm, 5*time.Minute, "The app has received your "+demo.Releasers)
		w.sees(demo.Requester, w.Channel.ID, time.Minute, demo.Releasers, "The app: received")
		w.pass(10 * time.Minute)
		read := w.read(demo.Requester, dm)
		if n := strings.Count(read, "The app has received"); n != 1 || strings.Contains(read, "won't write") || w.demands() > 2 {
			t.Errorf("told %d times after %d demands:\n%s", n, w.demands(), read)
		}
	})
}

// TestOnDemandInQuarantine: that Entra writes nothing there, and why, is told
// once and holds nothing up; once it is mended, the cycle brings it.
func TestOnDemandInQuarantine(t *testing.T) {
	var app *scim.World
	inTown(t, provisioned(&app), func(w *town) {
		app.Job.Turn(func(d *target.JobDials) { d.Refuses, d.Quarantine = true, 1 })
		w.pass(40 * time.Minute)
		w.gets(demo.Releasers, "4h")
		dm := w.mine(demo.Requester)
		w.sees(demo.Requester, dm, time.Minute, "Entra won't write your "+demo.Releasers+" to The app at once: the application's provisioning has been in quarantine since", "Entra will write nothing there until")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "The app: not seen yet, and Entra won't write it at once", "in quarantine")
		app.Job.Turn(func(d *target.JobDials) { d.Refuses = false })
		w.sees(demo.Requester, dm, 2*time.Hour, "The app has received your "+demo.Releasers)
		if n := strings.Count(w.read(demo.Requester, dm), "Entra won't write"); n != 1 || w.demands() != 1 {
			t.Errorf("told %d times of %d demands", n, w.demands())
		}
	})
}
