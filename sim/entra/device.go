package entra

import (
	"mime"
	"net/url"
	"strings"
	"time"
)

// device is one device code: what was asked, and what the person did with it.
type device struct {
	app      *App
	typed    string // the user's code
	ask      url.Values
	issued   time.Time
	polled   time.Time
	in       *signIn
	no       *authError // why it will never be good
	redeemed bool
}

const (
	deviceLife  = 15 * time.Minute
	deviceEvery = 5 * time.Second
)

// deviceCode begins a sign-in on a device without a browser.
func (w *World) deviceCode(c *call) answer {
	now := w.wire()
	in := formOf(c)
	if _, _, basic := c.r.BasicAuth(); in.Get("client_id") == "" && !basic {
		return w.tokenError(trouble(900144, "The request body must contain the following parameter: 'client_id'."), now)
	}
	app, e := w.client(c, in)
	if e == nil {
		c.by.app = app.ID
		_, _, _, e = w.wanted(in.Get("scope"))
	}
	if e == nil && in.Get("scope") == "" {
		e = trouble(900144, "The request body must contain the following parameter: 'scope'.")
	}
	if e == nil {
		_, e = readClaims(in.Get("claims"))
	}
	if e != nil {
		return w.tokenError(e, now)
	}
	code := w.guid() + w.guid()
	d := &device{app: app, typed: w.userCode(), issued: now, ask: url.Values{"client_id": {app.ID}, "scope": {in.Get("scope")}}}
	if in.Get("claims") != "" {
		d.ask.Set("claims", in.Get("claims"))
	}
	d.ask.Set("otc", d.typed)
	w.auth.devices[code], w.auth.typed[d.typed] = d, d
	page := c.base + "/" + w.tenant + "/oauth2/deviceauth"
	return answer{status: 200, header: jsonHeader, body: obj{"device_code": code, "user_code": d.typed, "verification_uri": page,
		"expires_in": int(deviceLife.Seconds()), "interval": int(deviceEvery.Seconds()),
		"message": "To sign in, use a web browser to open the page " + page + " and enter the code " + d.typed + " to authenticate."}}
}

// formOf is what was posted, if it says that it is a form: nothing else is
// looked at.
func formOf(c *call) url.Values {
	if kind, _, _ := mime.ParseMediaType(c.header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	in, _ := url.ParseQuery(string(c.body))
	return in
}

// userCode is nine letters and digits that can't be taken for one another.
func (w *World) userCode() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, 9)
	for i := range b {
		b[i] = letters[w.rand.IntN(len(letters))]
	}
	return string(b)
}

// codePage asks for the code that the device shows.
func (w *World) codePage(problem string) answer {
	return page(200, "Enter code", orElse(problem, "Enter the code displayed on your app or device."),
		&form{Action: "/" + w.tenant + "/oauth2/deviceauth", Code: true})
}

// enterCode takes the code, and goes on to the sign-in.
func (w *World) enterCode(c *call) answer {
	in, _ := url.ParseQuery(string(c.body))
	d := w.auth.typed[strings.ToUpper(strings.TrimSpace(in.Get("otc")))]
	if d == nil || d.redeemed || d.in != nil || d.no != nil || w.wire().Sub(d.issued) > deviceLife {
		return w.codePage("That code didn't work. Check the code and try again.")
	}
	c.by.app = d.app.ID
	if s, ok := w.silent(c, d.ask); ok {
		return w.proceed(c, d.ask, d.app, s, "")
	}
	return w.signInPage(d.ask, d.app, "")
}

// confirmPage is the question that phishing victims should read.
func (w *World) confirmPage(q url.Values, app *App, u *User) answer {
	return page(200, "Are you trying to sign in to "+app.Name+"?", "Only continue if you downloaded the app from a store or website that you trust.",
		&form{Action: "/" + w.tenant + "/device", Request: q.Encode(), User: u.ID, Confirm: true})
}

// confirm takes the answer: from here on the device's polls are answered.
func (w *World) confirm(c *call) answer {
	in, q, app, bad := w.posted(c)
	if bad != nil {
		return *bad
	}
	d := w.auth.typed[q.Get("otc")]
	s := w.signedIn(c, in.Get("user"))
	if d == nil || s == nil {
		return w.codePage("")
	}
	if in.Get("do") != "continue" {
		return w.back(q, &authError{number: 65004, name: "authorization_declined"})
	}
	d.in = s
	c.by.oid = s.user.ID
	return page(200, app.Name, "You have signed in to the "+app.Name+" application on your device. You may now close this window.", nil)
}

// refuseDevice tells the person on the page, and the device when it polls.
func (w *World) refuseDevice(q url.Values, e *authError) answer {
	if d := w.auth.typed[q.Get("otc")]; d != nil {
		d.no = e
	}
	return w.errorPage(e)
}

// poll answers a device that asks whether its person is done.
func (w *World) poll(c *call, app *App, in url.Values) (grant, *authError) {
	d, now := w.auth.devices[in.Get("device_code")], w.wire()
	if d == nil || d.app != app {
		return grant{}, trouble(70018, "Invalid verification code.")
	}
	early := now.Sub(d.polled) < deviceEvery && !d.polled.IsZero()
	d.polled = now
	switch {
	case d.redeemed:
		return grant{}, trouble(54005, "The device code was already redeemed.")
	case now.Sub(d.issued) > deviceLife:
		return grant{}, trouble(70019, "The verification code has expired.")
	case d.no != nil:
		return grant{}, d.no
	case d.in == nil && early && w.dials.SlowDown:
		return grant{}, &authError{number: 70016, name: "slow_down"}
	case d.in == nil:
		return grant{}, trouble(70016, "")
	}
	d.redeemed = true
	audience, scopes, open, _ := w.wanted(d.ask.Get("scope"))
	g := grant{app: app, user: d.in.user, in: *d.in, audience: audience, open: open, device: true}
	claims, e := readClaims(orElse(in.Get("claims"), d.ask.Get("claims")))
	if e != nil {
		return g, e
	}
	g.cp1 = claims.cp1
	if len(w.unconsented(app, audience, scopes)) > 0 {
		return g, trouble(65001, "")
	}
	if w.dials.DeviceAcrs && g.in.mfa {
		g.acrs = claims.acrs
	}
	return g, w.barred(visit{app: app, in: g.in, acrs: g.acrs, device: true, from: c.from})
}
