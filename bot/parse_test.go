package bot

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("x", 501)
	for _, c := range []struct {
		text string
		want order // verb empty: a complaint is wanted
		says string
	}{
		{"", order{verb: "help", access: "member"}, ""},
		{"HELP", order{verb: "help", access: "member"}, ""},
		{"list", order{verb: "list", access: "member"}, ""},
		{"Status please", order{verb: "status", access: "member"}, ""},
		{"login", order{verb: "signin", access: "member"}, ""},
		{"activate", order{verb: "activate", access: "member"}, ""},
		{`again "why" INC1`, order{verb: "again", access: "member", reason: "why", ticket: "INC1"}, ""},
		{"activatte db", order{}, "I don't know “activatte”"},
		{"activate db", order{verb: "activate", group: "db", access: "member"}, ""},
		{`activate db 2h "why" INC1`, order{verb: "activate", group: "db", access: "member", length: 2 * time.Hour, reason: "why", ticket: "INC1"}, ""},
		{`activate “db admins” 90m “why” `, order{verb: "activate", group: "db admins", access: "member", length: 90 * time.Minute, reason: "why"}, ""},
		{`activate db,dba, readers 2h "why"`, order{verb: "activate", group: "db,dba,readers", access: "member", length: 2 * time.Hour, reason: "why"}, ""},
		{`activate db , dba "why"`, order{verb: "activate", group: "db,dba", access: "member", reason: "why"}, ""},
		{`activate db for 1h30m why not`, order{verb: "activate", group: "db", access: "member", length: 90 * time.Minute, reason: "why not"}, ""},
		{`activate db 2 hours "why"`, order{verb: "activate", group: "db", access: "member", length: 2 * time.Hour, reason: "why"}, ""},
		{`activate db for 45 MINUTES "why"`, order{verb: "activate", group: "db", access: "member", length: 45 * time.Minute, reason: "why"}, ""},
		{`activate db 3 tables broken`, order{verb: "activate", group: "db", access: "member", reason: "3 tables broken"}, ""},
		{`activate db for the migration`, order{verb: "activate", group: "db", access: "member", reason: "for the migration"}, ""},
		{`activate db "2h"`, order{verb: "activate", group: "db", access: "member", reason: "2h"}, ""},
		{`activate db AS OWNER 1d "why"`, order{verb: "activate", group: "db", access: "owner", owner: true, length: 24 * time.Hour, reason: "why"}, ""},
		{`activate db as usual`, order{verb: "activate", group: "db", access: "member", reason: "as usual"}, ""},
		{`activate db until 18:00 "why"`, order{verb: "activate", group: "db", access: "member", until: "18:00", reason: "why"}, ""},
		{`activate db at 18:00 for 2h "why"`, order{verb: "activate", group: "db", access: "member", start: "18:00", length: 2 * time.Hour, reason: "why"}, ""},
		{`activate db from 8:00 until 18:00 "why"`, order{verb: "activate", group: "db", access: "member", start: "8:00", until: "18:00", reason: "why"}, ""},
		{`activate db at the customer's`, order{verb: "activate", group: "db", access: "member", reason: "at the customer's"}, ""},
		{`activate db at 6pm "why"`, order{}, "time of day"},
		{`end db at 18:00`, order{}, "not later"},
		{`activate db until tomorrow "why"`, order{}, "time of day"},
		{`activate db until`, order{}, "time of day"},
		{`activate db 0m "why"`, order{}, "five minutes"},
		{`activate db 99999h "why"`, order{}, "longer than any"},
		{`activate db 41d999h "why"`, order{}, "longer than any"},
		{`activate db 99999999999999999999h "why"`, order{}, "longer than any"},
		{`activate db 2h "why`, order{}, "quotation mark is missing"},
		{`activate db "` + long + `"`, order{}, "under 500"},
		{`activate db "why" ` + long, order{}, "under 100"},
		{`activate <#C012|db-admins> "why"`, order{verb: "activate", group: "db-admins", access: "member", reason: "why"}, ""},
		{`activate <#C012|> "why"`, order{verb: "activate", group: "C012", access: "member", reason: "why"}, ""},
		{`activate db "see <https://example.com/1> &amp; <@U012>"`, order{verb: "activate", group: "db", access: "member", reason: "see https://example.com/1 & U012"}, ""},
		{"deactivate", order{verb: "deactivate", access: "member"}, ""},
		{"end db as owner", order{verb: "deactivate", group: "db", access: "owner", owner: true}, ""},
	} {
		got, err := parse(c.text)
		switch {
		case c.want.verb == "" && (err == nil || !strings.Contains(bare(err.Error()), c.says)):
			t.Errorf("%q: %+v, %v; want a complaint about %q", c.text, got, err, c.says)
		case c.want.verb != "" && (err != nil || !reflect.DeepEqual(got, c.want)):
			t.Errorf("%q: %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

func TestNextClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	now := time.Date(2030, 3, 30, 17, 30, 0, 0, time.UTC) // 18:30 in Berlin, the night of the change to summer time
	for clock, want := range map[string]string{"19:00": "2030-03-30 18:00", "18:30": "2030-03-31 16:30", "8:15": "2030-03-31 06:15"} {
		if got := nextClock(clock, now, berlin).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s: %s, want %s", clock, got, want)
		}
	}
}

// typed writes an order as a person could type it.
func typedAs(o order) string {
	slack := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	s := o.verb
	if o.verb != "activate" && o.verb != "deactivate" {
		return s
	}
	if o.group != "" || o.verb == "activate" {
		s += ` "` + slack.Replace(o.group) + `"`
	}
	if o.owner {
		s += " as owner"
	} else if o.group != "" || o.verb == "activate" {
		s += " as member"
	}
	switch {
	case o.until != "":
		s += " until " + o.until
	case o.length > 0:
		s += fmt.Sprintf(" %dh%dm", o.length/time.Hour, o.length%time.Hour/time.Minute)
	}
	if o.reason != "" || o.ticket != "" {
		s += ` "` + slack.Replace(o.reason) + `"`
	}
	if o.ticket != "" {
		s += ` "` + slack.Replace(o.ticket) + `"`
	}
	return s
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`activate db 2h "why" INC1`, `activate “db” until 18:00 'x'`, "deactivate", `end db as owner`, `activate <#C1|> 1d2h3m <!channel> <@U1|x> &lt;`, `"" "" "" ""`, "activate \"\" as owner 5 m \"\" \"x\"", "activate \x02x\x03 *_~`", "list 1", strings.Repeat("activate ", 500)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parse(text)
		if err != nil {
			valid(t, plain(err.Error()))
			return
		}
		if o.verb == "switch" {
			return // its words wait for who knows the groups
		}
		again, err := parse(typedAs(o))
		if err != nil || !reflect.DeepEqual(again, o) {
			t.Fatalf("%q is %+v, typed as %q it is %+v, %v", text, o, typedAs(o), again, err)
		}
		a := scene(activation.AwaitingApproval, func(a *activation.Activation) {
			a.Group.Name, a.Reason, a.Ticket, a.Person = o.group, o.reason, o.ticket, activation.Person{Name: o.group}
			a.Targets[0].Name = o.group
		})
		valid(t, (&Bot{}).card(a))
		valid(t, plain(sayUnknownGroup(o.group, o.reason)))
	})
}

// A container often has no time zones: six o'clock is six o'clock all the same.
func TestClockWithoutZones(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	berlin := &slack.User{TZ: "Not/Installed", TZOffset: 3600}
	if at := nextClock("18:00", now, zoneOf(berlin)); !at.Equal(now.Add(5 * time.Hour)) {
		t.Errorf("18:00 is %s", at)
	}
}
