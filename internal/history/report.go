package history

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
)

// Subject is a target that is reported on.
type Subject struct {
	Target    string   // as configured
	Name      string   // for people
	IDs       []string // what its measurements are found under
	Level     activation.Level
	Effective time.Duration // required; 0: not
	Gone      time.Duration
}

// Report is what the measurements of some days say.
type Report struct {
	From, To time.Time
	Days     int
	Group    string // its name for people; empty: all
	Rows     []Row
}

// Row is one target in one direction.
type Row struct {
	Target, Name string
	Toward       activation.Direction
	Level        activation.Level
	All          []downstream.Latency // measured, the oldest first
	Blind        []downstream.Latency // nothing was learned of these
	Judgement    Judgement            // of both
}

// Report judges subjects by the measurements of the last days, of one group if
// one is named by its id. A target of which nothing is known has its rows too.
func (b *Book) Report(subjects []Subject, group string, days int) Report {
	now := b.Now()
	r := Report{Days: days, From: now.Add(-time.Duration(days) * 24 * time.Hour), To: now}
	keep := func(all []downstream.Latency) (kept []downstream.Latency) {
		for _, l := range all {
			if !l.At.Before(r.From) && (group == "" || strings.EqualFold(l.Group, group)) {
				kept = append(kept, l)
			}
		}
		return kept
	}
	for _, s := range subjects {
		for _, toward := range []activation.Direction{activation.Grant, activation.Removal} {
			row := Row{Target: s.Target, Name: s.Name, Toward: toward, Level: s.Level}
			for _, id := range s.IDs {
				row.All = append(row.All, keep(b.History(id, toward))...)
				row.Blind = append(row.Blind, keep(b.Blind(id, toward))...)
			}
			slices.SortStableFunc(row.All, older)
			within := s.Effective
			if toward == activation.Removal {
				within = s.Gone
			}
			row.Judgement = Judge(append(slices.Clip(row.All), row.Blind...), within)
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

// Empty reports whether nothing was measured, nor tried.
func (r Report) Empty() bool {
	return !slices.ContainsFunc(r.Rows, func(row Row) bool { return len(row.All)+len(row.Blind) > 0 })
}

// What is the change, as its evidence allows to call it.
func (r Row) What() string {
	words := [][2]string{{"listed", "no longer listed"}, {"received", "no longer listed there"}, {"effective", "gone"}}
	w := words[min(max(int(r.Level), 0), 2)]
	if r.Toward == activation.Removal {
		return w[1]
	}
	return w[0]
}

// Typical says in a few words how long it takes: "half within 8–9 min, 95 %
// within 21–24 min".
func (r Row) Typical() string {
	n := len(r.All)
	switch {
	case n == 0:
		return "nothing measured yet"
	case n < Few:
		return fmt.Sprintf("few so far (%d): %s", n, Range{Quantile(r.All, 0).Low, Quantile(r.All, 1).High})
	case n < 20: // its 95th percentile is the slowest one
		return fmt.Sprintf("half %s, the slowest of %d %s", Quantile(r.All, 0.5), n, Quantile(r.All, 1))
	}
	return fmt.Sprintf("half within %s, 95 %% within %s", Quantile(r.All, 0.5), Quantile(r.All, 0.95))
}

// WriteTable writes a summary for people.
func (r Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "The last %d days. A range says between which lengths the answer surely lies.\n\n", r.Days)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TARGET\tCHANGE\tSEEN\tHOW LONG IT TAKES\tREQUIREMENT")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", strings.Join(strings.Fields(activation.Visible(row.Name)), " "), row.What(), len(row.All), row.Typical(), row.Judgement)
	}
	return t.Flush()
}
