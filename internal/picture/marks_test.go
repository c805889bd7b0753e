package picture

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/internal/history"
)

var update = flag.Bool("update", false, "rewrite testdata")

// row is a target's effect with measurements of (after, by] on days before now.
func row(level activation.Level, within time.Duration, all ...downstream.Latency) history.Row {
	r := history.Row{Name: "Azure DevOps contoso", Toward: activation.Grant, Level: level}
	for _, l := range all {
		if l.After == 0 && l.By == 0 {
			r.Blind = append(r.Blind, l)
		} else {
			r.All = append(r.All, l)
		}
	}
	r.Judgement = history.Judge(all, within)
	return r
}

func took(daysAgo float64, after, by time.Duration) downstream.Latency {
	return downstream.Latency{At: now.Add(-time.Duration(daysAgo * 24 * float64(time.Hour))), After: after, By: by}
}

// TestWhatIsDrawn compares what a picture would show with testdata: every mark
// with its place on the scale, its shape, and the words.
func TestWhatIsDrawn(t *testing.T) {
	all := []downstream.Latency{
		took(30, 8*time.Minute, 9*time.Minute), took(24, 14*time.Minute, 16*time.Minute), took(18, 20*time.Minute, 22*time.Minute),
		took(15, 9*time.Minute, 0), took(12, 2*time.Hour, 0), took(9, 0, 0), took(6, 0, 4*time.Second), took(3, 25*time.Hour, 26*time.Hour), took(0, 0, 15*time.Minute),
	}
	var out strings.Builder
	for _, r := range []history.Row{row(activation.L2, 15*time.Minute, all...), row(activation.L0, 0, all...), row(activation.L1, time.Hour)} {
		write(&out, panel(r, now.Add(-30*24*time.Hour), now))
	}
	const file = "testdata/marks.txt"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(want, []byte(out.String())) {
		t.Errorf("(%v) it would draw\n%s", err, out.String())
	}
}

// write tells a panel in lengths and days, as a person would check it.
func write(out *strings.Builder, p Panel) {
	fmt.Fprintf(out, "%s\n  %s: %s\n  %s\n", p.Title, p.Verdict, p.Says, p.Usual)
	if p.Limit >= 0 {
		fmt.Fprintf(out, "  line at %s, called %s\n", lengthAt(p.Limit), p.Label)
	}
	for _, m := range p.Marks {
		late := ""
		if m.Late {
			late = ", too late"
		}
		fmt.Fprintf(out, "  day %2.0f: %s from %s to %s%s\n", m.X*30, m.Shape, lengthAt(m.Low), lengthAt(m.High), late)
	}
}

// lengthAt finds the length of a height by halving: the scale, read backwards.
func lengthAt(h float64) string {
	low, high := shortest, longest
	for high-low > time.Millisecond {
		if mid := (low + high) / 2; height(mid) < h {
			low = mid
		} else {
			high = mid
		}
	}
	return high.Round(time.Second).String()
}

// TestTicksAreOnTheScale: the names stand where their lengths are, in order.
func TestTicksAreOnTheScale(t *testing.T) {
	last := -1.0
	for _, tick := range ticks {
		h := height(tick.at)
		if h <= last || h < 0 || h > 1 || history.Length(tick.at) != tick.text {
			t.Errorf("%s at %v", tick.text, h)
		}
		last = h
	}
	if height(shortest) != 0 || height(longest) != 1 || height(0) != 0 || height(100*time.Hour) != 1 {
		t.Error("the ends of the scale")
	}
}

// TestWhichTargetsAreDrawn: those that say most, no more than fit.
func TestWhichTargetsAreDrawn(t *testing.T) {
	add := func(r *history.Report, name string, level activation.Level, all ...downstream.Latency) {
		grant, remove := row(level, 0, all...), row(level, 0)
		grant.Name, remove.Name, remove.Toward = name, name, activation.Removal
		r.Rows = append(r.Rows, grant, remove)
	}
	one := took(1, time.Minute, 2*time.Minute)
	var r history.Report
	add(&r, "empty", activation.L2)
	names := func() (s string) {
		all, more := bands(r)
		for _, b := range all {
			s += b.name + " "
		}
		return fmt.Sprint(s, more)
	}
	if got := names(); got != "empty 0" {
		t.Error(got)
	}
	add(&r, "entra", activation.L0, one)
	add(&r, "devops", activation.L2, one)
	if got := names(); got != "devops entra 0" {
		t.Error(got)
	}
	add(&r, "aws", activation.L1, one)
	add(&r, "intune", activation.L3, one)
	if got := names(); got != "devops aws intune 1" {
		t.Error(got)
	}
}
