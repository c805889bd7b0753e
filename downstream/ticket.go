package downstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"pagbot/activation"
)

// TicketConfig is where a group's tickets are looked up.
type TicketConfig struct {
	URL     string            // with {{.Ticket}} once, in the path or in the query
	Headers map[string]string // credentials by {{secret "name"}} or {{basic "user" "name"}}
	Secrets map[string]string
	Value   string         // JSON pointer; empty: that there is such an answer is enough
	Yes     []string       // what the value of a ticket is that will do; a list stands for its length
	Lax     bool           // a ticket is taken where nothing can be told of it
	Inward  []netip.Prefix // networks of our own where the ticket system may be
	Proxied bool           // asked through the machine's proxy, which then decides where a name leads
	HTTP    *http.Client   // nil: http.DefaultClient; redirects are never followed
}

// Tickets asks a ticket system whether a ticket is there.
type Tickets struct {
	c       TicketConfig
	path    string // before the ticket
	rest    string // behind it
	escape  func(string) string
	headers map[string]text
	http    *caller
}

const (
	ticketHole = "{{.Ticket}}"
	// A person waits meanwhile.
	ticketTime = 5 * time.Second
	ticketBody = 1 << 20
)

// NewTickets makes one.
func NewTickets(c TicketConfig) (*Tickets, error) {
	t := &Tickets{c: c, escape: url.PathEscape}
	var once bool
	t.path, t.rest, once = strings.Cut(c.URL, ticketHole)
	switch {
	case !once || strings.Contains(t.rest, ticketHole):
		return nil, fmt.Errorf("url: the ticket's place is written %s, once, such as https://tickets.contoso.example/api/incidents/%s", ticketHole, ticketHole)
	case origin.FindString(t.path) == "" || !strings.ContainsAny(t.path[len(origin.FindString(t.path)):], "/?"):
		return nil, errors.New("url: the host must be fixed: the ticket belongs behind it")
	case strings.Contains(c.URL, "#"):
		return nil, errors.New("url: what stands behind a # is never sent")
	case c.Value != "" && (c.Value[0] != '/' || len(c.Yes) == 0), c.Value == "" && len(c.Yes) > 0:
		return nil, errors.New("value is a JSON pointer, such as /state, and yes lists what must stand there: give both or neither")
	}
	if strings.Contains(t.path, "?") {
		t.escape = url.QueryEscape
	}
	reach := reach{nets: c.Inward, direct: !c.Proxied}
	form, err := newForm(HTTPConfig{Method: http.MethodGet, URL: t.path + "0" + t.rest, Headers: c.Headers, Secrets: c.Secrets}, t.path+"0"+t.rest, reach)
	if err != nil {
		return nil, err
	}
	holes := len(form.path.holes) + len(form.query.holes)
	for _, h := range form.headers {
		holes += len(h.holes)
	}
	if holes > 0 {
		return nil, fmt.Errorf("%s is the only placeholder here", ticketHole)
	}
	t.headers = form.headers
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.Transport = guarded(client.Transport, reach)
	t.http = newCaller(&client, 0, func(context.Context, *http.Request) ([]string, error) { return form.hidden, nil })
	t.http.longest = ticketBody
	return t, nil
}

// Check asks about one ticket. It never takes longer than a person would wait.
func (t *Tickets) Check(ctx context.Context, ticket string) activation.Checked {
	ctx, cancel := context.WithTimeout(ctx, ticketTime)
	defer cancel()
	says, why := t.ask(ctx, strings.TrimSpace(ticket))
	return activation.Checked{Says: says, Why: why, Lax: t.c.Lax}
}

func (t *Tickets) ask(ctx context.Context, ticket string) (activation.Says, string) {
	if !plainTicket(ticket) {
		return activation.No, "a ticket number has letters, digits and the signs - _ . : # only"
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, t.path+t.escape(ticket)+t.rest, nil)
	if err != nil {
		return activation.No, "no address can be made of it"
	}
	for name, h := range t.headers {
		q.Header.Set(name, h.pieces[0])
	}
	a, body, secrets, err := t.http.send(q)
	switch {
	case err != nil:
		return activation.CantTell, whyNot(ctx, err)
	case a.StatusCode == http.StatusNotFound && !page(a):
		return activation.No, "it is not there"
	case a.StatusCode != http.StatusOK || !isAnswer(a, body) || failed(body):
		return activation.CantTell, trouble(a, body, secrets).Why
	case t.c.Value == "":
		return activation.Yes, ""
	}
	doc, err := decode(body)
	if err != nil {
		return activation.CantTell, nonsense
	}
	value, ok := scalar(doc, t.c.Value)
	switch {
	case !ok:
		return activation.CantTell, "its answer has nothing at " + t.c.Value
	case !slices.Contains(t.c.Yes, value):
		return activation.No, fmt.Sprintf("at %s it says %q", t.c.Value, strings.Join(strings.Fields(excerpt([]byte(value), secrets)), " "))
	}
	return activation.Yes, ""
}

// whyNot says why nothing came, without the address.
func whyNot(ctx context.Context, err error) string {
	var f *Fault
	switch {
	case errors.Is(err, errInward):
		return "its address leads to where it may not be asked"
	case ctx.Err() != nil:
		return "it did not answer in time"
	case errors.As(err, &f):
		return f.Why
	}
	return "it did not answer"
}

// plainTicket refuses what could make another question of an address, however
// it is escaped: servers undo that more often than they should.
func plainTicket(s string) bool {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.:#", r)
	}
	return s != "" && !strings.ContainsFunc(s, odd) && !strings.Contains(s, "..") && s != "."
}
