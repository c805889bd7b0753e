package picture

import (
	"fmt"
	"strings"

	"pagbot/activation"
	"pagbot/internal/history"
)

// title is what a panel measures, as its evidence allows to call it.
func title(row history.Row) string {
	if row.Toward == activation.Removal {
		switch row.Level {
		case activation.L0, activation.L1:
			return "Unlisted after the end"
		}
		return "Gone after the end"
	}
	switch row.Level {
	case activation.L0:
		return "Listed after activation"
	case activation.L1:
		return "Received after activation"
	}
	return "Works after activation"
}

// says is the requirement in one short line.
func says(j history.Judgement) string {
	switch n := j.All(); {
	case j.Within <= 0:
		return "no requirement set"
	case n == 0:
		return "required: within " + history.Length(j.Within)
	default:
		s := fmt.Sprintf("%d of %d within %s", j.In, n, history.Length(j.Within))
		if u := j.Untold(); u > 0 {
			s += fmt.Sprintf(", %d unclear", u)
		}
		return s
	}
}

// usual is how long it takes, in one short line.
func usual(row history.Row) string {
	n := len(row.All)
	r, ok := history.Usual(row.All)
	switch {
	case n == 0:
		return "nothing measured yet"
	case !ok:
		return fmt.Sprintf("%s (few so far: %d)", history.Range{Low: history.Quantile(row.All, 0).Low, High: history.Quantile(row.All, 1).High}, n)
	case r.High == 0:
		return fmt.Sprintf("often %s (%d seen)", r, n)
	}
	return fmt.Sprintf("usually %s (%d seen)", r, n)
}

// Lines say in at most three lines what a picture shows: of one target each
// direction, of several each target that is drawn.
func Lines(r history.Report) []string {
	if len(r.Rows) == 2 {
		return []string{sentence(r.Rows[0]), sentence(r.Rows[1]), explained}
	}
	var lines []string
	all, _ := bands(r)
	for _, b := range all {
		lines = append(lines, fmt.Sprintf("%s: %s: %s; %s: %s. %s.", b.name, short(b.grant), b.grant.Usual, short(b.remove), b.remove.Usual, verdicts(b.grant, b.remove)))
	}
	return lines
}

// sentence is one row: how long it takes, and whether that is soon enough.
func sentence(row history.Row) string {
	s := title(row) + ": " + usual(row)
	if row.Judgement.Within <= 0 {
		return s + "; no requirement is set."
	}
	return s + ". Requirement " + row.Judgement.String() + "."
}

// short is the first word of a panel's title: works, gone.
func short(p Panel) string {
	word, _, _ := strings.Cut(p.Title, " ")
	return strings.ToLower(word)
}

// verdicts are those of both directions of a target.
func verdicts(grant, remove Panel) string {
	var said []string
	for _, p := range []Panel{grant, remove} {
		if p.Verdict != history.None {
			said = append(said, fmt.Sprintf("“%s” %s", short(p), p.Verdict))
		}
	}
	if len(said) == 0 {
		return "No requirement is set"
	}
	return "Requirement: " + strings.Join(said, ", ")
}

// Title is what a picture is about.
func Title(r history.Report) string {
	about := "all systems"
	if len(r.Rows) == 2 {
		about = r.Rows[0].Name
	}
	if r.Group != "" {
		about += " for " + r.Group
	}
	return fmt.Sprintf("How long it takes: %s, the last %d days", about, r.Days)
}

func heading(r history.Report) string {
	if r.Group == "" {
		return fmt.Sprintf("The last %d days", r.Days)
	}
	return fmt.Sprintf("%s, the last %d days", r.Group, r.Days)
}

func leftOut(n int) string {
	if n == 1 {
		return "1 more target can be asked for by name"
	}
	return fmt.Sprintf("%d more targets can be asked for by name", n)
}

const question = "How soon does access work, and how soon is it gone?"

type entry struct {
	shape Shape
	late  bool
	text  string
}

// legend explains the shapes that a picture may have.
func legend(judged bool) []entry {
	if judged {
		return judgedLegend
	}
	return []entry{{Solid, false, "seen"}, judgedLegend[3], judgedLegend[4]}
}

var judgedLegend = []entry{
	{Solid, false, "in time"},
	{Crossed, true, "too late"},
	{Hollow, false, "unclear"},
	{Arrow, false, "not seen while watched"},
	{Ring, false, "nothing learned"},
}

const explained = "A bar: the change came between two looks, after its lower and before its upper end."
