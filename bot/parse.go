package bot

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"pagbot/activation"
)

// complaint is an error in the words of the person who reads it.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// order is what a person typed after /pag.
type order struct {
	verb    string
	group   string
	chosen  []string // in the form, instead: see may.value
	account string   // one of the person's, as they call it; empty: not said
	access  activation.Access
	owner   bool          // said
	length  time.Duration // zero: not said
	until   string        // HH:MM, in the person's own zone
	start   string        // the same; empty: at once
	reason  string
	ticket  string
	code    string // after signin: what the browser shows
	rest    []word // after switch: which of its words are groups, only the bot knows
}

// verbs and what else people type for them.
var verbs = map[string]string{
	"activate": "activate", "request": "activate", "check": "check", "dryrun": "check", "dry-run": "check", "test": "check", "deactivate": "deactivate", "end": "deactivate", "cancel": "deactivate",
	"renew": "renew", "extend": "renew", "prolong": "renew", "switch": "switch", "change": "switch", "list": "list", "again": "again", "repeat": "again", "status": "status", "signin": "signin", "sign-in": "signin", "login": "signin",
	"signout": "signout", "sign-out": "signout", "logout": "signout", "latency": "latency", "help": "help", "": "help",
}

// takesGroup are the verbs that a group may follow.
var takesGroup = map[string]bool{"activate": true, "deactivate": true, "check": true, "renew": true}

var (
	quotes   = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "’", "'", "‘", "'")
	duration = regexp.MustCompile(`^(?:(\d+)d(?:ays?)?)?(?:(\d+)h(?:ours?|rs?)?)?(?:(\d+)m(?:ins?|inutes?)?)?$`)
	number   = regexp.MustCompile(`^\d+$`)
	unit     = regexp.MustCompile(`^(?:d(?:ays?)?|h(?:ours?|rs?)?|m(?:ins?|inutes?)?)$`)
	clock    = regexp.MustCompile(`^([01]?\d|2[0-3]):([0-5]\d)$`)
	// Slack turns links and mentions into <…>; what was typed stands behind |.
	escaped = regexp.MustCompile(`<[#@!]?[^<>|]*(?:\|([^<>]*))?>`)
)

// parse understands a command line. Its errors are sentences for the person.
func parse(text string) (order, error) {
	words, err := split(quotes.Replace(text))
	if err != nil {
		return order{}, err
	}
	o := order{access: activation.Member}
	if len(words) == 0 {
		o.verb = "help"
		return o, nil
	}
	verb, ok := verbs[strings.ToLower(words[0].text)]
	if !ok {
		return o, complaint(sayUnknownVerb(words[0].text))
	}
	if o.verb = verb; verb == "signin" {
		o.code = together(words[1:])
	}
	return o, o.arguments(words[1:])
}

func (o *order) arguments(words []word) error {
	switch o.verb {
	case "latency":
		o.group = together(words)
		return nil
	case "again":
		return o.words(words)
	case "switch":
		if o.rest = words; len(words) == 0 {
			return complaint(saySwitchUsage)
		}
		return nil
	}
	if !takesGroup[o.verb] || len(words) == 0 {
		if o.verb == "check" {
			return complaint(sayCheckUsage)
		}
		return nil
	}
	o.group, words = words[0].text, words[1:]
	for len(words) > 0 && !words[0].quoted && (strings.HasSuffix(o.group, ",") || strings.HasPrefix(words[0].text, ",")) {
		o.group, words = o.group+words[0].text, words[1:] // "a, b" names two groups
	}
	return o.options(words)
}

// options takes what may follow a group.
func (o *order) options(words []word) error {
	words, err := o.as(words)
	if err == nil {
		words, err = o.begin(words)
	}
	if err == nil {
		words, err = o.time(words)
	}
	if err != nil || o.verb == "deactivate" {
		return err
	}
	return o.words(words)
}

// as takes "as owner" and "account adm-you" off the front, in any order. That
// an address is an account's is clear after "as" and "with", too.
func (o *order) as(words []word) ([]word, error) {
	for len(words) > 0 && !words[0].quoted {
		first, second := fold(words[0].text), ""
		if len(words) > 1 && !words[1].quoted {
			second = words[1].text
		}
		switch {
		case first == "as" && (fold(second) == "owner" || fold(second) == "member"):
			o.access = activation.Access(fold(second))
			o.owner = o.access == activation.Owner
		case first == "account" && second == "":
			return words, complaint(sayAccountWhat)
		case first == "account", (first == "as" || first == "with") && strings.Contains(second, "@"):
			o.account = second
		default:
			return words, nil
		}
		words = words[2:]
	}
	return words, nil
}

// words takes the reason and the ticket.
func (o *order) words(words []word) error {
	if len(words) > 0 && words[0].quoted {
		o.reason, o.ticket = words[0].text, together(words[1:])
	} else {
		o.reason = together(words)
	}
	return fits(o.reason, o.ticket)
}

// fits complains of words that are too long, however they came here: a form's
// limits are kept by Slack, and not known to be kept for whoever sends one.
func fits(reason, ticket string) error {
	switch {
	case len([]rune(reason)) > reasonMost:
		return complain(sayLongReason, reasonMost)
	case len([]rune(ticket)) > ticketMost:
		return complain(sayLongTicket, ticketMost)
	}
	return nil
}

// The longest reason and ticket, in characters: whoever decides shall have read
// all of it.
const (
	reasonMost = 500
	ticketMost = 100
)

func together(words []word) string {
	var all []string
	for _, w := range words {
		all = append(all, w.text)
	}
	return strings.TrimSpace(strings.Join(all, " "))
}

// begin takes "at 18:00" off the front.
func (o *order) begin(words []word) ([]word, error) {
	if len(words) < 2 || words[0].quoted || words[1].quoted || fold(words[0].text) != "at" && fold(words[0].text) != "from" {
		return words, nil
	}
	if !clock.MatchString(words[1].text) {
		if fold(words[0].text) == "at" && words[1].text != "" && unicode.IsDigit([]rune(words[1].text)[0]) {
			return words, complaint(sayAtWhat)
		}
		return words, nil // "at the customer's": a reason
	}
	if o.verb == "deactivate" {
		return words, complaint(sayEndAt)
	}
	o.start = words[1].text
	return words[2:], nil
}

// time takes "2h", "1h30m", "90m" or "until 18:00" off the front.
func (o *order) time(words []word) ([]word, error) {
	if len(words) == 0 || words[0].quoted {
		return words, nil
	}
	if fold(words[0].text) == "for" && len(words) > 1 && length(words[1:]) != "" {
		words = words[1:]
	}
	w := fold(words[0].text)
	switch {
	case w == "until":
		if len(words) < 2 || !clock.MatchString(words[1].text) {
			return words, complaint(sayUntilWhat)
		}
		o.until = words[1].text
		return words[2:], nil
	case length(words) != "":
		var err error
		o.length, err = parseDuration(length(words))
		if number.MatchString(w) {
			words = words[1:]
		}
		return words[1:], err
	}
	return words, nil
}

// length is the length that a line begins with, as "2h" or "2 hours"; empty:
// none.
func length(words []word) string {
	w := fold(words[0].text)
	switch {
	case words[0].quoted || w == "":
		return ""
	case number.MatchString(w) && len(words) > 1 && !words[1].quoted && unit.MatchString(fold(words[1].text)):
		return w + fold(words[1].text)
	case duration.MatchString(w):
		return w
	}
	return ""
}

// longest is more than any policy allows; it keeps the arithmetic in range.
const longest = 1000 * time.Hour

func parseDuration(s string) (time.Duration, error) {
	var total time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		digits := duration.FindStringSubmatch(s)[i+1]
		if digits == "" {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n > int(longest/unit) {
			return 0, complaint(sayFarTooLong)
		}
		total += time.Duration(n) * unit
	}
	switch {
	case total > longest:
		return 0, complaint(sayFarTooLong)
	case total == 0:
		return 0, complaint(sayTooShort)
	}
	return total, nil
}

type word struct {
	text   string
	quoted bool
}

// split cuts a line into words; what stands in double quotes is one.
func split(line string) ([]word, error) {
	line = unescape(line)
	var words []word
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] == '"' {
			inner, rest, ok := strings.Cut(line[1:], `"`)
			if !ok {
				return nil, complaint(sayUnquoted)
			}
			words, line = append(words, word{strings.TrimSpace(inner), true}), rest
			continue
		}
		i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
		if i < 0 {
			i = len(line)
		}
		words, line = append(words, word{line[:i], false}), line[i:]
	}
	return words, nil
}

// unescape undoes what Slack does to typed text.
func unescape(s string) string {
	s = escaped.ReplaceAllStringFunc(s, func(m string) string {
		if sub := escaped.FindStringSubmatch(m); sub[1] != "" {
			return sub[1]
		}
		inner, _, _ := strings.Cut(strings.Trim(m, "<>#@!"), "|")
		return inner
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

func fold(s string) string { return strings.ToLower(s) }

// short keeps what is quoted back to a person within reason.
func short(s string) string {
	r := []rune(s)
	if len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// nextClock is the next moment at which the person's clock shows hh:mm.
func nextClock(hhmm string, now time.Time, zone *time.Location) time.Time {
	m := clock.FindStringSubmatch(hhmm)
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	local := now.In(zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), hour, minute, 0, 0, zone)
	if !at.After(now) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, hour, minute, 0, 0, zone)
	}
	return at.UTC()
}

// alike reports whether one may have been meant by the other, at so many
// changed letters.
func alike(a, b string, d int) bool {
	a, b = fold(a), fold(b)
	return d <= max(2, len(b)/3) || len(b) >= 3 && (strings.Contains(a, b) || strings.Contains(b, a))
}

// distance is how many letters must change to make one word of the other.
func distance(a, b string) int {
	x, y := []rune(fold(a)), []rune(fold(b))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(y)]
}
