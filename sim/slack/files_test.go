package slack_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"pagbot/sim/slack"
)

func TestUploadsAndPictures(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		if got := s.call("files.getUploadURLExternal", "filename", "a.png", "length", "3"); got["needed"] != "files:write" {
			t.Errorf("%v", got)
		}
		s.scopes("files:write", "files:read")
		f, err := s.api().UploadFileContext(s.ctx, slackgo.UploadFileParameters{Filename: "chart.png", FileSize: 3, Reader: strings.NewReader("png"),
			Channel: approvals, InitialComment: "a chart"})
		if err != nil {
			t.Fatal(err)
		}
		m := s.Person(approver).Messages(approvals)
		if len(m) != 1 || len(m[0].Files) != 1 || m[0].Files[0].ID != f.ID || m[0].Text != "a chart" {
			t.Fatalf("%+v", m)
		}
		block := `[{"type":"image","alt_text":"x","slack_file":{"id":"` + f.ID + `"}}]`
		if got := s.call("chat.postMessage", "channel", approvals, "text", "x", "blocks", block); got["ok"] != true {
			t.Errorf("%v", got)
		}
		get := func(token string) string {
			req, _ := http.NewRequest("GET", m[0].Files[0].URL, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			res, err := s.web.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			return fmt.Sprint(res.StatusCode, " ", string(b))
		}
		if got := get(s.app.BotToken); got != "200 png" {
			t.Error(got)
		}
		if got := get("xoxb-wrong"); got[:3] != "403" {
			t.Error(got)
		}
	})
}

func TestUploadsAreStrict(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.scopes("files:write", "files:read")
		s.Turn(func(d *slack.Dials) { d.FileMax = 10 })
		begun := s.call("files.getUploadURLExternal", "filename", "a.txt", "length", "3")
		id, url := begun["file_id"].(string), begun["upload_url"].(string)
		complete := func() string {
			return word(s.call("files.completeUploadExternal", "files", `[{"id":"`+id+`"}]`))
		}
		post := func(body string) int {
			res, err := s.web.Post(url, "application/octet-stream", bytes.NewBufferString(body))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			return res.StatusCode
		}
		said := fmt.Sprintln(complete(), post("four"), post("one"), post("one"), complete(), complete())
		if said != "file_not_found 400 200 404 ok file_not_found\n" {
			t.Error(said)
		}
		for want, args := range map[string][]string{
			"file_upload_size_restricted": {"files.getUploadURLExternal", "filename", "a", "length", "11"},
			"invalid_arguments":           {"files.getUploadURLExternal", "filename", "a"},
			"method_deprecated":           {"files.upload", "content", "x"},
			"file_not_found":              {"files.info", "file", "F0NOWHERE"},
			"invalid_blocks":              {"chat.postMessage", "channel", approvals, "text", "x", "blocks", `[{"type":"image","alt_text":"x","slack_file":{"id":"` + id + `"}}]`}, // no picture
			"ok":                          {"files.delete", "file", id},
		} {
			if got := word(s.call(args[0], args[1:]...)); got != want {
				t.Errorf("%v: %s, want %s", args, got, want)
			}
		}
	})
}
