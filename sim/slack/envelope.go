package slack

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"
)

// A delivery is one envelope and what became of it. The world's lock guards it.
type delivery struct {
	app     *app
	entry   *Entry
	frame   []byte
	at      time.Time // first sent
	conn    *conn     // last sent to
	settled bool      // acked in time, or given up: later acks are discarded
	acked   chan map[string]any
	late    func(payload map[string]any) // does what a late ack says, if the dial lets it
}

// verdict is how the wait for an ack ended.
type verdict struct {
	id      string
	payload map[string]any
	after   time.Duration
	failed  string // operation_timeout, dispatch_failed
}

// envelope wraps a payload; the caller holds the lock.
func (w *World) envelope(a *app, kind, user string, accepts bool, payload map[string]any, more map[string]any) *delivery {
	env := map[string]any{"envelope_id": w.uuid(), "type": kind, "payload": payload, "accepts_response_payload": accepts}
	maps.Copy(env, more)
	if a.dials.ExtraFields {
		env["x_unknown"], payload["x_unknown"] = map[string]any{"v": 1}, true
	}
	id, _ := env["envelope_id"].(string)
	d := &delivery{app: a, frame: marshal(env), acked: make(chan map[string]any, 1)}
	d.entry = w.record(Entry{Kind: "envelope", App: a.ID, Name: kind, ID: id, User: user, Request: payload})
	w.sent[id] = d
	return d
}

// post sends a delivery to any one connection; false if there is none.
func (w *World) post(d *delivery) bool {
	c := w.pick(d.app)
	if c == nil {
		d.entry.Error = "no connection"
		return false
	}
	if d.entry.Delivered == 0 {
		d.at = time.Now()
	}
	d.conn = c
	d.entry.Delivered++
	d.entry.Socket = c.id
	if w.rng.Float64() >= c.dials.DropRate {
		c.push(d.frame)
	}
	w.touch()
	return true
}

// pick chooses a connection; ghosts and half-open ones are as good as any.
func (w *World) pick(a *app) *conn {
	open := slices.DeleteFunc(slices.Clone(a.conns), func(c *conn) bool { return c.leaving })
	if len(open) == 0 {
		return nil
	}
	a.turn++
	switch a.dials.Distribution {
	case "sticky":
		if !slices.Contains(open, a.last) {
			a.last = open[w.rng.IntN(len(open))]
		}
		return a.last
	case "newest":
		return open[len(open)-1]
	case "oldest":
		return open[0]
	case "round_robin":
		return open[a.turn%len(open)]
	default:
		return open[w.rng.IntN(len(open))]
	}
}

// send delivers a slash command or an interaction and waits for its ack. It is
// never redelivered.
func (w *World) send(ctx context.Context, d *delivery) (verdict, error) {
	w.mu.Lock()
	delay := d.app.dials.EnvelopeDelay + d.app.dials.EnvelopeJitter*Seconds(w.rng.Float64())
	w.mu.Unlock()
	if !w.pause(ctx, delay.Duration()) {
		return verdict{}, errors.Join(ctx.Err(), w.ctx.Err())
	}
	w.mu.Lock()
	out := w.post(d)
	if out && w.rng.Float64() < d.app.dials.DuplicateRate {
		w.post(d)
	}
	deadline := d.app.dials.AckDeadline.Duration()
	w.mu.Unlock()
	if !out {
		return verdict{id: d.entry.ID, failed: "dispatch_failed"}, nil
	}
	v, err := w.await(ctx, d, deadline)
	if v.failed != "" && err == nil && d.entry.Name != "events_api" {
		w.again(d)
	}
	return v, err
}

// again redelivers what was not acked, as often as the dial says; Slack was not
// seen to do so.
func (w *World) again(d *delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, wait := d.app.dials.RedeliverUnacked, d.app.dials.AckDeadline.Duration()
	if n <= 0 {
		return
	}
	w.spawn(func() {
		for range n {
			w.Redeliver(d.entry.ID)
			if !w.pause(w.ctx, wait) {
				return
			}
		}
	})
}

func (w *World) await(ctx context.Context, d *delivery, deadline time.Duration) (verdict, error) {
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	v := verdict{id: d.entry.ID}
	select {
	case v.payload = <-d.acked:
	case <-timer.C:
		if w.settle(d) {
			v.failed = "operation_timeout"
		} else {
			v.payload = <-d.acked
		}
	case <-ctx.Done():
		return v, ctx.Err()
	case <-w.ctx.Done():
		return v, w.ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	v.after = d.entry.AckAfter.Duration()
	if v.failed != "" && d.entry.Error == "" { // an ack that was ignored says why
		d.entry.Error = v.failed
	}
	w.touch()
	return v, nil
}

// settle gives up on a delivery; false if its ack came first.
func (w *World) settle(d *delivery) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.settled {
		return false
	}
	d.settled = true
	return true
}

// takeAck is an ack's arrival, at a time and in one frame or not, on any
// connection of the app.
func (w *World) takeAck(c *conn, frame []byte, at time.Time, whole bool) {
	var ack struct {
		ID      string         `json:"envelope_id"`
		Payload map[string]any `json:"payload"`
	}
	err := json.Unmarshal(frame, &ack)
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.sent[ack.ID]
	switch {
	case err != nil || d == nil || d.app != c.app:
		w.record(Entry{Kind: "socket", App: c.app.ID, Name: "unknown_frame", Socket: c.id, Error: string(frame[:min(200, len(frame))])})
		return
	case !whole && !c.dials.AcceptContinuation:
		d.entry.Error = "ack_in_several_frames"
		w.touch()
		return
	case len(frame) >= c.dials.AckLimit:
		d.entry.Error = "ack_too_large"
		w.touch()
		return
	case c.dials.AckOwnSocketOnly && d.conn != c:
		d.entry.Error = "ack_on_other_socket"
		w.touch()
		return
	}
	d.entry.Acks++
	switch {
	case d.settled && c.dials.AcceptLateAcks && d.late != nil:
		d.late(ack.Payload)
		d.late = nil
	case !d.settled:
		d.settled = true
		d.entry.Acked, d.entry.AckAfter = true, Seconds(at.Sub(d.at).Seconds())
		if len(ack.Payload) > 0 {
			d.entry.Answer = ack.Payload
		}
		d.acked <- ack.Payload
	}
	w.touch()
}

// Redeliver sends the same envelope again, retry_attempt still 0; false if
// there is no such envelope or no connection.
func (w *World) Redeliver(envelopeID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.sent[envelopeID]
	return d != nil && w.post(d)
}

// Inject sends any payload as an envelope, well-formed or not, and waits for
// its ack: for attacks.
func (w *World) Inject(ctx context.Context, appID, kind string, payload map[string]any) (Reply, error) {
	w.mu.Lock()
	a := w.app(appID)
	if a == nil {
		w.mu.Unlock()
		return Reply{}, refuse("no such app")
	}
	d := w.envelope(a, kind, "", true, maps.Clone(payload), nil)
	d.entry.Forged = true
	w.mu.Unlock()
	v, err := w.send(ctx, d)
	return v.reply(), err
}

// emit sends an event and, on Slack's schedule, again until it is acked. The
// caller holds the lock.
func (w *World) emit(a *app, event map[string]any) {
	if !w.admit(a) {
		return
	}
	team := w.teams[a.Team]
	payload := map[string]any{"token": "legacy", "team_id": a.Team, "api_app_id": a.ID, "type": "event_callback",
		"event": event, "event_id": w.id("Ev"), "event_time": w.cfg.Now().Unix(), "is_ext_shared_channel": w.extShared(event),
		"event_context": "4-" + w.secret(10),
		"authorizations": []any{map[string]any{"enterprise_id": orNil(team.Enterprise), "team_id": a.Team, "user_id": a.BotUser,
			"is_bot": true, "is_enterprise_install": a.OrgInstalled}}}
	user, _ := event["user"].(string)
	w.spawn(func() { w.insist(a, user, payload) })
}

// insist sends an event until it is acked, or nothing is to be hoped for.
func (w *World) insist(a *app, user string, payload map[string]any) {
	began := time.Now()
	for attempt := 0; ; attempt++ {
		wait, more := w.tuned(a).retry(attempt, time.Since(began))
		if !more || !w.pause(w.ctx, wait) {
			w.failed(a)
			return
		}
		wrapper := map[string]any{"retry_attempt": attempt, "retry_reason": ""}
		if attempt > 0 {
			wrapper["retry_reason"] = "timeout"
		}
		w.mu.Lock()
		d := w.envelope(a, "events_api", user, false, payload, wrapper)
		w.mu.Unlock()
		if v, err := w.send(w.ctx, d); err != nil || v.failed == "" {
			return
		}
	}
}

// retry is the wait before an attempt, and whether there is one. After the
// schedule come Delayed Events, if the app has them: hourly, for a day.
func (d *Dials) retry(attempt int, age time.Duration) (time.Duration, bool) {
	switch n := len(d.EventRetries); {
	case attempt == 0:
		return 0, true
	case attempt > n:
		return time.Hour, d.DelayedEvents && attempt <= n+24
	case age > 2*time.Hour:
		return 0, d.DelayedEvents
	default:
		return d.EventRetries[attempt-1].Duration(), true
	}
}

func (w *World) extShared(event map[string]any) bool {
	id, _ := event["channel"].(string)
	c := w.channels[id]
	return c != nil && c.ExtShared
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
