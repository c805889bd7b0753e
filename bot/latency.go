package bot

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// Measures knows how long targets take to follow, here.
type Measures interface {
	// Usually says how long a target usually takes, and from how many
	// measurements that is known, as in "usually 7–22 min here, 41 seen"; empty if
	// that are too few.
	Usually(target string, toward activation.Direction) string
	// Every is how often a target is looked at, at the least, so long after the
	// turn that is waited for; zero: not known.
	Every(target string, age time.Duration) time.Duration
	// Draw draws what was measured of a group or a target, by the name that a
	// person typed, or of all for none. False: there is nothing of that name.
	Draw(about string) (Drawing, bool, error)
}

// Drawing is a picture of measurements, and what it says in words.
type Drawing struct {
	Title string
	Lines []string
	PNG   []byte // none: there is nothing to be drawn yet
}

// latency sends a person the picture of what was measured, and says in place
// what it shows: an answer in place can't carry a file.
func (b *Bot) latency(ctx context.Context, c slack.SlashCommand, o order, say teller) error {
	if _, _, err := b.authorize(ctx, caller{c.UserID, c.TeamID, c.EnterpriseID, c.APIAppID}, wish{look: true}); err != nil {
		return err
	}
	if b.Measures == nil {
		return say(plain(sayNoMeasures))
	}
	d, known, err := b.Measures.Draw(o.group)
	switch {
	case err != nil:
		return err
	case !known:
		return say(plain(sayUnknownMeasure(o.group)))
	}
	words := sayMeasured(d)
	if len(d.PNG) == 0 {
		return say(plain(words))
	}
	// A file goes to a conversation, not to a person; the first message finds it.
	dm, _, err := b.API.PostMessageContext(ctx, c.UserID, plain(words).options()...)
	var no slack.SlackErrorResponse
	switch {
	case errors.As(err, &no) && !passing[no.Err]:
		return say(plain(words + "\n" + sayNoDirect))
	case err != nil:
		return err
	}
	// From here on the words are said: what fails is told, and not tried again.
	_, err = b.API.UploadFileContext(ctx, slack.UploadFileParameters{Reader: bytes.NewReader(d.PNG), FileSize: len(d.PNG), Filename: "latency.png",
		Title: d.Title, AltTxt: clip(flat(words), 1000), Channel: dm})
	last := sayPictureSent
	if err != nil {
		b.Log.Warn("a picture could not be sent", "user", c.UserID, "err", err)
		last = sayPictureLost
	}
	return say(plain(words + "\n" + last))
}

// usually says how long the targets that an activation waits for usually take;
// empty if it waits for none, or too little is known.
func (b *Bot) usually(a activation.Activation) string {
	if b.Measures == nil || a.From.IsZero() {
		return ""
	}
	waited, toward := waitsFor(a)
	var all []string
	for _, t := range waited {
		if s := b.Measures.Usually(t.ID, toward); s != "" {
			all = append(all, lit(t.Name+" "+s))
		}
	}
	return sayUsually(all, toward)
}

// waitsFor are the targets that an activation waits for, and what for.
func waitsFor(a activation.Activation) (all []activation.Target, toward activation.Direction) {
	toward = activation.Grant
	if !a.Ended.IsZero() {
		toward = activation.Removal
	}
	for _, t := range a.Targets {
		if t.Level > activation.L0 && !t.Span(toward).Settled() {
			all = append(all, t)
		}
	}
	return all, toward
}

// looks says how often the targets that an activation waits for are looked at;
// empty if it waits for none.
func (b *Bot) looks(a activation.Activation) string {
	if b.Measures == nil || a.From.IsZero() || a.Phase == activation.Closed {
		return ""
	}
	waited, toward := waitsFor(a)
	turn := a.From
	if toward == activation.Removal {
		turn = a.Ended
	}
	var every time.Duration
	for _, t := range waited {
		every = max(every, b.Measures.Every(t.ID, b.Now().Sub(turn)))
	}
	return sayLooks(every)
}
