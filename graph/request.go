package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	pim "github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"

	"pagbot/activation"
)

// recent is how long after its creation a finished request is still listed by
// Requests: longer than an approver has.
const recent = activation.ApprovalWindow + time.Hour

// names asks for the people and groups behind the ids. The answer may lack
// them: then the names stay empty.
var names = []string{"group($select=id,displayName)", "principal"}

// Requests lists the activation requests for a group that are not finished, or
// were made in the last day.
func (r *Reader) Requests(ctx context.Context, group string) ([]activation.Request, error) {
	at := r.now()
	all, err := r.requests(ctx, "groupId eq "+quote(group))
	if err != nil {
		return nil, fmt.Errorf("requests of group %s: %w", group, err)
	}
	r.share(group, func(s *shared) { s.requests, s.requestsAt = all, at })
	var some []activation.Request
	for _, q := range all {
		open := q.Kind() == activation.UnderWay || q.Kind() == activation.AtApproval || q.Kind() == activation.InFuture
		if q.Action == selfActivate && (open || r.now().Sub(q.Created) < recent) {
			some = append(some, q)
		}
	}
	return some, nil
}

// RequestsOf lists one person's activation requests for a group, also old ones.
func (r *Reader) RequestsOf(ctx context.Context, group, principal string) ([]activation.Request, error) {
	return r.requestsOf(ctx, group, principal, selfActivate)
}

func (r *Reader) requestsOf(ctx context.Context, group, principal, action string) ([]activation.Request, error) {
	all, err := r.requests(ctx, "groupId eq "+quote(group)+" and principalId eq "+quote(principal))
	if err != nil {
		return nil, fmt.Errorf("requests of %s for group %s: %w", principal, group, err)
	}
	var some []activation.Request
	for _, q := range all {
		// PIM filters already; this is for a service that reads a filter otherwise.
		if q.Action == action && strings.EqualFold(q.Person.Object, principal) {
			some = append(some, q)
		}
	}
	return some, nil
}

func (r *Reader) requests(ctx context.Context, filter string) ([]activation.Request, error) {
	info, err := r.pim().AssignmentScheduleRequests().ToGetRequestInformation(ctx,
		&pim.PrivilegedAccessGroupAssignmentScheduleRequestsRequestBuilderGetRequestConfiguration{
			QueryParameters: &pim.PrivilegedAccessGroupAssignmentScheduleRequestsRequestBuilderGetQueryParameters{Filter: &filter, Expand: names},
		})
	raw, err := list[rawRequest](ctx, r.caller, info, err)
	return each(raw, r.request), err
}

// Request reads one request. Just after it was made, PIM's reads may not know
// it yet: see NotFound.
func (r *Reader) Request(ctx context.Context, id string) (activation.Request, error) {
	info, err := r.pim().AssignmentScheduleRequests().ByPrivilegedAccessGroupAssignmentScheduleRequestId(id).ToGetRequestInformation(ctx,
		&pim.PrivilegedAccessGroupAssignmentScheduleRequestsPrivilegedAccessGroupAssignmentScheduleRequestItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &pim.PrivilegedAccessGroupAssignmentScheduleRequestsPrivilegedAccessGroupAssignmentScheduleRequestItemRequestBuilderGetQueryParameters{Expand: names},
		})
	var q rawRequest
	if err == nil {
		err = r.readInto(ctx, info, &q)
	}
	if err == nil && q.ID == "" {
		err = &Fault{Status: 200, Text: "the answer is no request"}
	}
	if err != nil {
		return activation.Request{}, fmt.Errorf("request %s: %w", id, err)
	}
	return r.request(q), nil
}

// NotFound reports whether an error says that Graph does not know the thing.
func NotFound(err error) bool { return err != nil && asFault(err).Status == 404 }

// Instances lists what is activated for a group right now. Standing
// assignments are nobody's activation.
func (r *Reader) Instances(ctx context.Context, group string) ([]activation.Instance, error) {
	at := r.now()
	all, err := r.instances(ctx, "groupId eq "+quote(group))
	if err == nil {
		r.share(group, func(s *shared) { s.instances, s.instancesAt = all, at })
	}
	return all, err
}

// InstancesOf lists what one person has activated for a group right now.
func (r *Reader) InstancesOf(ctx context.Context, group, principal string) ([]activation.Instance, error) {
	return r.instances(ctx, "groupId eq "+quote(group)+" and principalId eq "+quote(principal))
}

func (r *Reader) instances(ctx context.Context, filter string) ([]activation.Instance, error) {
	info, err := r.pim().AssignmentScheduleInstances().ToGetRequestInformation(ctx,
		&pim.PrivilegedAccessGroupAssignmentScheduleInstancesRequestBuilderGetRequestConfiguration{
			QueryParameters: &pim.PrivilegedAccessGroupAssignmentScheduleInstancesRequestBuilderGetQueryParameters{Filter: &filter, Expand: names},
		})
	raw, err := list[rawInstance](ctx, r.caller, info, err)
	if err != nil {
		return nil, fmt.Errorf("active assignments (%s): %w", filter, err)
	}
	var some []activation.Instance
	for _, q := range raw {
		if strings.EqualFold(q.AssignmentType, "activated") {
			some = append(some, r.instance(q))
		}
	}
	return some, nil
}

// instanceOf finds the instance of an activation.
func (r *Reader) instanceOf(ctx context.Context, a activation.Activation) (*activation.Instance, error) {
	all, err := r.InstancesOf(ctx, a.Group.ID, a.Person.Object)
	return instanceIn(all, a), err
}

func each[A, B any](as []A, f func(A) B) []B {
	var bs []B
	for _, a := range as {
		bs = append(bs, f(a))
	}
	return bs
}

// quote writes an OData string.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
