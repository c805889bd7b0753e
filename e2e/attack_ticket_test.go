package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/pipe"
)

// A group's tickets are looked up over HTTP. What may not come of that: calls
// into the company's own network, other questions than the one about a ticket,
// and access where nobody knows the ticket.

const (
	desk   = "203.0.113.7" // where the ticket system is
	office = "10.1.2.3"    // where it is not
)

// tickets is a ticket system, at one address or another.
type tickets struct {
	mu     sync.Mutex
	asked  []string // path and query, as they came
	answer http.HandlerFunc
}

func (s *tickets) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, q.URL.RequestURI())
	answer := s.answer
	s.mu.Unlock()
	w.Header().Set("Connection", "close") // so that the name is looked up each time
	w.Header().Set("Content-Type", "application/json")
	if answer == nil {
		fmt.Fprint(w, `{"state": "open"}`)
		return
	}
	answer(w, q)
}

func (s *tickets) says(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.asked = answer, nil
}

func (s *tickets) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// withTickets looks up the tickets of devops-admins.
func withTickets(more string) setup {
	return setup{yaml: func(_ *demo.Worlds, s string) string {
		return withGroup(s, demo.DevOpsAdmins, `ticket: ".", ticket_example: INC1, ticket_check: {url: "http://tickets.test/api/incidents/{{.Ticket}}", value: /state, yes: [open]`+more+`}, `)
	}}
}

// hosts serves a ticket system at an address.
func (w *town) hosts(address string) (*tickets, func()) {
	s := &tickets{}
	return s, pipe.Serve(w.net.Listen(address), s)
}

// asksWith asks for access and goes on wherever that leads.
func (w *town) asksWith(ticket string) string {
	w.t.Helper()
	seen := w.everything()
	w.types(demo.Requester, `/pag activate devops-admins 1h "release 42" "`+ticket+`"`)
	return w.follows(demo.Requester, "", seen)
}

// TestAttackTicketInward points the ticket system's name inward, at the start
// and between one look and the next.
func TestAttackTicketInward(t *testing.T) {
	inTown(t, withTickets(""), func(w *town) {
		out, stop := w.hosts(desk)
		defer stop()
		w.net.Resolve("tickets.test", desk)
		out.says(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{}`, http.StatusNotFound) })
		w.nothing(func() { w.told(w.asksWith("INC0000041"), "doesn't take INC0000041: it is not there") })
		for _, address := range []string{office, "127.0.0.1", "::1", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "168.63.129.16", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "0.0.0.0"} {
			in, stop := w.hosts(address)
			w.net.Resolve("tickets.test", address)
			w.nothing(func() { w.told(w.asksWith("INC0000042"), "couldn't ask the ticket system") })
			if calls := in.calls(); len(calls) > 0 {
				w.t.Errorf("%s was asked %q", address, calls)
			}
			stop()
		}
	})
}

// TestAttackTicketAnswer has the ticket system send the bot elsewhere, answer
// without an end, not at all, or with a page.
func TestAttackTicketAnswer(t *testing.T) {
	inTown(t, withTickets(""), func(w *town) {
		out, stop := w.hosts(desk)
		defer stop()
		in, stopIn := w.hosts(office)
		defer stopIn()
		w.net.Resolve("tickets.test", desk)
		for _, a := range []struct {
			what, words string
			answer      http.HandlerFunc
		}{
			{"a redirect inward", "couldn't ask", func(w http.ResponseWriter, q *http.Request) {
				http.Redirect(w, q, "http://"+office+"/api/incidents/INC1", http.StatusFound)
			}},
			{"an oversized answer", "couldn't ask", func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"state": "open"}`, strings.Repeat(" ", 3<<20))
			}},
			{"no answer", "did not answer in time", func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }},
			{"out of order", "out of order", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
			{"not allowed to look", "couldn't ask", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }},
			{"a sign-in page", "couldn't ask", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, "<html>Sign in</html>")
			}},
			{"closed", `it says "closed"`, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"state": "closed"}`) }},
		} {
			out.says(a.answer)
			w.nothing(func() {
				if told := w.asksWith("INC0000042"); !regexp.MustCompile(a.words).MatchString(told) {
					w.t.Errorf("%s: the answer is nothing like %q:\n%s", a.what, a.words, told)
				}
			})
			if out, in := out.calls(), in.calls(); len(out) != 1 || len(in) > 0 {
				w.t.Errorf("%s: asked %q, and inside %q", a.what, out, in)
			}
		}
	})
}

// TestAttackTicketSigns asks with tickets that would make another question of
// the address, where the configuration takes any.
func TestAttackTicketSigns(t *testing.T) {
	inTown(t, withTickets(""), func(w *town) {
		out, stop := w.hosts(desk)
		defer stop()
		w.net.Resolve("tickets.test", desk)
		for _, ticket := range []string{"../admin", "..", ".", "INC1?state=open", "INC1/../../keys", "@office.test", "INC1%2f..", "INC1;x", "INC1&x=y", `INC1\\..`} {
			w.nothing(func() { w.told(w.asksWith(ticket), "doesn't take") })
		}
		w.nothing(func() {
			w.told(w.askForm(demo.Requester, map[string]any{"group": picks(w.Groups[demo.DevOpsAdmins].ID + "|m|"), "reason": types("x"), "ticket": types("INC1\nHost: office.test")}, nil), "doesn't take")
		})
		if calls := out.calls(); len(calls) > 0 {
			w.t.Errorf("asked %q", calls)
		}
		w.told(w.asksWith("INC#1"), "Waiting for approval")
		if calls := out.calls(); len(calls) == 0 || calls[0] != "/api/incidents/"+url.PathEscape("INC#1") {
			w.t.Errorf("asked %q", calls)
		}
	})
}

// TestTicketUnsure lets asks pass where the ticket system does not tell, as it
// is configured, and says so.
func TestTicketUnsure(t *testing.T) {
	inTown(t, withTickets(`, unsure: allow, inward: [10.1.0.0/16]`), func(w *town) {
		in, stop := w.hosts(office)
		defer stop()
		w.net.Resolve("tickets.test", office)
		in.says(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		seen := w.everything()
		w.types(demo.Requester, `/pag check devops-admins 1h "release 42" INC1`)
		w.told(w.follows(demo.Requester, "", seen), "pagbot: the ticket system couldn't be asked .it is out of order.; the ticket is taken all the same")
		w.told(w.asksWith("INC1"), "Waiting for approval")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "Ticket (not checked, the ticket system could not be asked): INC1")
	})
}
