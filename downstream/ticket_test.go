package downstream_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"pagbot/activation"
	"pagbot/downstream"
)

// counted counts the connections that come at all.
type counted struct {
	net.Listener
	n chan struct{}
}

func (l counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n <- struct{}{}
	}
	return c, err
}

// TestTicketsConnectNowhereInward resolves a public name to this machine. It is
// not even connected to, also where a proxy of the machine's settings would
// have looked the name up itself.
func TestTicketsConnectNowhereInward(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"state": "open"}`)) }))
	in := counted{s.Listener, make(chan struct{}, 100)}
	s.Listener = in
	s.Start()
	defer s.Close()
	proxy, _ := url.Parse(s.URL)
	for what, c := range map[string]struct {
		inward  []netip.Prefix
		proxied bool
		proxy   func(*http.Request) (*url.URL, error)
		says    activation.Says
		calls   bool
	}{
		"refused":                    {says: activation.CantTell},
		"another network is allowed": {inward: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, says: activation.CantTell},
		"this one is":                {inward: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, says: activation.Yes, calls: true},
		"past the proxy":             {proxy: http.ProxyURL(proxy), says: activation.CantTell},
		"through the proxy":          {proxied: true, proxy: http.ProxyURL(proxy), says: activation.Yes, calls: true},
	} {
		t.Run(what, func(t *testing.T) {
			resolved := downstream.Dialer()
			tr := &http.Transport{Proxy: c.proxy, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return resolved.DialContext(ctx, network, s.Listener.Addr().String())
			}}
			defer tr.CloseIdleConnections()
			k, err := downstream.NewTickets(downstream.TicketConfig{URL: "http://tickets.test/api?number={{.Ticket}}", Inward: c.inward, Proxied: c.proxied, HTTP: &http.Client{Transport: tr}})
			if err != nil {
				t.Fatal(err)
			}
			if got := k.Check(t.Context(), "INC1"); got.Says != c.says || (len(in.n) > 0) != c.calls {
				t.Errorf("%+v with %d connections", got, len(in.n))
			}
			for len(in.n) > 0 {
				<-in.n
			}
		})
	}
}

func TestTicketConfigs(t *testing.T) {
	for address, words := range map[string]string{
		"https://tickets.example/api/":                         "written {{.Ticket}}",
		"https://tickets.example/{{.Ticket}}/{{.Ticket}}":      "once",
		"https://{{.Ticket}}.tickets.example/":                 "host must be fixed",
		"https://tickets.example{{.Ticket}}/":                  "host must be fixed",
		"http://tickets.example/{{.Ticket}}":                   "https",
		"https://tickets.example/{{.User.OID}}?t={{.Ticket}}":  "only placeholder",
		"https://user:pass@tickets.example/{{.Ticket}}":        "base address",
		"https://10.0.0.5/{{.Ticket}}":                         "inside a network",
		"https://[::ffff:10.0.0.5]/{{.Ticket}}":                "inside a network",
		"https://localhost/{{.Ticket}}":                        "this machine",
		"https://169.254.169.254/{{.Ticket}}":                  "credentials",
		"https://metadata.google.internal/x?t={{.Ticket}}":     "credentials",
		"https://tickets.example/#{{.Ticket}}":                 "#",
		`https://tickets.example/{{.Ticket}}?k={{secret "x"}}`: "header",
	} {
		_, err := downstream.NewTickets(downstream.TicketConfig{URL: address})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, which says nothing of %q", address, err, words)
		}
	}
	if _, err := downstream.NewTickets(downstream.TicketConfig{URL: "https://tickets.example/{{.Ticket}}", Value: "/state"}); err == nil {
		t.Error("a value without what it must be is taken")
	}
}
