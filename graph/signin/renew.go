package signin

import (
	"time"

	"pagbot/activation"
)

// renewal reports whether a page names an activation and the end of the one
// that it renews.
func renewal(all []waiting) bool {
	return len(all) == 2 && all[0].p.Warrant.Deed == activation.Submit && all[1].p.Warrant.Deed == activation.End
}

func questionRenew(all []waiting) string { return "Renew " + groupName(all[0].a.Group) + "?" }

// rowsOfRenewal are both deeds, in the order in which they are done.
func (s *Service) rowsOfRenewal(all []waiting) []row {
	next, now := all[0], all[1]
	rows := s.deedRows(next.a, next.p)
	both := []row{{"First", "ends now what would run until " + s.clock(now.a.Ends)}}
	out := make([]row, 0, len(rows)+2)
	for _, r := range rows {
		switch r.Name {
		case "How long":
			r.Name, r.Value = "Then", "activates it anew for "+spell(time.Duration(next.a.Length))
			out = append(out, both...)
		case "Until":
			r.Name, r.Value = "Then", "activates it anew until "+s.clock(next.a.Until)
			out = append(out, both...)
		}
		out = append(out, r)
	}
	return append(out, row{"In between", "no access, for about 15 seconds; systems behind the group may take longer to notice"})
}
