package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/internal/history"
)

// known is a target of which only the level is asked.
type known activation.Level

func (k known) Limits() downstream.Limits { return downstream.Limits{Level: activation.Level(k)} }

func (known) Check(context.Context, []activation.Person) ([]activation.Answer, error) {
	return nil, nil
}

// measuring is an app with the good configuration and two measurements.
func measuring(t *testing.T) *App {
	t.Helper()
	cfg, err := parseConfig([]byte(strings.Replace(good, "    gone_within: 1h30m\n", "    gone_within: 1h30m\n    requires: {effective: 15m}\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	group, now := cfg.Groups[0].ID, time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	a := &App{cfg: cfg, history: history.NewBook(history.Config{Now: func() time.Time { return now }, Days: cfg.HistoryDays})}
	entra := targetID(cfg.Targets[0], scope{group, activation.Owner})
	a.targets = map[string]downstream.Probe{"devops": known(activation.L2), entra: known(activation.L0)}
	from := now.Add(-5 * 24 * time.Hour)
	span := activation.Span{State: activation.Effective, After: from.Add(7 * time.Minute), By: from.Add(8 * time.Minute)}
	a.history.Note(activation.Activation{ID: "a1", Seq: 1, From: from, Group: activation.Group{ID: group},
		Targets: []activation.Target{{ID: "devops", Grant: span}, {ID: entra, Grant: span}}})
	return a
}

// TestLatencyIsAnswered asks as the commands do.
func TestLatencyIsAnswered(t *testing.T) {
	a := measuring(t)
	for _, c := range []struct {
		query string
		code  int
		has   []string
		lacks string
	}{
		{"days=30", 200, []string{"DevOps", "Entra", "met: 1 of 1 within 15 min", "few so far (1): 7–8 min", "not required"}, ""},
		{"days=30&group=dba&target=devops", 200, []string{"DevOps"}, "Entra"},
		{"days=3", 200, []string{"nothing measured yet"}, "7–8"},
		{"days=30&as=csv", 200, []string{"a1,", ",devops,grant,", ",entra,grant,", ",420,480,in time"}, "TARGET"},
		{"days=30&as=json&target=DevOps", 200, []string{`"requirement": "met"`, `"by_seconds": 480`}, "entra"},
		{"days=30&as=png", 200, []string{"\x89PNG"}, ""},
		{"days=30&group=nobody", 400, []string{`there is no group "nobody": the configuration has db-admins`}, ""},
		{"days=30&target=nothing", 400, []string{"there is no such target: the configuration has entra, devops"}, ""},
		{"days=31", 400, []string{"31 days are not at hand: ask for 1 to 30, or raise history_days in the configuration"}, ""},
		{"days=x", 400, []string{"0 days are not at hand"}, ""},
	} {
		w := httptest.NewRecorder()
		a.control().ServeHTTP(w, httptest.NewRequest("GET", "/latency?"+c.query, nil))
		body := w.Body.String()
		if w.Code != c.code || c.lacks != "" && strings.Contains(body, c.lacks) {
			t.Errorf("%s: %d\n%s", c.query, w.Code, body)
		}
		for _, want := range c.has {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in\n%s", c.query, want, body)
			}
		}
	}
}

// TestAskLatencyEscapes: what people type arrives as they typed it.
func TestAskLatencyEscapes(t *testing.T) {
	dir := t.TempDir()
	l, err := ownListener("unix", socketPath(dir))
	if err != nil {
		t.Skip(err)
	}
	got := make(chan url.Values, 1)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- serveHTTP(ctx, l, handler(func(q url.Values) { got <- q }))
	}()
	if _, err := AskLatency(t.Context(), dir, LatencyQuery{Group: "a&b c", Target: "ü", Days: 7, As: "csv"}); err != nil {
		t.Fatal(err)
	}
	if q := <-got; q.Get("group") != "a&b c" || q.Get("target") != "ü" || q.Get("days") != "7" || q.Get("as") != "csv" {
		t.Error(q)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type handler func(url.Values)

func (h handler) ServeHTTP(_ http.ResponseWriter, r *http.Request) { h(r.URL.Query()) }
