package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/sim/pipe"
)

// dialed remembers which hosts the bot connects to.
type dialed struct {
	mu    sync.Mutex
	hosts []string
}

func (d *dialed) through(n *pipe.Net) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		d.mu.Lock()
		d.hosts = append(d.hosts, host)
		d.mu.Unlock()
		return n.Dial(ctx, network, address)
	}
}

// are compares with the hosts that may be called, of which all behind the first
// three must have been.
func (d *dialed) are(t *testing.T, own ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.Sort(d.hosts)
	hosts := slices.Compact(d.hosts)
	for _, h := range hosts {
		if !slices.Contains(own, h) {
			t.Errorf("%s was called", h)
		}
	}
	for _, h := range own[3:] {
		if !slices.Contains(hosts, h) {
			t.Errorf("%s was not called, only %q", h, hosts)
		}
	}
}

// discovered answers as every cloud's authority does when it is asked what the
// authorities of its cloud are.
func discovered(h http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/common/discovery/instance" {
			h.ServeHTTP(w, q)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"tenant_discovery_endpoint": "https://%s/common/.well-known/openid-configuration", "metadata": [{"preferred_network": %q, "preferred_cache": %q, "aliases": [%q]}]}`, host, host, host, host)
	})
}

// TestClouds: one setting takes everything of Microsoft's into its cloud, from
// the first contact over people's sign-in and deeds to the probes. Nothing asks
// who the caller is, which the other clouds don't offer, and no host is called
// that is another cloud's.
func TestClouds(t *testing.T) {
	for cloud, at := range map[string]struct{ login, graph, azure string }{
		"public":        {"login.microsoftonline.com", "graph.microsoft.com", "management.azure.com"},
		"us-government": {"login.microsoftonline.us", "graph.microsoft.us", "management.usgovcloudapi.net"},
		"us-dod":        {"login.microsoftonline.us", "dod-graph.microsoft.us", "management.usgovcloudapi.net"},
		"china":         {"login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn", "management.chinacloudapi.cn"},
	} {
		t.Run(cloud, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				w := &town{t: t, dir: dir, place: demo.Place{Slack: "http://slack.test", Graph: "https://" + at.graph, Authority: "https://" + at.login, DevOps: "http://devops.test", Pages: "https://pag.test"}}
				w.tlsHosts = []string{at.login, at.graph, at.azure}
				seen := &dialed{}
				w.dial = seen.through(&w.net)
				azure := "https://" + at.azure
				s := setup{found: func(w *demo.Worlds) {
					w.Entra.AddResource("https://"+at.graph, entra.GraphAudience)
					w.Entra.AddResource(azure, azure)
				}, yaml: func(_ *demo.Worlds, s string) string {
					s = strings.Replace(s, "  graph: https://"+at.graph+"\n  authority: https://"+at.login+"/\n", "  cloud: "+cloud+"\n", 1)
					s = strings.Replace(s, "targets: [entra, devops]", "targets: [entra, role, intune, azure]", 1)
					return s + "  - {id: role, kind: directory-role, directory-role: {role: 5d6b6bb7-de71-4623-b4af-96380a352509}}\n" +
						"  - {id: intune, kind: intune, intune: {assignment: one}}\n  - {id: azure, kind: azure, azure: {scope: /subscriptions/one}}\n"
				}}
				defer w.open(s)()
				stopAzure := pipe.Serve(w.tls(w.net.Listen(at.azure)), http.NotFoundHandler())
				defer stopAzure()
				stopLogin := pipe.Serve(w.tls(w.net.Listen(at.login)), discovered(w.Entra.Authority(), at.login))
				defer stopLogin()
				w.start()
				defer func() { w.stop() }()
				if w.cfg.Entra.Graph != "" || w.cfg.Entra.Authority != "" || w.cfg.Entra.Cloud != cloud {
					t.Fatalf("the setting is not alone: %+v", w.cfg.Entra)
				}
				card := w.asked()
				w.confirms(demo.Approver, w.browser(), w.voted(card))
				w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have devops-admins")
				w.rest(10 * time.Minute)
				seen.are(t, "slack.test", "pag.test", "devops.test", at.login, at.graph, at.azure)
				for _, r := range w.Entra.History() {
					if strings.Contains(strings.ToLower(r.Path), "filterbycurrentuser") {
						t.Errorf("asked %s", r.Path)
					}
				}
			})
		})
	}
}
