package signin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// codes are all codes of refusals that there are.
func codes(t *testing.T) map[activation.Code]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../activation/refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[activation.Code]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				all[activation.Code(strings.Trim(lit.Value, `"`))] = true
			}
		}
		return true
	})
	return all
}

// Whatever can go wrong, the page says what happened and what to do now.
func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	pages := map[string]page{"nothing here": pageNothingHere, "bad link": pageBadLink, "expired": pageExpired, "no deed": pageNoDeed, "bad warrant": pageBadWarrant,
		"changed": pageChanged, "used state": pageUsedState, "used step": pageUsedStep, "other browser": pageOtherBrowser, "not our form": pageNotOurForm,
		"not ours": pageNotOurs, "not fresh": pageNotFresh, "busy": pageBusy, "framed": pageFramed, "still working": pageStillWorking,
		"other tenant": *pageOtherTenant(activation.Person{Name: "x"}), "wrong account": *pageWrongAccount(activation.Person{Name: "x"}, activation.Person{Name: "y"}),
		"not mapped": *pageNotMapped(activation.Person{Name: "x"}, activation.SlackUser{ID: "U0"}), "guest": *pageGuest(activation.Person{Name: "x"}),
		"allowing": *pageNeedsAllowing(activation.Person{Name: "x"}, activation.SlackUser{ID: "U0"}), "unknown": pageAuthority(failure{word: "server_error"}, "REF")}
	for code := range authorityWords {
		pages["AADSTS"+code] = pageAuthority(failure{code: code}, "REF")
	}
	for code := range codes(t) {
		if _, ok := refusalNext[code]; !ok {
			t.Errorf("no page for the refusal %q", code)
		}
		pages[string(code)] = pageRefusal(activation.Refusal{Code: code}, func(time.Time) string { return "noon" })
	}
	if len(pages) < 60 {
		t.Fatalf("only %d pages", len(pages))
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		p := pages[name]
		if p.Title == "" || strings.HasSuffix(p.Title, ".") || !strings.HasSuffix(p.Lead, ".") || !strings.HasSuffix(p.Next, ".") {
			t.Errorf("%s: %q %q %q", name, p.Title, p.Lead, p.Next)
		}
		if p.Action != "" || p.Form != "" {
			t.Errorf("%s: a refusal with a form", name)
		}
		if strings.HasPrefix(name, "AADSTS") && !strings.Contains(p.Small, name) {
			t.Errorf("%s: the number is not told: %q", name, p.Small)
		}
	}
}

// TestPagesShowOnlyWhatIsSeen: a reason can't turn its line around, or hide.
func TestPagesShowOnlyWhatIsSeen(t *testing.T) {
	got := page{Title: "Approve?", Rows: []row{{"Reason", "\u202egnorw \u200b\x00\ufeff<b>zero</b>"}}}.html()
	if !strings.Contains(got, "<dd>gnorw &lt;b&gt;zero&lt;/b&gt;</dd>") {
		t.Errorf("%q", got)
	}
}
