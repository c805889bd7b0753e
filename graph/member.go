package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	pim "github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// atOnce is how many calls are made side by side.
const atOnce = 32

// eligibleLife is how long a group's list of eligible groups is believed.
const eligibleLife = time.Minute

// Eligible lists what a person may activate: what they are eligible for
// themselves, and in the configured groups also through a group that they are
// a member of. What they have directly comes first and is not listed twice.
func (r *Reader) Eligible(ctx context.Context, p activation.Person) ([]activation.Eligibility, error) {
	var own, nested []rawInstance
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() (err error) {
		if own, err = r.eligibilities(ctx, "principalId eq "+quote(p.Object)); err != nil {
			err = fmt.Errorf("eligibility of %s: %w", p.Object, err)
		}
		return err
	})
	work.Go(func() (err error) {
		if nested, err = r.nested(ctx, p); err != nil {
			err = fmt.Errorf("nested eligibility of %s: %w", p.Object, err)
		}
		return err
	})
	if err := work.Wait(); err != nil {
		return nil, err
	}
	var all []activation.Eligibility
	for _, q := range append(own, nested...) {
		e := activation.Eligibility{Group: r.groupOf(q.GroupID, q.Group), Access: access(q.AccessID)}
		if !strings.EqualFold(q.PrincipalID, p.Object) {
			e.Via = q.PrincipalID
		}
		twice := func(o activation.Eligibility) bool {
			return strings.EqualFold(o.Group.ID, e.Group.ID) && o.Access == e.Access
		}
		if !slices.ContainsFunc(all, twice) {
			all = append(all, e)
		}
	}
	return all, nil
}

// nested finds eligibilities whose principal is a group that p is in. PIM's
// list by principal does not know them: their row carries the group's id.
func (r *Reader) nested(ctx context.Context, p activation.Person) ([]rawInstance, error) {
	var rows []rawInstance
	var in map[string]bool
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() (err error) { rows, err = r.eligibleGroups(ctx); return err })
	work.Go(func() (err error) { in, err = r.memberOf(ctx, p.Object); return err })
	err := work.Wait()
	return slices.DeleteFunc(rows, func(q rawInstance) bool { return !in[strings.ToLower(q.PrincipalID)] }), err
}

// eligibleGroups lists what groups are eligible for in the configured groups.
func (r *Reader) eligibleGroups(ctx context.Context) ([]rawInstance, error) {
	var rows []rawInstance
	var old []string
	r.mu.Lock()
	for _, g := range r.groups {
		if had, ok := r.eligible[strings.ToLower(g)]; ok && r.now().Before(had.until) {
			rows = append(rows, had.value...)
		} else {
			old = append(old, g)
		}
	}
	r.mu.Unlock()
	infos := make([]*abs.RequestInformation, len(old))
	for i, g := range old {
		var err error
		if infos[i], err = r.eligibilitiesOf(ctx, "groupId eq "+quote(g)); err != nil {
			return nil, err
		}
	}
	fresh, err := lists[rawInstance](ctx, r.caller, infos)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, all := range fresh {
		groups := slices.DeleteFunc(all, func(q rawInstance) bool { return q.Principal.isUser() })
		r.eligible[strings.ToLower(old[i])] = kept[[]rawInstance]{groups, r.now().Add(eligibleLife)}
		rows = append(rows, groups...)
	}
	return rows, nil
}

func (r *Reader) eligibilities(ctx context.Context, filter string) ([]rawInstance, error) {
	info, err := r.eligibilitiesOf(ctx, filter)
	return list[rawInstance](ctx, r.caller, info, err)
}

func (r *Reader) eligibilitiesOf(ctx context.Context, filter string) (*abs.RequestInformation, error) {
	return r.pim().EligibilityScheduleInstances().ToGetRequestInformation(ctx,
		&pim.PrivilegedAccessGroupEligibilityScheduleInstancesRequestBuilderGetRequestConfiguration{
			QueryParameters: &pim.PrivilegedAccessGroupEligibilityScheduleInstancesRequestBuilderGetQueryParameters{Filter: &filter, Expand: names},
		})
}

// memberOf lists what a user is in, transitively: ids in lower case.
func (r *Reader) memberOf(ctx context.Context, user string) (map[string]bool, error) {
	info, err := r.users().ByUserId(user).TransitiveMemberOf().ToGetRequestInformation(ctx,
		&users.ItemTransitiveMemberOfRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemTransitiveMemberOfRequestBuilderGetQueryParameters{Select: []string{"id"}, Top: page()},
		})
	all, err := list[rawGroup](ctx, r.caller, info, err)
	in := map[string]bool{}
	for _, g := range all {
		in[strings.ToLower(g.ID)] = true
	}
	return in, err
}

// few is up to how many people are asked about one by one; beyond, the group
// is listed once for all of them.
const few = 2

// IsMember tells for each object whether Entra has it in the group: as a
// member, directly or through groups in it, or as an owner.
func (r *Reader) IsMember(ctx context.Context, group string, access activation.Access, objects []string) (map[string]bool, error) {
	is := make(map[string]bool, len(objects))
	if access == activation.Member && len(objects) <= few {
		for _, o := range objects {
			in, err := r.isIn(ctx, o, group)
			if err != nil {
				return nil, fmt.Errorf("membership of %s in group %s: %w", o, group, err)
			}
			is[o] = in
		}
		return is, nil
	}
	read := r.below
	if access == activation.Owner {
		read = r.owners
	}
	all, err := read(ctx, group, "id")
	if err != nil {
		return nil, fmt.Errorf("%ss of group %s: %w", access, group, err)
	}
	for _, o := range objects {
		is[o] = slices.ContainsFunc(all, func(p rawPrincipal) bool { return strings.EqualFold(p.ID, o) })
	}
	return is, nil
}

func (r *Reader) isIn(ctx context.Context, user, group string) (bool, error) {
	body := users.NewItemCheckMemberGroupsPostRequestBody()
	body.SetGroupIds([]string{group})
	info, err := r.users().ByUserId(user).CheckMemberGroups().ToPostRequestInformation(ctx, body, nil)
	in, err := list[string](ctx, r.caller, info, err)
	return slices.ContainsFunc(in, func(s string) bool { return strings.EqualFold(s, group) }), err
}

// below lists everything inside a group, transitively; with all that Graph
// tells of each, or with some fields.
func (r *Reader) below(ctx context.Context, group string, fields ...string) ([]rawPrincipal, error) {
	info, err := r.group(group).TransitiveMembers().ToGetRequestInformation(ctx,
		&groups.ItemTransitiveMembersRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemTransitiveMembersRequestBuilderGetQueryParameters{Select: fields, Top: page()},
		})
	return list[rawPrincipal](ctx, r.caller, info, err)
}

// usersBelow lists the users inside a group, transitively, with what only Graph's
// list of users tells. Whether it is served without the eventually consistent
// index is not settled: it may be refused.
func (r *Reader) usersBelow(ctx context.Context, group string) ([]rawPrincipal, error) {
	info, err := r.group(group).TransitiveMembers().GraphUser().ToGetRequestInformation(ctx,
		&groups.ItemTransitiveMembersGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemTransitiveMembersGraphUserRequestBuilderGetQueryParameters{Select: []string{"id", "userPrincipalName", "accountEnabled"}, Top: page()},
		})
	return list[rawPrincipal](ctx, r.caller, info, err)
}

func (r *Reader) owners(ctx context.Context, group string, fields ...string) ([]rawPrincipal, error) {
	info, err := r.group(group).Owners().ToGetRequestInformation(ctx,
		&groups.ItemOwnersRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemOwnersRequestBuilderGetQueryParameters{Select: fields, Top: page()},
		})
	return list[rawPrincipal](ctx, r.caller, info, err)
}

// page asks the directory for its largest pages.
func page() *int32 { return new(int32(999)) }

// User is an account as the directory has it.
type User struct {
	activation.Person
	Display  string
	Mail     string
	Guest    bool
	Disabled bool // says Entra; to a reader with few permissions it does not
}

// User reads an account by its object id.
func (r *Reader) User(ctx context.Context, object string) (User, error) {
	info, err := r.users().ByUserId(object).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"id", "displayName", "userPrincipalName", "mail", "userType", "accountEnabled"}},
	})
	var q rawPrincipal
	if err == nil {
		err = r.readInto(ctx, info, &q)
	}
	if err == nil && q.ID == "" {
		err = &Fault{Status: 200, Text: "the answer is no user"}
	}
	if err != nil {
		return User{}, fmt.Errorf("user %s: %w", object, err)
	}
	return User{Person: r.person(q.ID, q), Display: q.DisplayName, Mail: q.Mail,
		Guest:    !strings.EqualFold(q.UserType, "Member"), // if unknown, the worse one
		Disabled: q.disabled()}, nil
}

// Person reads the person behind an object id.
func (r *Reader) Person(ctx context.Context, object string) (activation.Person, error) {
	u, err := r.User(ctx, object)
	return u.Person, err
}

// Group reads a group.
func (r *Reader) Group(ctx context.Context, id string) (activation.Group, error) {
	info, err := r.caller.group(id).ToGetRequestInformation(ctx, &groups.GroupItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.GroupItemRequestBuilderGetQueryParameters{Select: []string{"id", "displayName"}},
	})
	var q rawGroup
	if err == nil {
		err = r.readInto(ctx, info, &q)
	}
	switch {
	case NotFound(err):
		return activation.Group{}, fmt.Errorf("there is no group %s in tenant %s: copy its object id from Entra: %w", id, r.tenant, err)
	case err == nil && q.ID == "":
		err = &Fault{Status: 200, Text: "the answer is no group"}
	}
	if err != nil {
		return activation.Group{}, fmt.Errorf("group %s: %w", id, err)
	}
	return r.groupOf(q.ID, q), nil
}
