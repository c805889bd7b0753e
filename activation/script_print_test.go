package activation

import (
	"fmt"
	"strings"
	"time"
)

func clock(t time.Time) string {
	if t.YearDay() != nine.YearDay() {
		return t.Format("Mon 15:04")
	}
	if t.Second() != 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// describe is one line about an event: its name and what matters of it.
func describe(e Event) string {
	about := ""
	switch e := e.(type) {
	case EvAsked:
		about = fmt.Sprintf("%s of %s for %s by %s", e.Access, e.Group.Name, short(e.Length), e.Person.Name)
	case EvRefused:
		about = refusal(e.Refusal)
	case EvNoticed:
		about = fmt.Sprintf("%s of %s by %s", e.Access, e.Group.Name, e.Person.Name)
	case EvSignInWanted:
		about = e.Warrant + " with " + e.Claims
	case EvSubmitted:
		about = e.Request.Status
	case EvDeedRefused:
		about = string(e.Deed) + ": " + refusal(e.Refusal)
	case EvLapsed:
		about = string(e.Deed)
	case EvDecisionAsked:
		about = fmt.Sprintf("%s by %s: %s", yesNo(e.Approve, "approve", "deny"), e.By.Name, e.Reason)
	case EvAgreed:
		about = "by " + e.Agreed.By.Name
		for _, v := range e.Lost {
			about += ", no more by " + v.By.Name
		}
	case EvDecidedBy:
		about = e.By.Name
	case EvDecided:
		about = decision(e.Decision)
	case EvFinishAsked:
		about = string(e.Warrant.Deed) + " by " + e.By.Name
	case EvProvisioned:
		about = "until " + clock(e.Ends)
	case EvSpan:
		about = e.Target + " " + string(e.Direction) + ": " + span(e.Direction, e.Span)
	case EvReminded:
		about = strings.Split("nobody,first,second,rescue", ",")[e.Nth]
	case EvStill:
		about = e.Target + " " + string(e.Direction) + " at " + clock(e.Asked)
	case EvDemanded:
		about = e.Target
		if e.Refusal != nil {
			about += ": " + refusal(*e.Refusal)
		}
	case EvEnded:
		about = string(e.Outcome)
	case EvClosed:
		about = string(e.Outcome)
	case EvStuck:
		about = refusal(e.Stuck.Why)
	case EvTurnedAway:
		about = string(e.Deed) + " by " + e.By.Name + ": " + refusal(e.Refusal)
	}
	return strings.TrimSpace(Name(e) + " " + about)
}

func describeEffect(f Effect) string {
	s := string(f.Lane) + " " + strings.TrimPrefix(f.Key, string(f.Lane)+"/")
	if f.To.Name != "" {
		s += " to " + f.To.Name
	}
	if f.Topic != "" {
		s += ": " + string(f.Topic)
	}
	if f.Refusal != nil {
		s += " (" + string(f.Refusal.Code) + ")"
	}
	if f.Wait != "" {
		s += ", waits for " + f.Wait
	}
	return s
}

func describeState(a Activation) string {
	parts := []string{string(a.Phase)}
	switch {
	case a.Phase == Closed:
		parts[0] += ", " + string(a.Outcome)
	case !a.Ends.IsZero():
		parts[0] += " until " + clock(a.Ends)
	}
	for _, d := range a.Deeds {
		parts = append(parts, fmt.Sprintf("%s pending (%s)", d.Warrant.Deed, yesNo(d.Needs, "needs sign-in", "kept session")))
	}
	for _, t := range a.Targets {
		d := Grant
		if t.Removal.State != Unbegun {
			d = Removal
		}
		parts = append(parts, t.ID+" "+span(d, t.Span(d)))
	}
	if a.Stuck != nil {
		parts = append(parts, "stuck: "+string(a.Stuck.Why.Code))
	}
	if due, ok := a.Due(); ok {
		parts = append(parts, "due "+clock(due))
	}
	return strings.Join(parts, " · ")
}

// span says what is known: "effective in (09:05, 09:12:01]".
func span(d Direction, s Span) string {
	words := string(s.State)
	if s.State == Unbegun {
		words = "not begun"
	}
	switch {
	case !s.After.IsZero() && !s.By.IsZero():
		words += fmt.Sprintf(" in (%s, %s]", clock(s.After), clock(s.By))
	case !s.By.IsZero():
		words += " by " + clock(s.By)
	case !s.After.IsZero():
		words += ", last " + yesNo(d == Removal, "yes ", "no ") + clock(s.After)
	}
	if s.Overdue {
		words += ", overdue"
	}
	if s.Doubt != "" {
		words += ", can't tell: " + s.Doubt
	}
	return words
}

func decision(d Decision) string {
	by := d.By.Name
	if by == "" {
		by = "somebody"
	}
	return fmt.Sprintf("%s by %s, %s", yesNo(d.Approve, "approved", "denied"), by, yesNo(d.Here, "here", "elsewhere"))
}

func refusal(r Refusal) string {
	switch {
	case r.Max > 0:
		return fmt.Sprintf("%s, at most %s", r.Code, short(r.Max))
	case !r.Until.IsZero():
		return fmt.Sprintf("%s until %s", r.Code, clock(r.Until))
	case r.By != "":
		return fmt.Sprintf("%s (%s)", r.Code, r.By)
	}
	return string(r.Code)
}

func short(d Duration) string {
	s := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

func yesNo(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
