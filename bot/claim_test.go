package bot

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// Nothing that is said of a target claims more than its evidence: what only
// Entra's data or the target's settings show never works, takes effect or is
// gone.
func TestNothingClaimsMoreThanItsEvidence(t *testing.T) {
	const m = time.Minute
	for _, c := range []struct {
		level      activation.Level
		configured bool
		grant      string // what the card says of a yes, and of a no
		removal    string
		message    string
		had        string
	}{
		{activation.L0, false, "*listed*", "*no longer listed*", "Entra lists you", "You already had this"},
		{activation.L0, true, "*configured*", "*no longer listed*", "is configured for your", "was configured for you already"},
		{activation.L1, false, "*received*", "*no longer listed there*", "has received your", "You already had this"},
		{activation.L2, false, "*works on a new session*", "*gone for new sessions*", "took effect", "You already had this"},
		{activation.L3, false, "*works*", "*gone for new sessions*", "took effect", "You already had this"},
	} {
		grant, removal := took(c.level, 17*m, 18*m), left(c.level, 140*m, 142*m)
		before := had(c.level)
		grant.Configured, removal.Configured, before.Configured = c.configured, c.configured, c.configured
		active := scene(activation.Active, grants(activation.Span{}, grant))
		over := scene(activation.Verifying, removals(activation.Span{}, removal))
		old := scene(activation.Active, grants(activation.Span{}, before))
		said := []struct{ got, want string }{
			{sayGrant(active, active.Targets[1]), c.grant},
			{sayRemoval(over, over.Targets[1]), c.removal},
			{sayEffective(active, active.Targets[1]), c.message},
			{sayHad(old, old.Targets[1]), c.had},
			{sayGrant(old, old.Targets[1]), "before this activation"},
		}
		for _, s := range said {
			if !strings.Contains(s.got, s.want) {
				t.Errorf("level %d, configured %v: %q has no %q", c.level, c.configured, s.got, s.want)
			}
			for _, more := range []string{"*works", "took effect", "effective", "gone"} {
				if c.level < activation.L2 && strings.Contains(s.got, more) {
					t.Errorf("level %d, configured %v: %q says %q", c.level, c.configured, s.got, more)
				}
			}
		}
		if c.configured && !strings.Contains(said[2].got, "I can't see") {
			t.Errorf("%q does not say what is not known", said[2].got)
		}
	}
}

// The journal names the claim too, and not only the state of the measure.
func TestTheStoryClaimsNoMore(t *testing.T) {
	a := scene(activation.Active)
	span := took(activation.L0, 17*time.Minute, 18*time.Minute)
	span.Configured, span.Evidence = true, "assignment-1"
	got := tellSpan(a, activation.EvSpan{Target: a.Targets[1].ID, Direction: activation.Grant, Span: span})
	if !strings.Contains(got, "grant: configured by L0") || strings.Contains(got, "effective") {
		t.Error(got)
	}
	gone := left(activation.L0, 140*time.Minute, 142*time.Minute)
	if got = tellSpan(a, activation.EvSpan{Target: a.Targets[1].ID, Direction: activation.Removal, Span: gone}); !strings.Contains(got, "no longer listed by L0") {
		t.Error(got)
	}
}
