package downstream

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"

	"pagbot/activation"
)

// AWS asks an AWS IAM Identity Center's identity store whether its own copy of
// a group has a person (L1: received). What the group's permission sets give,
// and sessions that are open, it does not see: a removal there ends no session.
type AWS struct {
	c     AWSConfig
	http  *caller
	store *identitystore.Client

	mu    sync.Mutex
	group string    // its id there
	shown time.Time // wire: when it was last seen to exist
	known map[string]scimUser
}

// NewAWS makes the probe. It asks nothing yet: Setup does, at start for a clear
// sentence, or else the first Check.
func NewAWS(c AWSConfig) (*AWS, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	a := &AWS{c: c, known: map[string]scimUser{}}
	a.http = newCaller(c.HTTP, c.Limits.Rate, signed)
	a.store = c.client(a.http)
	return a, nil
}

// Limits implements Probe.
func (a *AWS) Limits() Limits { return a.c.Limits }

// Check implements Probe.
func (a *AWS) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, a.c.Limits.Timeout)
	defer cancel()
	t := newTally(len(who), activation.L1, a.c.Now)
	if err := a.ready(ctx); err != nil {
		t.cannotAll(err)
		return t.result(a.http)
	}
	asked := map[string]int{} // who stands twice in the question is asked about once
	for i, p := range who {
		if j, ok := asked[personKey(p)]; ok {
			t.answers[i] = t.answers[j]
			continue
		}
		asked[personKey(p)] = i
		a.one(ctx, t, i, p)
	}
	return t.result(a.http)
}

func personKey(p activation.Person) string {
	return strings.ToLower(p.Tenant + "/" + p.Object + "/" + p.Name)
}

func (a *AWS) one(ctx context.Context, t *tally, i int, p activation.Person) {
	if p.Object == "" || p.Name == "" {
		t.doubt(i, "this person has no object id or no name to search by")
		return
	}
	id, err := a.user(ctx, p)
	if notThere(err) {
		if err = a.nobody(ctx, p); err == nil {
			t.absent(i)
			return
		}
	}
	if err != nil {
		t.cannot(i, plainAWS(err))
		return
	}
	sent := a.c.Now()
	is, err := a.memberOf(ctx, id)
	received := a.c.Now()
	if err == nil && !is {
		err = a.stillThere(ctx)
	}
	if err != nil {
		a.forget(p, notThere(err))
		t.cannot(i, plainAWS(err))
		return
	}
	t.sound(i, is, "identity store "+a.c.Store+", group "+a.groupID(), sent, received)
}

// user finds who a person is there.
func (a *AWS) user(ctx context.Context, p activation.Person) (string, error) {
	a.mu.Lock()
	u, ok := a.known[personKey(p)]
	a.mu.Unlock()
	if ok && time.Since(u.read) < scimKnownFor {
		return u.id, nil
	}
	id, err := a.search(ctx, p)
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	a.known[personKey(p)] = scimUser{id, time.Now()}
	a.mu.Unlock()
	return id, nil
}

// forget drops an id that may be another's by now, and the group's too where
// something is gone.
func (a *AWS) forget(p activation.Person, gone bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.known, personKey(p))
	if gone {
		a.group = ""
	}
}

func (a *AWS) groupID() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.group
}

func (a *AWS) ready(ctx context.Context) error {
	if a.groupID() != "" {
		return nil
	}
	return a.Setup(ctx)
}
