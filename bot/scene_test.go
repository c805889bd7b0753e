package bot

import (
	"time"

	"pagbot/activation"
)

// The people and things of the tests.
var (
	noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

	requester = activation.Person{Tenant: "11111111-0000-0000-0000-000000000000", Object: "0b1ec7ed-0000-0000-0000-000000000001", Name: "adm_requester@contoso.example",
		Human: "requester", Slack: activation.SlackUser{Team: "T0CONTOSO", ID: "U0REQUESTER"}}
	approver = activation.Person{Tenant: requester.Tenant, Object: "0b1ec7ed-0000-0000-0000-000000000002", Name: "adm_approver@contoso.example",
		Human: "approver", Slack: activation.SlackUser{Team: "T0CONTOSO", ID: "U0APPROVER"}}
	unknown = activation.Person{Tenant: requester.Tenant, Object: "0b1ec7ed-0000-0000-0000-000000000003", Name: "_adm_*_someone_@contoso.example"}
	admins  = activation.Group{Tenant: requester.Tenant, ID: "9409409a-0000-0000-0000-000000000001", Name: "db_admins"}
)

const channel = "C0APPROVALS"

func after(d time.Duration) time.Time { return noon.Add(d) }

// scene is an activation in a phase, as it would stand there.
func scene(p activation.Phase, change ...func(*activation.Activation)) activation.Activation {
	a := activation.Activation{ID: "abcdefghij", Seq: 7, Tag: "7F3K", Phase: p, Person: requester, Group: admins, Access: activation.Member,
		Reason: "restore the orders table", Ticket: "INC0012345", Length: activation.Duration(2 * time.Hour), Began: noon,
		Settings: activation.Settings{Max: activation.Duration(4 * time.Hour), NeedsApproval: true, ApproverReason: true},
		Targets: []activation.Target{
			{ID: "entra", Kind: "entra", Name: "Entra", Level: activation.L0},
			{ID: "devops", Kind: "devops", Name: "Azure DevOps contoso", Level: activation.L2, Within: activation.Duration(time.Hour), Sessions: activation.Duration(time.Hour)},
		}}
	if p != activation.Asked {
		a.Request = activation.Request{ID: "5e0e57ed-0000-0000-0000-000000000001", Status: "PendingApproval", Created: after(time.Minute)}
	}
	switch p {
	case activation.Active, activation.Ending, activation.Verifying:
		a.From, a.Ends = after(10*time.Minute), after(130*time.Minute)
	}
	if p == activation.Verifying {
		a.Ended, a.Outcome = a.Ends, activation.Expired
	}
	for _, f := range change {
		f(&a)
	}
	return a
}

type with = func(*activation.Activation)

func decidedBy(p activation.Person, approve, here bool, reason string) with {
	return func(a *activation.Activation) {
		a.Decision = &activation.Decision{By: p, Approve: approve, Reason: reason, At: after(5 * time.Minute), Here: here}
	}
}

func grants(entra, devops activation.Span) with {
	return func(a *activation.Activation) { a.Targets[0].Grant, a.Targets[1].Grant = entra, devops }
}

func removals(entra, devops activation.Span) with {
	return func(a *activation.Activation) { a.Targets[0].Removal, a.Targets[1].Removal = entra, devops }
}

func closed(o activation.Outcome) with {
	return func(a *activation.Activation) {
		a.Phase, a.Outcome, a.ClosedAt = activation.Closed, o, after(3*time.Hour)
	}
}

func stuck(r activation.Refusal) with {
	return func(a *activation.Activation) { a.Stuck = &activation.Stuck{Why: r, Since: after(time.Hour)} }
}

// The states that a span can be in, for both directions.
func took(l activation.Level, from, to time.Duration) activation.Span {
	return activation.Span{State: activation.Effective, After: after(from), Asked: after(to), By: after(to), Level: l, Via: "a group"}
}

func seen(l activation.Level, to time.Duration) activation.Span {
	return activation.Span{State: activation.Works, By: after(to), Level: l}
}

func had(l activation.Level) activation.Span {
	return activation.Span{State: activation.HadAlready, By: after(0), Level: l, Via: "a group"}
}

func left(l activation.Level, from, to time.Duration) activation.Span {
	return activation.Span{State: activation.Gone, After: after(from), By: after(to), Level: l}
}

func waits(doubt string) activation.Span {
	return activation.Span{State: activation.Waiting, Doubt: doubt}
}

func overdue(lastYes time.Duration, doubt string) activation.Span {
	s := activation.Span{State: activation.Waiting, Overdue: true, Doubt: doubt}
	if lastYes > 0 {
		s.After = after(lastYes)
	}
	return s
}

// onDemand is a scene whose second target Entra is, or was, asked to write to.
func onDemand(at time.Time, no activation.Code) func(*activation.Activation) {
	return func(a *activation.Activation) {
		grants(waits(""), waits(""))(a)
		t := &a.Targets[1]
		t.Name, t.OnDemand, t.Demanded = "AWS", true, at
		if no != "" {
			r := full(no)
			t.Declined = &r
		}
	}
}
