package activation

import (
	"testing"
	"time"
)

// TestOverdueKeepsMore: of a removal that takes long it is kept now and then
// that it has not come; of one that is overdue more often, so that an alarm can
// say when it was last seen.
func TestOverdueKeepsMore(t *testing.T) {
	end := time.Date(2030, 1, 2, 15, 0, 0, 0, time.UTC)
	at := func(m int) time.Time { return end.Add(time.Duration(m) * time.Minute) }
	for _, c := range []struct {
		still, asked   int
		overdue, keeps bool
	}{{16, 31, false, false}, {16, 32, false, true}, {16, 30, true, true}, {26, 31, true, false}, {31, 36, true, false}, {31, 42, true, true}} {
		s := Span{After: end.Add(-time.Hour), Still: at(c.still), Overdue: c.overdue}
		if s.Longer(end, at(c.asked)) != c.keeps {
			t.Errorf("%+v", c)
		}
		if !s.Contrary().Equal(at(c.still)) {
			t.Errorf("the last one kept is of %v, not %v", s.Contrary(), at(c.still))
		}
	}
	if s := (Span{After: at(3), Still: at(2)}); !s.Contrary().Equal(at(3)) {
		t.Errorf("%v", s.Contrary())
	}
}
