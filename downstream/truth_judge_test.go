package downstream

import (
	"time"

	"pagbot/activation"
)

// verdict is what of one life was told, and whether it was true.
type verdict struct {
	falseEffective, falseGone, missed int
	came, cameSaid                    int
	went, wentSaid                    int
	stayed, stayedSaid                int // removals that never happen, told as not proven
	alarms, deaf                      int // of what they had already; that should have been and were not
	ratios                            []float64
	widths                            []float64 // the same, with storms and restarts
	why                               string    // the first thing that was wrong
}

// turns is when the first and the last copy changed, as the person was served,
// in the layer that an answer of that level speaks of.
func (l *followed) turns(level activation.Level, in bool) (first, last time.Time) {
	layer := min(int(level), 2) - 1
	at := l.gone[layer]
	if in {
		at = l.come[layer]
	}
	for i, t := range at {
		t = l.served(t, in)
		if i == 0 || t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	return first, last
}

// holdsTrue judges the interval of a span that was told at a moment: when that
// was wrong, and when the truth lies outside.
func (l *followed) holdsTrue(s activation.Span, in bool, said time.Time) (early, outside bool) {
	if s.Level != activation.L1 && s.Level != activation.L2 {
		return true, true
	}
	first, last := l.turns(s.Level, in)
	early = said.Before(last) || s.By.Before(first)
	if l.copies == 1 {
		return early, !s.After.Before(first) || s.By.Before(first)
	}
	return early, !s.After.Before(last) || s.By.Before(first)
}

// ratio is the width of an interval over what is tolerable: with the silence
// that nobody could do anything about, and without.
func (l *followed) ratio(s activation.Span, in bool) (net, gross float64) {
	first, last := l.turns(s.Level, in)
	since := l.from
	if !in {
		since = l.ends
	}
	after := s.After
	if after.Before(since) {
		after = since
	}
	tolerance := max(step, last.Sub(since)/10, last.Sub(first))
	if l.cache > 0 { // nobody knows when within a call an answer began to be given again
		tolerance = max(tolerance, l.cache+l.took[s.After.UnixNano()]+l.took[s.Asked.UnixNano()]+gather)
	}
	width := s.By.Sub(after)
	return float64(width-l.silence(after, s.By)) / float64(tolerance), float64(width) / float64(tolerance)
}

func (v *verdict) wrong(n *int, why string) {
	*n++
	if v.why == "" {
		v.why = why
	}
}

// grant judges what was told of the effect.
func (v *verdict) grant(l *followed) {
	s, said := l.a.Targets[0].Grant, l.settled[activation.Grant]
	told := s.State == activation.Effective || s.State == activation.Works
	if first, last := l.turns(activation.L2, true); !l.standing && last.Before(l.ends) {
		tolerance := max(step, first.Sub(l.from)/10, l.cache)
		if l.ends.Sub(last)-l.silence(first, l.ends) > tolerance {
			v.came++
			if told {
				v.cameSaid++
			}
		}
	}
	switch {
	case s.State == activation.Effective && l.standing:
		v.wrong(&v.falseEffective, "effective, but they had it already")
	case s.State == activation.HadAlready && !l.standing:
		v.wrong(&v.falseEffective, "had already, but they had not")
	case told && !l.standing:
		early, outside := l.holdsTrue(s, true, said)
		if early {
			v.wrong(&v.falseEffective, "effective before it was")
		}
		if s.State == activation.Effective {
			if outside {
				v.wrong(&v.missed, "the truth of the grant is outside")
			}
			net, gross := l.ratio(s, true)
			v.ratios, v.widths = append(v.ratios, net), append(v.widths, gross)
		}
	}
}

// removal judges what was told of the removal.
func (v *verdict) removal(l *followed) {
	t := l.a.Targets[0]
	s, said := t.Removal, l.settled[activation.Removal]
	told := s.State == activation.Gone || s.State == activation.NeverCame
	_, last := l.turns(activation.L2, false)
	arrived := l.come[1][0].Before(l.ends)
	switch {
	case l.standing:
		if s.Overdue && t.Grant.State == activation.HadAlready {
			v.wrong(&v.alarms, "an alarm of what they had already")
		}
		if told {
			v.wrong(&v.falseGone, "gone, but they have it still")
		}
		return
	case !arrived && !l.come[0][0].Before(l.ends):
		return // nothing goes
	case l.missing && arrived:
		v.stayed++
		if s.State == activation.NotProven {
			v.stayedSaid++
		}
		if !s.Overdue {
			v.wrong(&v.deaf, "it never went, and nobody was alarmed")
		}
	case arrived && last.Add(soonCap+lateCap).Before(l.ends.Add(activation.GiveUp)):
		v.went++
		if told {
			v.wentSaid++
		}
	}
	if !told {
		return
	}
	if s.Level == activation.L2 && !arrived {
		return // it was received, and ended before it worked: there is no moment
	}
	early, outside := l.holdsTrue(s, false, said)
	if early {
		v.wrong(&v.falseGone, string(s.State)+" before it was")
	}
	if s.State == activation.Gone {
		if outside {
			v.wrong(&v.missed, "the truth of the removal is outside")
		}
		net, gross := l.ratio(s, false)
		v.ratios, v.widths = append(v.ratios, net), append(v.widths, gross)
	}
}
