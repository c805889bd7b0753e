package activation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const tenant = "11111111-0000-4000-8000-000000000001"

// who makes a person of a role name. "requester-admin" is the second account
// of the human behind "requester".
func who(name string) Person {
	human, _, _ := strings.Cut(name, "-")
	return Person{Tenant: tenant, Object: "object-of-" + name, Name: name, Human: human, Slack: SlackUser{Team: "T1", ID: "U-" + human}}
}

// input understands one line of a conversation.
func (s *stage) input(w []string) (Input, error) {
	switch w[0] {
	case "ask":
		return s.ask(w[1:])
	case "notice":
		return s.notice(w[1:])
	case "approve", "deny":
		deed := Approve
		if w[0] == "deny" {
			deed = Deny
		}
		by := who(after(w, "by"))
		return Vote{By: by, Approve: deed == Approve, Reason: w[3], Warrant: s.mint(deed, by, w)}, nil
	case "end", "withdraw":
		deed := End
		if w[0] == "withdraw" {
			deed = Cancel
		}
		by := who(after(w, "by"))
		return Finish{By: by, Warrant: s.mint(deed, by, w), Next: value(w, "next=")}, nil
	case "again":
		return s.last, nil
	case "tick":
		return Tick{}, nil
	case "demanded":
		in := Demanded{Target: w[1], At: s.now}
		if len(w) > 2 {
			in.Refusal = &Refusal{Code: Code(w[2])}
		}
		return in, nil
	case "replaced":
		return Replaced{By: "next"}, nil
	case "overlap":
		return Overlap{Target: w[1], By: Group{ID: "g2", Name: w[2]}}, nil
	case "trouble":
		return Trouble{Why: Refusal{Code: Code(w[1])}}, nil
	case "cleared":
		return Trouble{Cleared: true}, nil
	}
	return s.report(w)
}

// report is what the outside says about deeds, PIM and targets.
func (s *stage) report(w []string) (Input, error) {
	switch w[0] {
	case "done":
		d := Done{Warrant: s.warrant(w[1]), At: s.now}
		if len(w) > 2 {
			d.Request = s.request(w[2])
			d.Request.Length = Duration(length(w, "length="))
		}
		return d, nil
	case "counted":
		d := Done{Warrant: s.warrant(w[1]), At: s.now, Counted: true}
		for _, v := range s.a.Agreed {
			if slices.Contains(w[2:], "lost="+v.By.Name) {
				d.Lost = append(d.Lost, v)
			}
		}
		return d, nil
	case "refused":
		return Done{Warrant: s.warrant(w[1]), At: s.now, Refusal: &Refusal{Code: Code(w[2])}}, nil
	case "step-up":
		return StepUp{s.warrant(w[1]), w[2]}, nil
	case "lapse":
		return Lapse{s.warrant(w[1])}, nil
	case "saw":
		return s.seen(w[1:])
	case "decider":
		return DecidedBy{who(w[1])}, nil
	case "probe":
		return s.answer(w[1:])
	}
	return nil, fmt.Errorf("not understood")
}

// ask GROUP LENGTH "REASON" [ticket=T] by WHO [fresh|session]
func (s *stage) ask(w []string) (Input, error) {
	d, err := time.ParseDuration(w[1])
	by := who(after(w, "by"))
	q := Ask{ID: "a1", Tag: "7F3K", Person: by, Group: Group{Tenant: tenant, ID: "group-" + w[0], Name: w[0]},
		Access: s.access, Length: d, Reason: w[2], Reply: "https://slack.test/reply", Facts: s.facts}
	q.Ticket, q.After = value(w, "ticket="), value(w, "after=")
	if name := value(w, "leaves="); name != "" {
		q.Leaves = Group{Tenant: tenant, ID: "group-" + name, Name: name}
	}
	if in := length(w, "start="); in > 0 {
		q.Start = s.now.Add(in)
	}
	if in := length(w, "until="); in > 0 {
		q.Until = s.now.Add(in)
	}
	q.Warrant = s.mint(Submit, by, w)
	return q, err
}

// notice WHO LENGTH | notice WHO STATUS
func (s *stage) notice(w []string) (Input, error) {
	n := Notice{ID: "n1", Person: who(w[0]), Group: Group{Tenant: tenant, ID: "group-db-admins", Name: "db-admins"},
		Access: s.access, Settings: s.facts.Settings, Targets: s.facts.Targets, Lead: s.facts.Lead, Remind: s.facts.Remind, Quorum: s.facts.Quorum}
	if d, err := time.ParseDuration(w[1]); err == nil {
		n.Instance = Instance{ID: "i1", Schedule: "s1", From: s.now, Ends: s.now.Add(d)}
		return n, nil
	}
	n.Request = *s.request(w[1])
	return n, nil
}

// saw [STATUS] [by WHO] [for LENGTH | nothing]
func (s *stage) seen(w []string) (Input, error) {
	in := Saw{At: s.now}
	if by := after(w, "by"); by != "" {
		p := who(by)
		in.By = &p
	}
	if w[0] != "for" && w[0] != "nothing" {
		in.Request = s.request(w[0])
		in.Request.Justification = "Fix the index [pag " + value(w, "tag=") + "]"
	}
	in.Looked = slices.Contains(w, "nothing")
	if span := after(w, "for"); span != "" {
		d, err := time.ParseDuration(span)
		in.Looked, in.Present = true, &Instance{ID: "i1", Schedule: "s1", From: s.now.Add(length(w, "from=")), Ends: s.now.Add(d)}
		return in, err
	}
	return in, nil
}

// probe TARGET: yes|no|can't-tell ["WHY"]
func (s *stage) answer(w []string) (Input, error) {
	p := Probed{Target: strings.TrimSuffix(w[0], ":"), Direction: Grant}
	if s.a.Phase == Verifying {
		p.Direction = Removal
	}
	t, _ := s.a.Target(p.Target)
	p.Answer = Answer{Says: Says(strings.ReplaceAll(w[1], "-", " ")), Level: t.Level, Sent: s.now, Received: s.now.Add(time.Second)}
	if len(w) > 2 {
		p.Answer.Why = w[2]
	}
	// As a probe's watch does: it remembers the last contrary answer.
	key := p.Target + string(p.Direction)
	p.Last = s.contrary[key]
	if p.Answer.Says == No && p.Direction == Grant || p.Answer.Says == Yes && p.Direction == Removal {
		s.contrary[key] = s.now
	}
	return p, nil
}

// request is PIM's, with that status.
func (s *stage) request(status string) *Request {
	r := Request{ID: "r1", Status: status, Created: s.a.Request.Created, Action: "selfActivate"}
	if r.Created.IsZero() {
		r.Created = s.now
	}
	return &r
}

// mint gives a click its warrant: 15 minutes for everything.
func (s *stage) mint(d Deed, by Person, w []string) Warrant {
	proof := ProofFor(d, s.access, s.facts.Settings, "")
	switch {
	case slices.Contains(w, "session"):
		proof = Session
	case slices.Contains(w, "fresh"):
		proof = Fresh
	}
	for _, v := range s.minted {
		if slices.Contains(w, v.ID) {
			return v
		}
	}
	at := s.now.Add(length(w, "minted="))
	v := Warrant{ID: "w" + strconv.Itoa(len(s.minted)+1), Actor: by, Deed: d, Proof: proof, Clicked: at, Expires: at.Add(15 * time.Minute)}
	s.minted = append(s.minted, v)
	return v
}

// warrant is the newest one for that deed; a deed is named as people say it.
func (s *stage) warrant(name string) string {
	deed := map[string]Deed{"submit": Submit, "end": End, "withdraw": Cancel, "approve": Approve, "deny": Deny}[name]
	for _, w := range slices.Backward(s.minted) {
		if w.Deed == deed {
			return w.ID
		}
	}
	return name
}

// value is what a word says after its name and "=".
func value(w []string, name string) string {
	for _, word := range w {
		if v, ok := strings.CutPrefix(word, name); ok {
			return v
		}
	}
	return ""
}

// length is a value that is a duration; zero if there is none.
func length(w []string, name string) time.Duration {
	d, _ := time.ParseDuration(value(w, name))
	return d
}

// after is the word that follows another one.
func after(w []string, word string) string {
	if i := slices.Index(w, word); i >= 0 && i+1 < len(w) {
		return w[i+1]
	}
	return ""
}
