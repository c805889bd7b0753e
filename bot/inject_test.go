package bot

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// evil is what people and other systems could write to be taken for markup.
var evil = []string{"<!channel>", "<!here|x>", "<@U0VICTIM>", "<#C0SECRET>", "<https://evil.example|Contoso>", "*bold* _it_ ~no~ `code`", "```x```", ":rotating_light:",
	"<!date^1^{date}|never>", "a\nb\r\n> quote", "\x02*\x03<!channel>\x02", "adm_x@contoso.example", "\u202egnp.exe", "&lt;!channel&gt;", "{\"type\":\"broadcast\"}", strings.Repeat("W", 5000)}

// evilScene has somebody else's words in every place where they can stand.
func evilScene(p activation.Phase, s string) activation.Activation {
	return scene(p, decidedBy(activation.Person{Name: s, Object: "x"}, false, true, s), stuck(activation.Refusal{Code: activation.PermissionNeeded, Text: s}), func(a *activation.Activation) {
		a.Person, a.Group.Name, a.Reason, a.Ticket = activation.Person{Name: s, Object: "y"}, s, s, s
		for i := range a.Targets {
			a.Targets[i].Name = s
			a.Targets[i].Grant.Via, a.Targets[i].Grant.Doubt, a.Targets[i].Removal.Doubt = s, s, s
		}
		a.Refusal = &activation.Refusal{Code: activation.RulesFailed, Rules: []string{s}}
	})
}

func TestNobodysWordsAreMarkup(t *testing.T) {
	dir := newDirectory()
	b := &Bot{Config: Config{SignIn: stamp{}, Directory: dir, People: people{}}}
	m := NewMouth(b)
	topics, codes := constants(t, "Topic"), constants(t, "Code")
	for _, s := range evil {
		dir.change(func(d *directory) { d.approvers = []activation.Person{{Object: "x", Name: s}} })
		var all []message
		for _, p := range activation.Phases {
			a := evilScene(p, s)
			all = append(all, b.card(a, who(a.Person), lit(s)), plain(saySignedFor(a, false)), plain(saySignedFor(a, true)), plain(saySignedForAll([]activation.Activation{a, a})), plain(sayStatus([]activation.Activation{a, a}, true)), plain(sayWhichToEnd([]activation.Activation{a, a}, s)))
			for _, topic := range topics {
				for _, kind := range []activation.Kind{activation.DM, activation.Thread} {
					if msg, ok := m.topic(t.Context(), a, activation.Effect{Kind: kind, Topic: activation.Topic(topic), Target: "devops", Refusal: a.Refusal, Deed: activation.Approve}); ok {
						all = append(all, msg)
					}
				}
			}
			for _, f := range []activation.Deed{activation.Approve, activation.Deny} {
				form := voteForm(a, f, activation.Fresh)
				validForm(t, form)
				all = append(all, message{text: "form", blocks: form.Blocks.BlockSet})
			}
			validForm(t, finishForm(a, noon))
		}
		for _, code := range codes {
			all = append(all, plain(sayRefusal(activation.Refusal{Code: activation.Code(code), By: s, Ref: s, Text: s, Rules: []string{s}, Until: after(time.Hour)}, evilScene(activation.Active, s))))
		}
		for _, msg := range evilAnswers(s) {
			if len(s) > 1000 { // the schemas are slow, and look at lengths
				sound(t, msg)
			}
			harmless(t, s, msg)
		}
		all = append(all, plain(sayUnknownGroup(s, s)), plain(sayUnknownVerb(s)), plain(sayList([]string{sayEligible(s, activation.Owner, activation.Person{Name: s}, true)}, nil, true)))
		for _, msg := range all {
			sound(t, msg)
			harmless(t, s, msg)
		}
	}
}

const deviceURL = "https://login.example/device"

// evilAnswers are what is said outside of cards: the Home tab, the form, the dry
// run, pictures, codes and bindings.
func evilAnswers(s string) []message {
	b := &Bot{Config: Config{SignIn: stamp{}, Groups: []Group{{Group: activation.Group{ID: "g", Name: s}}}}}
	p := activation.Person{Name: s, Object: "y"}
	a := evilScene(activation.Active, s)
	list := []may{{b.Groups[0], activation.Member, p}, {b.Groups[0], activation.Owner, p}}
	ask := activation.Ask{Person: p, Group: activation.Group{ID: "g", Name: s}, Reason: s, Ticket: s, Facts: activation.Facts{TicketForm: s, Closest: s, Quorum: 2, Targets: a.Targets}}
	form := askForm(a, true)
	all := []message{{text: "home", blocks: b.home([]activation.Activation{a}, []activation.Activation{a}, list, true, true)}, {text: "form", blocks: form.Blocks.BlockSet},
		plain(sayVerdict(ask, activation.Judge(ask, ask.Facts, noon), []string{lit(s)}, true)), plain(lit(s)), plain(sayDevice(s, deviceURL, noon)),
		plain(sayClaimed(p)), plain(sayBound(p)), plain(sayUnknownMeasure(s)), plain(sayMeasured(Drawing{Title: s, Lines: []string{s}})),
		plain(saySignForAll([]activation.Activation{a, a}, noon)), plain(sayAskedAll([]activation.Activation{a, a})), plain(sayAgreed(a, activation.Agreed{By: p, Reason: s}))}
	for _, r := range activation.Judge(ask, ask.Facts, noon).Rules {
		if r.Refusal != nil {
			all = append(all, plain(sayFormWrong(broken{Refusal: *r.Refusal, ask: ask}, true)))
		}
	}
	return all
}

// harmless fails if any of the hostile words became an element, or stands in
// a text in which Slack would read it as one.
func harmless(t *testing.T, s string, m message) {
	t.Helper()
	raw, err := json.Marshal(m.blocks)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []any
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			switch v["type"] {
			case "broadcast", "usergroup", "channel", "user":
				t.Errorf("%q became %v", s, v)
			case "link":
				if v["url"] == deviceURL { // Microsoft's
					break
				}
				t.Errorf("%q became a link to %v", s, v["url"])
			case "mrkdwn":
				unread(t, s, v["text"].(string))
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(blocks)
	unread(t, s, m.text)
}

// unread fails if Slack would read a mention or a link in a text.
func unread(t *testing.T, s, text string) {
	t.Helper()
	for _, sign := range []string{"<!channel", "<!here", "<@U0VICTIM", "<#C0SECRET", "<https://evil", "<!date^1^", "\x02", "\x03", "\u202e"} {
		if strings.Contains(text, sign) {
			t.Errorf("%q: %q stands in %q", s, sign, text)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("%q breaks the line of %q", s, text)
	}
}

// Names can be copied from a card as they are.
func TestNamesCopyAsTheyAre(t *testing.T) {
	a := scene(activation.Active, func(a *activation.Activation) { a.Person = unknown })
	card := (&Bot{}).card(a)
	has(t, "the card", showBlocks(t, card.blocks), "*db_admins*", unknown.Name)
	if got := small(lit("adm_x@contoso.example")); got != "`adm_x@contoso.example`" {
		t.Errorf("in a grey line: %s", got)
	}
	if got := small(lit("a`b*")); got != "`a'b*`" {
		t.Errorf("in a grey line: %s", got)
	}
	has(t, "a grey line", small("*x* :gear: <https://a.example|b> <#C0A> <@U0A> <!date^5^{time}|now> "+lit("a & b")),
		"*x*", ":gear:", "<https://a.example|b>", "<#C0A>", "<@U0A>", "<!date^5^{time}|now>", "a &amp; b")
}

func TestQuotedWordsKeepTheirShape(t *testing.T) {
	for words, want := range map[string]string{"a\n\n \nb": "a\nb", " \n ": sayNoReason, "\u202egnp.exe": "gnp.exe", strings.Repeat("x\n", 12): strings.Repeat("x\n", 9) + "x x x"} {
		if got := showBlocks(t, plain("", quoted("L", words)).blocks[1:]); !strings.HasSuffix(got, strings.ReplaceAll(want, "\n", "\n  ")+"\n") {
			t.Errorf("%q: %s", words, got)
		}
	}
}

func FuzzLiteral(f *testing.F) {
	for _, s := range evil {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := evilScene(activation.Active, s)
		m := (&Bot{}).card(a)
		sound(t, m)
		for _, p := range pieces("x " + lit(s) + " y") {
			if p.kind != aText && p.kind != aLiteral || p.bold || p.code {
				t.Fatalf("%q became %+v", s, p)
			}
		}
		_ = small(lit(s)) + bare(lit(s)) + flat(lit(s))
	})
}
