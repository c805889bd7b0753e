package app

import (
	"context"
	"net/netip"

	"pagbot/activation"
	"pagbot/downstream"
)

// TicketCheck is the system that knows the tickets of a group. It is asked once
// for every ask that nothing else forbids, before anything is sent to Entra.
type TicketCheck struct {
	// URL is a ticket's address, with {{.Ticket}} in its place.
	URL string `yaml:"url"`
	// Headers are sent along; credentials are {{secret "name"}} or
	// {{basic "user" "name"}}.
	Headers map[string]string `yaml:"headers"`
	// Secrets are the credentials by name, each {env: NAME} or {file: PATH}.
	Secrets map[string]Secret `yaml:"secrets"`
	// Value is where in the answer it stands whether the ticket will do: a JSON
	// pointer, such as /state. A list stands for its length. Empty: that there is
	// an answer (200, JSON) is enough. 404 always means that there is no ticket.
	Value string `yaml:"value"`
	// Yes are the values that mean that it will.
	Yes []string `yaml:"yes"`
	// Unsure says what becomes of an ask where the system does not tell: refuse
	// (the default) or allow, which is then said on the card.
	Unsure string `yaml:"unsure"`
	// Inward are networks of your own where the system may be, such as
	// 10.1.0.0/16. Else it is only asked at public addresses.
	Inward []string `yaml:"inward"`
	// Proxied has it asked through the proxy of the machine's settings. A proxy
	// looks names up itself, so what is inward is then for the proxy to refuse.
	Proxied bool `yaml:"proxied"`
}

func (c *TicketCheck) config(secrets map[string]string) (downstream.TicketConfig, error) {
	d := downstream.TicketConfig{URL: c.URL, Headers: c.Headers, Secrets: secrets, Value: c.Value, Yes: c.Yes, Lax: c.Unsure == "allow", Proxied: c.Proxied}
	for _, s := range c.Inward {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return d, err
		}
		d.Inward = append(d.Inward, p)
	}
	return d, nil
}

func (c *TicketCheck) check(g *GroupConfig, p *problems) {
	p.need(g.Ticket != "", "groups %s: ticket_check needs ticket, too: only what looks like a ticket is asked about", g.Name)
	p.need(c.Unsure == "" || c.Unsure == "refuse" || c.Unsure == "allow", "groups %s: ticket_check: unsure %q is not known: choose refuse or allow", g.Name, c.Unsure)
	dummies := map[string]string{}
	for name, s := range c.Secrets {
		p.need(s.set(), "groups %s: ticket_check: secret %s: %s", g.Name, name, secretForm)
		dummies[name] = "to be read at the start"
	}
	d, err := c.config(dummies)
	p.need(err == nil, "groups %s: ticket_check: inward %q: write networks like 10.1.0.0/16", g.Name, c.Inward)
	if err == nil {
		_, err = downstream.NewTickets(d)
		p.addAs("groups "+g.Name+": ticket_check", err)
	}
}

// ticketCheck opens a group's ticket system; nil if it has none.
func (a *App) ticketCheck(g GroupConfig) (func(context.Context, string) activation.Checked, error) {
	c := g.TicketCheck
	if c == nil {
		return nil, nil
	}
	secrets := map[string]string{}
	for name, s := range c.Secrets {
		v, err := s.read("groups "+g.Name+": ticket_check.secrets."+name, a.cfg.dir)
		if err != nil {
			return nil, err
		}
		secrets[name] = v
	}
	d, err := c.config(secrets)
	if err != nil {
		return nil, err
	}
	d.HTTP = a.http
	t, err := downstream.NewTickets(d)
	if err != nil {
		return nil, err
	}
	return t.Check, nil
}
