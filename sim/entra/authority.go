package entra

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// authority is what the login host remembers. All times are wire time.
type authority struct {
	codes    map[string]*grant
	refresh  map[string]*grant
	sessions map[string]*session
	verdicts []Verdict
	policies []*Policy
	devices  map[string]*device // by the device's code
	typed    map[string]*device // by the person's code
	alike    map[string]int     // token requests that came before, word by word
	since    time.Time          // when counting them began
}

func newAuthority() authority {
	return authority{codes: map[string]*grant{}, refresh: map[string]*grant{}, sessions: map[string]*session{},
		devices: map[string]*device{}, typed: map[string]*device{}, alike: map[string]int{}}
}

// session is one browser's; a person may be signed in with several accounts.
type session struct{ in []signIn }

// signIn is one interactive authentication.
type signIn struct {
	user *User
	at   time.Time
	mfa  bool

	compliant, joined bool // the browser's device
}

// grant is what a code or a refresh token stands for.
type grant struct {
	app       *App
	user      *User // nil: the app itself
	in        signIn
	audience  string
	open      []string
	spa       bool
	from      string // the browser's address at the sign-in
	redirect  string
	challenge string
	nonce     string
	acrs      []string
	cp1       bool
	issued    time.Time
	used      bool
	device    bool      // came by the device code flow, and stays so
	until     time.Time // a single-page application's last refresh; zero: 90 days from the last
}

func (g grant) amr() []string {
	if g.in.mfa {
		return []string{"pwd", "mfa"}
	}
	return []string{"pwd"}
}

const (
	cookieName = "ESTSAUTH"
	codeLife   = 10 * time.Minute
	refreshFor = 90 * 24 * time.Hour
)

// Authority serves the login host. MSAL insists on https: wrap it in TLS.
func (w *World) Authority() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, _ := w.read(r)
		c.from = addressOf(c)
		w.deliver(rw, c, "authority", func() answer { return w.login(c) })
	})
}

func (w *World) login(c *call) answer {
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(c.path, "/"), "/")
	if !strings.EqualFold(tenant, w.tenant) {
		return w.tokenError(trouble(90002, "Tenant '"+tenant+"' not found. Check to make sure you have the correct tenant ID."), w.wire())
	}
	switch c.method + " " + rest {
	case "GET v2.0/.well-known/openid-configuration":
		return answer{status: 200, header: jsonHeader, body: w.discovery(c)}
	case "GET discovery/v2.0/keys":
		return answer{status: 200, header: jsonHeader, body: jwks()}
	case "GET oauth2/v2.0/authorize":
		q, _ := url.ParseQuery(c.query)
		return w.authorize(c, q)
	case "POST login":
		return w.signIn(c)
	case "POST consent":
		return w.consent(c)
	case "POST oauth2/v2.0/token":
		return w.token(c)
	case "GET oauth2/v2.0/token":
		return w.tokenError(trouble(900561, "The endpoint only accepts POST requests. Received a GET request."), w.wire())
	case "POST oauth2/v2.0/devicecode":
		return w.deviceCode(c)
	case "GET oauth2/deviceauth":
		return w.codePage("")
	case "POST oauth2/deviceauth":
		return w.enterCode(c)
	case "POST device":
		return w.confirm(c)
	case "GET oauth2/v2.0/logout", "POST oauth2/v2.0/logout":
		return w.logout(c)
	}
	return page(404, "Not found", "The page does not exist.", nil)
}

func (w *World) issuer(c *call) string { return c.base + "/" + w.tenant + "/v2.0" }

func (w *World) discovery(c *call) obj {
	at := c.base + "/" + w.tenant
	return obj{"issuer": w.issuer(c), "authorization_endpoint": at + "/oauth2/v2.0/authorize", "token_endpoint": at + "/oauth2/v2.0/token",
		"device_authorization_endpoint": at + "/oauth2/v2.0/devicecode", "end_session_endpoint": at + "/oauth2/v2.0/logout",
		"jwks_uri": at + "/discovery/v2.0/keys", "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"subject_types_supported": []string{"pairwise"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported": openID, "token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"}}
}

// authorize is the sign-in request as the browser brings it.
func (w *World) authorize(c *call, q url.Values) answer {
	app, bad := w.checkRequest(q)
	if bad != nil {
		return *bad
	}
	c.by.app = app.ID
	if e := checkParameters(app, q); e != nil {
		return w.back(q, e)
	}
	if _, _, _, e := w.wanted(q.Get("scope")); e != nil {
		return w.back(q, e)
	}
	in, ok := w.silent(c, q)
	switch {
	case ok:
		return w.proceed(c, q, app, in, "")
	case q.Get("prompt") == "none":
		return w.back(q, trouble(50058, "A silent sign-in request was sent but no user is signed in."))
	}
	return w.signInPage(q, app, "")
}

// checkRequest refuses, without sending the browser anywhere, what must not be
// trusted with a redirect.
func (w *World) checkRequest(q url.Values) (*App, *answer) {
	app := w.app(q.Get("client_id"))
	e := trouble(700016, "Application with identifier '"+q.Get("client_id")+"' was not found in the directory.")
	if app != nil {
		if q.Has("otc") || app.mayRedirect(q.Get("redirect_uri")) {
			return app, nil
		}
		e = trouble(50011, "The redirect URI '"+q.Get("redirect_uri")+"' specified in the request does not match the redirect URIs configured for the application '"+app.ID+"'.")
	}
	a := w.errorPage(e)
	return nil, &a
}

func checkParameters(app *App, q url.Values) *authError {
	for k, v := range q {
		if len(v) > 1 {
			return trouble(9000411, "The request is not properly formatted. The parameter '"+k+"' is duplicated.")
		}
	}
	mode, method := q.Get("response_mode"), q.Get("code_challenge_method")
	switch {
	case q.Get("response_type") != "code":
		return trouble(900144, "The request must contain response_type=code.")
	case mode != "" && mode != "query":
		return trouble(900144, "response_mode must be query.")
	case q.Get("scope") == "":
		return trouble(900144, "The request body must contain the following parameter: 'scope'.")
	case !q.Has("code_challenge") && slices.Contains(app.SPA, q.Get("redirect_uri")):
		return trouble(9002325, "Proof Key for Code Exchange is required for cross-origin authorization code redemption.")
	case q.Has("code_challenge") && method != "S256":
		return trouble(900144, "code_challenge_method must be S256.")
	}
	if _, e := readClaims(q.Get("claims")); e != nil {
		return e
	}
	return nil
}

// silent finds a sign-in of this browser that does without asking: not when
// the app wants a fresh one, not for another account, not if more is needed.
func (w *World) silent(c *call, q url.Values) (signIn, bool) {
	cookie, err := c.r.Cookie(cookieName)
	claims, _ := readClaims(q.Get("claims"))
	silent := w.dials.LoginIsSilent && len(claims.acrs) > 0
	if err != nil || !silent && slices.Contains([]string{"login", "select_account"}, q.Get("prompt")) {
		return signIn{}, false
	}
	s := w.auth.sessions[cookie.Value]
	if s == nil {
		return signIn{}, false
	}
	fit := slices.DeleteFunc(slices.Clone(s.in), func(in signIn) bool {
		hint := q.Get("login_hint")
		return hint != "" && !strings.EqualFold(hint, in.user.UPN) || !silent && w.tooOld(q, in) || in.at.Before(in.user.SessionsValidFrom)
	})
	if len(fit) != 1 || len(claims.acrs) > 0 && !fit[0].mfa {
		return signIn{}, false
	}
	v := visit{app: w.app(q.Get("client_id")), in: fit[0], acrs: claims.acrs, device: q.Has("otc"), from: c.from}
	if w.stale(v) || lacksMFA(w.conditions(v)) {
		return signIn{}, false
	}
	return fit[0], true
}

func (w *World) tooOld(q url.Values, in signIn) bool {
	age, err := time.ParseDuration(q.Get("max_age") + "s")
	return q.Has("max_age") && (err != nil || w.wire().Sub(in.at) > age)
}

// proceed goes on with a sign-in: verdicts, consent, code.
func (w *World) proceed(c *call, q url.Values, app *App, in signIn, cookie string) answer {
	c.by.oid = in.user.ID
	a := w.verdictOrCode(c, q, app, in)
	if cookie != "" {
		if a.header == nil {
			a.header = map[string]string{}
		}
		a.header["Set-Cookie"] = cookieName + "=" + cookie + "; Path=/; Secure; HttpOnly; SameSite=None"
	}
	return a
}

func (w *World) verdictOrCode(c *call, q url.Values, app *App, in signIn) answer {
	claims, _ := readClaims(q.Get("claims"))
	if e := w.barred(visit{app: app, in: in, acrs: claims.acrs, device: q.Has("otc"), from: c.from}); e != nil {
		return w.back(q, e)
	}
	audience, scopes, open, _ := w.wanted(q.Get("scope"))
	if missing := w.unconsented(app, audience, scopes); len(missing) > 0 {
		switch {
		case app.FirstParty:
			return w.back(q, trouble(65002, ""))
		case !w.dials.ConsentToAdmins:
			return w.back(q, trouble(65001, ""))
		case !in.user.Admin:
			return w.back(q, trouble(90094, ""))
		}
		return w.consentPage(q, app, in.user, audience, missing)
	}
	if q.Has("otc") {
		return w.confirmPage(q, app, in.user)
	}
	code := w.guid() + w.guid()
	w.auth.codes[code] = &grant{app: app, user: in.user, in: in, audience: audience, open: open, redirect: q.Get("redirect_uri"),
		spa: slices.Contains(app.SPA, q.Get("redirect_uri")), from: c.from,
		challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), acrs: claims.acrs, cp1: claims.cp1, issued: w.wire()}
	return redirect(q, url.Values{"code": {code}, "session_state": {w.guid()}})
}

// back sends a refusal to the app, or, by dial, keeps the browser here.
func (w *World) back(q url.Values, e *authError) answer {
	if q.Has("otc") {
		return w.refuseDevice(q, e)
	}
	if w.dials.ErrorsStay {
		return w.errorPage(e)
	}
	text, _, _ := e.describe(w, w.wire())
	name := orElse(backNames[e.number], orElse(w.oauthName(e), "server_error"))
	a := redirect(q, url.Values{"error": {name}, "error_description": {text}})
	a.code = "AADSTS" + itoa(e.number)
	return a
}

func redirect(q, more url.Values) answer {
	if q.Has("state") {
		more.Set("state", q.Get("state"))
	}
	to := q.Get("redirect_uri")
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	return answer{status: 302, header: map[string]string{"Location": to + sep + more.Encode()}}
}

// wishes are what a claims parameter asks of the access token.
type wishes struct {
	acrs []string
	cp1  bool
}

func readClaims(s string) (wishes, *authError) {
	var in struct {
		AccessToken struct {
			Acrs struct {
				Value  string
				Values []string
			}
			XmsCC struct{ Values []string } `json:"xms_cc"`
		} `json:"access_token"`
	}
	if s == "" {
		return wishes{}, nil
	}
	if err := json.Unmarshal([]byte(s), &in); err != nil {
		return wishes{}, trouble(900144, "The claims parameter is no valid JSON.")
	}
	a := in.AccessToken
	if a.Acrs.Value != "" {
		a.Acrs.Values = append(a.Acrs.Values, a.Acrs.Value)
	}
	return wishes{a.Acrs.Values, slices.ContainsFunc(a.XmsCC.Values, func(v string) bool { return strings.EqualFold(v, "cp1") })}, nil
}
