package bot

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// message is what is said in Slack: blocks, and the text of the notification.
type message struct {
	text   string
	blocks []slack.Block
}

// plain is a message of one sentence, or some.
func plain(text string, more ...slack.Block) message {
	return message{text: notification(text), blocks: append([]slack.Block{rich(text)}, more...)}
}

// notification is what a phone shows of a message: its first line.
func notification(text string) string {
	first, _, _ := strings.Cut(flat(text), "\n")
	return clip(strings.TrimRight(first, ":"), 1000)
}

// linked is a message with one button that opens the browser. about is the
// activation that the link is about, if any: a click tells it.
func linked(text, button, url, about string) message {
	b := slack.NewButtonBlockElement(actOpen, about, slack.NewTextBlockObject(slack.PlainTextType, button, false, false))
	b.URL, b.Style = url, slack.StylePrimary
	return plain(text, slack.NewActionBlock("", b))
}

// edited is a message as an update says it, which knows nothing of unfurling.
func (m message) edited() []slack.MsgOption {
	return []slack.MsgOption{slack.MsgOptionText(m.text, false), slack.MsgOptionBlocks(m.blocks...)}
}

func (m message) options() []slack.MsgOption {
	return append(m.edited(), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
}

// hash tells two renderings apart.
func (m message) hash() string {
	b, err := json.Marshal(map[string]any{"text": m.text, "blocks": m.blocks})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// note is a grey line below.
func note(text string) slack.Block {
	return slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, clip(small(text), 2900), false, false))
}

// quoteMost is how much is shown of what a person wrote, in runes.
const quoteMost = 1000

// quoted shows a person's own words. rich_text knows no markup, so nothing in
// them can mention, link or shout.
func quoted(label, words string) slack.Block {
	if words = tidy(words); words == "" {
		words = sayNoReason
	}
	bold := &slack.RichTextSectionTextStyle{Bold: true}
	return slack.NewRichTextBlock("", slack.NewRichTextSection(
		slack.NewRichTextSectionTextElement(label+" ", bold), slack.NewRichTextSectionTextElement(words, nil)))
}

func button(action, value, text string, style slack.Style) *slack.ButtonBlockElement {
	b := slack.NewButtonBlockElement(action, value, slack.NewTextBlockObject(slack.PlainTextType, text, false, false))
	b.Style = style
	return b
}

func modal(callback, title, submit string, on about, blocks ...slack.Block) slack.ModalViewRequest {
	meta, _ := json.Marshal(on)
	return slack.ModalViewRequest{Type: slack.VTModal, CallbackID: callback, PrivateMetadata: string(meta),
		Title:  slack.NewTextBlockObject(slack.PlainTextType, title, false, false),
		Submit: slack.NewTextBlockObject(slack.PlainTextType, submit, false, false),
		Close:  slack.NewTextBlockObject(slack.PlainTextType, "Back", false, false),
		Blocks: slack.Blocks{BlockSet: blocks}}
}

// voteForm is where an approver confirms what they pressed, in their own words,
// and with which of their accounts, if several of them may.
func voteForm(a activation.Activation, d activation.Deed, proof activation.Proof, with ...activation.Person) slack.ModalViewRequest {
	title, submit := "Approve", "Approve"
	if d == activation.Deny {
		title, submit = "Deny", "Deny"
	}
	in := slack.NewPlainTextInputBlockElement(nil, "v")
	in.Multiline, in.MaxLength = true, reasonMost
	reason := slack.NewInputBlock("reason", slack.NewTextBlockObject(slack.PlainTextType, sayYourReason, false, false), nil, in)
	reason.Optional = !a.Settings.ApproverReason
	blocks := []slack.Block{rich(sayVoteForm(a)), quoted(sayTheirReason, ownWords(a))}
	if a.Ticket != "" {
		blocks = append(blocks, quoted(sayTicketLabelOf(a), a.Ticket))
	}
	next := sayVoteKept
	if d == activation.Approve && a.Quorum > 1 {
		blocks = append(blocks, rich(sayQuorum(a)))
		next = ""
	}
	if proof == activation.Fresh && next == "" {
		next = sayVoteFreshOfMany
	} else if proof == activation.Fresh {
		next = sayVoteFresh
	}
	if len(with) > 1 {
		blocks = append(blocks, accountInput(with))
	}
	blocks = append(blocks, reason)
	if next != "" {
		blocks = append(blocks, note(next))
	}
	return modal(formVote, title, submit, about{ID: a.ID, Deed: d}, blocks...)
}

// finishForm is where a person confirms that they are done.
func finishForm(a activation.Activation, now time.Time) slack.ModalViewRequest {
	title, submit := "End access", "End now"
	if deedToEnd(a) == activation.Cancel {
		title, submit = "Withdraw request", "Withdraw"
	}
	return modal(formFinish, title, submit, about{ID: a.ID, Deed: deedToEnd(a)}, rich(sayFinishForm(a, now)))
}
