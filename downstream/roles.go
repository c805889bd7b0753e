package downstream

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// RolesConfig says which directory role a group carries.
type RolesConfig struct {
	Group  string                                // object id of the (role-assignable) group
	Role   string                                // template id of the role; empty: whatever the group carries
	Base   string                                // empty: https://graph.microsoft.com
	Token  func(context.Context) (string, error) // a bearer of the application, for Graph
	Client Client
	Limits Limits // zero fields get defaults
}

// Roles asks Entra whether a directory role reaches a person through the group
// (configured). That is Entra's own list: SharePoint, Exchange and Purview
// follow it as late as they like.
type Roles struct {
	c  RolesConfig
	ms *msAPI

	mu    sync.Mutex
	had   []wireRole // what the group carries
	shown time.Time  // wire: when that was last seen
}

// NewRoles makes the probe.
func NewRoles(c RolesConfig) (*Roles, error) {
	switch {
	case c.Group == "":
		return nil, missingSetting("directory role", "the object id of the group")
	case c.Token == nil:
		return nil, missingSetting("directory role", "an application identity to ask as")
	}
	var err error
	if c.Base, err = baseOf(c.Base, graphBase); err != nil {
		return nil, err
	}
	c.Client = c.Client.withDefaults()
	// Lists of this kind may come from replicas that disagree.
	c.Limits = c.Limits.or(Limits{Batch: 1, Rate: 300 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 2, As: asApplication})
	c.Limits.Level = activation.L0
	return &Roles{c: c, ms: newMSAPI(c.Client.HTTP, c.Limits.Rate)}, nil
}

// Limits implements Probe.
func (p *Roles) Limits() Limits { return p.c.Limits }

// wireRole is one role assignment.
type wireRole struct {
	ID        string `json:"id"`
	Role      string `json:"roleDefinitionId"`
	Principal string `json:"principalId"`
	Scope     string `json:"directoryScopeId"`
}

// Check implements Probe.
func (p *Roles) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.c.Limits.Timeout)
	defer cancel()
	begun := p.c.Client.Now()
	token, err := tokenOf(ctx, p.c.Token)
	var carried []wireRole
	if err == nil {
		carried, err = p.carried(ctx, token)
	}
	if err != nil {
		return doubtAll(who, err, activation.L0, begun, p.c.Client.Now())
	}
	answers, f := askEach(ctx, p.c.Client.Now, activation.L0, who, func(ctx context.Context, w activation.Person, sent time.Time) (activation.Answer, error) {
		rows, err := p.reaching(ctx, token, w.Object)
		if err != nil {
			return activation.Answer{}, err
		}
		a := configured(yesNo(false, activation.L0, p.c.Group, sent, p.c.Client.Now()))
		if r, via, ok := best(rows, carried, w.Object); ok {
			a.Says, a.Evidence, a.Via = activation.Yes, r.ID, via
		}
		return a, nil
	})
	return answers, p.ms.slowed(f)
}

// Setup shows that the group carries the role; its error is for people.
func (p *Roles) Setup(ctx context.Context) error {
	token, err := tokenOf(ctx, p.c.Token)
	if err != nil {
		return err
	}
	_, err = p.carried(ctx, token)
	return err
}

// carried is what the group has of the role: shown, so that a person's lack of
// it is not the group's.
func (p *Roles) carried(ctx context.Context, token string) ([]wireRole, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shown.IsZero() && time.Since(p.shown) < shownFor {
		return p.had, nil
	}
	rows, err := p.assignments(ctx, token, "v1.0", "roleAssignments", url.Values{}, p.c.Group)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r wireRole) bool { return !strings.EqualFold(r.Principal, p.c.Group) })
	switch {
	case len(rows) > 0:
		p.had, p.shown = rows, time.Now()
		return rows, nil
	case p.c.Role != "":
		return nil, fault("the group does not carry the directory role %s: assign it, or correct the target's configuration", p.c.Role)
	}
	return nil, fault("the group carries no directory role: assign one, or remove the target")
}

// reaching lists what reaches a principal, through groups too.
func (p *Roles) reaching(ctx context.Context, token, object string) ([]wireRole, error) {
	if object == "" {
		return nil, fault("this person has no object id")
	}
	return p.assignments(ctx, token, "beta", "transitiveRoleAssignments", url.Values{"$count": {"true"}}, strings.ToLower(object))
}

func (p *Roles) assignments(ctx context.Context, token, version, list string, q url.Values, principal string) ([]wireRole, error) {
	filter := "principalId eq " + odata(principal)
	if p.c.Role != "" {
		filter += " and roleDefinitionId eq " + odata(p.c.Role)
	}
	q.Set("$filter", filter)
	// Without the header the answer is a 404, which looks like "no role".
	return everything[wireRole](ctx, p.ms, request{at: p.c.Base + "/" + version + "/roleManagement/directory/" + list + "?" + q.Encode(),
		bearer: token, as: asApplication, header: map[string]string{"ConsistencyLevel": "eventual"}})
}

// best picks the row that says most of what the group carries: the group's
// own, else whatever gives the same role, no narrower, otherwise.
func best(rows, carried []wireRole, person string) (r wireRole, via string, ok bool) {
	for _, row := range rows {
		for _, c := range carried {
			switch {
			case !strings.EqualFold(row.Role, c.Role) || row.Scope != c.Scope && row.Scope != "/":
				continue
			case strings.EqualFold(row.Principal, c.Principal):
				return row, "", true
			case strings.EqualFold(row.Principal, person):
				r, via, ok = row, "a role assignment of their own", true
			case !ok:
				r, via, ok = row, "another group", true
			}
		}
	}
	return r, via, ok
}
