package downstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/sim/devops"
	"pagbot/sim/entra"
	"pagbot/sim/pipe"
	"pagbot/sim/target"
)

const (
	pagID    = "cccccccc-0000-4000-8000-000000000001"
	readerID = "dddddddd-0000-4000-8000-000000000001"
)

// stays is Entra's true history for the simulated organization.
type stays struct {
	has func(oid string, at time.Time) bool
}

func (s stays) Member(_, oid string, at time.Time) bool { return s.has(oid, at) }

// simulated serves a simulated Azure DevOps in the bubble, and makes a probe of
// it. front may stand between them and spoil answers.
func simulated(t *testing.T, o devops.Org, s stays, l Limits, front func(http.Handler) http.Handler) (*devops.World, *DevOps) {
	t.Helper()
	o.Name, o.Groups, o.Readers = "contoso", []string{pagID}, []string{readerID}
	for i, p := range []activation.Person{requester, colleague} {
		u := devops.User{OID: p.Object, UPN: p.Name, Name: p.Name, Standing: true, SignedIn: true}
		if i < len(o.Users) {
			u.Administrator = o.Users[i].Administrator
			o.Users[i] = u
		} else {
			o.Users = append(o.Users, u)
		}
	}
	w, err := devops.New(devops.Config{Seed: 1, Tenant: tenantID, Directory: s, Orgs: []devops.Org{o},
		Verify: func(token string) (devops.Caller, error) {
			if token != "app" {
				return devops.Caller{}, errors.New("not a token")
			}
			return devops.Caller{OID: readerID}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	h := w.Handler()
	if front != nil {
		h = front(h)
	}
	client := serve(t, map[string]http.Handler{"devops.test": h, "vssps.devops.test": h})
	d, err := NewDevOps(DevOpsConfig{Org: "contoso", DevBase: "http://devops.test", VSSPSBase: "http://vssps.devops.test", HTTP: client,
		Token: func(context.Context) (string, error) { return "app", nil }, Limits: l})
	if err != nil {
		t.Fatal(err)
	}
	return w, d
}

// serve makes hosts reachable in the bubble until the test ends.
func serve(t *testing.T, hosts map[string]http.Handler) *http.Client {
	n := &pipe.Net{}
	client := n.Client()
	var stops []func()
	for host, h := range hosts {
		stops = append(stops, n.Serve(host, h))
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		for _, stop := range stops {
			stop()
		}
	})
	return client
}

// soonAfter is a copy that follows Entra within a moment.
var soonAfter = devops.Delay{Min: time.Millisecond, Max: time.Millisecond}

func devopsKind(t *testing.T, absent bool) kind {
	has := map[string][]time.Time{} // when it changed; odd: in
	bad := &org{}
	w, d := simulated(t, devops.Org{Grant: soonAfter, Revoke: soonAfter},
		stays{func(oid string, at time.Time) bool {
			n := 0
			for _, c := range has[oid] {
				if !c.After(at) {
					n++
				}
			}
			return n%2 == 1
		}}, Limits{}, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
				if !bad.breaks(rw, q) {
					h.ServeHTTP(rw, q)
				}
			})
		})
	w.Turn(func(d *devops.Dials) { d.NoEntry, d.AbsentEmpty = absent, absent })
	if absent {
		// An organization that refuses its lists answers by membership only.
		w.Inject(devops.Fault{Path: "/accesscontrollists/", Do: target.DoStatus, Status: http.StatusForbidden})
	}
	return kind{d, func(p activation.Person, is bool) {
		if len(has[p.Object])%2 == 1 != is {
			has[p.Object] = append(has[p.Object], time.Now())
		}
		time.Sleep(3 * time.Second)
	}, bad.set, func() int {
		return len(w.History()) - len(slices.DeleteFunc(w.History(), func(r devops.Record) bool { return r.Method != http.MethodGet }))
	}}
}

// lister is a Directory on Graph itself, as plain as can be: the members that
// the group lists.
type lister struct {
	http           *http.Client
	tenant, app    string
	secret, bearer string
}

type graphFault struct {
	status int
	after  time.Duration
}

func (f graphFault) Error() string             { return "HTTP " + strconv.Itoa(f.status) }
func (f graphFault) RetryAfter() time.Duration { return f.after }

func (l *lister) call(ctx context.Context, method, at string, form url.Values, into any) error {
	q, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+l.bearer)
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a, err := l.http.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return graphFault{a.StatusCode, retryAfter(a.Header.Get("Retry-After"), time.Now())}
	}
	return json.NewDecoder(a.Body).Decode(into)
}

func (l *lister) IsMember(ctx context.Context, group string, access activation.Access, objects []string) (map[string]bool, error) {
	if l.bearer == "" {
		var grant struct {
			Token string `json:"access_token"`
		}
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {l.app}, "client_secret": {l.secret}, "scope": {"https://graph.microsoft.com/.default"}}
		if err := l.call(ctx, http.MethodPost, "http://login.test/"+l.tenant+"/oauth2/v2.0/token", form, &grant); err != nil {
			return nil, err
		}
		l.bearer = grant.Token
	}
	var page struct {
		Value *[]struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	if err := l.call(ctx, http.MethodGet, "http://graph.test/v1.0/groups/"+group+"/"+string(access)+"s", nil, &page); err != nil {
		return nil, err
	}
	if page.Value == nil {
		return nil, fmt.Errorf("no list of %ss", access)
	}
	is := map[string]bool{}
	for _, o := range objects {
		is[o] = false
		for _, m := range *page.Value {
			is[o] = is[o] || m.ID == o
		}
	}
	return is, nil
}

func entraKind(t *testing.T, access activation.Access) kind {
	w := entra.New(entra.Config{Seed: 1})
	g := w.AddGroup(entra.Group{ID: pagID, Name: "devops-admins"})
	for _, p := range []activation.Person{requester, colleague} {
		w.AddUser(entra.User{ID: p.Object, UPN: p.Name})
	}
	// Entra keeps the last owner, so somebody else is always one.
	keeper := w.AddUser(entra.User{UPN: "owner@contoso.example"})
	if err := w.AddTie(g.ID, "owner", keeper.ID); err != nil {
		t.Fatal(err)
	}
	app := w.AddApp(entra.App{Name: "reader", Secret: "made up", Roles: []string{"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"}})
	l := &lister{http: serve(t, map[string]http.Handler{"graph.test": w.Graph(), "login.test": w.Authority()}), tenant: w.Tenant(), app: app.ID, secret: app.Secret}
	p, err := NewEntra(EntraConfig{Group: g.ID, Access: access, Directory: l})
	if err != nil {
		t.Fatal(err)
	}
	off := func() {}
	return kind{p, func(p activation.Person, is bool) {
		change := w.RemoveTie
		if is {
			change = w.AddTie
		}
		_ = change(g.ID, string(access), p.Object) // it may be so already
	}, func(name string) {
		off()
		off = func() {}
		f, ok := entraFaults[name]
		if name != "" && !ok {
			t.Fatalf("no such fault: %s", name)
		}
		if ok {
			f.Path = "/groups/"
			off = w.Inject(f)
		}
	}, func() int { return len(w.Writes()) }}
}

var entraFaults = map[string]entra.Fault{
	"hang": {Do: entra.DoHang}, "html": {Do: entra.DoHTML}, "reset": {Do: entra.DoReset},
	"403": {Do: entra.DoStatus, Status: 403}, "404": {Do: entra.DoStatus, Status: 404},
	"429": {Do: entra.DoStatus, Status: 429, RetryAfter: "37"}, "503": {Do: entra.DoStatus, Status: 503},
}

// However many activations wait for one target, it is never asked faster than
// it allows: the simulated one would say 429.
func TestManyActivationsShareOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := simulated(t, devops.Org{}, stays{func(string, time.Time) bool { return false }}, Limits{}, nil)
		w.Turn(func(d *devops.Dials) { d.NoEntry = true }) // each person then costs several calls
		watch, err := NewWatch(Config{Probes: map[string]Probe{"devops": d}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var noes atomic.Int64
		for i := range 60 {
			a := activation.Activation{Person: []activation.Person{requester, colleague}[i%2], Phase: activation.Active, Began: time.Now(), From: time.Now(),
				Targets: []activation.Target{{ID: "devops"}}}
			e := activation.Effect{Kind: activation.Probe, Target: "devops", Toward: activation.Grant}
			wg.Go(func() {
				for range 4 {
					r := watch.Do(t.Context(), a, e)
					if p, ok := r.Tell.(activation.Probed); ok && p.Answer.Says == activation.No {
						noes.Add(1)
					}
					e.Memory = r.Memory
					time.Sleep(time.Until(r.Again))
				}
			})
		}
		wg.Wait()
		calls, most := w.History(), 0
		for i, c := range calls {
			n := 0
			for _, later := range calls[i:] {
				if later.At.Sub(c.At) < 10*time.Second {
					n++
				}
			}
			most = max(most, n)
			if c.Status == http.StatusTooManyRequests {
				t.Errorf("at %v: throttled", c.At)
			}
		}
		if noes.Load() < 60 || most < 5 {
			t.Errorf("%d first noes of 60, at most %d calls in ten seconds", noes.Load(), most)
		}
		t.Logf("%d calls for 240 questions, at most %d in ten seconds", len(calls), most)
	})
}
