package entra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Manage serves what scripts and the demo's web page need, as JSON. It is no
// part of what is simulated, and checks no token: keep it on loopback.
//
//	GET  /state       users, groups, members, role settings, requests, instances
//	GET  /history     every call          GET /writes     those that change something
//	GET  /counters    creates by user, group and action
//	GET  /dials       PUT /dials          (only the named ones change)
//	POST /faults      arms a Fault: {"id":1}    DELETE /faults/{id}
//	POST /portal      {"as":oid,"do":"activate|deactivate|cancel|approve|deny|remove|grant|reject", …}
//	POST /ties        {"group","access","principal"}: added past PIM; DELETE takes out
//	POST /roles       a Role → {"id"};  POST /held {"role","principal"}: who holds it
//	POST /eligibility {"group","access","principal"} → {"id"}; DELETE /eligibility/{id}
//	PUT  /settings    {"group","access","settings":{…}}
//	PUT  /enabled     {"user","enabled"}
//	POST /verdicts    a Verdict; number 0 lifts
//	POST /policies    a Policy of Conditional Access, for good
//	POST /revoke      {"user"}: its sessions;  POST /password {"user"}: a new one
func (w *World) Manage() http.Handler {
	m := http.NewServeMux()
	m.Handle("GET /state", answers(func(*http.Request) (any, error) { return w.State(), nil }))
	m.Handle("GET /history", answers(func(*http.Request) (any, error) { return w.History(), nil }))
	m.Handle("GET /writes", answers(func(*http.Request) (any, error) { return w.Writes(), nil }))
	m.Handle("GET /counters", answers(func(*http.Request) (any, error) { return w.counted(), nil }))
	m.Handle("GET /dials", answers(func(*http.Request) (any, error) { return w.Dials(), nil }))
	m.Handle("PUT /dials", answers(func(r *http.Request) (any, error) {
		var err error
		w.Turn(func(d *Dials) { err = exact(r, d) })
		return w.Dials(), err
	}))
	m.Handle("POST /portal", takes(w.portal))
	m.Handle("POST /verdicts", takes(func(v Verdict) (any, error) { w.SetVerdict(v); return obj{}, nil }))
	m.Handle("POST /policies", takes(func(p Policy) (any, error) { w.AddPolicy(p); return obj{}, nil }))
	m.Handle("POST /revoke", takes(func(s struct{ User string }) (any, error) { return obj{}, w.RevokeSessions(s.User) }))
	m.Handle("POST /password", takes(func(s struct{ User string }) (any, error) { return obj{}, w.ChangePassword(s.User) }))
	w.manageFaults(m)
	w.manageDirectory(m)
	return m
}

func (w *World) manageFaults(m *http.ServeMux) {
	var mu sync.Mutex
	var disarm []func()
	m.Handle("POST /faults", takes(func(f Fault) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		if f.App != "" && !w.registered(f.App) {
			return nil, fmt.Errorf("no app %q", f.App)
		}
		disarm = append(disarm, w.Inject(f))
		return obj{"id": len(disarm)}, nil
	}))
	m.Handle("DELETE /faults/{id}", answers(func(r *http.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || id < 1 || id > len(disarm) {
			return nil, fmt.Errorf("no fault %q", r.PathValue("id"))
		}
		disarm[id-1]()
		return obj{}, nil
	}))
}

func (w *World) registered(app string) bool {
	w.enter()
	defer w.mu.Unlock()
	return w.app(app) != nil
}

func (w *World) manageDirectory(m *http.ServeMux) {
	m.Handle("POST /ties", takes(func(t Tie) (any, error) { return obj{}, w.AddTie(t.Group, t.Access, t.Principal) }))
	m.Handle("DELETE /ties", takes(func(t Tie) (any, error) { return obj{}, w.RemoveTie(t.Group, t.Access, t.Principal) }))
	m.Handle("POST /eligibility", takes(func(t Tie) (any, error) {
		id, err := w.AddEligibility(t.Group, t.Access, t.Principal, time.Time{})
		return obj{"id": id}, err
	}))
	m.Handle("POST /roles", takes(func(r Role) (any, error) { return obj{"id": w.AddRole(r).ID}, nil }))
	m.Handle("POST /held", takes(func(s struct{ Role, Principal string }) (any, error) {
		return obj{}, w.AssignRole(s.Role, s.Principal, time.Time{})
	}))
	m.Handle("DELETE /eligibility/{id}", answers(func(r *http.Request) (any, error) { return obj{}, w.RemoveEligibility(r.PathValue("id")) }))
	m.Handle("PUT /settings", takes(func(s struct {
		Group, Access string
		Settings      Settings
	}) (any, error) {
		return obj{}, w.SetSettings(s.Group, s.Access, s.Settings)
	}))
	m.Handle("PUT /enabled", takes(func(s struct {
		User    string
		Enabled bool
	}) (any, error) {
		return obj{}, w.SetEnabled(s.User, s.Enabled)
	}))
}

// Tie names one principal's access to one group.
type Tie struct {
	Group     string `json:"group"`
	Access    string `json:"access"`
	Principal string `json:"principal"`
}

type portalAsk struct {
	As, Do, Group, Access, Principal, Request, Reason string
	Minutes                                           int
}

func (w *World) portal(in portalAsk) (any, error) {
	p := w.Portal(in.As)
	id, err := "", error(nil)
	switch in.Do {
	case "activate":
		id, err = p.Activate(in.Group, orElse(in.Access, "member"), time.Duration(in.Minutes)*time.Minute, in.Reason)
	case "deactivate":
		id, err = p.Deactivate(in.Group, orElse(in.Access, "member"))
	case "remove":
		id, err = p.Remove(in.Group, orElse(in.Access, "member"), in.Principal, in.Reason)
	case "cancel":
		err = p.Cancel(in.Request)
	case "approve", "deny":
		err = p.Decide(in.Request, in.Do == "approve", in.Reason)
	case "grant", "reject":
		err = p.Grant(in.Request, in.Do == "grant", in.Reason)
	default:
		err = fmt.Errorf("do must be activate, deactivate, remove, cancel, approve, deny, grant or reject, not %q", in.Do)
	}
	return obj{"request": orElse(id, in.Request)}, err
}

// takes decodes a JSON body, strictly.
func takes[T any](do func(T) (any, error)) http.Handler {
	return answers(func(r *http.Request) (any, error) {
		var in T
		if err := exact(r, &in); err != nil {
			return nil, err
		}
		return do(in)
	})
}

func exact(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func answers(do func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		out, err := do(r)
		if err != nil {
			rw.WriteHeader(http.StatusBadRequest)
			out = obj{"error": err.Error()}
		}
		_ = json.NewEncoder(rw).Encode(out)
	})
}

func (w *World) counted() (all []obj) {
	for k, n := range w.Counters() {
		all = append(all, obj{"user": k.User, "group": k.Group, "action": k.Action, "n": n})
	}
	return all
}

// State is the tenant at a glance, truthfully: no lag, no lies.
func (w *World) State() map[string]any {
	now := w.enter()
	defer w.mu.Unlock()
	honest := w.dials
	w.dials = Usual()
	defer func() { w.dials = honest }()
	users, groups := []User{}, []obj{}
	for _, u := range w.users {
		users = append(users, *u)
	}
	for _, g := range w.groups {
		o := w.groupJSON(g)
		o["members"], o["owners"] = w.direct(g.ID, "member", now), w.direct(g.ID, "owner", now)
		o["settings"] = obj{"member": w.setting(roleKey{g.ID, "member"}), "owner": w.setting(roleKey{g.ID, "owner"})}
		groups = append(groups, o)
	}
	return obj{"now": now, "tenant": w.tenant, "users": users, "groups": groups, "eligible": w.eligibilityInstances(nil, now, nil),
		"requests": w.assignmentRequests(nil, now, nil), "instances": w.assignmentInstances(nil, now, nil)}
}
