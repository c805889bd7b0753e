package history

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

var subjects = []Subject{
	{Target: "devops", Name: "Azure DevOps contoso", IDs: []string{"devops"}, Level: activation.L2, Effective: 15 * time.Minute, Gone: time.Hour},
	{Target: "entra", Name: "Entra ID", IDs: []string{"entra:g1:member", "entra:g1:owner"}, Level: activation.L0},
}

// book has 30 activations of group g1, one a day, the last of them slow, and one
// of another group.
func book() *Book {
	b := NewBook(Config{Now: func() time.Time { return now }, Days: 60})
	for i := range 30 {
		a := granted(fmt.Sprint("a", i), now.Add(-time.Duration(40-i)*24*time.Hour), 7, 9)
		if i == 29 {
			a = granted("slow", a.From, 18, 20)
		}
		b.Note(ended(a, a.From.Add(time.Hour), 10+i, 11+i))
	}
	other := granted("other", now.Add(-time.Hour), 1, 2)
	other.Group.ID = "g2"
	b.Note(other)
	for i, access := range []string{"owner", "member"} {
		listed := granted("listed "+access, now.Add(-time.Duration(i+1)*time.Hour), 0, 1)
		listed.Targets[0].ID = "entra:g1:" + access
		b.Note(listed)
	}
	return b
}

func TestTable(t *testing.T) {
	var out strings.Builder
	if err := book().Report(subjects, "g1", 60).WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	want := `The last 60 days. A range says between which lengths the answer surely lies.

TARGET                CHANGE            SEEN  HOW LONG IT TAKES                            REQUIREMENT
Azure DevOps contoso  effective         30    half within 7–9 min, 95 % within 7–9 min     missed: 29 of 30 within 15 min (96 %); 1 later
Azure DevOps contoso  gone              30    half within 24–25 min, 95 % within 38–39 min  met: 30 of 30 within 1 h (100 %)
Entra ID              listed            2     few so far (2): at most 1 min                not required
Entra ID              no longer listed  0     nothing measured yet                         not required
`
	if squeeze(out.String()) != squeeze(want) {
		t.Errorf("it says\n%s\nand not\n%s", out.String(), want)
	}
}

// squeeze leaves the alignment out.
func squeeze(s string) string {
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}

func TestReportKeepsToItsGroupAndDays(t *testing.T) {
	for _, c := range []struct {
		group string
		days  int
		want  int
	}{{"", 60, 31}, {"g1", 60, 30}, {"G2", 60, 1}, {"", 20, 11}, {"g1", 12, 2}, {"g1", 11, 1}, {"none", 60, 0}} {
		if got := len(book().Report(subjects, c.group, c.days).Rows[0].All); got != c.want {
			t.Errorf("group %q, %d days: %d, want %d", c.group, c.days, got, c.want)
		}
	}
}

func TestExports(t *testing.T) {
	b := book()
	works := granted("works", now.Add(-2*time.Hour), 0, 3)
	works.Targets[0].Grant.State, works.Targets[0].Grant.After = activation.Works, time.Time{}
	b.Note(works)
	r := b.Report(subjects, "g1", 12)
	var out strings.Builder
	if err := r.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(a time.Time) string { return a.Format(time.RFC3339) }
	slow := now.Add(-11 * 24 * time.Hour)
	for i, want := range []string{
		"activation group target toward level at after_seconds by_seconds requirement",
		"a28 g1 devops grant L2 " + at(slow.Add(-24*time.Hour)) + " 420 540 in time",
		"slow g1 devops grant L2 " + at(slow) + " 1080 1200 too late",
		"works g1 devops grant L2 " + at(now.Add(-2*time.Hour)) + " 0  can't tell",
		"a28 g1 devops removal L2 " + at(slow.Add(-23*time.Hour)) + " 2280 2340 in time",
		"slow g1 devops removal L2 " + at(slow.Add(time.Hour)) + " 2340 2400 in time",
		"listed member g1 entra grant L2 " + at(now.Add(-2*time.Hour)) + " 0 60 not required",
		"listed owner g1 entra grant L2 " + at(now.Add(-time.Hour)) + " 0 60 not required",
	} {
		if i >= len(rows) || strings.Join(rows[i], " ") != want {
			t.Fatalf("line %d is not %q in\n%s", i, want, out.String())
		}
	}
	out.Reset()
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Targets []struct {
			Target, Toward, Requirement, Says string
			InTime                            int `json:"in_time"`
			Half                              struct {
				Low, High float64
			}
		}
		Measurements []Line
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Targets) != 4 || len(got.Measurements) != len(rows)-1 || got.Targets[0].Requirement != "missed" || got.Targets[1].InTime != 2 || got.Targets[2].Says != "few so far (2): at most 1 min" {
		t.Errorf("%+v", got)
	}
}
