package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/engine"
)

// kind is one kind of target: how its settings are checked, and how its probe
// is made. A new kind is a file like target_scim.go and a line in kinds.
type kind struct {
	// within is when a removal is overdue that was not seen, unless the
	// configuration says otherwise; zero: it has to.
	within time.Duration
	// section reports whether the kind's own settings are there; nil: it has
	// none of its own.
	section func(*TargetConfig) bool
	// check says what is wrong with the settings, and fills in what was left
	// out. It asks nobody.
	check func(*TargetConfig, *problems)
	// open makes a probe. A group's own copy is made where perGroup is set.
	open func(*App, TargetConfig, scope) (downstream.Probe, error)
	// perGroup: the answer depends on the group and the access.
	perGroup bool
	// provisioned: Entra writes it by SCIM, a few at a time.
	provisioned bool
	// owners: owners of the group are followed there too. Elsewhere they are
	// not, as an owner is no member.
	owners bool
}

// scope is for whom a probe is made.
type scope struct {
	group  string
	access activation.Access
}

// kinds are all there are.
var kinds = map[string]kind{
	"entra":  entraKind,
	"devops": devopsKind,
	"scim":   scimKind,
	"http":   httpKind,
	"aws":    awsKind,

	"directory-role": roleKind,
	"azure":          azureKind,
	"intune":         intuneKind,
	"defender":       defenderKind,
}

func kindNames() string {
	all := slices.Sorted(maps.Keys(kinds))
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

func (t *TargetConfig) check(p *problems, n int, seen map[string]bool) {
	p.need(t.ID != "", "targets: entry %d has no id: give it one for the groups to name it by", n)
	p.need(t.ID == "" || !seen[t.ID], "targets: the id %q stands twice: give every target its own", t.ID)
	seen[t.ID] = t.ID != ""
	k, ok := kinds[t.Kind]
	if !ok {
		p.need(false, "targets %s: kind %q is not known: choose %s", t.ID, t.Kind, kindNames())
		return
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		if other := kinds[name]; name != t.Kind && other.section != nil && other.section(t) {
			p.need(false, "targets %s: the settings of kind %s stand at a target of kind %s: remove them, or correct the kind", t.ID, name, t.Kind)
			return
		}
	}
	if k.section != nil && !k.section(t) {
		p.need(false, "targets %s: the settings of kind %s are missing: see pagbot.example.yaml", t.ID, t.Kind)
		return
	}
	k.check(t, p)
	defaultTo(&t.GoneWithin, Duration(k.within))
	defaultTo(&t.Sessions, Duration(downstream.Sessions(t.Kind)))
	if k.provisioned {
		defaultTo(&t.Application, t.ID)
	}
	if t.OnDemand != nil {
		p.need((k.provisioned || t.Application != "") && !k.perGroup, "targets %s: provision_on_demand is for what Entra provisions: name its application, or leave it out", t.ID)
		p.need(guid.MatchString(t.OnDemand.ServicePrincipal), "targets %s: provision_on_demand.service_principal %q is not an object id: copy it from the application's overview under Enterprise applications", t.ID, t.OnDemand.ServicePrincipal)
	}
	p.need(t.GoneWithin > 0, "targets %s: say gone_within: when a removal that was not seen there is overdue; nobody else knows this system", t.ID)
}

// wrong puts what a probe says of its configuration into one of our sentences.
func (t *TargetConfig) wrong(p *problems, err error) {
	if err == nil {
		return
	}
	s := oneLine(err)
	if _, after, ok := strings.Cut(s, " target: "); ok {
		s = after
	}
	p.add(fmt.Errorf("targets %s: %s", t.ID, s))
}

// token reads a target's secret once, at the start.
func (a *App) token(t TargetConfig, field string, s Secret) (func(context.Context) (string, error), error) {
	v, err := s.read("targets "+t.ID+": "+field, a.cfg.dir)
	return func(context.Context) (string, error) { return v, nil }, err
}

// targetID is a group's own copy of a target: Entra's answer depends on the
// group and the access, an organization's does not.
func targetID(t TargetConfig, s scope) string {
	if kinds[t.Kind].perGroup {
		return t.ID + ":" + s.group + ":" + string(s.access)
	}
	return t.ID
}

// label is a target as administrators know it.
func (c *Config) label(t TargetConfig, s scope) string {
	for _, g := range c.Groups {
		if g.ID == s.group {
			return t.ID + " of " + g.Name
		}
	}
	return t.ID
}

var accesses = []activation.Access{activation.Member, activation.Owner}

// openTarget makes the probe of a target, or of a group's own copy.
func (a *App) openTarget(t TargetConfig, s scope) error {
	probe, err := kinds[t.Kind].open(a, t, s)
	if err != nil {
		return err
	}
	a.targets[targetID(t, s)] = probe
	if first, ok := probe.(interface{ Setup(context.Context) error }); ok {
		a.setups = append(a.setups, setup{a.cfg.label(t, s), first.Setup})
	}
	return nil
}

func (a *App) openTargets(context.Context) error {
	var p problems
	for _, t := range a.cfg.Targets {
		if !kinds[t.Kind].perGroup {
			p.add(a.openTarget(t, scope{}))
		}
	}
	for _, g := range a.cfg.Groups {
		for _, t := range a.cfg.targetsOf(g) {
			for _, access := range accesses {
				if k := kinds[t.Kind]; k.perGroup && (k.owners || access == activation.Member) {
					p.add(a.openTarget(t, scope{g.ID, access}))
				}
			}
		}
	}
	return errors.Join(p...)
}

// openLeft opens what is still followed of groups that were taken out of the
// configuration: their end is to be proven all the same.
func (a *App) openLeft(ctx context.Context) error {
	var p problems
	book := engine.Engine{Config: engine.Config{Store: a.db}}
	lives, err := book.Find(ctx, "open")
	for _, life := range lives {
		for _, t := range a.cfg.Targets {
			s := scope{life.Group.ID, life.Access}
			id := targetID(t, s)
			if _, followed := life.Target(id); followed && a.targets[id] == nil && kinds[t.Kind].perGroup {
				p.add(a.openTarget(t, s))
			}
		}
	}
	return errors.Join(append(p, err)...)
}

// reaches lists, per access, what a group's activations are followed on.
func (a *App) reaches(g GroupConfig) map[activation.Access][]activation.Target {
	m := map[activation.Access][]activation.Target{}
	for _, access := range accesses {
		for _, t := range a.cfg.targetsOf(g) {
			if access == activation.Owner && !kinds[t.Kind].owners {
				continue
			}
			id := targetID(t, scope{g.ID, access})
			m[access] = append(m[access], activation.Target{ID: id, Kind: t.Kind, Name: t.Name, Level: a.targets[id].Limits().Level,
				Within: activation.Duration(t.GoneWithin), Sessions: activation.Duration(t.Sessions), App: t.Application,
				OnDemand: t.OnDemand != nil && access == activation.Member})
		}
	}
	return m
}
