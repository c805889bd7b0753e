package graph

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/policies"
	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// settingsLife is how long role settings are believed: administrators change
// them rarely, and PIM enforces the real ones anyway.
const settingsLife = 5 * time.Minute

type rawRule struct {
	ID              string
	MaximumDuration string
	EnabledRules    []string
	IsEnabled       bool
	ClaimValue      string
	Setting         struct {
		IsApprovalRequired bool
		ApprovalStages     []struct {
			IsApproverJustificationRequired bool
			PrimaryApprovers                []struct{ UserID, GroupID string }
		}
	}
}

type rawPolicy struct {
	ScopeID          string
	RoleDefinitionID string
	Policy           struct{ Rules []rawRule }
}

// Settings reads the role settings of one access to a group. They are cached
// for five minutes.
func (r *Reader) Settings(ctx context.Context, group string, access activation.Access) (activation.Settings, error) {
	key := strings.ToLower(group) + "/" + string(access)
	r.mu.Lock()
	had, ok := r.settings[key]
	r.mu.Unlock()
	if ok && r.now().Before(had.until) {
		return had.value, nil
	}
	s, err := r.readSettings(ctx, group, access)
	if err != nil {
		return s, fmt.Errorf("role settings of group %s (%s): %w", group, access, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settings[key] = kept[activation.Settings]{s, r.now().Add(settingsLife)}
	return s, nil
}

func (r *Reader) readSettings(ctx context.Context, group string, access activation.Access) (s activation.Settings, err error) {
	filter := "scopeId eq " + quote(group) + " and scopeType eq 'Group' and roleDefinitionId eq " + quote(string(access))
	info, err := r.policies().RoleManagementPolicyAssignments().ToGetRequestInformation(ctx,
		&policies.RoleManagementPolicyAssignmentsRequestBuilderGetRequestConfiguration{
			QueryParameters: &policies.RoleManagementPolicyAssignmentsRequestBuilderGetQueryParameters{
				Filter: &filter, Expand: []string{"policy($expand=rules)"}},
		})
	all, err := list[rawPolicy](ctx, r.caller, info, err)
	if err != nil {
		return s, err
	}
	i := slices.IndexFunc(all, func(p rawPolicy) bool { return strings.EqualFold(p.RoleDefinitionID, string(access)) })
	if i < 0 {
		return s, &Fault{Status: 200, Text: "PIM has none: is the group managed by PIM?"}
	}
	return settings(all[i].Policy.Rules)
}

// settings reads the rules that govern an activation. All four must be there:
// a rule that was not read must not pass for one that asks nothing.
func settings(rules []rawRule) (s activation.Settings, err error) {
	found := 0
	for _, q := range rules {
		switch strings.ToLower(q.ID) {
		case "expiration_enduser_assignment":
			longest, err := parseISO(q.MaximumDuration)
			if err != nil {
				return s, &Fault{Status: 200, Err: err}
			}
			s.Max = activation.Duration(longest)
		case "enablement_enduser_assignment":
			on := func(name string) bool {
				return slices.ContainsFunc(q.EnabledRules, func(s string) bool { return strings.EqualFold(s, name) })
			}
			s.NeedsReason, s.NeedsTicket, s.NeedsMFA = on("Justification"), on("Ticketing"), on("MultiFactorAuthentication")
		case "approval_enduser_assignment":
			approval(&s, q)
		case "authenticationcontext_enduser_assignment":
			if q.IsEnabled {
				s.Context = q.ClaimValue
			}
		default:
			continue
		}
		found++
	}
	if found < 4 {
		return s, &Fault{Status: 200, Text: fmt.Sprintf("the policy has only %d of the 4 rules that govern an activation", found)}
	}
	return s, nil
}

func approval(s *activation.Settings, q rawRule) {
	s.NeedsApproval = q.Setting.IsApprovalRequired
	for _, stage := range q.Setting.ApprovalStages {
		s.ApproverReason = s.ApproverReason || stage.IsApproverJustificationRequired
		for _, a := range stage.PrimaryApprovers {
			if a.UserID != "" || a.GroupID != "" {
				s.Approvers = append(s.Approvers, activation.Approver{User: a.UserID, Group: a.GroupID})
			}
		}
	}
}

// Approvers lists the people who may decide, each once; groups are expanded.
// Role settings go on naming who was deleted or disabled: they decide nothing.
func (r *Reader) Approvers(ctx context.Context, s activation.Settings) ([]activation.Person, error) {
	parts := make([][]activation.Person, len(s.Approvers))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for i, a := range s.Approvers {
		work.Go(func() (err error) { parts[i], err = r.approver(ctx, a); return err })
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	var people []activation.Person
	for _, p := range slices.Concat(parts...) {
		if !slices.ContainsFunc(people, p.SameAccount) {
			people = append(people, p)
		}
	}
	return people, nil
}

// approver is whom one entry of the role settings means.
func (r *Reader) approver(ctx context.Context, a activation.Approver) (people []activation.Person, err error) {
	if a.Group == "" {
		u, err := r.User(ctx, a.User)
		switch {
		case NotFound(err) || err == nil && u.Disabled:
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("approver %s: %w", a.User, err)
		}
		return []activation.Person{u.Person}, nil
	}
	inside, err := r.usersBelow(ctx, a.Group)
	if f := asFault(err); err != nil && f.Status == http.StatusBadRequest {
		inside, err = r.below(ctx, a.Group) // who is disabled, it doesn't say
	}
	switch {
	case NotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("approver group %s: %w", a.Group, err)
	}
	for _, p := range inside {
		if p.isUser() && !p.disabled() {
			people = append(people, r.person(p.ID, p))
		}
	}
	return people, nil
}
