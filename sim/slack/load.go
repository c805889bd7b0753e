package slack

import "time"

// Slack's words on failing and flooding apps were written for HTTP; whether
// they hold for sockets is a dial.
const (
	loadWindow   = time.Hour
	fewEvents    = 1000 // an hour: too few to be switched off
	mostFailures = 0.95
)

// load counts an app's events in the present hour.
type load struct {
	since         time.Time
	sent, failed  int
	off           time.Time // no events until then
	lastComplaint time.Time
}

// admit counts an event and reports whether it may be sent. Over the limit the
// app gets app_rate_limited instead, once a minute. The caller holds the lock.
func (w *World) admit(a *app) bool {
	l, now := &a.load, time.Now()
	if now.Sub(l.since) >= loadWindow {
		*l = load{since: now, off: l.off, lastComplaint: l.lastComplaint}
	}
	if now.Before(l.off) {
		return false
	}
	l.sent++
	if most := a.dials.EventsPerHour; most <= 0 || l.sent <= most {
		return true
	}
	if now.Sub(l.lastComplaint) >= time.Minute {
		l.lastComplaint = now
		payload := map[string]any{"token": "legacy", "type": "app_rate_limited", "team_id": a.Team, "api_app_id": a.ID, "minute_rate_limited": now.Unix() / 60 * 60}
		d := w.envelope(a, "events_api", "", false, payload, map[string]any{"retry_attempt": 0, "retry_reason": ""})
		w.spawn(func() { _, _ = w.send(w.ctx, d) })
	}
	return false
}

// failed counts an event that was never acked; too many switch events off.
func (w *World) failed(a *app) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &a.load
	l.failed++
	if a.dials.FailuresSwitchOff && l.sent >= fewEvents && float64(l.failed) > mostFailures*float64(l.sent) {
		l.off = time.Now().Add(loadWindow)
		w.record(Entry{Kind: "socket", App: a.ID, Name: "event_subscriptions_off"})
	}
}
