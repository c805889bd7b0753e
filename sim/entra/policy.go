package entra

import (
	"net"
	"slices"
	"strings"
	"time"
)

// Policy is a Conditional Access policy: whom it meets, and what it demands of
// them. Every policy that meets a sign-in must be satisfied.
type Policy struct {
	User    string `json:"user,omitempty"`    // object id; "" everybody
	App     string `json:"app,omitempty"`     // client id; "" every app
	Context string `json:"context,omitempty"` // only sign-ins that ask for this authentication context

	MFA          bool          `json:"mfa,omitempty"`
	Compliant    bool          `json:"compliant,omitempty"`    // the device; 53000
	Joined       bool          `json:"joined,omitempty"`       // the device, to the domain; 53001
	From         []string      `json:"from,omitempty"`         // beginnings of the only addresses that are let in; 53003
	NoDeviceCode bool          `json:"noDeviceCode,omitempty"` // the device code flow is blocked; 53003, and 530036 on refreshes
	Frequency    time.Duration `json:"frequency,omitempty"`    // sign-in frequency; 70043
}

// AddPolicy puts a Conditional Access policy into force; the returned function
// takes it away again.
func (w *World) AddPolicy(p Policy) (remove func()) {
	w.enter()
	defer w.mu.Unlock()
	in := &p
	w.auth.policies = append(w.auth.policies, in)
	return func() {
		w.enter()
		defer w.mu.Unlock()
		w.auth.policies = slices.DeleteFunc(w.auth.policies, func(o *Policy) bool { return o == in })
	}
}

// visit is what Conditional Access sees of somebody who wants a token.
type visit struct {
	app     *App
	in      signIn
	acrs    []string
	device  bool   // by the device code flow, now or once
	refresh bool   // without a person
	from    string // the address of who is here: a browser, or an app's server
}

func (p *Policy) meets(v visit) bool {
	return (p.User == "" || p.User == v.in.user.ID) && (p.App == "" || strings.EqualFold(p.App, v.app.ID)) &&
		(p.Context == "" || slices.Contains(v.acrs, p.Context))
}

// judge tells what a policy holds against a visit.
func (p *Policy) judge(v visit, now time.Time) *authError {
	inside := func(prefix string) bool { return strings.HasPrefix(v.from, prefix) }
	switch {
	case p.NoDeviceCode && v.device && v.refresh:
		return trouble(530036, "")
	case p.NoDeviceCode && v.device, len(p.From) > 0 && !slices.ContainsFunc(p.From, inside):
		return trouble(53003, "")
	case p.Compliant && (!v.in.compliant || v.device): // a device code tells nothing of the device
		return trouble(53000, "")
	case p.Joined && (!v.in.joined || v.device):
		return trouble(53001, "")
	case p.MFA && !v.in.mfa && v.in.user.NoMFA:
		return trouble(50079, "")
	case p.MFA && !v.in.mfa:
		return trouble(50076, "")
	// A confidential client's refreshes wait for the next interactive sign-in.
	case p.Frequency > 0 && v.refresh && !v.app.confidential() && now.Sub(v.in.at) > p.Frequency:
		return trouble(70043, "")
	}
	return nil
}

// conditions is what all policies together hold against a visit.
func (w *World) conditions(v visit) *authError {
	for _, p := range w.auth.policies {
		if !p.meets(v) {
			continue
		}
		if e := p.judge(v, w.wire()); e != nil {
			return e
		}
	}
	return nil
}

// stale tells whether a sign-in is older than the policies let a browser's be.
func (w *World) stale(v visit) bool {
	return slices.ContainsFunc(w.auth.policies, func(p *Policy) bool {
		return p.Frequency > 0 && p.meets(v) && w.wire().Sub(v.in.at) > p.Frequency
	})
}

// lacksMFA tells whether a second factor would help.
func lacksMFA(e *authError) bool { return e != nil && e.number == 50076 }

// addressOf is where a call comes from: as a proxy says, or as it is.
func addressOf(c *call) string {
	if f, _, _ := strings.Cut(c.header.Get("X-Forwarded-For"), ","); f != "" {
		return strings.TrimSpace(f)
	}
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return host
}
