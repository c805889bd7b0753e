package entra

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"
)

// token is the token endpoint, as msal-go speaks to it.
func (w *World) token(c *call) answer {
	now := w.wire()
	in, err := url.ParseQuery(string(c.body))
	if kind, _, _ := mime.ParseMediaType(c.header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		in = url.Values{} // nothing that is looked at
	}
	if err == nil && w.loops(in, now) {
		return w.tokenError(trouble(50196, ""), now)
	}
	if err != nil {
		return w.tokenError(trouble(900144, "The request body is no form."), now)
	}
	e := incomplete(c, in)
	var app *App
	if e == nil {
		app, e = w.client(c, in)
	}
	var g grant
	if e == nil {
		c.by.app = app.ID
		switch in.Get("grant_type") {
		case "client_credentials":
			return w.forApp(app, in)
		case "authorization_code":
			g, e = w.redeem(app, in)
		case "refresh_token":
			g, e = w.renew(c, app, in)
		case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
			g, e = w.poll(c, app, in)
		default:
			e = trouble(70003, "The app requested an unsupported grant type '"+in.Get("grant_type")+"'.")
		}
	}
	if e != nil {
		return w.tokenError(e, now)
	}
	c.by.oid = g.user.ID
	return w.forUser(c, g, in)
}

// incomplete names the first parameter that a token request lacks.
func incomplete(c *call, in url.Values) *authError {
	of := strings.TrimPrefix(in.Get("grant_type"), "urn:ietf:params:oauth:grant-type:")
	for _, name := range []string{"grant_type", "client_id", map[string]string{"refresh_token": "refresh_token", "authorization_code": "code", "device_code": "device_code"}[of]} {
		_, _, basic := c.r.BasicAuth()
		if name != "" && in.Get(name) == "" && !(basic && name == "client_id") {
			return trouble(900144, "The request body must contain the following parameter: '"+name+"'.")
		}
	}
	return nil
}

// loops tells, by dial, whether the same token request came too often within
// five minutes. Devices poll, and may.
func (w *World) loops(in url.Values, now time.Time) bool {
	if w.dials.Loop == 0 || strings.HasSuffix(in.Get("grant_type"), "device_code") {
		return false
	}
	if now.Sub(w.auth.since) > 5*time.Minute {
		clear(w.auth.alike)
		w.auth.since = now
	}
	w.auth.alike[in.Encode()]++
	return w.auth.alike[in.Encode()] > w.dials.Loop
}

// client checks who asks: by secret, in the form or in a header, or by a
// signed assertion. A public client has neither, and must not have.
func (w *World) client(c *call, in url.Values) (*App, *authError) {
	if id, secret, ok := c.r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
		in.Set("client_id", id)
		in.Set("client_secret", secret)
	}
	app := w.app(in.Get("client_id"))
	secret := in.Has("client_secret") || in.Has("client_assertion")
	code := w.auth.codes[in.Get("code")]
	spa := code != nil && code.spa || w.auth.refresh[in.Get("refresh_token")] != nil && w.auth.refresh[in.Get("refresh_token")].spa
	switch {
	case app == nil:
		return nil, trouble(700016, "Application with identifier '"+in.Get("client_id")+"' was not found in the directory.")
	case secret && (spa || !app.confidential() && (app.Public || len(app.SPA) > 0)):
		return nil, trouble(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
	case !secret && (spa || app.Public && in.Get("grant_type") != "client_credentials"):
		return app, nil
	case in.Has("client_assertion"):
		return app, w.asserted(c, app, in.Get("client_assertion"))
	case in.Get("client_secret") == "":
		return app, trouble(7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case app.Secret == "" || in.Get("client_secret") != app.Secret:
		return app, trouble(7000215, "Invalid client secret provided.")
	}
	return app, nil
}

func (w *World) asserted(c *call, app *App, assertion string) *authError {
	for _, cert := range app.Certificates {
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		if !ok {
			continue
		}
		claims, err := verify(assertion, key)
		exp, _ := claims["exp"].(float64)
		aud, _ := claims["aud"].(string)
		if err == nil && claims["iss"] == app.ID && strings.HasPrefix(aud, c.base) && float64(w.wire().Unix()) < exp {
			return nil
		}
	}
	return trouble(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
}

// forApp answers client credentials: .default, and the roles that were granted.
func (w *World) forApp(app *App, in url.Values) answer {
	now := w.wire()
	audience, scopes, _, e := w.wanted(in.Get("scope"))
	if e == nil && (len(scopes) != 1 || scopes[0] != ".default") {
		e = trouble(1002012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.")
	}
	if e != nil {
		return w.tokenError(e, now)
	}
	own := *app
	own.Roles = []string{}
	for _, r := range app.Roles { // those of this resource
		if aud, name := w.resource(r); aud == audience {
			own.Roles = append(own.Roles, name)
		}
	}
	g := grant{app: &own}
	body := obj{"token_type": "Bearer"}
	w.carry(body, g, audience, nil, now)
	return answer{status: 200, header: jsonHeader, body: body}
}

// redeem takes an authorization code: once, soon, by whom it was made for.
func (w *World) redeem(app *App, in url.Values) (grant, *authError) {
	g := w.auth.codes[in.Get("code")]
	if g == nil || g.app != app {
		return grant{}, trouble(9002313, "Invalid request. The authorization code is malformed or belongs to another client.")
	}
	if g.used {
		return *g, trouble(54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	}
	sum := sha256.Sum256([]byte(in.Get("code_verifier")))
	switch {
	case w.wire().Sub(g.issued) > codeLife:
		return *g, trouble(70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
	case in.Get("redirect_uri") != g.redirect:
		return *g, trouble(50011, "The redirect URI in the request does not match the one that the code was made for.")
	case g.challenge != "" && b64.EncodeToString(sum[:]) != g.challenge:
		return *g, trouble(501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	g.used = true
	return *g, w.barred(visit{app: app, in: g.in, acrs: g.acrs, from: g.from})
}

// renew takes a refresh token. It stays good when its successor is issued, and
// serves every resource that the app has consent for.
func (w *World) renew(c *call, app *App, in url.Values) (grant, *authError) {
	old := w.auth.refresh[in.Get("refresh_token")]
	if old == nil || old.app != app {
		return grant{}, trouble(9002313, "Invalid request. The refresh token is malformed or belongs to another client.")
	}
	g := *old
	claims, e := readClaims(in.Get("claims"))
	switch {
	case e != nil:
		return g, e
	case w.wire().Sub(g.issued) > refreshFor, !g.until.IsZero() && w.wire().After(g.until):
		return g, trouble(700082, "")
	case revoked(app, g.in):
		return g, trouble(50173, "")
	}
	if e := w.barred(visit{app: app, in: g.in, acrs: claims.acrs, device: g.device, refresh: true, from: c.from}); e != nil {
		return g, e
	}
	audience, scopes, open, e := w.wanted(in.Get("scope"))
	if e != nil {
		return g, e
	}
	if len(w.unconsented(app, audience, scopes)) > 0 {
		return g, trouble(map[bool]int{true: 65002, false: 65001}[app.FirstParty], "")
	}
	if g.device && !w.dials.DeviceAcrs {
		claims.acrs = nil
	}
	// An old session's MFA satisfies an authentication context in silence.
	if len(claims.acrs) > 0 && (!g.in.mfa || w.dials.StepUpAsks) {
		return g, trouble(50076, "")
	}
	g.audience, g.acrs, g.cp1, g.nonce = audience, claims.acrs, claims.cp1, ""
	if len(open) > 0 {
		g.open = open
	}
	return g, nil
}

// forUser answers with a person's tokens.
func (w *World) forUser(c *call, g grant, in url.Values) answer {
	now := w.wire()
	// A code's token request may ask for claims again: they count.
	if claims, e := readClaims(in.Get("claims")); e == nil {
		g.cp1 = g.cp1 || claims.cp1
		if g.in.mfa && len(claims.acrs) > 0 && len(g.acrs) == 0 && !g.device {
			g.acrs = claims.acrs
		}
	}
	// MSAL asks for offline_access and openid only when it redeems the code.
	for _, s := range openID {
		if slices.Contains(strings.Fields(in.Get("scope")), s) && !slices.Contains(g.open, s) {
			g.open = append(slices.Clone(g.open), s)
		}
	}
	scopes := w.consented(g.app, g.audience)
	info, _ := json.Marshal(obj{"uid": g.user.ID, "utid": w.tenant})
	body := obj{"token_type": "Bearer", "scope": strings.Join(append(w.spelt(in.Get("scope"), g.audience, scopes), g.open...), " "), "client_info": b64.EncodeToString(info)}
	w.carry(body, g, g.audience, scopes, now)
	if slices.Contains(g.open, "openid") {
		body["id_token"] = w.idToken(g, w.issuer(c), now)
	}
	if slices.Contains(g.open, "offline_access") {
		next := g
		next.issued = now
		if g.spa && g.until.IsZero() {
			next.until = now.Add(24 * time.Hour)
		}
		token := w.guid() + w.guid()
		w.auth.refresh[token] = &next
		body["refresh_token"] = token
	}
	return answer{status: 200, header: jsonHeader, body: body}
}

// spelt writes the granted scopes as they were asked for; MSAL takes another
// spelling for a refusal. Those that were not asked for come along in full.
func (w *World) spelt(asked, audience string, granted []string) (all []string) {
	said := map[string]bool{}
	for _, s := range strings.Fields(asked) {
		if aud, name := w.resource(s); aud == audience && slices.Contains(granted, name) {
			all = append(all, s)
			said[name] = true
		}
	}
	for _, name := range granted {
		if !said[name] {
			all = append(all, audience+"/"+name)
		}
	}
	return all
}
