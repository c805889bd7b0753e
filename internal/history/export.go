package history

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
)

// Line is one measurement as it is written out. Seconds are exact; no By means
// that the change was not seen, and neither that nothing could be learned.
type Line struct {
	Activation string               `json:"activation"`
	Group      string               `json:"group"`
	Target     string               `json:"target"`
	Toward     activation.Direction `json:"toward"`
	Level      activation.Level     `json:"level"`
	At         time.Time            `json:"at"`
	After      float64              `json:"after_seconds"`
	By         *float64             `json:"by_seconds"`
	Verdict    string               `json:"requirement"`
}

// Lines are all measurements of the report, the oldest first of each row.
func (r Report) Lines() []Line {
	all := []Line{}
	for _, row := range r.Rows {
		list := append(slices.Clip(row.All), row.Blind...)
		slices.SortStableFunc(list, older)
		for _, l := range list {
			line := Line{Activation: l.Activation, Group: l.Group, Target: row.Target, Toward: l.Toward, Level: l.Level, At: l.At.UTC(),
				After: l.After.Seconds(), Verdict: verdictOf(l, row.Judgement.Within)}
			if by := l.By.Seconds(); !l.Censored() {
				line.By = &by
			}
			all = append(all, line)
		}
	}
	return all
}

func verdictOf(l downstream.Latency, within time.Duration) string {
	if within <= 0 {
		return string(None)
	}
	switch KindOf(l, within) {
	case InTime:
		return "in time"
	case Late:
		return "too late"
	}
	return string(CantTell)
}

// WriteCSV writes all measurements, a line each.
func (r Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"activation", "group", "target", "toward", "level", "at", "after_seconds", "by_seconds", "requirement"})
	for _, l := range r.Lines() {
		by := ""
		if l.By != nil {
			by = fmt.Sprint(*l.By)
		}
		_ = c.Write([]string{l.Activation, l.Group, l.Target, string(l.Toward), fmt.Sprintf("L%d", l.Level), l.At.Format(time.RFC3339), fmt.Sprint(l.After), by, l.Verdict})
	}
	c.Flush()
	return c.Error()
}

// total is a row as JSON has it.
type total struct {
	Target  string               `json:"target"`
	Name    string               `json:"name"`
	Toward  activation.Direction `json:"toward"`
	Level   activation.Level     `json:"level"`
	Seen    int                  `json:"measured"`
	Half    *bounds              `json:"half_within,omitempty"`
	Most    *bounds              `json:"p95_within,omitempty"`
	Within  float64              `json:"required_seconds,omitempty"`
	Verdict Verdict              `json:"requirement"`
	In      int                  `json:"in_time"`
	Late    int                  `json:"too_late"`
	Untold  int                  `json:"cant_tell"`
	Says    string               `json:"says"`
}

// bounds are a range in seconds; no High: it has no end that anybody saw.
type bounds struct {
	Low  float64  `json:"low_seconds"`
	High *float64 `json:"high_seconds"`
}

func boundsOf(all []downstream.Latency, p float64) *bounds {
	if len(all) == 0 {
		return nil
	}
	r := Quantile(all, p)
	b := &bounds{Low: r.Low.Seconds()}
	if high := r.High.Seconds(); r.High > 0 {
		b.High = &high
	}
	return b
}

// WriteJSON writes the totals and all measurements. Of fewer than 20 the 95th
// percentile is the slowest.
func (r Report) WriteJSON(w io.Writer) error {
	out := struct {
		From   time.Time `json:"from"`
		Days   int       `json:"days"`
		Totals []total   `json:"targets"`
		Lines  []Line    `json:"measurements"`
	}{r.From.UTC(), r.Days, []total{}, r.Lines()}
	for _, row := range r.Rows {
		t := total{Target: row.Target, Name: row.Name, Toward: row.Toward, Level: row.Level, Seen: len(row.All),
			Half: boundsOf(row.All, 0.5), Most: boundsOf(row.All, 0.95), Says: row.Typical()}
		if j := row.Judgement; j.Within > 0 {
			t.Within, t.In, t.Late, t.Untold, t.Says = j.Within.Seconds(), j.In, j.Late, j.Untold(), j.String()
		}
		t.Verdict = row.Judgement.Verdict()
		out.Totals = append(out.Totals, t)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
