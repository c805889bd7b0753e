package downstream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// DevOps asks an Azure DevOps organization, as an application, whether it
// would allow a person what a group there allows (L2, by the access control
// list with extended info), or else whether its own copy counts the person
// into that group (L1). An answer has the level of the call that gave it.
type DevOps struct {
	c    DevOpsConfig
	http *caller

	mu    sync.Mutex
	found *organization
	shown time.Time           // wire: when the group was last seen to exist
	known map[string]identity // by tenant and object id
}

// identity is a person as the organization knows them.
type identity struct {
	id, descriptor string
	read           time.Time // wire
}

// knownFor is how long an identity is believed: ids are permanent, but a
// person who is removed and added again gets a new one.
const knownFor = time.Hour

// NewDevOps makes the probe. It asks nothing yet: Setup does, at start for a
// clear sentence, or else the first Check.
func NewDevOps(c DevOpsConfig) (*DevOps, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	return &DevOps{c: c, http: newCaller(c.HTTP, c.Limits.Rate, suppressed(bearerOf(c.Token))), known: map[string]identity{}}, nil
}

// Limits implements Probe.
func (d *DevOps) Limits() Limits { return d.c.Limits }

// Check implements Probe.
func (d *DevOps) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.c.Limits.Timeout)
	defer cancel()
	r := &round{DevOps: d, who: who, answers: make([]activation.Answer, len(who)), ids: make([]identity, len(who)), begun: d.c.Now()}
	if err := d.ready(ctx); err != nil {
		for i := range who {
			r.cannot(i, err)
		}
		return r.answers, r.fault
	}
	r.org = d.organization()
	for i := range who {
		r.resolve(ctx, i)
	}
	r.askLists(ctx)
	for i := range who {
		if r.open(i) {
			r.askMembership(ctx, i)
		}
	}
	if slow := d.http.slow(); r.fault == nil && slow > 0 {
		r.fault = &Fault{Why: tooFast, After: slow}
	}
	if r.fault == nil {
		return r.answers, nil // a nil *Fault in an error is not nil
	}
	return r.answers, r.fault
}

// Knows reports whether the organization knows a person at all: whoever never
// signed in there is unknown, whatever a group of theirs carries.
func (d *DevOps) Knows(ctx context.Context, p activation.Person) (bool, error) {
	if p.Object == "" || p.Name == "" {
		return false, &Fault{Why: "this person has no object id or no name to search by"}
	}
	r := &round{DevOps: d, who: []activation.Person{p}, answers: make([]activation.Answer, 1), ids: make([]identity, 1), begun: d.c.Now()}
	if r.resolve(ctx, 0); r.fault != nil {
		return false, r.fault
	}
	return r.open(0), nil
}

// round is one Check: who is asked about, and what is known so far.
type round struct {
	*DevOps
	org     organization
	who     []activation.Person
	ids     []identity
	answers []activation.Answer
	begun   time.Time
	fault   *Fault
}

// open reports whether person i still has no answer.
func (r *round) open(i int) bool { return r.answers[i].Says == "" }

// cannot gives up on person i.
func (r *round) cannot(i int, err error) {
	f := faultOf(err)
	if r.fault == nil || f.After > r.fault.After {
		r.fault = f
	}
	r.answers[i] = cantTell(f.Why, activation.L1, r.begun, r.c.Now())
}

// resolve finds out who person i is in this organization. The search goes by
// name, because there is no search by object id; the match never does.
func (r *round) resolve(ctx context.Context, i int) {
	p := r.who[i]
	key := strings.ToLower(p.Tenant + "/" + p.Object)
	r.mu.Lock()
	id, ok := r.known[key]
	r.mu.Unlock()
	if ok && time.Since(id.read) < knownFor {
		r.ids[i] = id
		return
	}
	sent := r.c.Now()
	if p.Object == "" || p.Name == "" {
		r.answers[i] = cantTell("this person has no object id or no name to search by", activation.L1, sent, sent)
		return
	}
	all, err := r.identities(ctx, "General", p.Name, "none")
	if err != nil {
		r.cannot(i, err)
		return
	}
	at := slices.IndexFunc(all, func(f wireIdentity) bool { return strings.EqualFold(f.object(), p.Object) })
	switch {
	case len(all) == 0:
		r.answers[i] = cantTell("has never signed in to this organization", activation.L1, sent, r.c.Now())
	case at < 0:
		r.answers[i] = cantTell("nobody of this name here has this person's object id; a person who has never signed in is not known here", activation.L1, sent, r.c.Now())
	default:
		r.ids[i] = identity{all[at].ID, all[at].Descriptor, time.Now()}
		r.mu.Lock()
		r.known[key] = r.ids[i]
		r.mu.Unlock()
	}
}

// askLists asks the policy engine about all persons in one call. Whoever has no
// entry with extended info stays open: nobody documents that absence is a no.
func (r *round) askLists(ctx context.Context) {
	if !r.org.lists {
		return
	}
	var descriptors []string
	for i := range r.who {
		if r.open(i) && !slices.Contains(descriptors, r.ids[i].descriptor) {
			descriptors = append(descriptors, r.ids[i].descriptor)
		}
	}
	if len(descriptors) == 0 {
		return
	}
	sent := r.c.Now()
	lists, err := r.accessLists(ctx, descriptors)
	received := r.c.Now()
	if err != nil {
		if notPermitted(err) {
			return // membership may still be readable
		}
		for i := range r.who {
			if r.open(i) {
				r.cannot(i, err)
			}
		}
		return
	}
	for i := range r.who {
		if !r.open(i) {
			continue
		}
		ace, ok := lists.entry(r.c.ACLToken, r.ids[i].descriptor)
		if !ok || ace.Extended == nil || ace.Extended.Allow == nil {
			continue
		}
		is := *ace.Extended.Allow&r.org.bits == r.org.bits && ace.Extended.Deny&r.org.bits == 0
		via := "a group"
		if ace.Allow&r.org.bits == r.org.bits {
			via = "a permission of their own"
		}
		evidence := fmt.Sprintf("%s/%s effectiveAllow=%d", r.c.Namespace, r.c.ACLToken, *ace.Extended.Allow)
		r.answers[i] = yesNo(is, activation.L2, evidence, sent, received)
		if is {
			r.answers[i].Via = via
		}
	}
}

// askMembership asks whether the organization's own copy counts person i into
// the group.
func (r *round) askMembership(ctx context.Context, i int) {
	sent := r.c.Now()
	is, err := r.memberOf(ctx, r.who[i], r.ids[i].id, r.org)
	received := r.c.Now()
	if err != nil {
		r.cannot(i, err)
		return
	}
	r.answers[i] = yesNo(is, activation.L1, r.org.descriptor, sent, received)
}
