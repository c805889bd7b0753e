package e2e

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/sim/pipe"
)

// What may not come from Entra's side: another tenant's people, and a request
// that is not what the approver was shown.

// between puts itself before one of the worlds' servers and changes what it
// answers, from the moment that the returned switch is on.
func (w *town) between(url string, change func(r *http.Request, body string) string) *atomic.Bool {
	w.t.Helper()
	on, next := &atomic.Bool{}, w.Handlers()[url]
	w.instead(url, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		body := rec.Body.String()
		if on.Load() {
			body = change(r, body)
		}
		rec.Header().Set("Content-Length", strconv.Itoa(len(body)))
		for k, v := range rec.Header() {
			rw.Header()[k] = v
		}
		rw.WriteHeader(rec.Code)
		_, _ = io.WriteString(rw, body)
	}))
	return on
}

// instead serves a host by another handler; the bot is restarted, so that it
// has no connection to the former.
func (w *town) instead(url string, h http.Handler) {
	w.t.Helper()
	scheme, host, _ := strings.Cut(url, "://")
	var l net.Listener = w.net.Listen(host)
	if scheme == "https" {
		l = w.tls(l)
	}
	stop := pipe.Serve(l, h)
	w.reboots()
	end := w.stop
	w.stop = func() { end(); stop() }
}

// TestAttackOtherTenant signs in at another tenant, where somebody has made a
// registration and an account with the very ids of ours.
func TestAttackOtherTenant(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		other := entra.New(entra.Config{Seed: 99, Extra: map[string]string{w.Place.Graph: entra.GraphAudience}})
		other.AddUser(entra.User{ID: w.Account(demo.Requester), UPN: "adm-requester@contoso.example"})
		other.AddApp(entra.App{ID: w.SignIn.ID, Secret: "signin-secret", Redirects: w.SignIn.Redirects, Delegated: w.SignIn.Delegated})
		ours := w.Handlers()[w.Place.Authority]
		w.instead(w.Place.Authority, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			h, path := ours, strings.Replace(r.URL.Path, w.Entra.Tenant(), other.Tenant(), 1)
			signing := strings.HasSuffix(path, "/authorize") || strings.HasSuffix(path, "/token") && bytes.Contains(body, []byte(w.SignIn.ID))
			if signing || path == r.URL.Path {
				h, r.URL.Path = other.Authority(), path
			}
			h.ServeHTTP(rw, r)
		}))
		for _, command := range []string{`/pag activate devops-admins 2h "let me in"`, `/pag activate release-managers 1h "let me in"`, "/pag signin"} {
			w.nothing(func() { w.told(w.commands(demo.Requester, command), "That account is of another organization") })
		}
		if n := len(other.Writes()); n > 0 {
			w.t.Errorf("%d writes reached the other tenant", n)
		}
	})
}

// TestAttackChangedRequest lets PIM hold another request, under the same id,
// than the card and the browser have shown: seen at the last moment.
func TestAttackChangedRequest(t *testing.T) {
	changes := map[string][2]string{
		"length": {`"duration":"PT2H"`, `"duration":"PT8H"`},
		"access": {`"accessId":"member"`, `"accessId":"owner"`},
		"group":  {"DEVOPS", "RELEASERS"},
		"person": {"REQUESTER", "SECOND"},
	}
	for what, c := range changes {
		t.Run(what, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				ids := strings.NewReplacer("DEVOPS", w.Groups[demo.DevOpsAdmins].ID, "RELEASERS", w.Groups[demo.Releasers].ID,
					"REQUESTER", w.Account(demo.Requester), "SECOND", w.Account(demo.Second))
				var hits atomic.Int32
				on := w.between(w.Place.Graph, func(r *http.Request, body string) string {
					if r.Method != "GET" || !strings.Contains(r.URL.Path, "/assignmentScheduleRequests/") {
						return body
					}
					hits.Add(int32(strings.Count(body, ids.Replace(c[0]))))
					return strings.ReplaceAll(body, ids.Replace(c[0]), ids.Replace(c[1]))
				})
				link := w.voted(w.asked())
				id := w.only().ID
				b := w.browser()
				w.opens(b, link)
				w.clicks(b, continueButton)
				w.authenticates(b, demo.Approver)
				w.clicks(b, "Yes, that is me")
				w.nothing(func() {
					on.Store(true)
					w.clicks(b, "Yes, approve")
					w.rest(time.Second)
					on.Store(false)
				})
				if hits.Load() == 0 {
					w.t.Fatal("nothing was changed")
				}
				w.refusal(id, "changed")
			})
		})
	}
}

// TestAttackNotAssigned is told by PIM itself, at the last moment, that the
// stage is not this account's to decide.
func TestAttackNotAssigned(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.between(w.Place.Graph, func(r *http.Request, body string) string {
			return strings.ReplaceAll(body, `"assignedToMe":true`, `"assignedToMe":false`)
		}).Store(true)
		link := w.voted(w.asked())
		w.nothing(func() { w.told(w.confirms(demo.Approver, w.browser(), link), "Your decision was not taken") })
		w.hears(demo.Approver, notAssigned)
	})
}
