package history

import (
	"fmt"
	"strings"
	"time"

	"pagbot/downstream"
)

// Verdict is what can be said of a requirement.
type Verdict string

// The verdicts. One change that surely came too late misses a requirement;
// where that can't be told of one, it can't be told of all.
const (
	None     Verdict = "not required"
	Met      Verdict = "met"
	Missed   Verdict = "missed"
	CantTell Verdict = "can't tell"
)

// Judgement holds measurements against "within 15 minutes". Every one of them
// is counted once.
type Judgement struct {
	Within time.Duration `json:"within"`
	In     int           `json:"in"`    // surely in time
	Late   int           `json:"late"`  // surely too late
	Rare   int           `json:"rare"`  // the limit lies between two looks
	Short  int           `json:"short"` // not seen as long as anyone looked, which was not up to the limit
	Blind  int           `json:"blind"` // no look taught anything
}

// Judge counts; within 0 requires nothing.
func Judge(all []downstream.Latency, within time.Duration) Judgement {
	j := Judgement{Within: within}
	for _, l := range all {
		switch KindOf(l, within) {
		case InTime:
			j.In++
		case Late:
			j.Late++
		case Rare:
			j.Rare++
		case Short:
			j.Short++
		default:
			j.Blind++
		}
	}
	return j
}

// Kind is what one measurement says of a requirement.
type Kind int

// The kinds, as [Judgement] counts them.
const (
	Blind Kind = iota
	InTime
	Late
	Rare
	Short
)

// KindOf sorts one measurement: the change came after After, and not later than
// By.
func KindOf(l downstream.Latency, within time.Duration) Kind {
	switch {
	case !l.Censored() && l.By <= within:
		return InTime
	case l.After >= within:
		return Late
	case !l.Censored():
		return Rare
	case l.After > 0:
		return Short
	}
	return Blind
}

// All is how many were judged.
func (j Judgement) All() int { return j.In + j.Late + j.Untold() }

// Untold is of how many it can't be told.
func (j Judgement) Untold() int { return j.Rare + j.Short + j.Blind }

// Verdict says whether the requirement is met.
func (j Judgement) Verdict() Verdict {
	switch {
	case j.Within <= 0:
		return None
	case j.Late > 0:
		return Missed
	case j.Untold() > 0 || j.In == 0:
		return CantTell
	}
	return Met
}

// Share is how much was in time, in percent and rounded down: at least low, and
// at most high if all that can't be told was.
func (j Judgement) Share() (low, high int) {
	n := max(j.All(), 1)
	return 100 * j.In / n, 100 * (j.In + j.Untold()) / n
}

// String is the judgement as a sentence without its end.
func (j Judgement) String() string {
	n := j.All()
	switch {
	case j.Within <= 0:
		return string(None)
	case n == 0:
		return string(CantTell) + ": nothing measured yet"
	}
	low, high := j.Share()
	share := fmt.Sprintf("%d %%", low)
	if low != high {
		share = fmt.Sprintf("%d–%d %%", low, high)
	}
	parts := []string{fmt.Sprintf("%d of %d within %s (%s)", j.In, n, length(j.Within, down), share)}
	if j.Late > 0 {
		parts = append(parts, fmt.Sprintf("%d later", j.Late))
	}
	if j.Untold() > 0 {
		parts = append(parts, fmt.Sprintf("%d can't be told: %s", j.Untold(), j.why()))
	}
	if n < Few {
		parts = append(parts, "few so far")
	}
	return string(j.Verdict()) + ": " + strings.Join(parts, "; ")
}

func (j Judgement) why() string {
	var whys []string
	for _, w := range []struct {
		n    int
		text string
	}{{j.Rare, "not looked at closely enough"}, {j.Short, "not watched long enough"}, {j.Blind, "nothing was learned"}} {
		switch {
		case w.n == j.Untold():
			return w.text
		case w.n > 0:
			whys = append(whys, fmt.Sprintf("%d %s", w.n, w.text))
		}
	}
	return strings.Join(whys, ", ")
}
