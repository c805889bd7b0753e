package bot

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

// measured knows one group and what is usual of one target.
type measured struct {
	png []byte
	err error
}

func (m measured) Usually(target string, toward activation.Direction) string {
	switch {
	case target != "devops":
		return ""
	case toward == activation.Removal:
		return "usually at most 5 min here, 40 seen"
	}
	return "usually 7–22 min here, 41 seen"
}

func (m measured) Every(target string, _ time.Duration) time.Duration {
	if target != "devops" {
		return 0
	}
	return 5*time.Minute + 3*time.Second
}

func (m measured) Draw(about string) (Drawing, bool, error) {
	if about != "" && about != "dba" && about != "Azure DevOps contoso" {
		return Drawing{}, false, nil
	}
	return Drawing{Title: "How long it takes: " + about, Lines: []string{"works <usually> 7–22 min", "gone", "a bar"}, PNG: m.png}, true, m.err
}

func measuring(t *testing.T) (measured, func(*Config)) {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewRGBA(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	m := measured{png: out.Bytes()}
	return m, func(c *Config) { c.Measures = m }
}

func TestLatencyIsDrawnAndSaid(t *testing.T) {
	_, with := measuring(t)
	for typed, title := range map[string]string{"latency": "How long it takes:", "latency dba": "How long it takes: dba", `latency "Azure DevOps contoso"`: "contoso", "Latency Azure DevOps contoso": "contoso"} {
		t.Run(typed, func(t *testing.T) {
			play(t, with, func(t *testing.T, w *world) {
				// Somebody without an Entra account: the measurements are nobody's own.
				has(t, "in place", w.command(member, "/pag "+typed), title, "works <usually> 7–22 min", "The picture is in our direct messages.")
				all := w.Person(member).Messages(w.Person(member).DM())
				if len(all) != 2 || len(all[1].Files) != 1 {
					t.Fatalf("%d messages", len(all))
				}
				has(t, "the words", read(all[0]), title, "a bar")
				f := all[1].Files[0]
				if f.Filetype != "png" || !strings.Contains(f.Title, title) || !strings.Contains(f.AltText, "works") || len(f.Channels) != 1 || f.Channels[0] != w.Person(member).DM() {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}

// What goes wrong is said, and nothing is said twice.
func TestLatencyTroubles(t *testing.T) {
	m, with := measuring(t)
	const guest = "U0APPROVER"
	broken := m
	broken.err = errors.New("no ink")
	for name, c := range map[string]struct {
		who, typed  string
		with        func(*Config)
		fault       sim.Fault
		says        string
		words, file int
	}{
		"unknown":          {member, "latency nothing", with, sim.Fault{}, "I know no group or system “nothing”. `/pag latency` shows", 0, 0},
		"no measurements":  {member, "latency", nil, sim.Fault{}, "I keep no measurements here.", 0, 0},
		"a guest":          {guest, "latency", with, sim.Fault{}, "no guests", 0, 0},
		"nothing yet":      {member, "latency", func(c *Config) { c.Measures = measured{} }, sim.Fault{}, "gone", 0, 0},
		"no ink":           {member, "latency", func(c *Config) { c.Measures = broken }, sim.Fault{}, "reference", 0, 0},
		"no DM":            {member, "latency", with, sim.Fault{Method: "chat.postMessage", Kind: "error", Error: "channel_not_found"}, "doesn't let me write to you directly", 0, 0},
		"busy at first":    {member, "latency", with, sim.Fault{Method: "chat.postMessage", Kind: "status", Status: 503}, "in our direct messages", 1, 1},
		"no upload":        {member, "latency", with, sim.Fault{Method: "files.getUploadURLExternal", Kind: "status", Status: 500}, "The picture could not be sent. Please try again", 1, 0},
		"not completed":    {member, "latency", with, sim.Fault{Method: "files.completeUploadExternal", Kind: "error", Error: "internal_error"}, "The picture could not be sent. Please try again", 1, 0},
		"scope taken away": {member, "latency", with, sim.Fault{Method: "files.getUploadURLExternal", Kind: "error", Error: "missing_scope"}, "The picture could not be sent. Please try again", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, c.with, func(t *testing.T, w *world) {
				w.EditUser(guest, func(u *sim.User) { u.Restricted = true })
				if c.fault.Kind != "" {
					w.Fail(c.fault)
				}
				text := w.command(c.who, "/pag "+c.typed)
				has(t, "in place", text, c.says)
				words, files := 0, 0
				for _, msg := range w.Person(c.who).Messages(w.Person(c.who).DM()) {
					if files += len(msg.Files); len(msg.Files) == 0 {
						words++
					}
				}
				if words != c.words || files != c.file || strings.Count(text, "How long it takes") > 1 {
					t.Errorf("%d times in words, %d pictures; in place:\n%s", words, files, text)
				}
			})
		})
	}
}

// Whoever waits is told what is usual, on the card and in person, as long as
// something is waited for.
func TestWhatIsUsual(t *testing.T) {
	_, with := measuring(t)
	waits := activation.Span{State: activation.Waiting}
	came := activation.Span{State: activation.Effective, After: after(11 * time.Minute), By: after(12 * time.Minute), Level: activation.L2}
	removals := func(s activation.Span) func(*activation.Activation) {
		return func(a *activation.Activation) { a.Targets[1].Removal = s }
	}
	const soon, gone = "How long it takes: Azure DevOps contoso usually 7–22 min here, 41 seen.", "How long it takes to go: Azure DevOps contoso usually at most 5 min here, 40 seen."
	for name, c := range map[string]struct {
		a     activation.Activation
		topic activation.Topic
		want  string
	}{
		"waits":      {scene(activation.Active, grants(waits, waits)), activation.TopicActive, soon},
		"came":       {scene(activation.Active, grants(waits, came)), activation.TopicActive, ""},
		"not given":  {scene(activation.AwaitingApproval), activation.TopicActive, ""},
		"goes":       {scene(activation.Verifying, grants(waits, came), removals(waits)), activation.TopicEnded, gone},
		"never came": {scene(activation.Verifying, grants(waits, waits), removals(waits)), activation.TopicEnded, gone},
		"gone":       {scene(activation.Verifying, grants(waits, came), removals(activation.Span{State: activation.Gone})), activation.TopicEnded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, with, func(t *testing.T, w *world) {
				msg, ok := w.mouth.topic(t.Context(), c.a, activation.Effect{Kind: activation.DM, Topic: c.topic})
				card := showBlocks(t, w.bot.card(c.a).blocks)
				for what, text := range map[string]string{"the card": card, "the message": showBlocks(t, msg.blocks)} {
					if !ok || strings.Contains(text, "How long") != (c.want != "") || !strings.Contains(text, c.want) {
						t.Errorf("%s: no %q in\n%s", what, c.want, text)
					}
					if looks := what == "the card" && c.want != ""; strings.Contains(text, "I look at least every 6 min.") != looks {
						t.Errorf("%s: how often is looked is to be said: %v, in\n%s", what, looks, text)
					}
				}
			})
		})
	}
}
