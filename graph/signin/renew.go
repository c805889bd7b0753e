package signin

import (
	"time"

	"pagbot/activation"
)

// renewal reports whether a page names an activation and the end of the one
// that it renews, or switches from.
func renewal(all []waiting) bool {
	return len(all) == 2 && all[0].p.Warrant.Deed == activation.Submit && (all[1].p.Warrant.Deed == activation.End || all[1].p.Warrant.Deed == activation.Cancel)
}

func questionRenew(all []waiting) string {
	if all[0].a.Switches() {
		return "Switch from " + groupName(all[1].a.Group) + " to " + groupName(all[0].a.Group) + "?"
	}
	return "Renew " + groupName(all[0].a.Group) + "?"
}

// leadRenew says what the page is about; buttonRenew confirms it.
func leadRenew(all []waiting) string {
	if all[0].a.Switches() {
		return "You asked in Slack to leave the one for the other: the one is ended first, and only then the other is asked for."
	}
	return "You asked in Slack to renew this access. PIM can't extend it: it is ended, and then activated anew."
}

func buttonRenew(all []waiting) string {
	if all[0].a.Switches() {
		return "Yes, switch"
	}
	return "Yes, end it and activate it anew"
}

// rowsOfRenewal are both deeds, in the order in which they are done.
func (s *Service) rowsOfRenewal(all []waiting) []row {
	next, now := all[0], all[1]
	rows := s.deedRows(next.a, next.p)
	first, then := "ends now what would run until "+s.clock(now.a.Ends), "activates it anew "
	between := "no access, for about 15 seconds; systems behind the group may take longer to notice"
	if next.a.Switches() {
		first, then = "ends "+groupName(now.a.Group)+", which would run until "+s.clock(now.a.Ends), "activates "+groupName(next.a.Group)+" "
		between = "neither; in systems behind " + groupName(now.a.Group) + " the old access may last longer"
		if now.p.Warrant.Deed == activation.Cancel {
			first, between = "withdraws your request for "+groupName(now.a.Group), "neither"
		}
	}
	both := []row{{"First", first}}
	out := make([]row, 0, len(rows)+2)
	for _, r := range rows {
		switch r.Name {
		case "How long":
			r.Name, r.Value = "Then", then+"for "+spell(time.Duration(next.a.Length))
			out = append(out, both...)
		case "Until":
			r.Name, r.Value = "Then", then+"until "+s.clock(next.a.Until)
			out = append(out, both...)
		}
		out = append(out, r)
	}
	return append(out, row{"In between", between})
}
