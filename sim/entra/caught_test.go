package entra

import (
	"strings"
	"testing"
	"time"
)

// What follows was caught by an outside reader, who compared the book with what
// plain HTTP clients saw. Each test is named after its fact.

// The transitive list of roles is not there at all without its header, which
// looks like "no role" (DOC, downstream book 10).
func TestTransitiveRolesAre404WithoutTheHeader(t *testing.T) {
	x := newTenant(t)
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = append(a.Roles, "RoleManagement.Read.Directory") }))
	const path = "/beta/roleManagement/directory/transitiveRoleAssignments?$count=true&$filter=principalId eq 'x'"
	if r := x.call(x.asReader(), "GET", path, nil); r.status != 404 {
		t.Errorf("without the header: %d %s", r.status, r.raw)
	}
	if r := x.call(x.asReader(), "GET", path, nil, "ConsistencyLevel", "eventual"); r.status != 200 {
		t.Errorf("with it: %d %s", r.status, r.raw)
	}
}

// A page that the service never named is refused, and not the first one again.
func TestUnknownPagesAreRefused(t *testing.T) {
	x := newTenant(t)
	for _, token := range []string{"nonsense", "LTE", "MWVl"} { // the last two: -1, 1ee
		path := base + "eligibilityScheduleInstances?$filter=groupId eq '" + x.group.ID + "'&$skiptoken=" + token
		if r := x.call(x.asReader(), "GET", path, nil); r.status != 400 || r.code() != "BadRequest" {
			t.Errorf("%s: %d %s", token, r.status, r.raw)
		}
	}
}

// A token endpoint in trouble speaks OAuth, as ever: error is a string.
func TestTokenEndpointFaultsSpeakOAuth(t *testing.T) {
	l := newLogin(t)
	l.Inject(Fault{Path: "/token", Do: DoStatus, Status: 500, RetryAfter: "3", Times: 1})
	r := l.tokenCall("client_id", l.reader.ID)
	numbers, _ := r.body["error_codes"].([]any)
	if r.status != 500 || r.body["error"] != "temporarily_unavailable" || len(numbers) != 1 || r.header.Get("Retry-After") != "3" ||
		r.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%d %v %v", r.status, r.header, r.body)
	}
}

// A refusal's description has its parts on lines of their own.
func TestDescriptionsHaveLines(t *testing.T) {
	l := newLogin(t)
	text, _ := l.tokenCall("client_id", l.reader.ID, "grant_type", "client_credentials").body["error_description"].(string)
	lines := strings.Split(text, "\r\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "AADSTS7000218: ") || !strings.HasPrefix(lines[1], "Trace ID: ") ||
		!strings.HasPrefix(lines[2], "Correlation ID: ") || !strings.HasPrefix(lines[3], "Timestamp: ") {
		t.Errorf("%q", text)
	}
}

// Provisioning writes direct members only: the directory can tell them apart.
func TestDirectMembersAreToldApart(t *testing.T) {
	x := newTenant(t)
	inner := x.AddGroup(Group{Name: "inner"})
	x.must(x.AddTie(inner.ID, "member", x.requester.ID))
	x.must(x.AddTie(x.group.ID, "member", inner.ID))
	x.must(x.AddTie(x.group.ID, "member", x.owner.ID))
	x.pass(time.Minute)
	for _, c := range []struct {
		who            User
		direct, anyhow bool
	}{{x.requester, false, true}, {x.owner, true, true}, {x.approver, false, false}} {
		if got := x.DirectMember(x.group.ID, c.who.ID, x.at); got != c.direct {
			t.Errorf("%s directly: %v", c.who.Name, got)
		}
		if got := x.Member(x.group.ID, c.who.ID, x.at); got != c.anyhow {
			t.Errorf("%s anyhow: %v", c.who.Name, got)
		}
	}
}
