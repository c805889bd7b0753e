package downstream

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// How an Azure target is asked.
const (
	AzureAssigned = "assigned" // Entra's data joined with the assignments: configured
	AzureCheck    = "check"    // Resource Manager's checkaccess: effective
	AzurePDP      = "pdp"      // the policy engine's own address, with the caller's groups looked up: effective
)

// AzureConfig says which role assignment is asked about, and how.
type AzureConfig struct {
	Group  string // object id of the group that the role is assigned to
	Scope  string // /subscriptions/… that it is assigned at, or a resource below
	Role   string // id of the role definition; empty: whatever the group has there
	Ask    string // empty: AzureAssigned
	Action string // for check and pdp: what must be allowed, such as Microsoft.Compute/virtualMachines/start/action
	Data   bool   // the action is a data action
	// Expands says that checkaccess was seen to count a person's groups. Until it
	// has, or this says so, its no is not believed: it may not have looked.
	Expands bool
	Base    string                                // empty: https://management.azure.com; for pdp such as https://westus2.authorization.azure.net
	Token   func(context.Context) (string, error) // a bearer of the application, for AzureScope or PDPScope
	Client  Client
	Limits  Limits // zero fields get defaults
}

// What Token's bearer is asked for.
const (
	AzureScope = "https://management.azure.com/.default"
	PDPScope   = "https://authorization.azure.net/.default"
)

const azureBase = "https://management.azure.com"

// Azure asks Azure's role-based access control about a person, as an
// application.
type Azure struct {
	c  AzureConfig
	ms *msAPI

	mu      sync.Mutex
	had     []wireAssigned // what the group has at the scope
	shown   time.Time      // wire: when that was last seen
	expands bool
}

// NewAzure makes the probe.
func NewAzure(c AzureConfig) (*Azure, error) {
	if c.Ask == "" {
		c.Ask = AzureAssigned
	}
	switch {
	case c.Group == "":
		return nil, missingSetting("azure", "the object id of the group")
	case c.Token == nil:
		return nil, missingSetting("azure", "an application identity to ask as")
	case !strings.HasPrefix(c.Scope, "/") || strings.ContainsAny(c.Scope, "?#"):
		return nil, missingSetting("azure", "the scope of the assignment, such as /subscriptions/ID/resourceGroups/NAME")
	case c.Ask != AzureAssigned && c.Ask != AzureCheck && c.Ask != AzurePDP:
		return nil, missingSetting("azure", "a way to ask: assigned, check or pdp")
	case c.Ask != AzureAssigned && c.Action == "":
		return nil, missingSetting("azure", "the action that must be allowed")
	case c.Ask == AzurePDP && c.Base == "":
		return nil, missingSetting("azure", "the region's address of the policy engine, such as https://westus2.authorization.azure.net")
	}
	var err error
	if c.Base, err = baseOf(c.Base, azureBase); err != nil {
		return nil, err
	}
	c.Scope = strings.TrimSuffix(c.Scope, "/")
	c.Client = c.Client.withDefaults()
	def := Limits{Batch: 1, Rate: 500 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 1, As: asApplication}
	level := activation.L0
	if c.Ask != AzureAssigned {
		// The engine licenses five minutes of caching: asking sooner may only
		// read the same answer again.
		def.Cache, level = engineCache, activation.L2
	}
	c.Limits = c.Limits.or(def)
	c.Limits.Level = level
	return &Azure{c: c, ms: newMSAPI(c.Client.HTTP, c.Limits.Rate), expands: c.Expands || c.Ask == AzurePDP}, nil
}

const engineCache = 5 * time.Minute

// Limits implements Probe.
func (p *Azure) Limits() Limits { return p.c.Limits }

// Check implements Probe.
func (p *Azure) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.c.Limits.Timeout)
	defer cancel()
	begun := p.c.Client.Now()
	token, err := tokenOf(ctx, p.c.Token)
	if err == nil && p.c.Ask == AzureAssigned {
		_, err = p.carried(ctx, token)
	}
	if err != nil {
		return doubtAll(who, err, p.c.Limits.Level, begun, p.c.Client.Now())
	}
	one := p.assigned
	if p.c.Ask != AzureAssigned {
		one = p.allowed
	}
	answers, f := askEach(ctx, p.c.Client.Now, p.c.Limits.Level, who, func(ctx context.Context, w activation.Person, sent time.Time) (activation.Answer, error) {
		if w.Object == "" {
			return activation.Answer{}, fault("this person has no object id")
		}
		return one(ctx, token, w, sent)
	})
	return answers, p.ms.slowed(f)
}

// Setup makes first contact; its error is one sentence for people. The policy
// engine can only be asked about somebody, so it is asked nothing yet.
func (p *Azure) Setup(ctx context.Context) error {
	token, err := tokenOf(ctx, p.c.Token)
	if err != nil || p.c.Ask != AzureAssigned {
		return err
	}
	_, err = p.carried(ctx, token)
	return err
}

// wireAssigned is one role assignment of Azure.
type wireAssigned struct {
	ID         string `json:"id"`
	Properties struct {
		Role      string `json:"roleDefinitionId"`
		Principal string `json:"principalId"`
		Scope     string `json:"scope"`
	} `json:"properties"`
}

func (w wireAssigned) role() string {
	r := strings.ToLower(w.Properties.Role)
	return r[strings.LastIndex(r, "/")+1:]
}

func (p *Azure) list(ctx context.Context, token, filter string) ([]wireAssigned, error) {
	q := url.Values{"api-version": {"2022-04-01"}, "$filter": {filter}}
	rows, err := everything[wireAssigned](ctx, p.ms, request{at: p.c.Base + p.c.Scope + "/providers/Microsoft.Authorization/roleAssignments?" + q.Encode(), bearer: token, as: asApplication})
	if err != nil || p.c.Role == "" {
		return rows, err
	}
	var of []wireAssigned
	for _, r := range rows {
		if r.role() == strings.ToLower(p.c.Role) {
			of = append(of, r)
		}
	}
	return of, nil
}

// carried is what the group has at the scope: shown, so that a person's lack
// of it is not the group's.
func (p *Azure) carried(ctx context.Context, token string) ([]wireAssigned, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shown.IsZero() && time.Since(p.shown) < shownFor {
		return p.had, nil
	}
	rows, err := p.list(ctx, token, "atScope()")
	if err != nil {
		return nil, err
	}
	var own []wireAssigned
	for _, r := range rows {
		if strings.EqualFold(r.Properties.Principal, p.c.Group) {
			own = append(own, r)
		}
	}
	if len(own) == 0 {
		return nil, fault("the group has no such role at %s: assign it, or correct the target's configuration", p.c.Scope)
	}
	p.had, p.shown = own, time.Now()
	return own, nil
}

// assigned asks which assignments reach the person. It is Entra's data of this
// moment joined with the assignments, and can be true while Azure refuses.
func (p *Azure) assigned(ctx context.Context, token string, w activation.Person, sent time.Time) (activation.Answer, error) {
	rows, err := p.list(ctx, token, "atScope() and assignedTo("+odata(w.Object)+")")
	if err != nil {
		return activation.Answer{}, err
	}
	carried, err := p.carried(ctx, token)
	if err != nil {
		return activation.Answer{}, err
	}
	a := configured(yesNo(false, activation.L0, p.c.Scope, sent, p.c.Client.Now()))
	for _, r := range rows {
		mine := strings.EqualFold(r.Properties.Principal, p.c.Group)
		for _, c := range carried {
			if r.role() != c.role() || a.Says == activation.Yes && !mine {
				continue
			}
			a.Says, a.Evidence, a.Via = activation.Yes, r.ID, ""
			if !mine {
				a.Via = "another role assignment"
			}
		}
	}
	return a, nil
}

// wireDecision is the policy engine's word on one action.
type wireDecision struct {
	Decision   string `json:"accessDecision"`
	Action     string `json:"actionId"`
	Assignment *struct {
		ID        string `json:"id"`
		Principal string `json:"principalId"`
	} `json:"roleAssignment"`
	Deny *struct {
		ID string `json:"id"`
	} `json:"denyAssignment"`
}

// allowed asks the policy engine. Groups are never sent along: it would believe
// them, and prove the assignment instead of the person's membership.
func (p *Azure) allowed(ctx context.Context, token string, w activation.Person, sent time.Time) (activation.Answer, error) {
	d, err := p.decide(ctx, token, w.Object)
	if err != nil {
		return activation.Answer{}, err
	}
	a := yesNo(false, activation.L2, p.c.Scope+" "+p.c.Action, sent, p.c.Client.Now())
	switch {
	case d.Decision == "Allowed" && d.Assignment != nil && d.Assignment.ID != "":
		a.Says, a.Evidence = activation.Yes, d.Assignment.ID
		if !strings.EqualFold(d.Assignment.Principal, p.c.Group) {
			a.Via = "another role assignment"
			return a, nil
		}
		p.mu.Lock()
		p.expands = true // it must have looked at the person's groups
		p.mu.Unlock()
		return a, nil
	case d.Decision == "Allowed":
		return a, &Fault{Why: "it allows it, but does not say by which assignment"}
	case d.Decision != "NotAllowed" && d.Decision != "Denied":
		return a, &Fault{Why: nonsense}
	case d.Deny != nil:
		a.Why = "a deny assignment forbids it"
		return a, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.expands {
		return a, &Fault{Why: "it does not allow it, but was not seen yet to count a person's groups at all"}
	}
	return a, nil
}

func (p *Azure) decide(ctx context.Context, token, object string) (wireDecision, error) {
	subject := map[string]any{"ObjectId": object}
	if p.c.Ask == AzurePDP {
		subject["_claim_names"] = `{"groups":"src1"}` // the engine then looks up all groups itself
	}
	r := request{method: http.MethodPost, bearer: token, as: asApplication,
		at: p.c.Base + p.c.Scope + "/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview",
		body: map[string]any{"Subject": map[string]any{"Attributes": subject},
			"Actions":  []any{map[string]any{"Id": p.c.Action, "IsDataAction": p.c.Data}},
			"Resource": map[string]any{"Id": p.c.Scope}}}
	var decisions []wireDecision
	var err error
	if p.c.Ask == AzurePDP {
		decisions, err = everything[wireDecision](ctx, p.ms, r)
	} else {
		err = p.ms.ask(ctx, r, &decisions)
	}
	if err != nil {
		return wireDecision{}, err
	}
	if len(decisions) != 1 || !strings.EqualFold(decisions[0].Action, p.c.Action) {
		return wireDecision{}, &Fault{Why: "it answered about another action"}
	}
	return decisions[0], nil
}
