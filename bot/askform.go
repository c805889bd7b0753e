package bot

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// The form in which a person asks, and what is in it.
const (
	formAsk  = "ask"
	actAsk   = "ask"   // opens it
	actAgain = "again" // opens it, filled in as an earlier one was

	inGroup  = "group"
	inLength = "length"
	inUntil  = "until"
	inStart  = "start"
	inReason = "reason"
	inTicket = "ticket"

	inAccount = "account" // of an approver
)

// lengths are what the form offers; PIM's maximum is told when it is exceeded.
var lengths = []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour}

// openAsk opens the form, and then reads what the person may activate, so that
// it is there when they type. like is an earlier ask; its zero value: none.
func (b *Bot) openAsk(ctx context.Context, trigger string, s someone, like activation.Activation) error {
	if b.SignIn == nil {
		return activation.Refusal{Code: activation.NotAllowedHere, Text: watching}
	}
	if _, err := b.API.OpenViewContext(ctx, trigger, askForm(like, len(s.accounts) > 1)); err != nil {
		return err
	}
	if _, err := b.mayActivate(ctx, s); err != nil {
		b.Log.Warn("what a person may activate can't be read; asked again while they type", "slack", s.slack.ID, "err", err)
	}
	return nil
}

// askForm is the form; like fills it in.
func askForm(like activation.Activation, several bool) slack.ModalViewRequest {
	group := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeExternal, words(sayFormPick), "v")
	group.MinQueryLength, group.MaxSelectedItems = new(int), new(severalMost)
	if like.Group.ID != "" {
		group.InitialOptions = []*slack.OptionBlockObject{option(may{Group{Group: like.Group}, like.Access, like.Person}, several)}
	}
	hint := sayFormGroupHint
	if several {
		hint = sayFormGroupsHint
	}
	length := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "v")
	usual := time.Hour
	if d := wholeLength(like); d > 0 {
		usual = d
	}
	for _, d := range withLength(usual) {
		o := slack.NewOptionBlockObject(d.String(), words("for "+span(d)), nil)
		length.Options = append(length.Options, o)
		if d == usual {
			length.InitialOption = o
		}
	}
	reason := slack.NewPlainTextInputBlockElement(nil, "v")
	reason.Multiline, reason.MaxLength = true, reasonMost
	reason.InitialValue = clip(ownReason(like), reasonMost)
	ticket := slack.NewPlainTextInputBlockElement(nil, "v")
	ticket.MaxLength, ticket.InitialValue = ticketMost, clip(like.Ticket, ticketMost)
	form := modal(formAsk, "Activate access", "Ask", about{},
		slack.NewInputBlock(inGroup, words(sayFormGroup), words(hint), group).WithDispatchAction(true), // see preview
		slack.NewInputBlock(inLength, words(sayFormLength), nil, length),
		optional(slack.NewInputBlock(inUntil, words(sayFormUntil), words(sayFormUntilHint), slack.NewTimePickerBlockElement("v"))),
		optional(slack.NewInputBlock(inStart, words(sayFormStart), words(sayFormStartHint), slack.NewTimePickerBlockElement("v"))),
		optional(slack.NewInputBlock(inReason, words(sayFormReason), words(sayFormReasonHint), reason)),
		optional(slack.NewInputBlock(inTicket, words(sayFormTicket), nil, ticket)))
	form.Close = words("Cancel")
	return form
}

func words(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

func optional(b *slack.InputBlock) *slack.InputBlock {
	b.Optional = true
	return b
}

// withLength is what the form offers, with one more if it is none of them.
func withLength(d time.Duration) []time.Duration {
	for i, l := range lengths {
		if l == d {
			return lengths
		}
		if l > d {
			return append(append(append([]time.Duration{}, lengths[:i]...), d), lengths[i:]...)
		}
	}
	return append(append([]time.Duration{}, lengths...), d)
}

// wholeLength is how long an ask was for, in minutes.
func wholeLength(a activation.Activation) time.Duration {
	d := time.Duration(a.Length)
	if !a.Until.IsZero() {
		from := a.Began
		if a.Start.After(from) {
			from = a.Start
		}
		d = a.Until.Sub(from)
	}
	return max(0, d.Round(time.Minute))
}

// ownReason is the reason of an earlier ask, if it had one.
func ownReason(a activation.Activation) string {
	if s := ownWords(a); s != sayNoReason {
		return s
	}
	return ""
}

// optionText is Slack's limit for an option's text.
const optionText = 75

func option(m may, several bool) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject(m.value(), words(clip(sayOption(m, several), optionText)), nil)
}

// Slack takes so many options, and silently ignores an ack of 20 KB.
const (
	optionsMost = 100
	optionsSize = 18_000
)

// options answers what was typed into the form's list of groups.
func options(list []may, typed string, several bool) map[string]any {
	all := []*slack.OptionBlockObject{}
	size := 0
	for _, m := range matching(list, typed) {
		o := option(m, several)
		body, err := json.Marshal(o)
		if size += len(body) + 1; err != nil || len(all) == optionsMost || size > optionsSize {
			break
		}
		all = append(all, o)
	}
	return map[string]any{"options": all}
}

// filled reads a form that was sent.
func filled(v slack.View) order {
	o := order{verb: "activate", chosen: []string{}, reason: strings.TrimSpace(typed(v, inReason)), ticket: strings.TrimSpace(typed(v, inTicket))}
	for _, option := range entered(v, inGroup).SelectedOptions {
		o.chosen = append(o.chosen, option.Value)
	}
	o.until, o.start = entered(v, inUntil).SelectedTime, entered(v, inStart).SelectedTime
	if d, err := time.ParseDuration(picked(v, inLength)); err == nil && o.until == "" {
		o.length = d // else the usual one
	}
	return o
}

func picked(v slack.View, block string) string { return entered(v, block).SelectedOption.Value }

func entered(v slack.View, block string) slack.BlockAction {
	if v.State == nil {
		return slack.BlockAction{}
	}
	return v.State.Values[block]["v"]
}
