package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"pagbot/activation"
)

// Application is an enterprise application that Entra provisions.
type Application struct {
	Principal string // object id of its service principal
	Job, Rule string // of its synchronization; empty: the only ones there are
}

// Provisioner has Entra write single members of a group to an application at
// once, instead of with its next cycle. It is an application of its own, neither
// the reader nor a person: see docs/security-model.md.
type Provisioner struct {
	caller
	app Application

	mu        sync.Mutex
	job, rule string      // as found
	turns     []time.Time // wire: of the last demands, and of those to come
}

// NewProvisioner makes one. It calls nobody yet: Setup does.
func NewProvisioner(c Config, app Application) (*Provisioner, error) {
	c.Deadline = demandTime
	r, err := NewReader(c)
	if err != nil {
		return nil, err
	}
	return &Provisioner{caller: r.caller, app: app}, nil
}

const (
	demandTime = 60 * time.Second // mostly under 30, says Microsoft
	// Five demands in ten seconds are let through; one more second, as their clock
	// is not ours.
	demandsAtOnce = 5
	demandsWithin = 11 * time.Second
)

// Setup makes first contact: it finds the job and its rule.
func (p *Provisioner) Setup(ctx context.Context) error {
	_, _, err := p.find(ctx)
	var r activation.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return errors.New(r.Text)
	case asFault(err).Status == http.StatusForbidden:
		return fmt.Errorf("the provisioner may not read the synchronization of %s: grant it Application.ReadWrite.OwnedBy and make it an owner of that enterprise application (%w)", p.app.Principal, err)
	case NotFound(err):
		return fmt.Errorf("there is no enterprise application %s: copy the object id from its overview under Enterprise applications, not from App registrations (%w)", p.app.Principal, err)
	}
	return err
}

type rawJob struct {
	ID     string
	Status struct {
		Code       string
		Quarantine struct {
			CurrentBegan stamp
			Error        struct{ Code string }
		}
	}
}

type rawSchema struct {
	Rules []struct {
		ID       string
		Mappings []struct {
			Enabled *bool
			Source  string `json:"sourceObjectName"`
		} `json:"objectMappings"`
	} `json:"synchronizationRules"`
}

// ask is a read below the application's jobs.
func (p *Provisioner) ask(path ...string) *abs.RequestInformation {
	info := abs.NewRequestInformation()
	info.Method = abs.GET
	info.SetUri(*p.root.JoinPath(append([]string{"servicePrincipals", p.app.Principal, "synchronization", "jobs"}, path...)...))
	info.Headers.TryAdd("Accept", "application/json")
	return info
}

// find looks for the job, and for the rule that writes groups.
func (p *Provisioner) find(ctx context.Context) (job, rule string, err error) {
	p.mu.Lock()
	job, rule = p.job, p.rule
	p.mu.Unlock()
	if job != "" {
		return job, rule, nil
	}
	if job, rule = p.app.Job, p.app.Rule; job == "" {
		all, err := list[rawJob](ctx, p.caller, p.ask(), nil)
		if err != nil {
			return "", "", err
		}
		if len(all) != 1 {
			return "", "", missing("application %s has %d provisioning jobs: name the right one as job", p.app.Principal, len(all))
		}
		job = all[0].ID
	}
	if rule == "" {
		var s rawSchema
		if err := p.readInto(ctx, p.ask(job, "schema"), &s); err != nil {
			return "", "", err
		}
		if rule = s.groups(); rule == "" {
			return "", "", missing("job %s of application %s provisions no groups: turn that on in its mappings, or leave provision_on_demand out", job, p.app.Principal)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job, p.rule = job, rule
	return job, rule, nil
}

func missing(format string, args ...any) error {
	return activation.Refusal{Code: activation.NotProvisioned, Text: fmt.Sprintf(format, args...)}
}

// groups is the id of the rule that maps groups.
func (s rawSchema) groups() string {
	for _, r := range s.Rules {
		for _, m := range r.Mappings {
			if strings.EqualFold(m.Source, "Group") && (m.Enabled == nil || *m.Enabled) {
				return r.ID
			}
		}
	}
	return ""
}

// turn is how long, in wire time, the next demand has to wait; a turn that is
// given out is used.
func (p *Provisioner) turn(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turns = slices.DeleteFunc(p.turns, func(t time.Time) bool { return now.Sub(t) > demandsWithin })
	if n := len(p.turns); n >= demandsAtOnce {
		return p.turns[n-demandsAtOnce].Add(demandsWithin).Sub(now)
	}
	p.turns = append(p.turns, now)
	return 0
}

// outcome is what Entra says came of a demand.
type outcome struct {
	Result  string
	Details struct{ ErrorCode string }
}

// nothingToDo: source and target are alike already.
const nothingToDo = "RedundantExport"

// demand has Entra write a person into a group there. The error is a *Fault, or
// a refusal if it is final.
func (p *Provisioner) demand(ctx context.Context, group, object string) error {
	type member struct {
		ID   string `json:"objectId"`
		Kind string `json:"objectTypeName"`
	}
	type subject struct {
		member
		Links map[string][]member `json:"links"`
	}
	type parameter struct {
		Rule     string    `json:"ruleId"`
		Subjects []subject `json:"subjects"`
	}
	job, rule, err := p.find(ctx)
	if err != nil {
		return err
	}
	info := p.ask(job, "provisionOnDemand")
	who := map[string][]member{"members": {{object, "User"}}}
	if err := carry(info, abs.POST, map[string][]parameter{"parameters": {{rule, []subject{{member{group, "Group"}, who}}}}}); err != nil {
		return &Fault{Err: err}
	}
	// A crash from here on repeats it: what is there already is not written again.
	got, err := p.once(ctx, info, "")
	if err != nil {
		return err
	}
	var pair struct{ Key string }
	var said outcome
	if err := decode(got.body, &pair); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(pair.Key), &said); err != nil {
		return &Fault{Status: got.status, Err: fmt.Errorf("what came of it can't be read: %w", err)}
	}
	switch code := said.Details.ErrorCode; {
	case strings.EqualFold(said.Result, "Success"), code == nothingToDo:
		return nil
	case strings.EqualFold(said.Result, "Skipped"):
		return &skipped{code}
	default:
		return activation.Refusal{Code: activation.Broken, Text: said.Result + " " + code}
	}
}

// skipped: Entra sees nothing to write; it may not know of the member yet.
type skipped struct{ code string }

func (s *skipped) Error() string { return "Entra has nothing to write: " + s.code }

// quarantine says since when Entra writes nothing there, if that may be why it
// did not now, and can be read.
func (p *Provisioner) quarantine(ctx context.Context, no activation.Refusal) (activation.Refusal, bool) {
	switch no.Code {
	case activation.PermissionNeeded, activation.Throttled, activation.Unavailable:
		return no, false
	}
	job, _, err := p.find(ctx)
	var j rawJob
	if err != nil || p.readInto(ctx, p.ask(job), &j) != nil || !strings.EqualFold(j.Status.Code, "Quarantine") {
		return no, false
	}
	q := j.Status.Quarantine
	return activation.Refusal{Code: activation.Quarantined, Until: q.CurrentBegan.Time, Text: q.Error.Code}, true
}
