package activation

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the conversations and the phase table from what the code does")

// Tests are conversations. A line that begins with ">" is told to the
// activation; what stands indented under it is what it answered: events, then
// effects ("→ lane key …"), then one line of state ("= …"). Everything else is
// a comment. go test -update rewrites the answers.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := converse(want)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if bytes.Equal(got, want) {
				return
			}
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s:%s\nif this is what it should say: go test ./activation -update", file, firstDifference(want, got))
		})
	}
}

// converse runs a conversation and returns it with fresh answers.
func converse(text []byte) ([]byte, error) {
	s := newStage()
	var out bytes.Buffer
	for n, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "  ") {
			continue // an old answer
		}
		fmt.Fprintln(&out, line)
		told, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		answer, err := s.tell(words(told))
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n+1, line, err)
		}
		for _, l := range answer {
			fmt.Fprintln(&out, "  "+l)
		}
	}
	return out.Bytes(), nil
}

func firstDifference(want, got []byte) string {
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("%d\n- %s\n+ %s", i+1, a, b)
		}
	}
	return ""
}

// words splits a line at spaces, keeping what stands in quotes together.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// stage is the world around one activation in a conversation.
type stage struct {
	now      time.Time
	a        Activation
	facts    Facts
	access   Access
	minted   []Warrant
	last     Input
	contrary map[string]time.Time // per target and direction
}

// nine is when every conversation begins.
var nine = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

func newStage() *stage {
	f := Facts{Eligible: true, Lead: 15 * time.Minute, Settings: Settings{Max: Duration(8 * time.Hour)}}
	return &stage{now: nine, access: Member, facts: f, contrary: map[string]time.Time{}}
}

// tell understands one line and lets the activation answer.
func (s *stage) tell(w []string) ([]string, error) {
	if len(w) == 0 {
		return nil, fmt.Errorf("says nothing")
	}
	if d, ok := strings.CutPrefix(w[0], "+"); ok {
		by, err := time.ParseDuration(d)
		s.now = s.now.Add(by)
		return []string{"it is " + clock(s.now)}, err
	}
	if done, err := s.set(w); done {
		return nil, err
	}
	in, err := s.input(w)
	if err != nil {
		return nil, err
	}
	s.last = in
	var out []string
	for _, e := range Decide(s.a, in, s.now) {
		s.a = Apply(s.a, e)
		out = append(out, describe(e))
		for _, f := range Effects(s.a, e) {
			out = append(out, "→ "+describeEffect(f))
		}
	}
	if len(out) == 0 {
		return []string{"nothing new"}, nil
	}
	if s.a, err = reloaded(s.a); err != nil {
		return nil, err
	}
	return append(out, "= "+describeState(s.a)), nil
}

// reloaded is an activation after the store had it, as it always is between
// two inputs.
func reloaded(a Activation) (Activation, error) {
	var stored Activation
	b, err := json.Marshal(a)
	if err == nil {
		err = json.Unmarshal(b, &stored)
	}
	return stored, err
}

// set changes the world before or between inputs, and reports whether w did.
func (s *stage) set(w []string) (bool, error) {
	f := &s.facts
	switch w[0] {
	case "targets":
		for _, id := range w[1:] {
			id, owed := strings.CutPrefix(id, "owed:")
			t := Target{ID: id, Owed: owed, Kind: id, Name: id, Level: L2, Within: Duration(time.Hour)}
			if id == "entra" {
				t.Level = L0
			}
			f.Targets = append(f.Targets, t)
		}
	case "on-demand":
		for i := range f.Targets {
			f.Targets[i].OnDemand = f.Targets[i].ID == w[1]
		}
	case "settings":
		return true, s.settings(w[1:])
	case "owner":
		s.access = Owner
	case "anew":
		now := s.now
		*s = *newStage()
		s.now = now
	case "not-eligible":
		f.Eligible, f.Closest = false, w[1]
	case "active":
		d, err := time.ParseDuration(w[1])
		f.Active = s.now.Add(d)
		return true, err
	case "pending":
		f.Pending = true
	case "quorum":
		n, err := strconv.Atoi(w[1])
		f.Quorum = n
		return true, err
	case "remind":
		d, err := time.ParseDuration(w[1])
		f.Remind = d
		return true, err
	case "in-vain":
		d, err := time.ParseDuration(w[1])
		f.Vain = append(f.Vain, s.now.Add(-d))
		return true, err
	default:
		return false, nil
	}
	return true, nil
}

func (s *stage) settings(w []string) error {
	p := &s.facts.Settings
	for _, word := range w {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "max":
			if err := p.Max.UnmarshalText([]byte(value)); err != nil {
				return err
			}
		case "reason":
			p.NeedsReason = true
		case "ticket":
			p.NeedsTicket = true
		case "mfa":
			p.NeedsMFA = true
		case "context":
			p.Context = value
		case "approval":
			p.NeedsApproval = true
		case "approver-reason":
			p.ApproverReason = true
		default:
			return fmt.Errorf("no such setting: %s", name)
		}
	}
	return nil
}
