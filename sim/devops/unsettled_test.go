package devops

import (
	"strings"
	"testing"
	"time"

	"pagbot/sim/target"
)

func TestReevaluationOnDemand(t *testing.T) {
	for who, codes := range map[string][2]int{target.ByNobody: {403, 403}, target.BySelf: {403, 200}, target.ByAnyone: {200, 200}} {
		x := newWorld(t, nil)
		x.Turn(func(d *Dials) { d.Reevaluate = who })
		x.join(time.Second, 0)
		x.pass(time.Minute)
		path := vssps + "identities/" + x.requester().ID + "/membersof?queryMembership=expanded&api-version=7.1-preview.2"
		if got := [2]int{x.call(reader, "POST", path, "").Code, x.call(alice, "POST", path, "").Code}; got != codes {
			t.Errorf("%s: %v", who, got)
		}
		x.pass(5*time.Second - time.Nanosecond)
		if x.allowed() != 0 {
			t.Errorf("%s: sooner than it takes", who)
		}
		x.pass(25 * time.Second)
		if may := who != target.ByNobody; (x.allowed() == 31) != may {
			t.Errorf("%s: allowed %d", who, x.allowed())
		}
	}
}

// The calls for direct edges don't see who is in through the Entra group.
func TestDirectMembershipIsBlind(t *testing.T) {
	x := newWorld(t, nil)
	x.join(time.Second, 0)
	x.pass(time.Hour)
	pca := x.identities("searchFilter", "LocalGroupName", "filterValue", "Project Collection Administrators")[0].SubjectDescriptor
	get := func(oid string) int {
		return x.call(reader, "GET", vssps+"graph/memberships/"+subject("aad", oid)+"/"+pca+"?api-version=7.1-preview.1", "").Code
	}
	if x.allowed() != 31 || get(alice) != 404 || get(root) != 200 {
		t.Errorf("allowed %d, direct %d, administrator %d", x.allowed(), get(alice), get(root))
	}
}

func TestPortalData(t *testing.T) {
	x := newWorld(t, nil)
	ask := func() string {
		return x.call(reader, "POST", dev+"Contribution/HierarchyQuery?api-version=5.0-preview.1",
			`{"contributionIds":["`+pivot+`"],"dataProviderContext":{"properties":{"subjectDescriptor":"`+subject("aad", alice)+`"}}}`).Body.String()
	}
	if got := ask(); !strings.Contains(got, "Not set") || strings.Contains(got, "Allow") {
		t.Errorf("before: %s", got)
	}
	x.join(time.Second, 0)
	x.pass(time.Hour)
	if got := ask(); !strings.Contains(got, "Allow (inherited)") {
		t.Errorf("after: %s", got)
	}
	if rec := x.call(reader, "POST", dev+"Contribution/HierarchyQuery?api-version=5.0-preview.1", `{}`); rec.Code != 400 {
		t.Errorf("no provider: %d", rec.Code)
	}
}
