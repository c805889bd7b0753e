package entra

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// App is an app registration with its consents.
type App struct {
	ID           string
	Name         string
	Secret       string
	Certificates []*x509.Certificate // for client assertions
	Redirects    []string
	SPA          []string // redirects of a single-page application: PKCE, no secret, refresh tokens of a day
	Public       bool     // "allow public client flows": device codes, and codes, without a secret
	FirstParty   bool     // one of Microsoft's own, which can't be given PIM's scopes
	Delegated    []string // scopes that an administrator consented to: a Graph scope, or "{resource}/{scope}"
	Roles        []string // application permissions: Graph's, or "{resource}/{permission}"
	Assigned     []string // with assignment required: the accounts that may sign in; nil lets all in
	Principal    string   // object id of its service principal, made up when empty; the oid of its own tokens
}

// AddApp registers an app and returns it with its id.
func (w *World) AddApp(a App) App {
	w.enter()
	defer w.mu.Unlock()
	a.ID = cmp.Or(a.ID, w.guid())
	a.Principal = cmp.Or(a.Principal, w.guid())
	if a.Roles == nil {
		a.Roles = []string{}
	}
	w.apps = append(w.apps, &a)
	return a
}

// AddResource makes tokens available for a further resource: the beginning of
// its scopes, and the audience of its tokens.
func (w *World) AddResource(uri, audience string) {
	w.enter()
	defer w.mu.Unlock()
	w.extra[uri] = audience
}

// ChangeApp edits a registration: a consent withdrawn, a secret rolled.
func (w *World) ChangeApp(id string, change func(*App)) error {
	w.enter()
	defer w.mu.Unlock()
	a := w.app(id)
	if a == nil {
		return fmt.Errorf("no app %s", id)
	}
	change(a)
	return nil
}

func (w *World) app(id string) *App {
	i := slices.IndexFunc(w.apps, func(a *App) bool { return strings.EqualFold(a.ID, id) })
	if i < 0 {
		return nil
	}
	return w.apps[i]
}

// confidential tells whether an app must prove who it is.
func (a *App) confidential() bool { return a.Secret != "" || len(a.Certificates) > 0 }

// mayRedirect tells whether an app registered an address. A public client's
// http://localhost stands for every port.
func (a *App) mayRedirect(to string) bool {
	if slices.Contains(a.Redirects, to) || slices.Contains(a.SPA, to) {
		return true
	}
	u, err := url.Parse(to)
	if err != nil || !a.Public || u.Scheme != "http" || u.Hostname() != "localhost" {
		return false
	}
	u.Host = "localhost"
	return slices.Contains(a.Redirects, u.String())
}

// openID scopes belong to no resource and need no consent here.
var openID = []string{"openid", "profile", "offline_access", "email"}

// wanted reads a scope parameter: the one resource it is for, the scopes of it
// and the OpenID ones. Scopes of two resources at once are refused.
func (w *World) wanted(scope string) (audience string, scopes, open []string, no *authError) {
	for _, s := range strings.Fields(scope) {
		if slices.Contains(openID, s) {
			open = append(open, s)
			continue
		}
		aud, name := w.resource(s)
		if aud == "" {
			return "", nil, nil, trouble(500011, "The resource principal of "+s+" was not found in the tenant.")
		}
		if audience != "" && aud != audience {
			return "", nil, nil, trouble(70011, "The provided value for the input parameter 'scope' is not valid: scopes of one resource only.")
		}
		audience = aud
		scopes = append(scopes, name)
	}
	return cmp.Or(audience, GraphAudience), scopes, open, nil
}

// resource splits a scope into its resource's audience and its name; a bare
// name is Graph's.
func (w *World) resource(scope string) (audience, name string) {
	i := strings.LastIndex(scope, "/")
	if i < 0 {
		return GraphAudience, scope
	}
	uri, name := strings.TrimRight(scope[:i], "/"), scope[i+1:]
	if aud := w.extra[uri]; aud != "" {
		return aud, name
	}
	return map[string]string{"https://graph.microsoft.com": GraphAudience, GraphApp: GraphAudience, DevOpsAudience: DevOpsAudience,
		"https://app.vssps.visualstudio.com": DevOpsAudience}[uri], name
}

// consented are the app's delegated scopes for a resource.
func (w *World) consented(a *App, audience string) (names []string) {
	for _, s := range a.Delegated {
		if aud, name := w.resource(s); aud == audience {
			names = append(names, name)
		}
	}
	return names
}

// unconsented are those of the wanted scopes that nobody consented to.
// .default means whatever is consented, but something must be.
func (w *World) unconsented(a *App, audience string, scopes []string) (missing []string) {
	have := w.consented(a, audience)
	for _, s := range scopes {
		if s == ".default" && len(have) > 0 || slices.Contains(have, s) {
			continue
		}
		missing = append(missing, s)
	}
	return missing
}
