package downstream

import (
	"context"
	"errors"
	"strings"
	"time"

	"pagbot/activation"
)

// Directory reads Entra's own lists. A group that does not exist, or that may
// not be read, is an error and never a false.
type Directory interface {
	IsMember(ctx context.Context, group string, access activation.Access, objects []string) (map[string]bool, error)
}

// EntraConfig says which list is asked.
type EntraConfig struct {
	Group     string            // object id of the group
	Access    activation.Access // empty: member
	Directory Directory
	Now       func() time.Time // world time; nil: time.Now
	Limits    Limits           // zero fields get defaults
}

// Entra asks whether Entra lists a person as member or owner (L0). It proves
// nothing about the systems behind the group.
type Entra struct {
	c EntraConfig
}

// NewEntra makes the probe.
func NewEntra(c EntraConfig) (*Entra, error) {
	if c.Group == "" {
		return nil, errors.New("entra target: give the object id of the group")
	}
	if c.Directory == nil {
		return nil, errors.New("entra target: give a directory to read")
	}
	if c.Access == "" {
		c.Access = activation.Member
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.or(Limits{Batch: 20, Rate: 200 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 1, As: "the reader"})
	c.Limits.Level = activation.L0
	return &Entra{c}, nil
}

// Limits implements Probe.
func (p *Entra) Limits() Limits { return p.c.Limits }

// Check implements Probe.
func (p *Entra) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.c.Limits.Timeout)
	defer cancel()
	objects := make([]string, len(who))
	for i, w := range who {
		objects[i] = w.Object
	}
	sent := p.c.Now()
	listed, err := p.c.Directory.IsMember(ctx, p.c.Group, p.c.Access, objects)
	received := p.c.Now()
	answers := make([]activation.Answer, len(who))
	if err != nil {
		f := faultOf(err)
		for i := range answers {
			answers[i] = cantTell(f.Why, activation.L0, sent, received)
		}
		return answers, f
	}
	known := make(map[string]bool, len(listed))
	for object, is := range listed {
		known[strings.ToLower(object)] = is
	}
	for i, w := range who {
		is, ok := known[strings.ToLower(w.Object)]
		if ok && w.Object != "" {
			answers[i] = yesNo(is, activation.L0, p.c.Group, sent, received)
		} else {
			// Silence about a person is not a no.
			answers[i] = cantTell("Entra did not answer for this person", activation.L0, sent, received)
		}
	}
	return answers, nil
}
