package downstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/devops"
	"pagbot/sim/entra"
	"pagbot/sim/target"
)

// Every kind of probe on its simulator: a new kind adds its rows here or in a
// file of its own.
func TestProbes(t *testing.T) {
	for _, s := range []probetest.Suite{
		{Name: "entra members", Level: activation.L0, Unknown: activation.No, New: func(t *testing.T) probetest.World { return entraWorld(t, activation.Member) }},
		{Name: "entra owners", Level: activation.L0, Unknown: activation.No, New: func(t *testing.T) probetest.World { return entraWorld(t, activation.Owner) }},
		{Name: "devops by access control list", Level: activation.L2, Faults: devopsFaults, New: func(t *testing.T) probetest.World { return devopsWorld(t, false) }},
		{Name: "devops by membership", Level: activation.L1, OneByOne: true, Faults: devopsFaults, New: func(t *testing.T) probetest.World { return devopsWorld(t, true) }},
	} {
		probetest.Run(t, s)
	}
}

const (
	pagID    = "cccccccc-0000-4000-8000-000000000001"
	readerID = "dddddddd-0000-4000-8000-000000000001"
	bearer   = "a-bearer-of-the-application"
)

func token(context.Context) (string, error) { return bearer, nil }

// verify opens the door of a simulator for that bearer.
func verify(t string) (target.Caller, error) {
	if t != bearer {
		return target.Caller{}, fmt.Errorf("not a token")
	}
	return target.Caller{OID: readerID, App: true}, nil
}

// soon is a copy that follows Entra within a moment, which settle lets pass.
var soon = target.Delay{Min: time.Millisecond, Max: time.Millisecond}

func settle() { time.Sleep(3 * time.Second) }

// giver makes a roll's changes arrive.
func giver(roll *probetest.Roll) func(activation.Person, bool) {
	return func(p activation.Person, has bool) { roll.Set(p.Object, has); settle() }
}

var devopsFaults = map[string]probetest.Reply{
	"TF400733": {Status: 200, Type: "application/json", Body: `{"$id":"1","innerException":null,"message":"TF400733: The request has been canceled.","typeName":"Microsoft.TeamFoundation.Framework.Server.RequestCanceledException","typeKey":"RequestCanceledException","errorCode":0}`},
	"no route": {Status: 404, Type: "application/json", Body: `{"message":"The controller for path was not found","typeKey":"HttpException"}`},
	"no count": {Status: 200, Type: "application/json", Body: `{"value":[]}`},
	"count 0":  {Status: 200, Type: "application/json", Body: `{"count":0,"value":[]}`},
}

func devopsWorld(t *testing.T, byMembership bool) probetest.World {
	roll := &probetest.Roll{}
	o := devops.Org{Name: "contoso", Groups: []string{pagID}, Readers: []string{readerID}, Grant: soon, Revoke: soon}
	for _, p := range []activation.Person{probetest.Requester, probetest.Colleague} {
		o.Users = append(o.Users, devops.User{OID: p.Object, UPN: p.Name, Name: p.Name, Standing: true, SignedIn: true})
	}
	w, err := devops.New(devops.Config{Seed: 1, Tenant: probetest.Tenant, Directory: roll, Orgs: []devops.Org{o}, Verify: verify})
	if err != nil {
		t.Fatal(err)
	}
	grants := devops.Collection
	if byMembership {
		// An organization that refuses its lists answers by membership only.
		w.Turn(func(d *devops.Dials) { d.NoEntry, d.AbsentEmpty = true, true })
		w.Inject(devops.Fault{Path: "/accesscontrollists/", Do: target.DoStatus, Status: http.StatusForbidden})
		grants = "Microsoft.TeamFoundation.Identity;S-1-9-"
	}
	front := &probetest.Front{Handler: w.Handler()}
	return probetest.World{Front: front, Give: giver(roll), Grants: grants, Secrets: []string{bearer}, Probe: func() downstream.Probe {
		d, err := downstream.NewDevOps(downstream.DevOpsConfig{Org: "contoso", HTTP: front.Client(), Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}}
}

// lister is a Directory on Graph itself, as plain as can be: the members that
// the group lists.
type lister struct {
	http           *http.Client
	tenant, app    string
	secret, bearer string
	once           sync.Mutex
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
		return graphFault{a.StatusCode, seconds(a.Header.Get("Retry-After"))}
	}
	return json.NewDecoder(io.LimitReader(a.Body, 1<<20)).Decode(into)
}

func (l *lister) IsMember(ctx context.Context, group string, access activation.Access, objects []string) (map[string]bool, error) {
	l.once.Lock()
	defer l.once.Unlock()
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
			is[o] = is[o] || strings.EqualFold(m.ID, o)
		}
	}
	return is, nil
}

func entraWorld(t *testing.T, access activation.Access) probetest.World {
	w := entra.New(entra.Config{Seed: 1})
	g := w.AddGroup(entra.Group{ID: pagID, Name: "devops-admins"})
	for _, p := range []activation.Person{probetest.Requester, probetest.Colleague} {
		w.AddUser(entra.User{ID: p.Object, UPN: p.Name})
	}
	// Entra keeps the last owner, so somebody else is always one.
	keeper := w.AddUser(entra.User{UPN: "owner@contoso.example"})
	if err := w.AddTie(g.ID, "owner", keeper.ID); err != nil {
		t.Fatal(err)
	}
	app := w.AddApp(entra.App{Name: "reader", Secret: "made up", Roles: []string{"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"}})
	graph, authority := w.Graph(), w.Authority()
	front := &probetest.Front{Aside: "login.test", Handler: http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if q.Host == "login.test" {
			authority.ServeHTTP(rw, q)
			return
		}
		graph.ServeHTTP(rw, q)
	})}
	return probetest.World{Front: front, Grants: g.ID, Secrets: []string{app.Secret}, Probe: func() downstream.Probe {
		client := front.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		l := &lister{http: client, tenant: w.Tenant(), app: app.ID, secret: app.Secret}
		p, err := downstream.NewEntra(downstream.EntraConfig{Group: g.ID, Access: access, Directory: l})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}, Give: func(p activation.Person, is bool) {
		change := w.RemoveTie
		if is {
			change = w.AddTie
		}
		_ = change(g.ID, string(access), p.Object) // it may be so already
	}}
}

func seconds(header string) time.Duration {
	n, _ := strconv.Atoi(header)
	return time.Duration(n) * time.Second
}
