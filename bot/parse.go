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
	verb   string
	group  string
	access activation.Access
	owner  bool          // said
	length time.Duration // zero: not said
	until  string        // HH:MM, in the person's own zone
	reason string
	ticket string
}

// verbs and what else people type for them.
var verbs = map[string]string{
	"activate": "activate", "request": "activate", "deactivate": "deactivate", "end": "deactivate", "cancel": "deactivate",
	"list": "list", "status": "status", "signin": "signin", "sign-in": "signin", "login": "signin",
	"signout": "signout", "sign-out": "signout", "logout": "signout", "help": "help", "": "help",
}

var (
	quotes   = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "’", "'", "‘", "'")
	duration = regexp.MustCompile(`^(?i)(\d+d)?(\d+h)?(\d+m(in)?)?$`)
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
		return o, complain("I don't know “%s”. %s", lit(short(words[0].text)), sayTryHelp)
	}
	o.verb = verb
	return o, o.arguments(words[1:])
}

func (o *order) arguments(words []word) error {
	if o.verb != "activate" && o.verb != "deactivate" || len(words) == 0 {
		if o.verb == "activate" {
			return complaint(sayActivateUsage)
		}
		return nil
	}
	o.group, words = words[0].text, words[1:]
	if len(words) >= 2 && fold(words[0].text) == "as" && (fold(words[1].text) == "owner" || fold(words[1].text) == "member") {
		o.access, words = activation.Access(fold(words[1].text)), words[2:]
		o.owner = o.access == activation.Owner
	}
	words, err := o.time(words)
	if err != nil || o.verb == "deactivate" {
		return err
	}
	if len(words) > 0 && words[0].quoted {
		o.reason = words[0].text
		var rest []string
		for _, w := range words[1:] {
			rest = append(rest, w.text)
		}
		o.ticket = strings.Join(rest, " ")
		return nil
	}
	var rest []string
	for _, w := range words {
		rest = append(rest, w.text)
	}
	o.reason = strings.Join(rest, " ")
	return nil
}

// time takes "2h", "1h30m", "90m" or "until 18:00" off the front.
func (o *order) time(words []word) ([]word, error) {
	if len(words) == 0 || words[0].quoted {
		return words, nil
	}
	w := fold(words[0].text)
	if w == "for" && len(words) > 1 && duration.MatchString(fold(words[1].text)) {
		words, w = words[1:], fold(words[1].text)
	}
	switch {
	case w == "until":
		if len(words) < 2 || !clock.MatchString(words[1].text) {
			return words, complain("After “until” I need a time of day, such as until 18:00.")
		}
		o.until = words[1].text
		return words[2:], nil
	case w != "" && unicode.IsDigit(rune(w[0])) && duration.MatchString(w):
		d, err := parseDuration(w)
		if err != nil {
			return words, err
		}
		o.length = d
		return words[1:], nil
	}
	return words, nil
}

// longest is more than any policy allows; it keeps the arithmetic in range.
const longest = 1000 * time.Hour

func parseDuration(s string) (time.Duration, error) {
	var total time.Duration
	for n := ""; s != ""; s = s[1:] {
		c := s[0]
		if unicode.IsDigit(rune(c)) {
			n += string(c)
			continue
		}
		v, err := strconv.Atoi(n)
		unit := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute}[c]
		if err != nil || unit == 0 || v > int(longest/unit) {
			return 0, complain("I can't read that length. Write it like 90m, 2h or 1h30m.")
		}
		total, n = total+time.Duration(v)*unit, ""
		if c == 'm' {
			break
		}
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
				return nil, complain(`A quotation mark is missing: put your reason between two of them, like "why I need it".`)
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
		return strings.Trim(m, "<>#@!")
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
