package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pagbot/activation"
)

// waiting is a deed that waits for a confirmation.
type waiting struct {
	a activation.Activation
	p activation.Pending
}

// lookAll finds the deeds of several warrants that one page names: those that
// still wait, all of one account. What waits no more never waits again, so what
// a page has shown can only become fewer until it is confirmed. The page says
// why not if none waits, or if one could not be read.
func (s *Service) lookAll(ctx context.Context, first string, also []string) ([]waiting, *page) {
	var all []waiting
	var why *page
	var lead activation.Activation
	for i, id := range append([]string{first}, also...) {
		a, p, no := s.look(ctx, id)
		if i == 0 {
			lead = a // also when it waits no more
		}
		switch {
		case no != nil && no.Status == http.StatusServiceUnavailable:
			return nil, no
		case no != nil:
			if why == nil {
				why = no
			}
		case (p.Warrant.Deed == activation.End || p.Warrant.Deed == activation.Cancel) && i > 0 && lead.After == a.ID && p.Warrant.Actor.SameAccount(lead.Person):
			if len(all) > 0 { // else nothing takes its place
				all = append(all, waiting{a, p})
			}
		case i > 0 && (!p.Warrant.Actor.SameAccount(lead.Person) || p.Warrant.Deed != activation.Submit),
			len(all) > 0 && all[0].p.Warrant.Deed != activation.Submit:
			s.cfg.Log.Warn("a link names deeds of different accounts or kinds", "activation", a.ID)
		default:
			all = append(all, waiting{a, p})
		}
	}
	if len(all) == 0 {
		return nil, why
	}
	return all, nil
}

// concern makes a sign-in prove what all of the deeds need.
func (f *flow) concern(all []waiting) {
	first := all[0]
	f.warrant, f.activation = first.p.Warrant.ID, first.a.ID
	f.who, f.slack = first.p.Warrant.Actor, first.p.Warrant.Actor.Slack
	for _, w := range all {
		f.fresh = f.fresh || w.p.Warrant.Proof == activation.Fresh
		if f.claims == "" {
			f.claims = claimsFor(w.a, w.p) // another one's are asked for by themselves
		}
	}
	for _, w := range all[1:] {
		f.also = append(f.also, w.p.Warrant.ID)
	}
}

// release pockets the token for each deed and wakes them all.
func (s *Service) release(ctx context.Context, f *flow, all []waiting) error {
	var errs []error
	for _, w := range all {
		s.pocket.put(w.p.Warrant.ID, f.claims, f.token, f.until)
		if err := s.cfg.Deeds.Release(ctx, w.p.Warrant.Wait()); err != nil {
			s.pocket.drop(w.p.Warrant.ID)
			errs = append(errs, err)
			continue
		}
		s.log(f, "confirmed a deed: "+string(w.p.Warrant.Deed), f.who)
	}
	if len(errs) < len(all) {
		return nil // the page says what became of each
	}
	return errors.Join(errs...)
}

// settledAll waits a little for what becomes of several confirmed deeds.
func (s *Service) settledAll(ctx context.Context, f *flow) page {
	pg, left := s.became(ctx, f)
	for end := time.Now().Add(settleTime); left.a.ID != "" && time.Now().Before(end) && ctx.Err() == nil; pg, left = s.became(ctx, f) {
		soon, cancel := context.WithTimeout(ctx, time.Second)
		_, err := s.cfg.Deeds.Settled(soon, left.a.ID, left.p.Warrant.ID)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return s.unread(err)
		}
	}
	return pg
}

// became tells what has become of each deed, and one that still waits, if one does.
func (s *Service) became(ctx context.Context, f *flow) (pg page, left waiting) {
	pg = page{Tone: "good", Title: "Confirmed", Next: backToSlack}
	after := ""
	for i, id := range append([]string{f.warrant}, f.also...) {
		a, p, err := s.cfg.Deeds.Find(ctx, id)
		deed := f.deed
		if i == 0 {
			after = a.After
		} else if after != "" && a.ID == after {
			deed = activation.End
			if a.Outcome == activation.Withdrawn {
				deed = activation.Cancel
			}
		}
		switch {
		case err != nil:
			return s.unread(err), waiting{}
		case p.Warrant.ID == id && p.Claims != "" && !sameClaims(p.Claims, f.claims):
			return pageStepUp(s.base + "/d/" + f.link), waiting{}
		case p.Warrant.ID == id:
			left = waiting{a, p}
			pg.Rows = append(pg.Rows, row{nth(i), groupName(a.Group) + "\nEntra has not answered yet"})
			continue
		}
		s.pocket.drop(id)
		one := s.outcome(a, deed, id)
		if one.Tone == "bad" {
			pg.Tone, pg.Title = "wait", "Not all of it was accepted"
		}
		pg.Rows = append(pg.Rows, row{nth(i), groupName(a.Group) + "\n" + one.Title + ": " + one.Lead})
	}
	if left.a.ID != "" {
		pg.Tone, pg.Title, pg.Next = "wait", pageStillWorking.Title, pageStillWorking.Next
	}
	return pg, left
}

// pageDeeds is what a link shows: one deed, or several in one list.
func (s *Service) pageDeeds(all []waiting) page {
	pg := s.pageDeed(all[0].a, all[0].p)
	switch {
	case renewal(all):
		pg.Title, pg.Rows = questionRenew(all), s.rowsOfRenewal(all)
		pg.Lead = leadRenew(all)
	case len(all) > 1:
		pg.Title, pg.Rows = questionAll(all), s.rowsOfAll(all)
		pg.Lead = "You asked in Slack to activate all of this for yourself."
	}
	return pg
}

// pageConfirmAll is the same once more, with who will have done it.
func (s *Service) pageConfirmAll(all []waiting, who activation.Person) page {
	pg := s.pageConfirm(all[0].a, all[0].p, who)
	switch {
	case renewal(all):
		pg.Title, pg.Rows = questionRenew(all), append([]row{{"Signed in as", shown(who)}}, s.rowsOfRenewal(all)[1:]...)
		pg.Lead = "Last step: both are done in your name, in this order."
		pg.Button = buttonRenew(all)
	case len(all) > 1:
		pg.Title, pg.Rows = questionAll(all), append([]row{{"Signed in as", shown(who)}}, s.rowsOfAll(all)[1:]...)
		pg.Lead = "Last step: all of this is done in your name."
		pg.Button = fmt.Sprintf("Yes, activate all %d", len(all))
	}
	return pg
}

// nth names one of several groups; what it is called is not for the margin.
func nth(i int) string { return fmt.Sprintf("Group %d", i+1) }

func questionAll(all []waiting) string { return fmt.Sprintf("Activate %d groups?", len(all)) }

// rowsOfAll names each deed with all that its warrant holds.
func (s *Service) rowsOfAll(all []waiting) []row {
	rows := []row{{"For", shown(all[0].a.Person) + " (you)"}}
	for i, w := range all {
		t := w.a.Terms(w.p.Warrant.Deed, w.p.Reason)
		parts := []string{string(w.a.Access)}
		if !t.Start.IsZero() {
			parts = append(parts, "from "+s.clock(t.Start))
		}
		if !t.Until.IsZero() {
			parts = append(parts, "until "+s.clock(t.Until))
		} else if t.Length != 0 {
			parts = append(parts, "for "+spell(time.Duration(t.Length)))
		}
		rows = append(rows, row{nth(i), groupName(w.a.Group) + "\n" + strings.Join(parts, ", ")})
	}
	for i, w := range all {
		more, first := "", all[0].a
		if i > 0 && w.a.Reason == first.Reason && w.a.Ticket == first.Ticket {
			continue
		}
		if i > 0 {
			more = " (" + groupName(w.a.Group) + ")"
		}
		for _, r := range []row{{"Reason" + more, w.a.Reason}, {"Ticket" + more, w.a.Ticket}} {
			if r.Value != "" {
				rows = append(rows, r)
			}
		}
	}
	return rows
}
