package downstream

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"pagbot/activation"
)

// IntuneAsPerson asks Intune as the person which role assignments they have
// (effective, for that sign-in). It tells two assignments of one role apart.
type IntuneAsPerson struct {
	*persons
	settings *intuneSettings
	exists   *Configured
	limits   Limits
	policies *persons  // nil: no proof by scope
	seen     sightings // scope tags that policies have
}

// NewIntuneAsPerson makes the probe. The settings are still read as the
// application: an assignment that does not exist is nobody's lack.
func NewIntuneAsPerson(c IntuneConfig, t Tokens) (*IntuneAsPerson, error) {
	if t == nil {
		return nil, missingSetting("intune", "a way to ask as the person")
	}
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	exists, err := newConfigured("intune", c.Group, c.Directory, s.c.Client.Now, Limits{}, s.find)
	if err != nil {
		return nil, err
	}
	l := c.Limits.or(Limits{Batch: 1, Rate: time.Second, Timeout: 30 * time.Second, Confirm: 1, As: asPerson})
	l.Level = activation.L3
	p := &IntuneAsPerson{persons: newPersons(t, cmp.Or(c.Scope, IntuneScope)), settings: s, exists: exists, limits: l}
	if c.ProofScope != "" {
		p.policies = newPersons(t, c.ProofScope)
	}
	return p, nil
}

// Changed implements Dated.
func (p *IntuneAsPerson) Changed(who activation.Person, at time.Time) {
	p.persons.Changed(who, at)
	if p.policies != nil {
		p.policies.Changed(who, at)
	}
}

// Limits implements Probe.
func (p *IntuneAsPerson) Limits() Limits { return p.limits }

// Setup shows that the assignment is as it should be; its error is for people.
func (p *IntuneAsPerson) Setup(ctx context.Context) error { return p.exists.Setup(ctx) }

// Check implements Probe.
func (p *IntuneAsPerson) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limits.Timeout)
	defer cancel()
	now := p.settings.c.Client.Now
	begun := now()
	as, err := p.exists.shownAssignment(ctx)
	if err != nil {
		return doubtAll(who, err, activation.L3, begun, now())
	}
	answers, f := askEach(ctx, now, activation.L3, who, func(ctx context.Context, w activation.Person, _ time.Time) (activation.Answer, error) {
		token, issued, err := p.bearer(ctx, w)
		if err != nil {
			return activation.Answer{}, err
		}
		has, err := p.assigned(ctx, token)
		if errors.Is(err, errRoleOnly) && p.policies != nil {
			has, issued, err = p.inScope(ctx, w, as)
		}
		return yesNo(has, activation.L3, as.id, issued, now()), err
	})
	return answers, p.settings.ms.slowed(f)
}

// wireDetails is what Intune says of whoever calls, in both of its shapes. Only
// the first names assignments.
type wireDetails struct {
	Assignments *[]string `json:"roleAssignmentIds"`
	Definitions *[]struct {
		Name string `json:"roleDefinitionDisplayName"`
	} `json:"roleDefinitions"`
}

func (p *IntuneAsPerson) assigned(ctx context.Context, token string) (bool, error) {
	var body struct {
		wireDetails
		Value *wireDetails `json:"value"`
	}
	err := p.settings.ms.ask(ctx, request{at: p.settings.c.Base + "/beta/deviceManagement/getAssignedRoleDetails", bearer: token, as: asPerson}, &body)
	if err != nil {
		return false, err
	}
	d := body.wireDetails
	if body.Value != nil {
		d = *body.Value
	}
	switch {
	case d.Assignments != nil:
		return names(*d.Assignments, p.settings.c.Assignment), nil
	case d.Definitions == nil:
		return false, &Fault{Why: nonsense}
	case len(*d.Definitions) == 0:
		return false, nil // no role at all, so not through this assignment either
	}
	return false, &Fault{Why: "Intune names the person's roles, but not the assignment that each comes from", Err: errRoleOnly}
}

// errRoleOnly says that only the newer shape came.
var errRoleOnly = errors.New("roles without assignments")

// inScope asks which policies the person sees: one with a scope tag of the
// assignment shows that they are in its scope.
func (p *IntuneAsPerson) inScope(ctx context.Context, w activation.Person, as assignment) (has bool, issued time.Time, err error) {
	token, issued, err := p.policies.bearer(ctx, w)
	if err != nil {
		return false, issued, err
	}
	all, err := everything[struct {
		Tags []string `json:"roleScopeTagIds"`
	}](ctx, p.settings.ms, request{at: p.settings.c.Base + "/beta/deviceManagement/deviceCompliancePolicies?$select=id,displayName,roleScopeTagIds", bearer: token, as: asPerson})
	if err != nil {
		return false, issued, err
	}
	var visible []string
	for _, policy := range all {
		visible = append(visible, policy.Tags...)
	}
	p.seen.note(visible)
	known := false
	for _, tag := range as.tags {
		if slices.Contains(visible, tag) {
			return true, issued, nil
		}
		known = known || p.seen.all([]string{tag})
	}
	if !known {
		return false, issued, &Fault{Why: "the person sees no policy of the assignment's scope; whether there is one is not known"}
	}
	return false, issued, nil
}
