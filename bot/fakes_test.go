package bot

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// directory is what Entra would answer. The real reader is tested at the
// simulated Entra.
type directory struct {
	mu        sync.Mutex
	settings  activation.Settings
	of        map[string]activation.Settings      // by group; else settings
	eligible  map[string][]activation.Eligibility // by object id
	requests  []activation.Request
	instances []activation.Instance
	approvers []activation.Person
	err       error
	unread    error // of the approvers alone
	slow      time.Duration
}

func newDirectory() *directory {
	return &directory{
		settings:  activation.Settings{Max: activation.Duration(4 * time.Hour), NeedsReason: true, NeedsApproval: true, ApproverReason: true},
		eligible:  map[string][]activation.Eligibility{requester.Object: {{Group: admins, Access: activation.Member}}},
		approvers: []activation.Person{{Tenant: approver.Tenant, Object: strings.ToUpper(approver.Object)}},
	}
}

func (d *directory) change(f func(*directory)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

func (d *directory) wait() {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	time.Sleep(slow)
}

func (d *directory) Settings(_ context.Context, group string, _ activation.Access) (activation.Settings, error) {
	d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.of[group]; ok {
		return s, d.err
	}
	return d.settings, d.err
}

func (d *directory) Eligible(_ context.Context, p activation.Person) ([]activation.Eligibility, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.eligible[p.Object], d.err
}

func (d *directory) RequestsOf(context.Context, string, string) ([]activation.Request, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests, d.err
}

func (d *directory) InstancesOf(context.Context, string, string) ([]activation.Instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.instances, d.err
}

func (d *directory) Approvers(context.Context, activation.Settings) ([]activation.Person, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.approvers, errors.Join(d.err, d.unread)
}

// people are the bound accounts by Slack user id.
type people map[string][]activation.Person

func (p people) BySlack(u activation.SlackUser) []activation.Person {
	if u.Team != "T0CONTOSO" {
		return nil
	}
	return p[u.ID]
}

func (p people) ByObject(_, object string) (activation.Person, bool) {
	for _, all := range p {
		for _, q := range all {
			if strings.EqualFold(q.Object, object) {
				return q, true
			}
		}
	}
	return activation.Person{}, false
}

var errBroken = errors.New("the disk is full")
