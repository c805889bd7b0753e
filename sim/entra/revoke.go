package entra

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// RevokeSessions ends an account's sessions as an administrator or the person
// would: refresh tokens and browser sessions from before are refused, and
// access tokens of clients that declared cp1 are challenged. Other access
// tokens live on, and a guest's sessions belong to another tenant.
func (w *World) RevokeSessions(oid string) error {
	w.enter()
	defer w.mu.Unlock()
	u := w.user(oid)
	if u == nil {
		return fmt.Errorf("no user %s", oid)
	}
	w.revoke(u)
	return nil
}

func (w *World) revoke(u *User) {
	if !u.Guest {
		u.SessionsValidFrom, u.changed = w.wire(), w.Now()
		u.forget()
	}
}

// ChangePassword changes an account's password: refresh tokens of public
// clients are refused, those of confidential ones survive.
func (w *World) ChangePassword(oid string) error {
	w.enter()
	defer w.mu.Unlock()
	u := w.user(oid)
	if u == nil {
		return fmt.Errorf("no user %s", oid)
	}
	u.PasswordChanged, u.changed = w.wire(), w.Now()
	u.forget()
	return nil
}

// revoked tells whether a sign-in is no longer good for a refresh.
func revoked(app *App, in signIn) bool {
	return in.at.Before(in.user.SessionsValidFrom) || !app.confidential() && in.at.Before(in.user.PasswordChanged)
}

// challenged is what continuous access evaluation says to a person's token: a
// refusal with claims, but only to clients that understand it.
func (w *World) challenged(u *User, by caller) *refusal {
	if !by.cp1 {
		return nil
	}
	iat, _ := by.claims["iat"].(float64)
	for _, from := range []time.Time{u.SessionsValidFrom, u.PasswordChanged} {
		if int64(iat) < from.Unix() && !w.wire().Before(from.Add(w.dials.Hears)) {
			return refuse(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp.").
				with(challenge(DoCAE, itoa(int(from.Unix()))))
		}
	}
	if u.Disabled && !w.wire().Before(u.disabled.Add(w.dials.Hears)) {
		return refuse(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: UserDisabled.").
			with(challenge(DoCAE, itoa(int(w.wire().Unix()))))
	}
	return nil
}

// revokeSessions is /users/{id}/revokeSignInSessions.
func (w *World) revokeSessions(c *call) answer {
	u := w.user(c.args["id"])
	if u == nil {
		return w.missing(c, c.args["id"])
	}
	if c.by.oid != "" && c.by.oid != u.ID && !c.by.admin {
		return w.refused(c, denied)
	}
	w.revoke(u)
	return answer{status: 200, body: obj{"@odata.context": c.context("Edm.Boolean"), "value": true}}
}

// logout ends the browser's session, and sends it on only to where the app may
// be sent.
func (w *World) logout(c *call) answer {
	q, _ := url.ParseQuery(c.query)
	if c.method == "POST" {
		q, _ = url.ParseQuery(string(c.body))
	}
	if cookie, err := c.r.Cookie(cookieName); err == nil {
		delete(w.auth.sessions, cookie.Value)
	}
	a := page(200, "You signed out of your account", "It's a good idea to close all browser windows.", nil)
	to := q.Get("post_logout_redirect_uri")
	if app := w.loggedOut(q); app != nil && slices.Contains(app.Redirects, to) {
		more := url.Values{}
		if q.Has("state") {
			more.Set("state", q.Get("state"))
		}
		a = redirect(url.Values{"redirect_uri": {to}}, more)
	}
	a.header["Set-Cookie"] = cookieName + "=; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=0"
	return a
}

// loggedOut finds whose user leaves: the id token says so, or the client id.
func (w *World) loggedOut(q url.Values) *App {
	if claims, err := verify(q.Get("id_token_hint"), &signingKey().PublicKey); err == nil {
		aud, _ := claims["aud"].(string)
		return w.app(aud)
	}
	return w.app(q.Get("client_id"))
}
