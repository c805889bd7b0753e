package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
	"pagbot/engine"
	"pagbot/graph"
	"pagbot/graph/signin"
	"pagbot/store"
)

// accounts is Entra as custody and binding need it.
type accounts struct {
	reader    *graph.Reader
	attribute string // that holds the Slack user id; empty: none
}

// Account implements signin.Directory.
func (a accounts) Account(ctx context.Context, object string) (signin.Account, error) {
	return a.reader.Account(ctx, object, a.attribute)
}

// members is Slack as custody and binding need it.
type members struct {
	api *slack.Client
	me  *slack.AuthTestResponse
}

// Member implements signin.Workspace.
func (m members) Member(ctx context.Context, u activation.SlackUser) (signin.Member, error) {
	p, err := m.user(ctx, u.ID)
	var no slack.SlackErrorResponse
	switch {
	case errors.As(err, &no) && (no.Err == "user_not_found" || no.Err == "user_not_visible"):
		return signin.Member{}, signin.ErrNoAccount
	case err != nil:
		return signin.Member{}, err
	case p == nil || p.ID != u.ID:
		return signin.Member{}, errors.New("users.info answered about somebody else")
	}
	in := p.TeamID == m.me.TeamID
	if m.me.EnterpriseID != "" {
		in = p.Enterprise.EnterpriseID == m.me.EnterpriseID
	}
	mail := p.Profile.Email
	if !p.IsEmailConfirmed {
		mail = "" // only claimed
	}
	return signin.Member{Name: p.Name, Team: m.me.Team, Mail: mail,
		Active: in && !(p.Deleted || p.IsBot || p.IsAppUser || p.IsRestricted || p.IsUltraRestricted || p.IsStranger || p.IsInvitedUser)}, nil
}

// user asks Slack, and waits where Slack says so: a sweep asks about everybody.
func (m members) user(ctx context.Context, id string) (*slack.User, error) {
	for {
		p, err := m.api.GetUserInfoContext(ctx, id)
		var limited *slack.RateLimitedError
		if !errors.As(err, &limited) {
			return p, err
		}
		select {
		case <-time.After(max(limited.RetryAfter, time.Second)):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// team is the first half of every Slack user's key.
func (a *App) team() string { return cmp.Or(a.me.EnterpriseID, a.me.TeamID) }

// openPeople reads who is who, if somebody has written it down.
func (a *App) openPeople() (*signin.People, error) {
	c := a.cfg.SignIn
	if c.People == "" {
		return signin.NoPeople(), nil
	}
	file, err := readFile("signin.people", a.cfg.in(c.People))
	if err != nil {
		return nil, err
	}
	people, err := signin.ParsePeople(bytes.NewReader(file), a.cfg.Entra.Tenant, a.team())
	if err != nil {
		return nil, fmt.Errorf("signin.people: %s: %w", c.People, plainPeople(err))
	}
	return people, nil
}

// tellBound tells a person, and the audit, that an account was bound to them.
func (a *App) tellBound(p activation.Person) {
	a.note("bound", p.Slack.ID, p.Object)
	go a.bot.TellBound(context.Background(), p)
}

// tellDevice tells a person, and the audit, what became of a device code.
func (a *App) tellDevice(u activation.SlackUser, ok bool, say string) {
	what := "device code refused"
	if ok {
		what = "signed in by device code"
	}
	a.note(what, u.ID, "")
	a.bot.TellDevice(context.Background(), u, say)
}

// note writes what was done about people into the audit trail. It has been
// done, so that not being able to is only logged.
func (a *App) note(what, slackUser, object string) {
	line, err := json.Marshal(map[string]string{"people": what, "slack": slackUser, "object": object})
	if err == nil {
		err = a.db.Commit(context.Background(), store.Turn{Log: []store.Entry{{Log: engine.AuditLog, Body: line}}})
	}
	select {
	case a.noted <- struct{}{}:
	default: // the trail is about to look anyway
	}
	a.log.Info("people: "+what, "slack", slackUser, "object", object)
	if err != nil {
		a.log.Error("what was done about people is not in the audit trail", "what", what, "slack", slackUser, "err", err)
	}
}

// committed wakes the audit trail: after the engine's commits, and after notes.
func (a *App) committed(ctx context.Context) <-chan struct{} {
	engine, wake := a.Engine.Committed(ctx), make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-engine:
			case <-a.noted:
			case <-ctx.Done():
				return
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}()
	return wake
}

// account is one of a person's accounts, as the commands show it.
type account struct {
	Slack  string    `json:"slack"`
	Person string    `json:"person"`
	Object string    `json:"object"`
	Name   string    `json:"name,omitempty"`
	By     string    `json:"by"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
}

// controlPeople answers the commands about people and keys.
func (a *App) controlPeople(mux *http.ServeMux) {
	ask := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if a.pages == nil {
				http.Error(w, "this bot only watches: nobody signs in, and there are no people to manage", http.StatusConflict)
				return
			}
			out, err := f(r)
			if err != nil {
				http.Error(w, oneLine(err), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(out)
		})
	}
	ask("GET /people", func(r *http.Request) (any, error) { return a.listPeople(r.Context()) })
	ask("POST /people/allow", a.allow)
	ask("POST /people/unbind", a.unbind)
	ask("POST /people/signout", a.signOut)
	ask("POST /keys/rotate", func(r *http.Request) (any, error) {
		did, err := a.pages.Rotate(r.Context())
		if err == nil {
			a.note("keys rotated", "", "")
		}
		return did, err
	})
}

func (a *App) listPeople(ctx context.Context) ([]account, error) {
	all, err := a.pages.Everybody(ctx)
	list := []account{}
	for _, b := range all {
		list = append(list, account{b.Slack.ID, strings.TrimPrefix(b.Human, "slack:"), b.Object, b.Name, b.How, b.Since, b.Until})
	}
	return list, err
}

var (
	slackID    = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
	attribute  = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)?)?$`)
	domainName = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// named is the Slack user that a command is about.
func (a *App) named(r *http.Request) (activation.SlackUser, error) {
	id := r.FormValue("slack")
	if !slackID.MatchString(id) {
		return activation.SlackUser{}, fmt.Errorf("%q is not a Slack user's id: it begins with U or W; pagbot people list shows them, and Slack under Profile, Copy member ID", id)
	}
	return activation.SlackUser{Team: a.team(), ID: id}, nil
}

func (a *App) allow(r *http.Request) (any, error) {
	u, err := a.named(r)
	if err != nil {
		return nil, err
	}
	if len(a.cfg.SignIn.Bind.Mail) == 0 {
		return nil, errors.New("nothing here needs allowing: only signin.bind.mail asks an administrator, for a person's further accounts")
	}
	until, err := a.pages.Allow(r.Context(), u)
	if err == nil {
		a.note("allowed a further account", u.ID, "")
	}
	return map[string]any{"slack": u.ID, "until": until}, err
}

func (a *App) unbind(r *http.Request) (any, error) {
	u, err := a.named(r)
	if err != nil {
		return nil, err
	}
	object := r.FormValue("object")
	if object != "" && !guid.MatchString(object) {
		return nil, fmt.Errorf("%q is not an object id: pagbot people list shows them", object)
	}
	off, lost := a.callOff(r.Context(), ofUser(u, object), takenAway)
	n, err := a.pages.Unbind(r.Context(), u, object)
	if err = errors.Join(err, lost); err == nil {
		a.note("unbound", u.ID, object)
	}
	file := 0
	left, unread := a.pages.Accounts(r.Context(), u)
	for _, b := range left {
		if b.How == "file" && (object == "" || strings.EqualFold(b.Object, object)) {
			file++
		}
	}
	return map[string]any{"slack": u.ID, "unbound": n, "file": file, "called_off": len(off)}, errors.Join(err, unread)
}

func (a *App) signOut(r *http.Request) (any, error) {
	if r.FormValue("all") != "" {
		n, err := a.pages.SignOutAll(r.Context())
		off, lost := a.callOff(r.Context(), func(activation.Person) bool { return true }, takenAway)
		if err = errors.Join(err, lost); err == nil {
			a.note("signed everybody out", "", "")
		}
		return map[string]any{"signed_out": n, "called_off": len(off)}, err
	}
	u, err := a.named(r)
	if err != nil {
		return nil, err
	}
	_, _, had := a.pages.SignedIn(r.Context(), u)
	if err := a.pages.SignOut(r.Context(), u); err != nil {
		return nil, err
	}
	a.note("signed out", u.ID, "")
	off, err := a.callOff(r.Context(), ofUser(u, ""), takenAway)
	n := 0
	if had {
		n = 1
	}
	return map[string]any{"slack": u.ID, "signed_out": n, "called_off": len(off)}, err
}
