package app

import (
	"pagbot/activation"
	"pagbot/downstream"
)

// HTTPTarget is any other system, with one question that its operator writes
// down. docs/targets.md has worked examples.
type HTTPTarget struct {
	// URL is the address, with {{.User.OID}}, {{.User.UPN}}, {{.User.Local}} (the
	// part before the @) or {{.User.Tenant}} behind a host that is fixed.
	URL string `yaml:"url"`
	// Method is GET (the default), or POST where post_reads says that it is safe.
	Method string `yaml:"method"`
	// PostReads declares that this POST changes nothing there. The bot sends it
	// again and again, by night too: look twice.
	PostReads bool `yaml:"post_reads"`
	// Headers are sent along; credentials are {{secret "name"}} or
	// {{basic "user" "name"}}.
	Headers map[string]string `yaml:"headers"`
	// Secrets are the credentials by name, each {env: NAME} or {file: PATH}.
	Secrets map[string]Secret `yaml:"secrets"`
	// Body is JSON, for POST; the same placeholders and secrets may stand in it.
	Body string `yaml:"body"`
	// Value is where in the answer it stands: a JSON pointer, such as /state. A
	// list stands for its length.
	Value string `yaml:"value"`
	// Yes are the values that mean that the person has the access.
	Yes []string `yaml:"yes"`
	// No are the values that mean that they don't. Everything else is neither.
	No []string `yaml:"no"`
	// Evidence is a JSON pointer to the id of what granted it, if there is one.
	Evidence string `yaml:"evidence"`
	// YesStatus is the status of an answer that may be a yes; empty: 200.
	YesStatus int `yaml:"yes_status"`
	// NoStatus is a status that means no, such as 404; it needs exists.
	NoStatus int `yaml:"no_status"`
	// Exists is an address that shows that what is asked about exists (the group,
	// the team), so that a typing mistake is not read as a no.
	Exists string `yaml:"exists"`
	// ExistsValue is a JSON pointer into that answer: 0, false or null there mean
	// that we may not look, or that there is nothing.
	ExistsValue string `yaml:"exists_value"`
	// Proves is what you declare a yes to prove: received (the system lists the
	// person, the default) or effective (its own policy would let the person in).
	Proves string `yaml:"proves"`
	// Inward allows an address inside your network. Where machines keep their own
	// credentials no target may be, whatever this says.
	Inward bool `yaml:"inward"`
}

func (h *HTTPTarget) config(secrets map[string]string) downstream.HTTPConfig {
	c := downstream.HTTPConfig{Method: h.Method, URL: h.URL, Headers: h.Headers, Body: h.Body, Secrets: secrets, Value: h.Value, Yes: h.Yes, No: h.No, Evidence: h.Evidence,
		PostReads: h.PostReads, YesStatus: h.YesStatus, NoStatus: h.NoStatus, Exists: h.Exists, ExistsValue: h.ExistsValue, Level: activation.L1, Inward: h.Inward}
	if h.Proves == "effective" {
		c.Level = activation.L2
	}
	return c
}

// httpKind says what its operator declares.
var httpKind = kind{
	section: func(t *TargetConfig) bool { return t.HTTP != nil },
	check: func(t *TargetConfig, p *problems) {
		h := t.HTTP
		dummies := map[string]string{}
		for name, s := range h.Secrets {
			p.need(s.set(), "targets %s: secret %s: %s", t.ID, name, secretForm)
			dummies[name] = "to be read at the start"
		}
		switch h.Proves {
		case "", "received", "effective":
		case "listed", "configured":
			p.need(false, "targets %s: proves %s is what Entra's own lists prove: choose kind entra for that", t.ID, h.Proves)
		default:
			p.need(false, "targets %s: proves %q is not known: choose received or effective; that a session of the person's has it can only be seen as the person", t.ID, h.Proves)
		}
		_, err := downstream.NewHTTP(h.config(dummies))
		t.wrong(p, err)
		defaultTo(&t.Name, t.ID)
	},
	open: func(a *App, t TargetConfig, _ scope) (downstream.Probe, error) {
		secrets := map[string]string{}
		for name, s := range t.HTTP.Secrets {
			v, err := s.read("targets "+t.ID+": http.secrets."+name, a.cfg.dir)
			if err != nil {
				return nil, err
			}
			secrets[name] = v
		}
		c := t.HTTP.config(secrets)
		c.HTTP, c.Now = a.http, a.clock.Now
		return downstream.NewHTTP(c)
	},
}
