package downstream

import (
	"context"
	"net/url"
	"time"
)

// Graph reads of a group what only warnings need, as the application.
type Graph struct {
	base  string
	token func(context.Context) (string, error)
	ms    *msAPI
}

// NewGraph makes one; base may be empty.
func NewGraph(base string, token func(context.Context) (string, error), c Client) (*Graph, error) {
	base, err := baseOf(base, graphBase)
	if err != nil {
		return nil, err
	}
	return &Graph{base, token, newMSAPI(c.withDefaults().HTTP, 200*time.Millisecond)}, nil
}

// Assignable reports whether a group is role-assignable.
func (g *Graph) Assignable(ctx context.Context, group string) (bool, error) {
	token, err := tokenOf(ctx, g.token)
	if err != nil {
		return false, err
	}
	var w struct {
		Assignable *bool `json:"isAssignableToRole"` // null for a group that never was
	}
	err = g.ms.ask(ctx, request{at: g.base + "/v1.0/groups/" + url.PathEscape(group) + "?$select=id,isAssignableToRole", bearer: token, as: asApplication}, &w)
	return w.Assignable != nil && *w.Assignable, err
}

// Roles are the template ids of the directory roles that a group carries. It
// needs RoleManagement.Read.Directory.
func (g *Graph) Roles(ctx context.Context, group string) ([]string, error) {
	token, err := tokenOf(ctx, g.token)
	if err != nil {
		return nil, err
	}
	q := url.Values{"$filter": {"principalId eq " + odata(group)}}
	rows, err := everything[wireRole](ctx, g.ms, request{at: g.base + "/v1.0/roleManagement/directory/roleAssignments?" + q.Encode(), bearer: token, as: asApplication})
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.Role)
	}
	return ids, err
}
