// Package picture draws how long targets took to follow: a bar for each
// measurement, from the last look that did not see the change to the first that
// did, on a scale from ten seconds to a day, with the requirement as a line.
//
// Data becomes marks, and marks become pixels; what is drawn is decided, and
// tested, at the marks.
package picture

import (
	"math"
	"slices"
	"sort"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/internal/history"
)

// The ends of the scale of lengths. What is shorter or longer lies on them.
const (
	shortest = 10 * time.Second
	longest  = 24 * time.Hour
)

// Shape is how a mark looks, apart from its colour.
type Shape string

// The shapes. A reader who sees no colours tells them apart.
const (
	Solid   Shape = "solid"   // a bar: surely in time, or nothing is required
	Crossed Shape = "crossed" // a bar with a cross: surely too late
	Hollow  Shape = "hollow"  // an outlined bar: the limit lies within it
	Arrow   Shape = "arrow"   // open upwards: not seen as long as anyone looked
	Ring    Shape = "ring"    // on the floor: nothing was learned
)

// Mark is one measurement in a panel. X is its day, from 0 (the first day) to 1
// (now); Low and High are heights on the scale of lengths, from 0 to 1.
type Mark struct {
	X, Low, High float64
	Shape        Shape
	Late         bool // surely too late, also of an arrow
}

// Panel is one target in one direction, ready to be drawn.
type Panel struct {
	Title   string
	Verdict history.Verdict
	Says    string // of the requirement, or that there is none
	Usual   string
	Limit   float64 // height of the requirement; negative: none
	Label   string  // of the requirement
	Marks   []Mark
}

// panel makes the panel of a row. Late marks come last, on top of the others.
func panel(row history.Row, from, to time.Time) Panel {
	j := row.Judgement
	p := Panel{Title: title(row), Verdict: j.Verdict(), Says: says(j), Usual: usual(row), Limit: -1}
	if j.Within > 0 {
		p.Limit, p.Label = height(j.Within), history.Length(j.Within)
	}
	for _, l := range append(slices.Clip(row.All), row.Blind...) {
		p.Marks = append(p.Marks, mark(l, j.Within, from, to))
	}
	sort.SliceStable(p.Marks, func(i, k int) bool { return order(p.Marks[i]) < order(p.Marks[k]) })
	return p
}

func order(m Mark) int {
	switch {
	case m.Late:
		return 2
	case m.Shape == Arrow || m.Shape == Ring:
		return 1
	}
	return 0
}

func mark(l downstream.Latency, within time.Duration, from, to time.Time) Mark {
	m := Mark{Low: height(l.After), High: 1, Shape: Solid}
	if span := to.Sub(from); span > 0 {
		m.X = min(max(float64(l.At.Sub(from))/float64(span), 0), 1)
	}
	kind := history.KindOf(l, within)
	if within > 0 {
		m.Late = kind == history.Late
	}
	switch {
	case l.Censored() && l.After == 0:
		m.Shape, m.High = Ring, 0
	case l.Censored():
		m.Shape = Arrow
	default:
		m.High = height(l.By)
		switch {
		case m.Late:
			m.Shape = Crossed
		case within > 0 && kind == history.Rare:
			m.Shape = Hollow
		}
	}
	return m
}

// height is a length's place on the scale, which is logarithmic: what matters
// of a delay is how many times longer it is than another.
func height(d time.Duration) float64 {
	d = min(max(d, shortest), longest)
	return math.Log(float64(d)/float64(shortest)) / math.Log(float64(longest)/float64(shortest))
}

// ticks are the lengths that the scale names.
var ticks = []struct {
	at   time.Duration
	text string
}{{10 * time.Second, "10 s"}, {time.Minute, "1 min"}, {10 * time.Minute, "10 min"}, {time.Hour, "1 h"}, {6 * time.Hour, "6 h"}, {24 * time.Hour, "24 h"}}

// rowsMost is how many targets one picture shows: more would be too small on a
// phone.
const rowsMost = 3

// band is one target: its two panels side by side.
type band struct {
	name          string
	grant, remove Panel
}

// bands chooses and orders the targets of a picture, and counts those left out:
// what is only listed in Entra comes last, what nothing is known of not at all
// unless there is nothing else.
func bands(r history.Report) (all []band, more int) {
	var ranked [3][]band
	for i := 0; i+1 < len(r.Rows); i += 2 {
		grant, remove := r.Rows[i], r.Rows[i+1]
		b := band{grant.Name, panel(grant, r.From, r.To), panel(remove, r.From, r.To)}
		rank := 0
		switch {
		case len(b.grant.Marks)+len(b.remove.Marks) == 0:
			rank = 2
		case grant.Level == activation.L0:
			rank = 1
		}
		ranked[rank] = append(ranked[rank], b)
	}
	all = append(ranked[0], ranked[1]...)
	if len(all) == 0 {
		all = ranked[2]
	}
	if len(all) > rowsMost {
		return all[:rowsMost], len(all) - rowsMost
	}
	return all, 0
}
