package bot

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// quickTime is how long an answer within the acknowledgement may take: Slack
// waits three seconds, and is known to give up earlier.
const quickTime = 1500 * time.Millisecond

// Quick answers what Slack wants answered in the acknowledgement itself: the
// options of a list while somebody types, and what is wrong in a form before it
// closes. It keeps nothing and may be lost with the process. done says that
// there is nothing to keep of the envelope; a form that seems right is kept,
// and judged anew.
func (b *Bot) Quick(ctx context.Context, raw []byte) (ack any, done bool) {
	defer func() {
		if r := recover(); r != nil {
			b.Log.Error("no quick answer; the envelope is kept like any other", "panic", r, "stack", string(debug.Stack()))
			ack, done = nil, false
		}
	}()
	var e envelope
	var i slack.InteractionCallback
	if json.Unmarshal(raw, &e) != nil || e.Type != "interactive" || json.Unmarshal(e.Payload, &i) != nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, quickTime)
	defer cancel()
	switch {
	case i.Type == slack.InteractionTypeBlockSuggestion:
		return b.suggest(ctx, i), true
	case i.Type == slack.InteractionTypeViewSubmission && i.View.CallbackID == formAsk:
		if wrong := b.wrong(ctx, i); len(wrong) > 0 {
			return slack.NewErrorsViewSubmissionResponse(wrong), true
		}
	}
	return nil, false
}

// suggest offers what the person who types may activate; nothing to whom may
// nothing.
func (b *Bot) suggest(ctx context.Context, i slack.InteractionCallback) any {
	s, _, err := b.authorize(ctx, callerOf(i), wish{})
	var list []may
	if err == nil {
		list, err = b.mayActivate(ctx, s)
	}
	if err != nil {
		b.Log.Warn("no options can be offered", "slack", i.User.ID, "err", err)
	}
	return options(list, i.Value, len(s.accounts) > 1)
}

// wrong is what can be said about a form at once, by its inputs. What takes too
// long to find out is said later, in a message.
func (b *Bot) wrong(ctx context.Context, i slack.InteractionCallback) map[string]string {
	s, _, err := b.authorize(ctx, callerOf(i), wish{})
	if err != nil {
		return nil
	}
	o := filled(i.View)
	choices, err := b.choices(&o, s)
	if err != nil {
		return map[string]string{inGroup: err.Error()}
	}
	asks, err := b.wantedAll(ctx, o, choices, s.zone)
	if err != nil {
		return nil
	}
	wrong := map[string]string{}
	for where, q := range strictest(asks, b.Now()) {
		if where == inLength && o.until != "" {
			where = inUntil
		}
		wrong[where] = clip(bare(sayFormWrong(q, len(asks) > 1)), 150)
	}
	return wrong
}

// wantedAll are several asks, as far as they can be judged without asking PIM
// about the person.
func (b *Bot) wantedAll(ctx context.Context, o order, choices []choice, zone *time.Location) ([]activation.Ask, error) {
	asks := make([]activation.Ask, len(choices))
	work, ctx := errgroup.WithContext(ctx)
	for i, c := range choices {
		work.Go(func() error {
			settings, err := b.Directory.Settings(ctx, c.group.ID, c.access)
			asks[i] = b.wanted(o.of(c), c.group, settings, b.Now(), zone)
			return err
		})
	}
	return asks, work.Wait()
}

// broken is a rule that an ask does not keep.
type broken struct {
	ask activation.Ask
	activation.Refusal
}

// strictest finds by input what is wrong; of several groups the one whose rule
// leaves least, so that who keeps it keeps all.
func strictest(asks []activation.Ask, now time.Time) map[string]broken {
	wrong := map[string]broken{}
	for _, q := range asks {
		for _, r := range activation.Judge(q, q.Facts, now).Rules {
			where := inputOf(r)
			if r.Met != activation.IsUnmet || where == "" {
				continue
			}
			if had, ok := wrong[where]; !ok || r.Refusal.Code == activation.TooLong && r.Refusal.Max < had.Max {
				wrong[where] = broken{q, *r.Refusal}
			}
		}
	}
	return wrong
}

// wanted is an ask as far as it can be judged without asking PIM about the
// person.
func (b *Bot) wanted(o order, g Group, settings activation.Settings, now time.Time, zone *time.Location) activation.Ask {
	q := activation.Ask{Group: g.Group, Access: o.access, Length: o.length, Reason: o.reason, Ticket: o.ticket,
		Facts: activation.Facts{Eligible: true, Settings: settings, TicketForm: g.TicketForm}}
	from := now
	if o.start != "" {
		q.Start = nextClock(o.start, now, zone)
		from = q.Start
	}
	switch {
	case o.until != "":
		q.Length, q.Until = 0, nextClock(o.until, from, zone)
	case q.Length == 0:
		q.Length = usual(settings)
	}
	q.Facts.TicketUnfit = g.Ticket != nil && !g.Ticket.MatchString(strings.TrimSpace(o.ticket))
	return q
}

// inputOf is the form's input that a rule is about.
func inputOf(r activation.Rule) string {
	if r.Refusal == nil {
		return ""
	}
	switch r.Refusal.Code {
	case activation.TooLong, activation.TooShort:
		return inLength
	case activation.ReasonMissing:
		return inReason
	case activation.TicketMissing, activation.TicketUnfit:
		return inTicket
	}
	return ""
}
