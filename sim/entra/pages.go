package entra

import (
	"html"
	"net/url"
	"slices"
	"strings"
)

type form struct {
	Action, Request, User, Hint string
	SignIn, MFA, Code, Confirm  bool
	Scopes                      []string
}

// page makes a page by hand: html/template would make every program that links
// this keep all methods of everything.
func page(status int, title, text string, f *form) answer {
	e := html.EscapeString
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>` + e(title) + `</title>` + style + `</head>
<body><h1>` + e(title) + `</h1><p>` + e(text) + `</p>
`)
	if f != nil {
		f.write(&b)
	}
	b.WriteString("</body></html>\n")
	return answer{status: status, raw: []byte(b.String()), header: map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}}
}

const style = `<style>:root{color-scheme:light dark}body{font:16px system-ui,sans-serif;max-width:26rem;margin:12vh auto;padding:0 1rem}h1{font-size:1.4rem}` +
	`label{display:block;margin:.6rem 0}input[type=text]{width:100%;box-sizing:border-box}input,button{font:inherit;padding:.3rem .6rem}</style>`

func (f *form) write(b *strings.Builder) {
	e := html.EscapeString
	b.WriteString(`<form method="post" action="` + e(f.Action) + `">
<input type="hidden" name="request" value="` + e(f.Request) + `">
`)
	if f.User != "" {
		b.WriteString(`<input type="hidden" name="user" value="` + e(f.User) + `">`)
	}
	switch {
	case f.Code:
		b.WriteString(`<label>Code <input type="text" name="otc" value=""></label>
<button type="submit" name="do" value="next">Next</button>
`)
	case f.Confirm:
		b.WriteString(`<button type="submit" name="do" value="continue">Continue</button>
`)
	case f.SignIn:
		checked := ""
		if f.MFA {
			checked = " checked"
		}
		b.WriteString(`<label>Account <input type="text" name="account" value="` + e(f.Hint) + `"></label>
<label><input type="checkbox" name="mfa" value="yes"` + checked + `> Multi-factor authentication done</label>
<label><input type="checkbox" name="compliant" value="yes"> On a compliant device</label>
<label><input type="checkbox" name="joined" value="yes"> On a device of the domain</label>
<button type="submit" name="do" value="signin">Sign in</button>
`)
	default:
		b.WriteString("<ul>")
		for _, s := range f.Scopes {
			b.WriteString("<li>" + e(s) + "</li>")
		}
		b.WriteString("</ul>\n" + `<button type="submit" name="do" value="accept">Accept</button>` + "\n")
	}
	b.WriteString(`<button type="submit" name="do" value="cancel">Cancel</button>
</form>`)
}

func (w *World) errorPage(e *authError) answer {
	text, _, _ := e.describe(w, w.wire())
	a := page(400, "Sorry, but we’re having trouble signing you in.", text, nil)
	a.code = "AADSTS" + itoa(e.number)
	return a
}

// signInPage asks for the account. The tick stands for the second factor; it
// is set where the app asked for an authentication context.
func (w *World) signInPage(q url.Values, app *App, problem string) answer {
	claims, _ := readClaims(q.Get("claims"))
	text := "to continue to " + app.Name
	if problem != "" {
		text = problem
	} else if len(claims.acrs) > 0 {
		text += ". More information is required to keep your account secure."
	}
	return page(200, "Sign in to your account", text, &form{Action: "/" + w.tenant + "/login", Request: q.Encode(), SignIn: true,
		Hint: q.Get("login_hint"), MFA: len(claims.acrs) > 0})
}

func (w *World) consentPage(q url.Values, app *App, u *User, audience string, missing []string) answer {
	for i := range missing {
		missing[i] = audience + "/" + missing[i]
	}
	return page(200, "Permissions requested", app.Name+" would like to:", &form{Action: "/" + w.tenant + "/consent", Request: q.Encode(), User: u.ID, Scopes: missing})
}

// posted reads a form of ours and the sign-in request that it carries.
func (w *World) posted(c *call) (in, q url.Values, app *App, bad *answer) {
	in, _ = url.ParseQuery(string(c.body))
	q, _ = url.ParseQuery(in.Get("request"))
	app, bad = w.checkRequest(q)
	if app != nil {
		c.by.app = app.ID
	}
	return in, q, app, bad
}

// signIn takes the sign-in form: an interactive authentication, now.
func (w *World) signIn(c *call) answer {
	in, q, app, bad := w.posted(c)
	if bad != nil {
		return *bad
	}
	if in.Get("do") == "cancel" {
		return w.back(q, trouble(65004, ""))
	}
	u := w.user(strings.TrimSpace(in.Get("account")))
	if u == nil {
		return w.signInPage(q, app, "We couldn't find an account with that username.")
	}
	fresh := signIn{user: u, at: w.wire(), mfa: in.Get("mfa") != "" && !u.NoMFA, compliant: in.Get("compliant") != "", joined: in.Get("joined") != ""}
	claims, _ := readClaims(q.Get("claims"))
	if len(claims.acrs) > 0 && !fresh.mfa || lacksMFA(w.conditions(visit{app: app, in: fresh, acrs: claims.acrs, device: q.Has("otc"), from: c.from})) {
		return w.signInPage(q, app, "More information is required: multi-factor authentication.")
	}
	return w.proceed(c, q, app, fresh, w.remember(c, fresh))
}

// remember puts a sign-in into the browser's session, and returns its cookie.
func (w *World) remember(c *call, in signIn) string {
	id := ""
	if cookie, err := c.r.Cookie(cookieName); err == nil && w.auth.sessions[cookie.Value] != nil {
		id = cookie.Value
	} else {
		id = w.guid()
		w.auth.sessions[id] = &session{}
	}
	s := w.auth.sessions[id]
	s.in = append(slices.DeleteFunc(s.in, func(o signIn) bool { return o.user == in.user }), in)
	return id
}

// consent takes the consent form: an administrator's yes holds for the tenant.
func (w *World) consent(c *call) answer {
	in, q, app, bad := w.posted(c)
	if bad != nil {
		return *bad
	}
	s := w.signedIn(c, in.Get("user"))
	switch {
	case s == nil:
		return w.signInPage(q, app, "")
	case in.Get("do") != "accept" || !s.user.Admin:
		return w.back(q, trouble(65004, ""))
	}
	audience, scopes, _, _ := w.wanted(q.Get("scope"))
	for _, name := range w.unconsented(app, audience, scopes) {
		app.Delegated = append(app.Delegated, audience+"/"+name)
	}
	return w.proceed(c, q, app, *s, "")
}

// signedIn finds an account among those that a browser is signed in with.
func (w *World) signedIn(c *call, oid string) *signIn {
	cookie, err := c.r.Cookie(cookieName)
	if err != nil || w.auth.sessions[cookie.Value] == nil {
		return nil
	}
	for _, s := range w.auth.sessions[cookie.Value].in {
		if s.user.ID == oid {
			return &s
		}
	}
	return nil
}
