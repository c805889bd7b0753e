package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/awsidc"
	"pagbot/sim/azure"
	"pagbot/sim/devops"
	"pagbot/sim/entra"
	"pagbot/sim/intune"
	"pagbot/sim/target"
)

const further = "TestUnsettledTargets"

func inDevOps(name string, turn func(*devops.Dials)) way {
	return way{name: name, turn: func(p *place) { p.DevOps.Turn(turn) }}
}

var openInTargets = []open{
	{dial: "Dials.NoEntry", story: life, ways: []way{
		inDevOps("zero bits", func(d *devops.Dials) { d.NoEntry = false }),
		inDevOps("no entry", func(d *devops.Dials) { d.NoEntry = true }),
	}},
	{dial: "Dials.AbsentEmpty", story: life, ways: []way{
		inDevOps("404", func(d *devops.Dials) { d.AbsentEmpty = false }),
		inDevOps("nothing", func(d *devops.Dials) { d.AbsentEmpty = true }),
	}},
	{dial: "Dials.Reevaluate", story: life, ways: []way{
		inDevOps("oneself", func(d *devops.Dials) { d.Reevaluate = target.BySelf }),
		inDevOps("anyone", func(d *devops.Dials) { d.Reevaluate = target.ByAnyone }),
		inDevOps("nobody", func(d *devops.Dials) { d.Reevaluate = target.ByNobody }),
	}},
	{dial: "Dials.ExpandsAnyway", story: further, ways: []way{
		{name: "groups are looked up", turn: func(p *place) { p.azure.Turn(func(d *azure.Dials) { d.ExpandsAnyway = true }) }, sees: hears("works in Azure")},
		{name: "they are not", turn: func(p *place) { p.azure.Turn(func(d *azure.Dials) { d.ExpandsAnyway = false }) }, sees: hearsNot("works in Azure")},
	}},
	{dial: "Dials.RightsFromToken", story: further, ways: []way{
		{name: "rights of now", turn: func(p *place) { p.intune.Turn(func(d *intune.Dials) { d.RightsFromToken = false }) }},
		{name: "of the token's issue", turn: func(p *place) { p.intune.Turn(func(d *intune.Dials) { d.RightsFromToken = true }) }},
	}},
	{dial: "Dials.GoneIsFalse", story: further, ways: []way{
		{name: "an error", turn: func(p *place) { p.aws.Turn(func(d *awsidc.Dials) { d.GoneIsFalse = false }) }},
		{name: "no member", turn: func(p *place) { p.aws.Turn(func(d *awsidc.Dials) { d.GoneIsFalse = true }) }},
	}},
	{dial: "Push.Fixed", story: further, ways: []way{
		{name: "sliding", turn: func(p *place) { p.follow.Push.Fixed = false }, sees: (*town).secondWaits},
		{name: "fixed", turn: func(p *place) { p.follow.Push.Fixed = true }, sees: (*town).secondIsFast},
	}},
	{dial: "JobDials.DemandRemoves, JobDials.DemandHeld, JobDials.DemandShares", why: "the bot demands once, for whom Entra lists, and for nobody who left; a refusal in quarantine is TestOnDemandInQuarantine's"},
	{dial: "Dials.Demands, Dials.DemandWindow, Dials.NoRetryAfter", why: "a 429 is waited for: TestDemandsTakeTurns in graph, over the same wire"},
	{dial: "Dials.GroupsUnheard", why: "the bot asks Azure about people, never about a group"},
}

// systems are the further targets of a story; release-managers opens them.
type systems struct {
	azure  *azure.World
	intune *intune.World
	aws    *awsidc.World
	follow *target.Follow // how AWS is provisioned: one in ten seconds is fast
}

const (
	armAudience  = "https://management.azure.com"
	subscription = "/subscriptions/5a0b7c1e-52b1-4f0e-8a35-2c7e1f0b9d11"
	helpDesk     = "77c0d2ab-19e4-4b57-9d0c-5d1f6a2e8c03"
	inAWS        = "Release managers"
)

func newSystems(w *demo.Worlds) *systems {
	s := &systems{}
	verify := func(audience string) func(string) (target.Caller, error) {
		return func(token string) (target.Caller, error) {
			c, err := w.Entra.Verify(token, audience)
			oid, _ := c["oid"].(string)
			issued, _ := c["iat"].(float64)
			return target.Caller{OID: oid, App: c["idtyp"] == "app", Issued: time.Unix(int64(issued), 0)}, err
		}
	}
	group := w.Groups[demo.Releasers].ID
	follow := &target.Follow{Grant: target.Delay{Min: 3 * time.Minute, Max: 6 * time.Minute}, Revoke: target.Delay{Min: 3 * time.Minute, Max: 6 * time.Minute}}
	provisioning := target.Provisioning()
	s.follow = &provisioning
	s.follow.Push.Cliff = 1
	d := azure.Usual()
	d.CachedYes, d.CachedNo = 0, 0 // a cache that answers for its engine is another story
	var errs [3]error
	s.azure, errs[0] = azure.New(azure.Config{Seed: 1, Directory: w.Entra, Verify: verify(armAudience), Dials: &d,
		Assignments: []azure.Assignment{{Principal: group, Role: "b24988ac-6180-42a0-ab88-20f7382dd24c", Scope: subscription, Actions: []string{"*"}, Follow: follow}}})
	s.intune, errs[1] = intune.New(intune.Config{Seed: 1, Directory: w.Entra, Verify: verify(entra.GraphAudience),
		Assignments: []intune.Assignment{{ID: helpDesk, Name: "Help desk", Role: "help-desk", RoleName: "Help Desk Operator", Groups: []string{group}, Tags: []intune.Tag{{ID: "0", Name: "Default"}}, Follow: follow}}})
	var users []awsidc.User
	for _, name := range []string{demo.Requester, demo.Colleague} {
		users = append(users, awsidc.User{OID: w.Account(name), UPN: "adm-" + name + "@contoso.example", Provisioned: true})
	}
	s.aws, errs[2] = awsidc.New(awsidc.Config{Seed: 1, Directory: w.Entra, Store: "d-1234567890", Region: "eu-central-1", Keys: map[string]string{"AKIAHERE": "only-here"},
		Follow: s.follow, Groups: []awsidc.Group{{Name: inAWS, PAG: group}}, Users: users})
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return s
}

// handlers serve them.
func (s *systems) handlers() map[string]http.Handler {
	return map[string]http.Handler{"azure.test": s.azure.Handler(), "intune.test": s.intune.Handler(), "aws.test": s.aws.Handler()}
}

// knows asks the oracle of a further target.
func (s *systems) knows(kind, oid string, at time.Time) bool {
	switch kind {
	case "azure":
		return s.azure.Copy(0).Knows(oid, at)
	case "intune":
		return s.intune.Copy(helpDesk).Knows(oid, at)
	}
	return s.aws.Knows(inAWS, oid, at)
}

// dials are theirs, by the names of docs/worlds-targets.md.
func (s *systems) dials() map[string]any {
	all := map[string]any{"Push.Fixed": s.follow.Push.Fixed}
	add := func(d any) {
		v := reflect.ValueOf(d)
		for _, f := range reflect.VisibleFields(v.Type()) {
			if len(f.Index) == 1 { // its own
				all["Dials."+f.Name] = v.FieldByIndex(f.Index).Interface()
			}
		}
	}
	s.azure.Turn(func(d *azure.Dials) { add(*d) })
	s.intune.Turn(func(d *intune.Dials) { add(*d) })
	s.aws.Turn(func(d *awsidc.Dials) { add(*d) })
	return maps.Clone(all)
}

// behind is a town where release-managers opens Azure, Intune and AWS.
var behind = setup{
	found: func(w *demo.Worlds) {
		w.Entra.AddResource(armAudience, armAudience)
		if err := w.Entra.ChangeApp(w.SignIn.ID, func(a *entra.App) { a.Delegated = append(a.Delegated, "DeviceManagementRBAC.Read.All") }); err != nil {
			panic(err)
		}
	},
	yaml: func(w *demo.Worlds, s string) string {
		s = strings.ReplaceAll(s, "[entra, devops]", "[entra, azure, intune, aws]")
		return s + fmt.Sprintf(`  - {id: azure, kind: azure, azure: {scope: %s, ask: check, action: Microsoft.Compute/virtualMachines/start/action, api: http://azure.test}}
  - {id: intune, kind: intune, intune: {assignment: %s, as: person, api: http://intune.test}}
  - {id: aws, kind: aws, name: AWS, aws: {region: eu-central-1, store: d-1234567890, group: %s, access_key: {file: aws-key}, secret_key: {file: aws-secret}, endpoint: http://aws.test}}
`, subscription, helpDesk, inAWS)
	},
	files: map[string]string{"aws-key": "AKIAHERE", "aws-secret": "only-here"},
}

// TestUnsettledTargets: two people get what opens Azure, Intune and AWS, a
// moment after one another; AWS' group is deleted while they have it.
func TestUnsettledTargets(t *testing.T) {
	plays(t, behind, func(w *town) {
		both := []string{demo.Requester, demo.Colleague}
		for _, name := range both {
			w.keepsSession(name)
		}
		w.pass(time.Until(time.Now().Truncate(time.Minute).Add(67 * time.Second))) // the end of ten seconds
		for _, name := range both {
			w.types(name, `/pag activate release-managers 1h "release 42 is stuck"`)
			w.sees(name, w.mine(name), time.Minute, "You have release-managers")
			w.pass(4 * time.Second)
		}
		w.pass(45 * time.Minute)
		w.more.aws.Remove(inAWS)
		for _, name := range both {
			w.sees(name, w.mine(name), 30*time.Minute, "Your release-managers ended at")
		}
		w.pass(3 * time.Hour)
		if text := w.read(demo.Requester, w.mine(demo.Requester)); strings.Contains(text, "AWS: gone") {
			w.t.Errorf("AWS has no such group any more, and that is called gone:\n%s", text)
		}
		w.did(map[string]int{"selfActivate": 2})
		w.closes(false) // what can't be proven is looked at for a day
	})
}

// hears and hearsNot look for words in the requester's messages.
func hears(words string) func(*town) {
	return func(w *town) {
		if text := w.read(demo.Requester, w.mine(demo.Requester)); !strings.Contains(text, words) {
			w.t.Errorf("no %q in\n%s", words, text)
		}
	}
}

func hearsNot(words string) func(*town) {
	return func(w *town) {
		if text := w.read(demo.Requester, w.mine(demo.Requester)); strings.Contains(text, words) {
			w.t.Errorf("%q in\n%s", words, text)
		}
	}
}

// secondWaits and secondIsFast: when AWS had the one who came four seconds later.
func (w *town) secondWaits()  { w.secondAt(10*time.Minute, 41*time.Minute) }
func (w *town) secondIsFast() { w.secondAt(0, 10*time.Minute+time.Minute) }

func (w *town) secondAt(least, most time.Duration) {
	w.t.Helper()
	from, _, ever := w.more.aws.TrueEffect(inAWS, w.Account(demo.Colleague))
	if took := from.Sub(time.Date(2000, 1, 1, 0, 1, 11, 0, time.UTC)); !ever || took < least || took > most {
		w.t.Errorf("AWS had the second after %s (%v), want %s to %s", took, ever, least, most)
	}
}

// writes puts files beside the configuration.
func (s setup) writes(dir string) (err error) {
	for name, text := range s.files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return err
}
