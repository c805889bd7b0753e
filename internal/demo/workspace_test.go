package demo

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDesk: the page and what it asks for are there, beside the simulated Slack.
func TestDesk(t *testing.T) {
	w, err := Found(Place{Slack: "http://127.0.0.1:1"}, Clocks{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	desk := w.desk()
	for at, want := range map[string]string{
		"/": "text/html", "/workspace/style.css": "text/css", "/workspace/workspace.js": "text/javascript", "/workspace/clock": `{"now": `,
		"/manage/users": Requester, "/api/auth.test": "not_authed",
	} {
		rec := httptest.NewRecorder()
		desk.ServeHTTP(rec, httptest.NewRequest("GET", at, nil))
		if rec.Code != 200 || !strings.Contains(rec.Header().Get("Content-Type")+rec.Body.String(), want) {
			t.Errorf("%s: %d %.200s", at, rec.Code, rec.Body.String())
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="(workspace/[^"]+)"`).FindAllStringSubmatch(rec.Body.String(), -1) {
			if _, err := workspace.ReadFile(m[1]); err != nil {
				t.Error(err)
			}
		}
	}
	rec := httptest.NewRecorder()
	if desk.ServeHTTP(rec, httptest.NewRequest("GET", "/workspace/nothing", nil)); rec.Code != 404 {
		t.Error(rec.Code)
	}
}

// TestDeskDrawsEveryEmoji that the bot's sentences have.
func TestDeskDrawsEveryEmoji(t *testing.T) {
	drawn, err := workspace.ReadFile("workspace/blocks.js")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../bot/words*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`":([a-z_]+):|[ "]:([a-z_]+): `).FindAllStringSubmatch(string(b), -1) {
			if name := m[1] + m[2]; !strings.Contains(string(drawn), " "+name+": ") {
				t.Errorf("%s: nobody draws :%s:", filepath.Base(f), name)
			}
		}
	}
}
