package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/store"
)

// What may not come out of the database: a deed that nobody clicked. The
// attacker can write every row and has not the key; the people have sessions,
// so that what is not caught is done.

// meddle changes the database while the bot is down.
func (w *town) meddle(change func(db *store.Bolt) error) {
	w.t.Helper()
	w.stop()
	db, err := store.Open(filepath.Join(w.cfg.StateDir(), "pagbot.db"), store.Options{})
	if err == nil {
		err = change(db)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

// rewrite changes one activation, takes away what says that its warrants are
// spent, and lets its deeds go at once.
func (w *town) rewrite(id string, change func(*activation.Activation)) {
	w.t.Helper()
	w.meddle(func(db *store.Bolt) error {
		d, err := db.Get(w.t.Context(), "activation", id)
		if err != nil {
			return err
		}
		var a activation.Activation
		if err := json.Unmarshal(d.Body, &a); err != nil {
			return err
		}
		change(&a)
		if d.Body, err = json.Marshal(a); err != nil {
			return err
		}
		t := store.Turn{Docs: []store.Doc{d}}
		for _, p := range a.Deeds {
			t.Docs[0].Index = append(t.Docs[0].Index, "warrant:"+p.Warrant.ID)
			t.Replace = append(t.Replace, job(a.ID, p.Warrant, ""))
			if d, err := db.Get(w.t.Context(), "spent", p.Warrant.ID); err == nil {
				d.Body = nil
				t.Docs = append(t.Docs, d)
			}
		}
		return db.Commit(w.t.Context(), t)
	})
}

// job is a deed that is due.
func job(id string, w activation.Warrant, suffix string) store.Job {
	e := activation.Effect{Key: "deed/" + w.ID + suffix, Lane: activation.LaneDeed, Kind: activation.DoDeed, Warrant: w.ID, Deed: w.Deed}
	body, err := json.Marshal(map[string]any{"activation": id, "effect": e})
	if err != nil {
		panic(err)
	}
	return store.Job{Lane: string(activation.LaneDeed), Key: id + "/" + e.Key, Body: body}
}

// bySession lets everybody's session do for approvals, as a group may be
// configured, and signs the approver and the requester in.
func (w *town) bySession() {
	w.t.Helper()
	for i := range w.cfg.Groups {
		w.cfg.Groups[i].Proof = activation.Session
	}
	w.reboots()
	w.signsIn(demo.Requester)
	w.signsIn(demo.Approver)
}

// forged is the deed that an honest click of this person would have made, but
// for the seal.
func (w *town) forged(a activation.Activation, d activation.Deed, by string) activation.Pending {
	now := time.Now()
	p := activation.Pending{Seq: a.Seq, Reason: "made up", Warrant: activation.Warrant{ID: "made-up", Actor: w.actor(by), Deed: d, Proof: activation.Session,
		Envelope: "none", Clicked: now, Expires: now.Add(15 * time.Minute), Seal: "bm90IGEgc2VhbA"}}
	p.Warrant.Digest = a.Terms(d, p.Reason).Digest()
	return p
}

// actor is a person as warrants name them.
func (w *town) actor(name string) activation.Person {
	return activation.Person{Tenant: w.Entra.Tenant(), Object: w.Account(name), Name: "adm-" + name + "@contoso.example", Human: name,
		Slack: activation.SlackUser{Team: w.Team.ID, ID: w.People[name].Slack}}
}

// TestAttackForgedWarrant puts an approval into the database for which nobody
// has clicked.
func TestAttackForgedWarrant(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.asked()
		w.bySession()
		a := w.only()
		w.nothing(func() {
			w.rewrite(a.ID, func(a *activation.Activation) {
				a.Deeds = append(a.Deeds, w.forged(*a, activation.Approve, demo.Approver))
			})
			w.rest(time.Minute)
		})
		w.refusal(a.ID, activation.WarrantBad)
	})
}

// refusal makes sure that the journal tells why a deed was refused.
func (w *town) refusal(id string, code activation.Code) {
	w.t.Helper()
	var all []string
	for e, err := range w.bot.Engine.Journal(w.t.Context(), id) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, string(e.Body))
	}
	for _, line := range all {
		if holds(line, []string{fmt.Sprintf("%q", code)}) {
			return
		}
	}
	w.t.Errorf("no deed of %s was refused because of %q:\n%q", id, code, all)
}

// TestAttackChangedWarrant changes what an honest click has made: the deed, the
// account, its time, its proof.
func TestAttackChangedWarrant(t *testing.T) {
	changes := map[string]func(*town, *activation.Warrant){
		"deed":    func(_ *town, x *activation.Warrant) { x.Deed = activation.Approve },
		"actor":   func(w *town, x *activation.Warrant) { x.Actor, x.Proof = w.actor(demo.Second), activation.Session },
		"expires": func(_ *town, x *activation.Warrant) { x.Expires = x.Expires.Add(24 * time.Hour) },
		"proof":   func(_ *town, x *activation.Warrant) { x.Proof = activation.Session },
	}
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				card := w.asked()
				a := w.only()
				w.signsIn(demo.Approver)
				w.signsIn(demo.Second)
				w.presses(demo.Approver, card, "deny")
				w.fills(demo.Approver, "not tonight")
				link := w.newest(demo.Approver)
				w.nothing(func() {
					w.rewrite(a.ID, func(a *activation.Activation) {
						x := &a.Deeds[0].Warrant
						change(w, x)
						x.Digest = a.Terms(x.Deed, a.Deeds[0].Reason).Digest()
					})
					w.confirms(demo.Approver, w.browser(), link)
				})
				w.refusal(a.ID, activation.WarrantBad)
			})
		})
	}
}

// TestAttackWarrantOfAnotherDeed moves an honest warrant, as it was sealed, to
// another request.
func TestAttackWarrantOfAnotherDeed(t *testing.T) {
	inTown(t, setup{found: anotherRequester}, func(w *town) {
		card := w.asked()
		honest := w.only()
		w.bySession()
		w.another()
		intruders := w.other(honest.ID)
		// The approver's click on the honest one waits while Entra can't be asked.
		heal := w.Entra.Inject(entra.Fault{Path: "assignmentScheduleRequests/", Do: entra.DoStatus, Status: 503})
		w.presses(demo.Approver, card, "approve")
		w.fills(demo.Approver, "release night")
		w.rest(2 * time.Second)
		deeds := w.life(honest.ID).Deeds
		if len(deeds) != 1 {
			w.t.Fatalf("%d deeds wait", len(deeds))
		}
		w.nothing(func() {
			w.rewrite(intruders, func(a *activation.Activation) { a.Deeds = deeds })
			w.rewrite(honest.ID, func(a *activation.Activation) { a.Deeds = nil })
			heal()
			w.rest(time.Minute)
		})
		w.refusal(intruders, activation.Changed)
	})
}

func anotherRequester(w *demo.Worlds) {
	if _, err := w.Entra.AddEligibility(w.Groups[demo.DevOpsAdmins].ID, "member", w.Account(demo.Second), time.Time{}); err != nil {
		panic(err)
	}
}

// waits lets the requester ask for what a session would do for, before they
// have one; then they get one, for something else.
func (w *town) waits() activation.Activation {
	w.t.Helper()
	w.types(demo.Requester, `/pag activate release-managers 1h "release 42"`)
	w.newest(demo.Requester)
	w.signsIn(demo.Requester)
	return w.only()
}

// TestAttackChangedTerms makes more of an ask than was typed.
func TestAttackChangedTerms(t *testing.T) {
	changes := map[string]func(*activation.Activation){
		"length": func(a *activation.Activation) { a.Length = activation.Duration(4 * time.Hour) },
		"reason": func(a *activation.Activation) { a.Reason = "nothing to see here" },
		"ticket": func(a *activation.Activation) { a.Ticket = "INC0000001" },
		"access": func(a *activation.Activation) { a.Access = activation.Owner },
	}
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				a := w.waits()
				w.nothing(func() { w.rewrite(a.ID, change) })
				w.refusal(a.ID, activation.Changed)
			})
		})
	}
}

// TestAttackChangedBeforeClick is the same for a person in the browser: they are
// not asked to confirm what they did not ask for.
func TestAttackChangedBeforeClick(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 1h "release 42"`)
		link := w.newest(demo.Requester)
		id := w.only().ID
		w.nothing(func() {
			w.meddle(func(db *store.Bolt) error {
				d, err := db.Get(w.t.Context(), "activation", id)
				if err != nil {
					return err
				}
				var a activation.Activation
				if err := json.Unmarshal(d.Body, &a); err != nil {
					return err
				}
				a.Length = activation.Duration(8 * time.Hour)
				d.Body, err = json.Marshal(a)
				return errorsOf(err, db.Commit(w.t.Context(), store.Turn{Docs: []store.Doc{d}}))
			})
			w.told(w.opens(w.browser(), link), "This has changed since you asked")
			w.confirms(demo.Requester, w.browser(), link)
		})
	})
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestAttackExpiredRow lets a deed go whose time ran out while the bot was down.
func TestAttackExpiredRow(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		a := w.waits()
		w.nothing(func() {
			w.rewrite(a.ID, func(*activation.Activation) { w.rest(16 * time.Minute) })
		})
		if is := w.life(a.ID); is.Outcome != activation.Withdrawn {
			w.t.Errorf("it is %s %s", is.Phase, is.Outcome)
		}
	})
}

// TestAttackSpentWarrant puts an activation back as it was before its deed was
// done, under a new row, and has the person confirm it again.
func TestAttackSpentWarrant(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.signsIn(demo.Requester)
		w.types(demo.Requester, `/pag activate devops-admins 1h "release 42"`)
		link, before := w.newest(demo.Requester), w.only()
		w.confirms(demo.Requester, w.browser(), link)
		w.rest(time.Minute)
		w.types(demo.Requester, "/pag deactivate")
		w.rest(time.Minute)
		if is := w.life(before.ID); is.Outcome != activation.Withdrawn || len(w.Entra.Writes()) != 2 {
			w.t.Fatalf("it is %s %s", is.Phase, is.Outcome)
		}
		w.nothing(func() {
			w.meddle(func(db *store.Bolt) error {
				d, err := db.Get(w.t.Context(), "activation", before.ID)
				if err != nil {
					return err
				}
				d.Body, err = json.Marshal(before)
				t := store.Turn{Docs: []store.Doc{d}, Replace: []store.Job{job(before.ID, before.Deeds[0].Warrant, "/again")}}
				return errorsOf(err, db.Commit(w.t.Context(), t))
			})
			w.confirms(demo.Requester, w.browser(), link)
		})
	})
}

// TestAttackRestoredBackup puts the whole database back as it was when a deed
// was kept and not yet begun; the deed has been done since, and undone.
func TestAttackRestoredBackup(t *testing.T) {
	for _, trail := range []string{"with its trail", "without its trail"} {
		t.Run(trail, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				w.signsIn(demo.Requester)
				heal := w.Entra.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 429,
					Code: "TooManyRequests", RetryAfter: "60"})
				w.types(demo.Requester, `/pag activate release-managers 1h "release 42"`)
				w.rest(5 * time.Second)
				w.stop()
				path := filepath.Join(w.cfg.StateDir(), "pagbot.db")
				backup, err := os.ReadFile(path)
				if err != nil {
					w.t.Fatal(err)
				}
				heal()
				w.start()
				w.sees(demo.Requester, w.Person(demo.Requester).DM(), 2*time.Minute, "You have", "release-managers")
				w.rest(5 * time.Minute)
				w.types(demo.Requester, "/pag deactivate")
				w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Minute, "ended at")
				w.rest(time.Minute)
				writes := len(w.Entra.Writes())
				w.stop()
				if err := os.WriteFile(path, backup, 0o600); err != nil {
					w.t.Fatal(err)
				}
				if trail != "with its trail" { // as the bot advises
					if err := os.Rename(filepath.Join(w.cfg.StateDir(), "audit"), filepath.Join(w.cfg.StateDir(), "audit-until-today")); err != nil {
						w.t.Fatal(err)
					}
				}
				w.start()
				w.rest(time.Minute)
				if n := len(w.Entra.Writes()) - writes; n > 0 {
					w.t.Errorf("a write reached Entra: a restored click made %d more", n)
				}
			})
		})
	}
}
