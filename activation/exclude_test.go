package activation

import (
	"testing"
	"time"
)

// What excludes an ask stands in its way as far as both could be granted at
// once, and no further: an end must be known, and lie a minute before the begin.
func TestExcluded(t *testing.T) {
	hour := func(n float64) time.Time { return nine.Add(time.Duration(n * float64(time.Hour))) }
	active := Activation{ID: "a0", Group: Group{Name: "db-readers"}, Phase: Active, From: hour(-1), Ends: hour(1)}
	endless, over := active, active
	endless.Ends, over.Ends = time.Time{}, hour(-0.5)
	waits := Activation{ID: "a0", Phase: AwaitingApproval, Length: Duration(time.Hour)}
	bounded := waits
	bounded.Until = hour(1)
	later := Activation{ID: "a0", Phase: Scheduled, Start: hour(3), Length: Duration(time.Hour)}
	for _, c := range []struct {
		name  string
		rival Activation
		ask   Ask
		no    bool
	}{
		{"active", active, Ask{Length: time.Hour}, true},
		{"active, to be left", active, Ask{Length: time.Hour, After: "a0"}, false},
		{"active, and another is left", active, Ask{Length: time.Hour, After: "a1"}, true},
		{"active until then", active, Ask{Length: time.Hour, Start: hour(1)}, true},
		{"active until a minute before", active, Ask{Length: time.Hour, Start: hour(1).Add(time.Minute)}, false},
		{"with no end", endless, Ask{Length: time.Hour, Start: hour(100)}, true},
		{"over, and not yet known as such", over, Ask{Length: time.Hour}, false},
		{"may be approved at any time", waits, Ask{Length: time.Hour, Start: hour(30)}, true},
		{"may be approved, and ends all the same", bounded, Ask{Length: time.Hour, Start: hour(2)}, false},
		{"begins later", later, Ask{Length: time.Hour}, false},
		{"begins before this ends", later, Ask{Length: 4 * time.Hour}, true},
		{"begins before this ends, given an end", later, Ask{Until: hour(3)}, true},
		{"ended before this begins", later, Ask{Length: time.Hour, Start: hour(5)}, false},
		{"begins later, but an approver may take longer", later, Ask{Length: time.Hour, Facts: Facts{Settings: Settings{NeedsApproval: true}}}, true},
	} {
		c.ask.Facts.Eligible, c.ask.Facts.Rivals, c.ask.Facts.Excludes = true, []Activation{c.rival}, []Group{{Name: "db-readers"}}
		r := Judge(c.ask, c.ask.Facts, nine).Refusal()
		if (r != nil) != c.no || r != nil && (r.Code != Excluded || r.Rival != "a0" || r.By != c.rival.Group.Name) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

// What is switched to must not be active already: the other would end for nothing.
func TestSwitchToWhatRuns(t *testing.T) {
	q := Ask{Length: time.Hour, After: "a0", Leaves: Group{ID: "g2"}, Facts: Facts{Eligible: true, Active: nine.Add(time.Hour)}}
	if r := Judge(q, q.Facts, nine).Refusal(); r == nil || r.Code != AlreadyActive {
		t.Errorf("%+v", r)
	}
}

// What ends first, and of which group, is part of what the person confirms.
func TestSwitchIsBound(t *testing.T) {
	a := Activation{Group: Group{ID: "g1"}, Access: Member, After: "a0", Leaves: Group{ID: "g2"}}
	for name, change := range map[string]func(*Activation){
		"another activation":  func(a *Activation) { a.After = "a9" },
		"another group":       func(a *Activation) { a.Leaves.ID = "g3" },
		"no switch at all":    func(a *Activation) { a.After, a.Leaves = "", Group{} },
		"a renewal":           func(a *Activation) { a.Leaves = Group{} },
		"to be switched to":   func(a *Activation) { a.Group.ID = "g3" },
		"the other way round": func(a *Activation) { a.Group, a.Leaves = a.Leaves, a.Group },
	} {
		b := a
		change(&b)
		if a.Terms(Submit, "").Digest() == b.Terms(Submit, "").Digest() {
			t.Errorf("%s has the same digest", name)
		}
	}
}
