package downstream

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// SCIM asks an application that Entra provisions whether its own copy of a
// group has a person (L1: received). It says nothing of what the application
// makes of that, or of sessions that are open.
type SCIM struct {
	c    SCIMConfig
	http *caller

	mu    sync.Mutex
	group scimGroup
	shown time.Time // wire: when the group was last seen to exist
	known map[string]scimUser
}

// scimUser is a person as the application knows them.
type scimUser struct {
	id   string
	read time.Time // wire
}

// scimKnownFor is how long an id there is believed: who is deleted and written
// again gets a new one, and the old one is in no list.
const scimKnownFor = 10 * time.Minute

// NewSCIM makes the probe. It asks nothing yet: Setup does, at start for a
// clear sentence, or else the first Check.
func NewSCIM(c SCIMConfig) (*SCIM, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	return &SCIM{c: c, http: newCaller(c.HTTP, c.Limits.Rate, bearerOf(c.Token)), known: map[string]scimUser{}}, nil
}

// Limits implements Probe.
func (s *SCIM) Limits() Limits { return s.c.Limits }

// Check implements Probe.
func (s *SCIM) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.c.Limits.Timeout)
	defer cancel()
	r := &scimRound{SCIM: s, who: who, tally: newTally(len(who), activation.L1, s.c.Now), ids: make([]string, len(who))}
	if err := s.ready(ctx); err != nil {
		r.cannotAll(err)
		return r.result(s.http)
	}
	for i := range who {
		r.resolve(ctx, i)
	}
	if s.c.Members == ByList {
		r.askList(ctx)
	}
	for i := range who {
		if r.open(i) {
			r.askOne(ctx, i)
		}
	}
	return r.result(s.http)
}

// scimRound is one Check: who is asked about, and what is known so far.
type scimRound struct {
	*SCIM
	*tally
	who []activation.Person
	ids []string
}

// evidence names the group that has them.
func (s *SCIM) evidence() string { return "Groups/" + s.found().ID }

func (r *scimRound) resolve(ctx context.Context, i int) {
	p := r.who[i]
	if p.Object == "" || r.c.Match == ByUserName && p.Name == "" {
		r.doubt(i, "this person has no object id or no name to search by")
		return
	}
	key := strings.ToLower(p.Tenant + "/" + p.Object)
	r.mu.Lock()
	u, ok := r.known[key]
	r.mu.Unlock()
	if ok && time.Since(u.read) < scimKnownFor {
		r.ids[i] = u.id
		return
	}
	id, err := r.user(ctx, p)
	if err != nil {
		r.cannot(i, err)
		return
	}
	if id == "" {
		if err = r.nobody(ctx, p); err != nil {
			r.cannot(i, err)
		} else {
			r.absent(i)
		}
		return
	}
	r.ids[i] = id
	r.mu.Lock()
	r.known[key] = scimUser{id, time.Now()}
	r.mu.Unlock()
}

// mayBeCut is a list of members so long that it may be a part only: SCIM has no
// way to turn its pages.
const mayBeCut = 100

// askList reads the group's members once for everybody. A no needs more than a
// list without the person where the list is empty, as some applications always
// answer so, or so long that it may be cut.
func (r *scimRound) askList(ctx context.Context) {
	if !slices.ContainsFunc(r.ids, func(id string) bool { return id != "" }) {
		return
	}
	sent := r.c.Now()
	members, err := r.members(ctx)
	received := r.c.Now()
	for i := range r.who {
		switch {
		case !r.open(i):
		case err != nil:
			r.cannot(i, err)
		case slices.Contains(members, r.ids[i]):
			r.sound(i, true, r.evidence(), sent, received)
		case len(members) > 0 && len(members) < mayBeCut:
			r.sound(i, false, r.evidence(), sent, received)
		}
	}
}

// askOne asks about one person alone: by the way that is configured, or as the
// second witness of a list that proves no absence.
func (r *scimRound) askOne(ctx context.Context, i int) {
	sent := r.c.Now()
	is, err := false, error(nil)
	if r.c.Members == ByFilter {
		is, err = r.filtered(ctx, r.ids[i])
	} else {
		is, err = r.groupsOf(ctx, r.ids[i])
	}
	received := r.c.Now()
	if err == nil && !is {
		err = r.stillThere(ctx)
	}
	if err != nil {
		r.cannot(i, err)
		return
	}
	r.sound(i, is, r.evidence(), sent, received)
}
