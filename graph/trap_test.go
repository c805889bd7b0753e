package graph

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// The traps of the SDK and of the service: facts, section 12 and 16.

// calls counts the calls that reached Graph.
func (w *world) calls() (n int) {
	for _, r := range w.History() {
		if r.Via == "graph" {
			n++
		}
	}
	return n
}

// Pages: all of them, an empty one among them, and none of the bad links.
func TestPaging(t *testing.T) {
	crowd := func(w *world) {
		for range 7 {
			u := w.AddUser(entra.User{UPN: "member@contoso.example"})
			w.must(w.Assign(w.group.ID, "member", u.ID, time.Now().Add(time.Hour)))
			w.must(w.AddTie(w.group.ID, "member", u.ID))
		}
		pass(5 * time.Second)
	}
	inWorld(t, func(t *testing.T, w *world) {
		crowd(w)
		w.active()
		for _, empty := range []bool{false, true} {
			w.Turn(func(d *entra.Dials) { d.Page, d.EmptyPage = 2, empty })
			// The activation stands after seven standing assignments.
			if all, err := w.reader.Instances(t.Context(), w.group.ID); err != nil || len(all) != 1 {
				t.Errorf("empty page %v: %+v %v", empty, all, err)
			}
		}
	})
	bad := map[string]struct {
		turn func(*entra.Dials)
		says string
	}{
		"repeating link": {func(d *entra.Dials) { d.RepeatLink = true }, "there before"},
		"other host":     {func(d *entra.Dials) { d.ForeignLink = "http://elsewhere.test" }, "another host"},
		"other scheme":   {func(d *entra.Dials) { d.ForeignLink = "https://graph.test" }, "another host"},
	}
	for name, b := range bad {
		inWorld(t, func(t *testing.T, w *world) {
			crowd(w)
			w.Turn(func(d *entra.Dials) { d.Page = 2; b.turn(d) })
			began := w.calls()
			all, err := w.reader.Instances(t.Context(), w.group.ID)
			if err == nil || len(all) != 0 || !strings.Contains(err.Error(), b.says) {
				t.Errorf("%s: %d rows, %v", name, len(all), err)
			}
			if n := w.calls() - began; n > 10 {
				t.Errorf("%s: %d calls", name, n)
			}
		})
	}
	inWorld(t, func(t *testing.T, w *world) {
		crowd(w)
		w.Turn(func(d *entra.Dials) { d.Page = 2 })
		w.Inject(entra.Fault{Path: "assignmentScheduleInstances", Skip: 1, Do: entra.DoStatus, Status: 403, Code: "PermissionScopeNotGranted", Message: "gone"})
		all, err := w.reader.Instances(t.Context(), w.group.ID)
		if f := asFault(err); err == nil || len(all) != 0 || f.Code != "PermissionScopeNotGranted" || f.Text != "gone" {
			t.Errorf("an error on page two must keep its words: %d rows, %v", len(all), err)
		}
	})
}

// All that a service may answer instead of an error: nothing panics, and the
// status is kept.
func TestOddErrors(t *testing.T) {
	for _, f := range []entra.Fault{{Do: entra.DoBare}, {Do: entra.DoString}, {Do: entra.DoNoMessage}, {Do: entra.DoEmpty, Status: 400}, {Do: entra.DoHTML, Status: 404}} {
		inWorld(t, func(t *testing.T, w *world) {
			want := f.Status
			if want == 0 {
				want = 400
			}
			f.Path = "/v1.0/"
			w.Inject(f)
			_, err := w.reader.Instances(t.Context(), w.group.ID)
			got := asFault(err)
			if err == nil || got.Status != want || err.Error() == "" || got.Refusal().Code == "" {
				t.Errorf("%s: %v", f.Do, err)
			}
		})
	}
	for _, f := range []entra.Fault{{Do: entra.DoEmpty}, {Do: entra.DoHTML, Status: 200}, {Do: entra.DoBare, Status: 200}} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.asked()
			w.Inject(entra.Fault{Method: "GET", Path: "/v1.0/", Do: f.Do, Status: f.Status})
			if all, err := w.reader.Instances(t.Context(), w.group.ID); err == nil || all != nil {
				t.Errorf("%s with a success is not an empty list: %v", f.Do, err)
			}
			if q, err := w.reader.Request(t.Context(), "x"); err == nil {
				t.Errorf("%s with a success is no request: %+v", f.Do, q)
			}
			if _, err := w.reader.User(t.Context(), "x"); err == nil {
				t.Error("no user")
			}
			if _, err := w.reader.Group(t.Context(), "x"); err == nil {
				t.Error("no group")
			}
			_ = a
		})
	}
}

// Reads are repeated briefly, and never for as long as Retry-After likes.
func TestReadsAreRepeatedBriefly(t *testing.T) {
	for _, f := range []entra.Fault{{Do: entra.DoStatus, Status: 503}, {Do: entra.DoStatus, Status: 429, RetryAfter: "2"}, {Do: entra.DoHTML}, {Do: entra.DoReset}, {Do: entra.DoStatus, Status: 429, RetryAfter: "0.9"}} {
		inWorld(t, func(t *testing.T, w *world) {
			f.Method, f.Path, f.Times = "GET", "assignmentScheduleInstances", 2
			w.Inject(f)
			began := time.Now()
			if _, err := w.reader.Instances(t.Context(), w.group.ID); err != nil {
				t.Errorf("%s %d: %v", f.Do, f.Status, err)
			}
			if d := time.Since(began); d > 10*time.Second || f.RetryAfter == "2" && d < 4*time.Second || d < 1500*time.Millisecond {
				t.Errorf("%s %d %s: after %v", f.Do, f.Status, f.RetryAfter, d)
			}
		})
	}
	for _, after := range []string{"3600", time.Date(2000, 1, 1, 5, 0, 0, 0, time.UTC).Format(http.TimeFormat)} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Inject(entra.Fault{Method: "GET", Path: "/v1.0/", Do: entra.DoStatus, Status: 429, RetryAfter: after})
			began, calls := time.Now(), w.calls()
			_, err := w.reader.Instances(t.Context(), w.group.ID)
			if f := asFault(err); f.Status != 429 || f.After < time.Hour || time.Since(began) > time.Second || w.calls()-calls != 1 {
				t.Errorf("Retry-After %s: %v after %v", after, err, time.Since(began))
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Inject(entra.Fault{Path: "/v1.0/", Do: entra.DoHang})
		began := time.Now()
		_, err := w.reader.Group(t.Context(), w.group.ID)
		if d := time.Since(began); err == nil || d < 90*time.Second || d > 100*time.Second {
			t.Errorf("three times thirty seconds, not %v: %v", d, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began = time.Now()
		if _, err := w.reader.Group(ctx, w.group.ID); err == nil || time.Since(began) > 6*time.Second {
			t.Errorf("the caller's own deadline: %v after %v", err, time.Since(began))
		}
	})
}

// The reader's token may be called back once; a challenge that comes again, or
// can't be read, ends it.
func TestReaderChallenged(t *testing.T) {
	for _, do := range []string{entra.DoCAE, entra.DoCAEUnpadded, entra.DoCAEUnquoted} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Inject(entra.Fault{Method: "GET", Path: "/v1.0/", Do: do, Times: 1})
			if _, err := w.reader.Group(t.Context(), w.group.ID); err != nil {
				t.Errorf("%s: %v", do, err)
			}
			w.Inject(entra.Fault{Method: "GET", Path: "/v1.0/", Do: do})
			calls := w.calls()
			_, err := w.reader.Group(t.Context(), w.group.ID)
			if f := asFault(err); f.Status != 401 || f.Claims == "" {
				t.Errorf("%s twice: %v", do, err)
			}
			if n := w.calls() - calls; n != 2 {
				t.Errorf("%s: %d calls", do, n)
			}
		})
	}
}

// An error's body is read and closed: no connection is left behind.
func TestNoConnectionLeaks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Inject(entra.Fault{Method: "GET", Path: "/v1.0/", Do: entra.DoStatus, Status: 503})
		for range 30 {
			_, _ = w.reader.Group(t.Context(), w.group.ID)
		}
		if w.dials.Load() > 2 {
			t.Errorf("%d connections for 90 calls", w.dials.Load())
		}
	})
}

func TestCompressedAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Turn(func(d *entra.Dials) { d.Gzip = true })
		a := w.active()
		if a.Ends.IsZero() {
			t.Errorf("%+v", a)
		}
	})
}

// A body is sent once and whole, uncompressed, and never again by the SDK.
func TestBodyIsSentOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, status := range []int{429, 503, 504} {
			a := w.asked()
			w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: status, Times: 1})
			before := len(w.Writes())
			w.do(a)
			now := w.Writes()[before:]
			if len(now) != 1 || !strings.Contains(now[0].Body, `"selfActivate"`) || now[0].Header["Retry-Attempt"] != "" || now[0].Header["Content-Encoding"] != "" {
				t.Errorf("%d: %+v", status, now)
			}
		}
	})
}

// fixed is a credential whose token is the same for everybody.
type fixed struct{}

func (fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "made-up"}, nil
}

// Tokens go to the configured host only, also when a redirect leads away.
func TestTokensStayHome(t *testing.T) {
	asked := 0
	away := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer away.Close()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer made-up" {
			t.Error("a call without a token")
		}
		http.Redirect(w, r, away.URL, http.StatusTemporaryRedirect)
	}))
	defer home.Close()
	r, err := NewReader(Config{Base: home.URL, Tenant: "t", Credential: fixed{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Group(t.Context(), "g"); err == nil || asked != 0 {
		t.Errorf("%d calls to another host, %v", asked, err)
	}
	g := guard{&url.URL{Scheme: "https", Host: "graph.microsoft.com"}, http.DefaultTransport}
	for _, to := range []string{away.URL, "https://graph.microsoft.com/v1.0/users"} {
		q, _ := http.NewRequest("GET", to, nil)
		if resp, err := g.RoundTrip(q); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: sent without a token, or to a stranger", to)
		}
	}
}

// canned serves one answer.
func canned(t *testing.T, body string) *Reader {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	r, err := NewReader(Config{Base: s.URL, Tenant: "t", Credential: fixed{}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The documentation's own example of odd casing: nothing of it may be lost.
func TestOddCasing(t *testing.T) {
	r := canned(t, `{"value":[{"@odata.type":"#microsoft.graph.privilegedAccessGroupAssignmentScheduleRequest","id":"12345","accessId":"Member","principalId":"P","groupId":"G","status":"PendingApproval",
  "createdDateTIme":"2022-02-26T08:00:00.1234567Z","completedDateTIme":null,"isValidationOnly":false,"action":"SelfActivate",
  "scheduleInfo":{"startDateTime":"2022-04-01T08:00:00.000Z","expiration":{"type":"AfterDuration","duration":"PT8H"}},"justification":"Activate access","ticketInfo":{"ticketNumber":"09876"}}]}`)
	all, err := r.Requests(t.Context(), "G")
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v %v", all, err)
	}
	q := all[0]
	if q.Action != selfActivate || q.Access != activation.Member || q.Length != activation.Duration(8*time.Hour) || q.Ticket != "09876" ||
		!q.Created.Equal(time.Date(2022, 2, 26, 8, 0, 0, 123456700, time.UTC)) || q.Kind() != activation.AtApproval {
		t.Errorf("%+v", q)
	}
}

func TestNullDates(t *testing.T) {
	r := canned(t, `{"value":[{"id":"i","accessId":"owner","principalId":"P","groupId":"G","assignmentType":"Activated","startDateTime":"0001-01-01T08:00:00Z","endDateTime":null,"principal":null,"group":null}]}`)
	all, err := r.Instances(t.Context(), "G")
	if err != nil || len(all) != 1 || !all[0].From.IsZero() || !all[0].Ends.IsZero() || all[0].Access != activation.Owner {
		t.Errorf("%+v %v", all, err)
	}
	r = canned(t, `{"value":[{"id":"i","assignmentType":"activated","endDateTime":"soon"}]}`)
	if all, err := r.Instances(t.Context(), "G"); err == nil {
		t.Errorf("an end that can't be read is not no end: %+v", all)
	}
}

func TestDurations(t *testing.T) {
	day := 24 * time.Hour
	for s, want := range map[string]time.Duration{"PT8H": 8 * time.Hour, "PT1H45M": 105 * time.Minute, "PT480M": 8 * time.Hour, "PT0.5H": 30 * time.Minute,
		"P4W2D": 30 * day, "P52W1D": 365 * day, "P1DT12H": 36 * time.Hour, "PT90S": 90 * time.Second, "pt2h": 2 * time.Hour} {
		if got, err := parseISO(s); err != nil || got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "P", "PT", "P1M", "P1Y", "8H", "PTH", "PT1.2.3H", "PT99999999999H", "P1H"} {
		if got, err := parseISO(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

// What the SDK makes of a length on the wire is what PIM grants.
func TestLengthsOnTheWire(t *testing.T) {
	for _, d := range []time.Duration{5 * time.Minute, 30 * time.Minute, 90 * time.Minute, 8 * time.Hour, 24 * time.Hour} {
		inWorld(t, func(t *testing.T, w *world) {
			w.settings(func(s *entra.Settings) { s.MaxDuration = 24 * time.Hour })
			w.Turn(func(d *entra.Dials) { d.RefuseWeeks = true })
			a, _ := w.through(w.asked(func(q *activation.Ask) { q.Length = d }))
			if a.Request.Length != activation.Duration(d) {
				t.Errorf("%v became %v (%+v)", d, time.Duration(a.Request.Length), a.Refusal)
			}
		})
	}
}

// Sparse and lying answers: only the status speaks.
func TestSparseAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Turn(func(d *entra.Dials) {
			d.Sparse, d.Pascal, d.ExpandNull, d.CompletedEarly, d.ApprovalAlways = true, true, true, true, true
		})
		a := w.voted(w.awaiting(), true, w.approver)
		a, _ = w.through(a)
		if a, _ = w.watched(a, in(activation.Active)); a.Ends.IsZero() {
			t.Errorf("%+v", a)
		}
	})
}
