package downstream

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

func always(is bool) func(time.Time) bool { return func(time.Time) bool { return is } }

// about asks one probe about one person, in virtual time.
func about(t *testing.T, o *org, p activation.Person, want activation.Says, level activation.Level, words string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		got, _ := newDevOps(t, o).Check(t.Context(), []activation.Person{p})
		if a := got[0]; a.Says != want || want != activation.CantTell && a.Level != level || !strings.Contains(a.Why+a.Evidence+a.Via, words) {
			t.Errorf("got %+v, want %s at L%d with %q", a, want, level, words)
		}
	})
}

func TestNeverSignedIn(t *testing.T) {
	about(t, &org{}, requester, activation.CantTell, 0, "never signed in")
}

// TestKnows: who is not found is unknown; a search that fails tells nothing.
func TestKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &org{}
		o.join(requester, always(false))
		d := newDevOps(t, o)
		for _, c := range []struct {
			who   activation.Person
			knows bool
		}{{requester, true}, {activation.Person{Tenant: tenantID, Object: "nobody", Name: "nobody@contoso.example"}, false}} {
			if knows, err := d.Knows(t.Context(), c.who); knows != c.knows || err != nil {
				t.Errorf("%s: %v, %v", c.who.Name, knows, err)
			}
		}
		if knows, err := d.Knows(t.Context(), activation.Person{}); knows || err == nil {
			t.Errorf("nobody to search for: %v, %v", knows, err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if knows, err := d.Knows(gone, activation.Person{Tenant: tenantID, Object: "x", Name: "x"}); knows || err == nil {
			t.Errorf("not asked: %v, %v", knows, err)
		}
	})
}

// A name can be given to somebody else; an object id can't.
func TestNamesAreNotCompared(t *testing.T) {
	o := &org{}
	o.join(activation.Person{Tenant: tenantID, Object: "someone-else", Name: requester.Name}, always(true))
	about(t, o, requester, activation.CantTell, 0, "object id")
	o.absent = true
	o.join(requester, always(false))
	about(t, o, requester, activation.No, activation.L1, "")
	o.absent = false
	o.members[1].person.Tenant = "another-descriptor"
	about(t, o, requester, activation.No, activation.L2, "")
}

func TestEvidence(t *testing.T) {
	o := &org{}
	m := o.join(requester, always(true))
	about(t, o, requester, activation.Yes, activation.L2, "a group")
	m.has, m.own = always(false), 31
	about(t, o, requester, activation.Yes, activation.L2, "their own")
	m.deny = 2
	about(t, o, requester, activation.No, activation.L2, "")
	m.own, m.deny = 1, 0
	about(t, o, requester, activation.No, activation.L2, "")
	o.absent, m.has = true, always(true)
	about(t, o, requester, activation.Yes, activation.L1, pca)
}

// Absence is the person's only while the container can be shown to exist.
func TestAbsenceNeedsItsContainer(t *testing.T) {
	for _, gone404 := range []bool{false, true} {
		o := &org{absent: true, gone404: gone404}
		o.join(requester, always(false))
		about(t, o, requester, activation.No, activation.L1, pca)
		synctest.Test(t, func(t *testing.T) {
			d := newDevOps(t, o)
			if err := d.Setup(t.Context()); err != nil {
				t.Fatal(err)
			}
			o.noGroup = true
			time.Sleep(2 * shownFor)
			got, err := d.Check(t.Context(), []activation.Person{requester})
			if got[0].Says != activation.CantTell || err == nil {
				t.Errorf("without the group: %+v, %v", got[0], err)
			}
			o.noGroup = false
		})
	}
}

// An empty answer looks like a no. It is none while the person's own list of
// groups says otherwise.
func TestEmptinessNeedsASecondWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &org{absent: true}
		o.join(requester, always(true))
		d := newDevOps(t, o)
		d.http.http.Transport = direct{http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if !strings.Contains(q.URL.Path, "/membersof/") {
				o.ServeHTTP(w, q)
			}
		})}
		if got, _ := d.Check(t.Context(), []activation.Person{requester}); got[0].Says != activation.CantTell {
			t.Errorf("%+v", got[0])
		}
	})
}

// forbidden refuses one part of the organization to the application.
type forbidden struct {
	*org
	part string
}

func (f forbidden) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if strings.Contains(q.URL.Path, f.part) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	f.org.ServeHTTP(w, q)
}

func TestFallsBackWhereListsAreForbidden(t *testing.T) {
	for _, part := range []string{"/accesscontrollists/", "/securitynamespaces/"} {
		synctest.Test(t, func(t *testing.T) {
			o := &org{}
			o.join(requester, always(true))
			d := newDevOps(t, o)
			d.http.http.Transport = direct{forbidden{o, part}}
			if err := d.Setup(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := d.Check(t.Context(), []activation.Person{requester})
			if a := got[0]; err != nil || a.Says != activation.Yes || a.Level != activation.L1 || d.Level() != activation.L1 {
				t.Errorf("%+v, %v, level %d", a, err, d.Level())
			}
		})
	}
}

// What was permitted at setup may be taken away; what is answered then is what
// is still readable, at its own level.
func TestFallsBackWhenListsAreForbiddenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &org{}
		o.join(requester, always(true))
		d := newDevOps(t, o)
		if err := d.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.http.http.Transport = direct{forbidden{o, "/accesscontrollists/"}}
		got, err := d.Check(t.Context(), []activation.Person{requester})
		if a := got[0]; err != nil || a.Says != activation.Yes || a.Level != activation.L1 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestSetupSaysWhatIsWrong(t *testing.T) {
	for fault, words := range map[string]string{
		"401": "credentials", "203": "credentials", "redirect": "credentials", "403": "not allowed", "429": "slow down",
		"503": "out of order", "": "no group", "permission": "no permission", "token": "no access control list",
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &org{noGroup: fault == ""}
			d := newDevOps(t, o)
			switch fault {
			case "permission":
				d.c.Permission = "FLY"
			case "token":
				d.c.ACLToken = "ELSEWHERE:"
			default:
				o.fault = fault
			}
			err := d.Setup(t.Context())
			if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "contoso") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want one sentence with %q", fault, err, words)
			}
		})
	}
}

// hosts counts who was given our bearer.
type hosts struct {
	http.RoundTripper
	seen map[string]int
}

func (h hosts) RoundTrip(q *http.Request) (*http.Response, error) {
	h.seen[q.URL.Host]++
	return h.RoundTripper.RoundTrip(q)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &org{fault: "redirect"}
		d := newDevOps(t, o)
		h := hosts{d.http.http.Transport, map[string]int{}}
		d.http.http.Transport = h
		_, _ = d.Check(t.Context(), []activation.Person{requester})
		if len(h.seen) != 1 || h.seen["vssps.dev.azure.com"] == 0 {
			t.Errorf("asked %v", h.seen)
		}
	})
}

// A good answer may also say that we are too fast.
func TestSlowDownInAGoodAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &org{}
		o.join(requester, always(true))
		d := newDevOps(t, o)
		if _, err := d.Check(t.Context(), []activation.Person{requester}); err != nil {
			t.Fatal(err)
		}
		slow := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Retry-After", "20")
			o.ServeHTTP(w, q)
		})
		d.http.http.Transport = direct{slow}
		got, err := d.Check(t.Context(), []activation.Person{requester})
		if got[0].Says != activation.Yes || err == nil || faultOf(err).After != 20*time.Second {
			t.Errorf("%+v, %v", got[0], err)
		}
		before := o.calls("/")
		got, err = d.Check(t.Context(), []activation.Person{requester})
		if got[0].Says != activation.CantTell || err == nil || o.calls("/") != before {
			t.Errorf("while asked to wait: %+v, %v, %d calls", got[0], err, o.calls("/")-before)
		}
	})
}

func TestOneCallForABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &org{}
		o.join(requester, always(true))
		o.join(colleague, always(false))
		d := newDevOps(t, o)
		who := []activation.Person{requester, colleague, requester}
		for range 3 {
			if _, err := d.Check(t.Context(), who); err != nil {
				t.Fatal(err)
			}
		}
		if n := o.calls("/accesscontrollists/"); n != 1+3 {
			t.Errorf("%d list calls, want one at setup and one a batch", n)
		}
		if n := o.calls("/identities"); n > 1+3 {
			t.Errorf("%d searches: identities are not remembered", n)
		}
	})
}

func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for h, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "12": 12 * time.Second, " 7 ": 7 * time.Second, "999999999": longestPause, "soon": 0,
		"Mon, 02 Nov 2026 09:01:30 GMT": 90 * time.Second, "Mon, 02 Nov 2026 08:00:00 GMT": 0,
	} {
		if got := retryAfter(h, now); got != want {
			t.Errorf("%q: %v, want %v", h, got, want)
		}
	}
}

func TestConfigIsStrict(t *testing.T) {
	token := func(context.Context) (string, error) { return "app", nil }
	good := DevOpsConfig{Org: "contoso", Token: token}
	if _, err := NewDevOps(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*DevOpsConfig){
		"no org":      func(c *DevOpsConfig) { c.Org = "" },
		"path in org": func(c *DevOpsConfig) { c.Org = "contoso/../other" },
		"no token":    func(c *DevOpsConfig) { c.Token = nil },
		"plain http":  func(c *DevOpsConfig) { c.DevBase = "http://dev.azure.example" },
		"credentials": func(c *DevOpsConfig) { c.VSSPSBase = "https://user@vssps.dev.azure.com" },
		"no host":     func(c *DevOpsConfig) { c.VSSPSBase = "dev.azure.com" },
	} {
		c := good
		spoil(&c)
		if _, err := NewDevOps(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, near := range []string{"http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:9", "http://devops.test"} {
		c := good
		c.DevBase = near
		if _, err := NewDevOps(c); err != nil {
			t.Errorf("%s: %v", near, err)
		}
	}
	if _, err := NewEntra(EntraConfig{}); err == nil {
		t.Error("an entra target without a group")
	}
}
