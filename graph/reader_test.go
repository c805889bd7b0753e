package graph

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"pagbot/activation"
	"pagbot/sim/entra"
)

func TestSettings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		insiders := w.AddGroup(entra.Group{Name: "approvers"})
		w.settings(func(s *entra.Settings) {
			s.MaxDuration, s.Ticketing, s.AuthContext, s.ApproverWords = 105*time.Minute, true, "c1", true
			s.Approval, s.Approvers = true, []entra.Approver{{User: w.approver.ID}, {Group: insiders.ID}}
		})
		s, err := w.reader.Settings(t.Context(), w.group.ID, activation.Member)
		w.must(err)
		if s.Max != activation.Duration(105*time.Minute) || !s.NeedsReason || !s.NeedsTicket || s.NeedsMFA || s.Context != "c1" ||
			!s.NeedsApproval || !s.ApproverReason || len(s.Approvers) != 2 || s.Approvers[0].User != w.approver.ID || s.Approvers[1].Group != insiders.ID {
			t.Errorf("%+v", s)
		}
		w.settings(func(s *entra.Settings) { s.MaxDuration = time.Hour })
		if again, _ := w.reader.Settings(t.Context(), w.group.ID, activation.Member); again.Max != s.Max {
			t.Error("not cached")
		}
		pass(settingsLife)
		if again, _ := w.reader.Settings(t.Context(), w.group.ID, activation.Member); again.Max != activation.Duration(time.Hour) {
			t.Error("cached for too long")
		}
		owner, err := w.reader.Settings(t.Context(), w.group.ID, activation.Owner)
		if err != nil || owner.Context != "" || owner.Max != activation.Duration(8*time.Hour) {
			t.Errorf("owner: %+v %v", owner, err)
		}
	})
}

// A rule that was not read must not pass for one that asks nothing.
func TestSettingsAreWhole(t *testing.T) {
	rule := func(id string) rawRule { return rawRule{ID: id, MaximumDuration: "PT8H"} }
	all := []rawRule{rule("Expiration_EndUser_Assignment"), rule("Enablement_EndUser_Assignment"),
		rule("Approval_EndUser_Assignment"), rule("AuthenticationContext_EndUser_Assignment")}
	if _, err := settings(all); err != nil {
		t.Error(err)
	}
	for i := range all {
		if s, err := settings(append(all[:i:i], all[i+1:]...)); err == nil {
			t.Errorf("without %s: %+v", all[i].ID, s)
		}
	}
}

func TestApprovers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		outer, inner := w.AddGroup(entra.Group{Name: "outer"}), w.AddGroup(entra.Group{Name: "inner"})
		w.must(w.AddTie(outer.ID, "member", inner.ID))
		w.must(w.AddTie(outer.ID, "member", w.approver.ID))
		w.must(w.AddTie(inner.ID, "member", w.second.ID))
		got, err := w.reader.Approvers(t.Context(), activation.Settings{Approvers: []activation.Approver{{User: w.approver.ID}, {Group: outer.ID}}})
		if err != nil || len(got) != 2 || got[0] != w.person(w.approver) || got[1] != w.person(w.second) {
			t.Errorf("%+v %v", got, err)
		}
	})
}

// TestApproversWhoCant: who was deleted or disabled decides nothing, and keeps
// nobody else from it; of whom Entra does not tell, it is not assumed. One call
// an entry is enough.
func TestApproversWhoCant(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		off := w.AddUser(entra.User{UPN: "away@contoso.example", Disabled: true})
		team := w.AddGroup(entra.Group{Name: "team"})
		w.must(w.AddTie(team.ID, "member", off.ID))
		w.must(w.AddTie(team.ID, "member", w.second.ID))
		of := activation.Settings{Approvers: []activation.Approver{{User: off.ID}, {User: "nobody"}, {User: w.approver.ID}, {Group: team.ID}, {Group: "nothing"}}}
		got, err := w.reader.Approvers(t.Context(), of)
		if err != nil || len(got) != 2 || got[0] != w.person(w.approver) || got[1] != w.person(w.second) {
			t.Errorf("%+v %v", got, err)
		}
		calls := slices.DeleteFunc(w.History(), func(r entra.Record) bool { return r.Via == "authority" })
		if len(calls) > len(of.Approvers) {
			t.Errorf("%d calls: %+v", len(calls), calls)
		}
		w.Inject(entra.Fault{Path: "/graph.user", Do: entra.DoStatus, Status: 400, Code: "Request_UnsupportedQuery", Times: 2})
		if got, err := w.reader.Approvers(t.Context(), of); err != nil || len(got) != 3 {
			t.Errorf("where Entra does not tell: %+v %v", got, err)
		}
		w.must(w.SetEnabled(off.ID, true))
		if got, err := w.reader.Approvers(t.Context(), of); err != nil || len(got) != 3 {
			t.Errorf("enabled again: %+v %v", got, err)
		}
	})
}

func TestEligible(t *testing.T) {
	for _, pascal := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Turn(func(d *entra.Dials) { d.Pascal, d.ExpandNull, d.Sparse = pascal, pascal, pascal })
			team := w.AddGroup(entra.Group{Name: "team"})
			_, err := w.AddEligibility(w.group.ID, "owner", team.ID, time.Time{})
			w.must(err)
			_, err = w.AddEligibility(w.group.ID, "member", team.ID, time.Time{})
			w.must(err)
			got, err := w.reader.Eligible(t.Context(), w.person(w.requester))
			if err != nil || len(got) != 1 || got[0].Access != activation.Member || got[0].Group.ID != w.group.ID || got[0].Via != "" {
				t.Errorf("before: %+v %v", got, err)
			}
			w.must(w.AddTie(team.ID, "member", w.requester.ID))
			got, err = w.reader.Eligible(t.Context(), w.person(w.requester))
			if err != nil || len(got) != 2 || got[0].Via != "" || got[1].Access != activation.Owner || got[1].Via != team.ID {
				t.Errorf("nested: %+v %v", got, err)
			}
			if got, err := w.reader.Eligible(t.Context(), w.person(w.second)); err != nil || len(got) != 0 {
				t.Errorf("somebody else: %+v %v", got, err)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		portal := w.Portal(w.requester.ID)
		first, err := portal.Activate(w.group.ID, "member", time.Hour, "first")
		w.must(err)
		w.must(portal.Cancel(first))
		list := func() []activation.Request {
			all, err := w.reader.Requests(t.Context(), w.group.ID)
			w.must(err)
			return all
		}
		if all := list(); len(all) != 1 || all[0].ID != first || all[0].Kind() != activation.CalledOff || all[0].Created.IsZero() {
			t.Errorf("recent: %+v", all)
		}
		pass(26 * time.Hour)
		if all := list(); len(all) != 0 {
			t.Errorf("old: %+v", all)
		}
		second, err := portal.Activate(w.group.ID, "member", time.Hour, "second")
		w.must(err)
		if all := list(); len(all) != 1 || all[0].ID != second {
			t.Errorf("waiting: %+v", all)
		}
		if all, err := w.reader.RequestsOf(t.Context(), w.group.ID, w.requester.ID); err != nil || len(all) != 2 {
			t.Errorf("of the requester: %+v %v", all, err)
		}
		if _, err := w.reader.Request(t.Context(), "00000000-0000-4000-8000-000000000000"); !NotFound(err) {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestStandingAssignmentsAreNoActivations(t *testing.T) {
	for _, pascal := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Turn(func(d *entra.Dials) { d.Pascal = pascal })
			w.must(w.Assign(w.group.ID, "member", w.second.ID, time.Time{}))
			a := w.active()
			all, err := w.reader.Instances(t.Context(), w.group.ID)
			if err != nil || len(all) != 1 || all[0].Person.Object != w.requester.ID || all[0].Access != activation.Member || all[0].Ends.IsZero() {
				t.Errorf("%+v %v", all, err)
			}
			if a.Request.Action != selfActivate || a.Request.Access != activation.Member {
				t.Errorf("request %+v", a.Request)
			}
		})
	}
}

func TestIsMember(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		inner := w.AddGroup(entra.Group{Name: "inner"})
		w.must(w.AddTie(w.group.ID, "member", inner.ID))
		w.must(w.AddTie(inner.ID, "member", w.approver.ID))
		w.must(w.AddTie(w.group.ID, "owner", w.second.ID))
		ask := func(a activation.Access, who ...string) map[string]bool {
			is, err := w.reader.IsMember(t.Context(), w.group.ID, a, who)
			w.must(err)
			return is
		}
		for _, more := range [][]string{nil, {w.admin.ID, w.second.ID}} { // one by one, and all at once
			is := ask(activation.Member, append(more, w.approver.ID, w.requester.ID)...)
			if !is[w.approver.ID] || is[w.requester.ID] || is[w.second.ID] {
				t.Errorf("members %v", is)
			}
		}
		if is := ask(activation.Owner, w.second.ID, w.approver.ID); !is[w.second.ID] || is[w.approver.ID] {
			t.Errorf("owners %v", is)
		}
		if _, err := w.reader.IsMember(t.Context(), "no-such-group", activation.Owner, []string{w.second.ID}); err == nil {
			t.Error("a group that isn't there has no members, and says so")
		}
	})
}

func TestUserAndGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		guest := w.AddUser(entra.User{UPN: "guest@contoso.example", Mail: "guest@contoso.example", Guest: true, Disabled: true})
		u, err := w.reader.User(t.Context(), guest.ID)
		if err != nil || !u.Guest || !u.Disabled || u.Mail != guest.Mail || u.Person != w.person(guest) {
			t.Errorf("%+v %v", u, err)
		}
		if u, err := w.reader.User(t.Context(), w.requester.ID); err != nil || u.Guest || u.Disabled || u.Display != "Requester" {
			t.Errorf("%+v %v", u, err)
		}
		g, err := w.reader.Group(t.Context(), w.group.ID)
		if err != nil || g.Name != "devops-admins" || g.Tenant != w.Tenant() {
			t.Errorf("%+v %v", g, err)
		}
		if _, err := w.reader.Group(t.Context(), "elsewhere"); !NotFound(err) || !strings.Contains(err.Error(), "copy its object id") {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.must(w.reader.Check(t.Context()))
		for path, permission := range map[string]string{
			"eligibilityScheduleInstances": "PrivilegedEligibilitySchedule.Read.AzureADGroup", "assignmentScheduleInstances": "PrivilegedAssignmentSchedule.Read.AzureADGroup",
			"roleManagementPolicyAssignments": "RoleManagementPolicy.Read.AzureADGroup", "/groups/": "GroupMember.Read.All", "/users": "User.Read.All"} {
			pass(settingsLife)
			disarm := w.Inject(entra.Fault{Path: path, Do: entra.DoStatus, Status: 403, Code: "Authorization_RequestDenied"})
			if err := w.reader.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "lacks "+permission) || strings.Count(err.Error(), "lacks") != 1 {
				t.Errorf("%s: %v", path, err)
			}
			disarm()
		}
		w.Inject(entra.Fault{Path: "/v1.0/", Do: entra.DoReset})
		if err := w.reader.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "can't be reached") {
			t.Errorf("unreachable: %v", err)
		}
	})
}

type noToken struct{ text string }

func (n noToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New(n.text)
}

func TestCheckSignIn(t *testing.T) {
	for text, want := range map[string]string{
		"invalid_client: AADSTS7000215: Invalid client secret provided.": "secret is wrong",
		"invalid_request: AADSTS90002: Tenant 'x' not found.":            "there is no tenant",
		"unauthorized_client: AADSTS700016: Application not found.":      "not registered in tenant",
		"dial tcp: lookup login.microsoftonline.com: no such host":       "authority can be reached",
	} {
		r, err := NewReader(Config{Tenant: "some-tenant", Credential: noToken{text}})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "some-tenant") {
			t.Errorf("%q became %v", text, err)
		}
	}
}

func TestBase(t *testing.T) {
	for base, ok := range map[string]bool{"": true, "https://graph.microsoft.us": true, "http://localhost:8080": true, "http://graph.test": true,
		"http://graph.microsoft.com": false, "graph.microsoft.com": false, "ftp://graph.test": false, "https://": false} {
		if _, err := NewReader(Config{Base: base, Tenant: "t", Credential: noToken{}}); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		}
	}
}
