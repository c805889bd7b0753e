package bot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// Our sentences are written in a small markup: *bold*, `code`, :emoji:, a
// mention, a Slack date, a link. What others wrote (names, refusals of other
// systems) stands in them as a literal, in which nothing is markup: it goes out
// as plain elements of rich_text, so that it can mention, link or shout nothing
// and is copied as it is.
const (
	litBegin = "\x02"
	litEnd   = "\x03"
	litMost  = 200 // of one literal, in runes
)

// lit makes a literal of somebody else's words, on one line.
func lit(s string) string { return litUpTo(s, litMost) }

func litUpTo(s string, most int) string {
	return litBegin + clip(strings.Join(strings.FieldsFunc(activation.Visible(s), unicode.IsSpace), " "), most) + litEnd
}

// quoteLines is how many lines of a quoted text stand; more would push the
// buttons off a phone.
const quoteLines = 10

// tidy is a person's own text, with its lines.
func tidy(s string) string {
	lines := slices.DeleteFunc(strings.Split(activation.Visible(s), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	if len(lines) > quoteLines {
		lines = append(lines[:quoteLines-1], strings.Join(lines[quoteLines-1:], " "))
	}
	return clip(strings.Join(lines, "\n"), quoteMost)
}

// clip keeps a text within a limit of Slack's, or of patience.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

type pieceKind int

const (
	aText pieceKind = iota
	aLiteral
	aUser
	aChannel
	aDate
	aLink
	anEmoji
)

// piece is a part of a sentence.
type piece struct {
	kind       pieceKind
	text       string // the words; of a date its fallback, of a link its label
	ref        string // user id, date format, URL
	unix       int64
	bold, code bool
}

var markup = regexp.MustCompile(`<([@#][A-Z0-9]+)>|<!date\^(\d+)\^([^|>^]*)\|([^>]*)>|<(https?://[^|>]+)\|([^>]*)>|:([a-z_]+):|[*\x60]`)

// pieces reads a sentence.
func pieces(s string) []piece {
	var all []piece
	var bold, code bool
	add := func(p piece) {
		p.bold, p.code = bold, code
		if p.text != "" {
			all = append(all, p)
		}
	}
	for s != "" {
		own, rest, marked := strings.Cut(s, litBegin)
		for own != "" {
			m := markup.FindStringSubmatchIndex(own)
			if m == nil {
				add(piece{text: own})
				break
			}
			add(piece{text: own[:m[0]]})
			switch own[m[0]:m[1]] {
			case "*":
				bold = !bold
			case "`":
				code = !code
			default:
				add(special(markup.FindStringSubmatch(own)))
			}
			own = own[m[1]:]
		}
		if !marked {
			break
		}
		words, after, _ := strings.Cut(rest, litEnd)
		add(piece{kind: aLiteral, text: words})
		s = after
	}
	return all
}

func special(m []string) piece {
	switch {
	case strings.HasPrefix(m[1], "#"):
		return piece{kind: aChannel, text: "the channel", ref: m[1][1:]}
	case m[1] != "":
		return piece{kind: aUser, text: "somebody", ref: m[1][1:]}
	case m[2] != "":
		unix, _ := strconv.ParseInt(m[2], 10, 64) // digits only
		return piece{kind: aDate, unix: unix, ref: m[3], text: m[4]}
	case m[5] != "":
		return piece{kind: aLink, ref: m[5], text: m[6]}
	}
	return piece{kind: anEmoji, text: m[7]}
}

// rich is a sentence as a block.
func rich(s string) slack.Block {
	var all []slack.RichTextSectionElement
	for _, p := range pieces(s) {
		var style *slack.RichTextSectionTextStyle
		if p.bold || p.code {
			style = &slack.RichTextSectionTextStyle{Bold: p.bold, Code: p.code}
		}
		switch p.kind {
		case aUser:
			all = append(all, slack.NewRichTextSectionUserElement(p.ref, nil))
		case aChannel:
			all = append(all, slack.NewRichTextSectionChannelElement(p.ref, nil))
		case aDate:
			d := slack.NewRichTextSectionDateElement(p.unix, p.ref, nil, &p.text)
			d.Style = style
			all = append(all, d)
		case aLink:
			all = append(all, slack.NewRichTextSectionLinkElement(p.ref, p.text, style))
		case anEmoji:
			all = append(all, slack.NewRichTextSectionEmojiElement(p.text, 0, nil))
		default:
			all = append(all, slack.NewRichTextSectionTextElement(p.text, style))
		}
	}
	return slack.NewRichTextBlock("", slack.NewRichTextSection(all...))
}

// flat is a sentence for notifications, where Slack still reads mentions and
// links but shows no blocks.
func flat(s string) string {
	return strings.TrimSpace(joined(s, neutral.Replace))
}

// bare is a sentence for a terminal or a log.
func bare(s string) string {
	return strings.TrimSpace(joined(s, func(words string) string { return words }))
}

// neutral takes the signs from words that Slack reads as mentions and links.
var neutral = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func joined(s string, literal func(string) string) string {
	var out strings.Builder
	for _, p := range pieces(s) {
		switch p.kind {
		case aUser:
			out.WriteString("<@" + p.ref + ">")
		case aChannel:
			out.WriteString("<#" + p.ref + ">")
		case anEmoji:
		case aLiteral:
			out.WriteString(literal(p.text))
		default:
			out.WriteString(p.text)
		}
	}
	return out.String()
}

// small is a sentence as mrkdwn, for the grey lines that can't be rich_text.
// There a literal that has signs of markup in it is shown as code, in which
// none of them works.
func small(s string) string {
	var out strings.Builder
	for _, p := range pieces(s) {
		switch {
		case p.kind == aUser:
			out.WriteString("<@" + p.ref + ">")
		case p.kind == aChannel:
			out.WriteString("<#" + p.ref + ">")
		case p.kind == aDate:
			out.WriteString("<!date^" + strconv.FormatInt(p.unix, 10) + "^" + p.ref + "|" + p.text + ">")
		case p.kind == anEmoji:
			out.WriteString(":" + p.text + ":")
		case p.kind == aLink:
			out.WriteString("<" + p.ref + "|" + p.text + ">")
		case p.kind == aLiteral && strings.ContainsAny(p.text, "*_~`:"):
			out.WriteString("`" + neutral.Replace(strings.ReplaceAll(p.text, "`", "'")) + "`")
		case p.kind == aLiteral:
			out.WriteString(neutral.Replace(p.text))
		case p.bold:
			out.WriteString("*" + p.text + "*")
		default:
			out.WriteString(p.text)
		}
	}
	return out.String()
}
