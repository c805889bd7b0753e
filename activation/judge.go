package activation

import (
	"slices"
	"strings"
	"time"
)

// Whose says who enforces a rule: PIM's rules are walls, pagbot's are guard
// rails that somebody in the portal can go round.
type Whose string

// The two enforcers.
const (
	PIM    Whose = "PIM"
	Pagbot Whose = "pagbot"
)

// Met says how a rule stands for an ask.
type Met string

// How a rule can stand.
const (
	IsMet     Met = "met"
	IsUnmet   Met = "unmet"
	WillBe    Met = "will be asked" // at the sign-in, or of an approver
	NotNeeded Met = "not needed"
)

// Rule is one line of a verdict.
type Rule struct {
	Name    string   `json:"name"`
	Whose   Whose    `json:"whose"`
	Met     Met      `json:"met"`
	Refusal *Refusal `json:"refusal,omitempty"` // why, if unmet
}

// The rules, by the names that a verdict has them under.
const (
	RuleInactive    = "not active yet"
	RuleNoneWaiting = "no request waiting"
	RuleEligible    = "eligible"
	RuleExcluded    = "nothing that excludes it"
	RuleNotTooOften = "not asked too often"
	RuleMinimum     = "at least five minutes"
	RuleMaximum     = "not longer than allowed"
	RuleReason      = "a reason"
	RuleTicket      = "a ticket"
	RuleTicketForm  = "a ticket as configured"
	RuleTicketKnown = "a ticket that its system knows"
	RuleMFA         = "multifactor authentication"
	RuleContext     = "an authentication context"
	RuleApproval    = "an approval"
	RuleQuorum      = "a further approval"
	RuleFresh       = "a fresh sign-in"
)

// Verdict is every rule that was tried, in the order in which a person would
// want to hear of them.
type Verdict struct {
	Rules []Rule `json:"rules"`
	Proof Proof  `json:"proof"`
}

// Refusal is the first rule that is not met; nil if all are.
func (v Verdict) Refusal() *Refusal {
	for _, r := range v.Rules {
		if r.Met == IsUnmet {
			return r.Refusal
		}
	}
	return nil
}

// Floor is PIM's shortest activation; source: "cannot be removed within five
// minutes".
const Floor = 5 * time.Minute

// Judge tries every rule on an ask. The form and Decide both use it.
func Judge(q Ask, f Facts, now time.Time) Verdict {
	s := f.Settings
	v := Verdict{Proof: q.Warrant.Proof}
	rule := func(name string, whose Whose, unmet bool, r Refusal) {
		m := IsMet
		if unmet {
			m = IsUnmet
		}
		v.Rules = append(v.Rules, Rule{name, whose, m, refusalIf(unmet, r)})
	}
	rule(RuleInactive, PIM, !f.Active.IsZero() && (q.After == "" || q.Leaves.ID != ""), Refusal{Code: AlreadyActive, Until: f.Active})
	rule(RuleNoneWaiting, PIM, f.Pending, Refusal{Code: AlreadyPending})
	rule(RuleEligible, PIM, !f.Eligible, Refusal{Code: NotEligible, By: f.Closest})
	if len(f.Excludes) > 0 {
		no := q.excluded(f.Rivals, now)
		rule(RuleExcluded, Pagbot, no.Code != "", no)
	}
	tooOften, free := oftenInVain(f.Vain, now)
	rule(RuleNotTooOften, Pagbot, tooOften, Refusal{Code: TooOften, Until: free})
	length := q.Length
	if !q.Until.IsZero() {
		from := now
		if q.Start.After(now) {
			from = q.Start
		}
		length = q.Until.Sub(from)
	}
	rule(RuleMinimum, PIM, length < Floor, Refusal{Code: TooShort})
	rule(RuleMaximum, PIM, s.Max > 0 && length > time.Duration(s.Max), Refusal{Code: TooLong, Max: s.Max})
	needed := func(is bool, name string, whose Whose, unmet bool, r Refusal) {
		if rule(name, whose, is && unmet, r); !is {
			v.Rules[len(v.Rules)-1].Met = NotNeeded
		}
	}
	needed(s.NeedsReason, RuleReason, PIM, blankText(q.Reason), Refusal{Code: ReasonMissing})
	needed(s.NeedsTicket, RuleTicket, PIM, blankText(q.Ticket), Refusal{Code: TicketMissing})
	needed(f.TicketForm != "", RuleTicketForm, Pagbot, f.TicketUnfit, Refusal{Code: TicketUnfit, Text: f.TicketForm})
	if f.Checked != nil {
		v.Rules = append(v.Rules, f.Checked.rule(q.Ticket))
	}
	asked := func(name string, whose Whose, needed bool) {
		m := NotNeeded
		if needed {
			m = WillBe
		}
		v.Rules = append(v.Rules, Rule{Name: name, Whose: whose, Met: m})
	}
	asked(RuleMFA, PIM, s.NeedsMFA)
	asked(RuleContext, PIM, s.Context != "")
	asked(RuleApproval, PIM, s.NeedsApproval)
	asked(RuleQuorum, Pagbot, s.NeedsApproval && f.Quorum > 1)
	asked(RuleFresh, Pagbot, q.Warrant.Proof == Fresh)
	return v
}

// rule is how an ask stands with the ticket system.
func (c *Checked) rule(ticket string) Rule {
	r := Rule{Name: RuleTicketKnown, Whose: Pagbot, Met: IsMet}
	switch {
	case c.Says == "":
		r.Met = WillBe
	case c.Says == No:
		r.Met, r.Refusal = IsUnmet, &Refusal{Code: TicketUnknown, By: ticket, Text: c.Why}
	case c.Says == CantTell && !c.Lax:
		r.Met, r.Refusal = IsUnmet, &Refusal{Code: TicketUnchecked, By: ticket, Text: c.Why}
	}
	return r
}

// unchecked is why a ticket is taken without its system's word.
func (c *Checked) unchecked() string {
	if c == nil || c.Says == Yes {
		return ""
	}
	return c.Why
}

// Approvers who are asked again and again stop reading, and say yes to be left
// alone: that is how stolen sessions get their approvals.
const (
	vainMost = 3
	vainSpan = time.Hour
)

// oftenInVain reports whether too many requests for the same came to nothing
// lately, and when the next may be made.
func oftenInVain(vain []time.Time, now time.Time) (bool, time.Time) {
	var lately []time.Time
	for _, at := range vain {
		if now.Sub(at) < vainSpan {
			lately = append(lately, at)
		}
	}
	if len(lately) < vainMost {
		return false, time.Time{}
	}
	slices.SortFunc(lately, time.Time.Compare)
	return true, lately[len(lately)-vainMost].Add(vainSpan)
}

func refusalIf(is bool, r Refusal) *Refusal {
	if is {
		return &r
	}
	return nil
}

func blankText(s string) bool { return strings.TrimSpace(s) == "" }
