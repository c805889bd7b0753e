package app

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/bot"
	"pagbot/internal/history"
	"pagbot/internal/picture"
)

// LatencyQuery is what `pagbot latency` asks the serving process.
type LatencyQuery struct {
	Group, Target string // as people name them; empty: all
	Days          int
	As            string // table, csv, json or png
}

// AskLatency is what the process that serves from a state directory has
// measured.
func AskLatency(ctx context.Context, state string, q LatencyQuery) ([]byte, error) {
	v := url.Values{"group": {q.Group}, "target": {q.Target}, "days": {strconv.Itoa(q.Days)}, "as": {q.As}}
	return Ask(ctx, state, "/latency?"+v.Encode())
}

// latency answers on the control socket.
func (a *App) latency(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	days, _ := strconv.Atoi(v.Get("days"))
	report, err := a.report(v.Get("group"), v.Get("target"), days)
	var body bytes.Buffer
	if err == nil {
		switch v.Get("as") {
		case "csv":
			err = report.WriteCSV(&body)
		case "json":
			err = report.WriteJSON(&body)
		case "png":
			var b []byte
			b, err = picture.PNG(report)
			body.Write(b)
		default:
			err = report.WriteTable(&body)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body.Bytes())
}

// report judges the targets that are asked for: all, those of a group, or one.
func (a *App) report(group, target string, days int) (history.Report, error) {
	if days <= 0 || days > a.cfg.HistoryDays {
		return history.Report{}, fmt.Errorf("%d days are not at hand: ask for 1 to %d, or raise history_days in the configuration", days, a.cfg.HistoryDays)
	}
	groups := a.cfg.Groups
	id, name := "", ""
	if group != "" {
		i := slices.IndexFunc(groups, func(g GroupConfig) bool { return g.called(group) })
		if i < 0 {
			return history.Report{}, fmt.Errorf("there is no group %q: the configuration has %s", group, listed(groups, func(g GroupConfig) string { return g.Name }))
		}
		groups, id, name = groups[i:i+1], groups[i].ID, groups[i].Name
	}
	var all []history.Subject
	for _, t := range a.cfg.Targets {
		if target != "" && !strings.EqualFold(t.ID, target) && !strings.EqualFold(t.Name, target) {
			continue
		}
		if s := a.subject(t, groups); len(s.IDs) > 0 {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return history.Report{}, fmt.Errorf("there is no such target: the configuration has %s, and every group names its own", listed(a.cfg.Targets, func(t TargetConfig) string { return t.ID }))
	}
	r := a.history.Report(all, id, days)
	r.Group = name
	return r, nil
}

// called reports whether a person may mean the group by a word.
func (g *GroupConfig) called(word string) bool {
	return slices.ContainsFunc(append([]string{g.Name, g.ID}, g.Aliases...), func(n string) bool { return strings.EqualFold(n, word) })
}

// subject is a target with everything that its measurements are found under.
func (a *App) subject(t TargetConfig, groups []GroupConfig) history.Subject {
	s := history.Subject{Target: t.ID, Name: t.Name}
	s.Effective, s.Gone = t.Requires.durations()
	for _, g := range groups {
		if !slices.Contains(g.Targets, t.ID) {
			continue
		}
		for _, access := range accesses {
			id := targetID(t, scope{g.ID, access})
			probe, ok := a.targets[id]
			if !ok || slices.Contains(s.IDs, id) {
				continue
			}
			s.IDs, s.Level = append(s.IDs, id), probe.Limits().Level
		}
	}
	return s
}

func listed[T any](all []T, name func(T) string) string {
	var names []string
	for _, v := range all {
		names = append(names, name(v))
	}
	return strings.Join(names, ", ")
}

// measures is what the bot shows of the measurements.
type measures struct{ *App }

func (m measures) Usually(target string, toward activation.Direction) string {
	return m.history.Usually(target, toward)
}

// Every is zero before the engine is there.
func (m measures) Every(target string, age time.Duration) time.Duration {
	if m.watch == nil {
		return 0
	}
	return m.watch.Every(target, age)
}

// Draw draws all, a group, or a target: whichever has the name.
func (m measures) Draw(about string) (bot.Drawing, bool, error) {
	days := m.cfg.HistoryDays
	r, err := m.report(about, "", days)
	if err != nil {
		if r, err = m.report("", about, days); err != nil {
			return bot.Drawing{}, false, nil // neither is called so
		}
	}
	d := bot.Drawing{Title: picture.Title(r), Lines: []string{"nothing measured yet"}}
	if !r.Empty() {
		d.Lines = picture.Lines(r)
		d.PNG, err = picture.PNG(r)
	}
	return d, true, err
}
