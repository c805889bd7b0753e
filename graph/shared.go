package graph

import (
	"context"
	"strings"
	"time"

	"pagbot/activation"
)

// One question about a group answers for all of its activations. Whoever reads
// a group leaves the answer here, and who follows one activation of it looks
// here first: with a hundred people active in a group, PIM is asked as often as
// with one.

// shared is the last answers about one group, each with when it was asked for.
type shared struct {
	instances   []activation.Instance
	instancesAt time.Time
	requests    []activation.Request
	requestsAt  time.Time
}

// share lets f change what is known of a group.
func (r *Reader) share(group string, f func(*shared)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.ToLower(group)
	if r.shared[key] == nil {
		r.shared[key] = &shared{}
	}
	f(r.shared[key])
}

// seenInstance is instanceOf for one who can do with an answer that was asked
// for at most so long ago. It says when it was.
func (r *Reader) seenInstance(ctx context.Context, a activation.Activation, old time.Duration) (*activation.Instance, time.Time, error) {
	now := r.now()
	var all []activation.Instance
	var at time.Time
	r.share(a.Group.ID, func(s *shared) { all, at = s.instances, s.instancesAt })
	if at.IsZero() || now.Sub(at) > old {
		i, err := r.instanceOf(ctx, a)
		return i, now, err
	}
	return instanceIn(all, a), at, nil
}

// seenRequest is Request for one who can do with an answer that was asked for
// at most so long ago.
func (r *Reader) seenRequest(ctx context.Context, a activation.Activation, old time.Duration) (activation.Request, error) {
	var found *activation.Request
	r.share(a.Group.ID, func(s *shared) {
		if r.now().Sub(s.requestsAt) > old {
			return
		}
		for i := range s.requests {
			if strings.EqualFold(s.requests[i].ID, a.Request.ID) {
				found = &s.requests[i]
			}
		}
	})
	if found == nil {
		return r.Request(ctx, a.Request.ID)
	}
	return *found, nil
}

// instanceIn finds the instance of an activation among others.
func instanceIn(all []activation.Instance, a activation.Activation) *activation.Instance {
	for _, i := range all {
		if i.Access == a.Access && strings.EqualFold(i.Person.Object, a.Person.Object) && strings.EqualFold(i.Group.ID, a.Group.ID) {
			return &i
		}
	}
	return nil
}
