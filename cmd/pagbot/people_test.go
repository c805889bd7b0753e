package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"

	"pagbot/internal/demo"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// web is a browser that trusts the company's authority.
func (o *office) web() *browser.Browser {
	o.t.Helper()
	pem, err := os.ReadFile(filepath.Join(o.dir, "ca.pem"))
	if err != nil {
		o.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return browser.New(&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}})
}

var signLink = regexp.MustCompile(`http://[^"\s|>]+/d/[A-Za-z0-9_-]+`)

// signsIn signs a person in with an account, by /pag signin.
func (o *office) signsIn(name, account string) string {
	o.t.Helper()
	p := o.Person(name)
	before := len(p.Messages(o.Channel.ID))
	o.types(name, "/pag signin")
	link := ""
	o.until(func(s slack.Snapshot) bool {
		for _, m := range s.Messages(p.ID, o.Channel.ID)[before:] {
			b, _ := json.Marshal(m.Blocks)
			link = signLink.FindString(string(b))
		}
		return link != ""
	}, name+" sees the link")
	text, err := demo.Confirm(o.web(), link, account)
	if err != nil {
		o.t.Fatal(err)
	}
	return text
}

// TestPeopleCommands is a life of people at the bot: one bound by an attribute
// in Entra, listed, signed out, sealed anew, unbound, of whom then nothing is
// left but what the audit says.
func TestPeopleCommands(t *testing.T) {
	t.Parallel()
	var outsider entra.User
	o := found(t, func(w *demo.Worlds) {
		outsider = w.Entra.AddUser(entra.User{UPN: "outsider@contoso.example", Attributes: map[string]any{"employeeId": w.People[demo.Outsider].Slack}})
	})
	o.edit("  people: people.yaml\n", "  people: people.yaml\n  bind: {attribute: employeeId}\n")
	slackUser := o.People[demo.Outsider].Slack
	s := o.start(connected)
	do := func(args ...string) string {
		t.Helper()
		got := run(t, append(args, "--config", o.config)...)
		if got.code != 0 {
			t.Fatalf("%v: %+v", args, got)
		}
		return got.out
	}
	says := func(out string, words ...string) { t.Helper(); has(t, out, words...) }
	out := do("people", "list")
	says(out, "KNOWN BY", "adm-requester@contoso.example", "file", "never signed in")
	if strings.Contains(out, slackUser) {
		t.Errorf("bound before they came:\n%s", out)
	}
	if text := o.signsIn(demo.Outsider, outsider.UPN); !strings.Contains(text, "You are signed in") {
		t.Fatal(text)
	}
	says(do("people", "list"), slackUser, "outsider@contoso.example", outsider.ID, "attribute")
	says(do("people", "list", "--json"), `"by":"attribute"`, `"object":"`+outsider.ID+`"`, `"until":"`)
	says(do("keys", "rotate"), "Key 2 seals from now on: 1 session and 1 binding sealed anew, 1 older key dropped.")
	says(do("people", "signout", slackUser), slackUser+" is signed out")
	says(do("people", "signout", slackUser), "had no session")
	o.signsIn(demo.Outsider, outsider.UPN)
	says(do("people", "signout", "--all"), "1 Slack user signed out.")
	o.signsIn(demo.Outsider, outsider.UPN)
	says(do("people", "unbind", o.People[demo.Requester].Slack), "0 bindings forgotten", "The mapping file still names 1 account of theirs")
	says(do("people", "unbind", slackUser, outsider.ID), "1 binding forgotten")
	for _, bad := range [][]string{{"people", "unbind"}, {"people", "unbind", "@outsider"}, {"people", "unbind", slackUser, "outsider"}, {"people", "signout"}, {"people", "signout", slackUser, "--all"}, {"people", "allow", slackUser}} {
		if got := run(t, append(bad, "--config", o.config)...); got.code != 1 || strings.Count(got.err, "\n") != 1 || !strings.HasPrefix(got.err, "pagbot: ") {
			t.Errorf("%v: %+v", bad, got)
		}
	}
	if code, _ := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.said())
	}
	o.leftOf(outsider.ID, slackUser)
	trail, err := filepath.Glob(filepath.Join(o.dir, "state", "audit", "*"))
	if err != nil || len(trail) == 0 {
		t.Fatal(trail, err)
	}
	b, err := os.ReadFile(trail[0])
	if err != nil {
		t.Fatal(err)
	}
	says(string(b), `"people":"bound"`, `"people":"unbound"`, `"people":"keys rotated"`, slackUser)
}

func has(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("no %q in\n%s", w, out)
		}
	}
}

// leftOf looks through whatever lives in the database, outside its logs, for
// somebody's ids.
func (o *office) leftOf(ids ...string) {
	o.t.Helper()
	db, err := bolt.Open(filepath.Join(o.dir, "state", "pagbot.db"), 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	n := 0
	var walk func(name string, b *bolt.Bucket) error
	walk = func(name string, b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(name+"/"+string(k), b.Bucket(k))
			}
			n++
			for _, id := range ids {
				if bytes.Contains(k, []byte(id)) || bytes.Contains(bytes.ToLower(v), bytes.ToLower([]byte(id))) {
					o.t.Errorf("%s is left in %s: %q %.200q", id, name, k, v)
				}
			}
			return nil
		})
	}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if strings.HasPrefix(string(name), "log") {
				return nil // what happened, happened
			}
			return walk(string(name), b)
		})
	})
	if err != nil || n == 0 {
		o.t.Errorf("%d rows: %v", n, err)
	}
}
