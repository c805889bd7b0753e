package app

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/graph/signin"
)

// What the kinds directory-role, azure, intune and defender have in common.

// As says as whom a target is asked.
type As string

// The two; empty is asApplication.
const (
	asApplication As = "application"
	asPerson      As = "person"
)

func (a As) check(t *TargetConfig, p *problems) {
	p.need(a == "" || a == asApplication || a == asPerson, "targets %s: as %q is not known: choose application or person", t.ID, string(a))
}

// asksPersons reports whether a target is asked with people's own sign-ins.
func (t *TargetConfig) asksPersons() bool {
	return t.Intune != nil && t.Intune.As == asPerson || t.Defender != nil && t.Defender.As == asPerson
}

// address checks another address than Microsoft's own.
func (t *TargetConfig) address(api string, p *problems) {
	p.need(api == "" || safe(api), "targets %s: api %q is not an https address: leave it out for Microsoft's own", t.ID, api)
}

// graphRoot is Microsoft Graph's address.
func (c *Config) graphRoot() string {
	if c.Entra.Graph == "" {
		return c.Entra.cloud().graph
	}
	return strings.TrimSuffix(c.Entra.Graph, "/")
}

// graphAt is Graph's address for a target that may name another.
func (a *App) graphAt(api string) string {
	if api != "" {
		return api
	}
	return a.cfg.graphRoot()
}

// reading gives tokens of the reader for a resource; empty: Graph.
func (a *App) reading(scope string) (func(context.Context) (string, error), error) {
	cred, err := a.cfg.credential(a.http, a.secrets.reader)
	if err != nil {
		return nil, err
	}
	if scope == "" {
		scope = a.cfg.graphRoot() + "/.default"
	}
	return bearer(cred, scope), nil
}

func (a *App) client() downstream.Client { return downstream.Client{HTTP: a.http, Now: a.clock.Now} }

// probe keeps a nil of a probe's own type from being one that is not nil.
func probe[P downstream.Probe](p P, err error) (downstream.Probe, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// lateLooks lets probes that ask as the person be made before the sign-in
// service is.
type lateLooks struct{ atomic.Pointer[signin.Looks] }

// Token implements downstream.Tokens.
func (l *lateLooks) Token(ctx context.Context, who activation.Person, scope string, after time.Time) (string, time.Time, error) {
	looks := l.Load()
	if looks == nil {
		return "", time.Time{}, downstream.ErrNoSignIn
	}
	token, issued, err := looks.Token(ctx, who, scope, after)
	if errors.Is(err, signin.ErrSignIn) {
		err = errors.Join(downstream.ErrNoSignIn, err)
	}
	return token, issued, err
}
