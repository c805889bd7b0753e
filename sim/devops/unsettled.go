package devops

import (
	"encoding/json"
	"slices"
	"strings"
)

// Calls that no reference describes in full: what the book marks with a
// question mark is a dial.

// refreshMembersOf has a person's permissions re-evaluated (call 3): their own,
// or anybody's, as the dial says. It answers with the groups as they are now;
// the new ones show after a while.
func (c *call) refreshMembersOf(id string) answer {
	i := slices.Index(c.o.ids, strings.ToLower(id))
	if i < 0 || !c.o.Users[i].SignedIn {
		return trouble(404, "IdentityNotFoundException", "The identity "+id+" is not found.")
	}
	oid := c.o.Users[i].OID
	after, ok := c.o.w.MayReevaluate(c.By, oid)
	if !ok {
		return trouble(403, "AccessCheckException", "Access Denied: needs Manage permissions on the identity.")
	}
	c.o.copy.Reevaluate(oid, after)
	groups := []any{}
	if c.administers(oid) {
		groups = append(groups, c.o.pcaDescriptor())
	}
	return answer{Status: 200, Body: groups}
}

// directMembership sees direct edges only (call 7): a person who is in through
// an Entra group is no member.
func (c *call) directMembership(member, container string) answer {
	pca := subject("vssgp", c.o.sid)
	for _, u := range c.o.Users {
		if u.SignedIn && u.Administrator && member == subject("aad", u.OID) && container == pca {
			return answer{Status: 200, Body: obj{"memberDescriptor": member, "containerDescriptor": container}}
		}
	}
	return trouble(404, "GraphMembershipNotFoundException", "The membership is not found.")
}

const pivot = "ms.vss-admin-web.org-admin-groups-permissions-pivot-data-provider"

// portal is the page's own data (call 5), undocumented: what a subject may.
func (c *call) portal() answer {
	var in struct {
		ContributionIDs     []string `json:"contributionIds"`
		DataProviderContext struct {
			Properties struct {
				SubjectDescriptor string `json:"subjectDescriptor"`
			} `json:"properties"`
		} `json:"dataProviderContext"`
	}
	if json.Unmarshal(c.Bytes, &in) != nil || !slices.Contains(in.ContributionIDs, pivot) {
		return trouble(400, "ContributionDataProviderException", "There is no such data provider.")
	}
	for _, u := range c.o.Users {
		if subject("aad", u.OID) != in.DataProviderContext.Properties.SubjectDescriptor || !u.SignedIn {
			continue
		}
		words := "Not set"
		if c.administers(u.OID) {
			words = "Allow (inherited)"
		}
		rows := []any{}
		for i, a := range actions {
			rows = append(rows, obj{"displayName": a, "namespaceId": Collection, "token": Token, "bit": 1 << i, "permissionDisplayString": words})
		}
		return answer{Status: 200, Body: obj{"dataProviders": obj{pivot: obj{"subjectPermissions": rows, "identityDescriptor": c.o.descriptor(u)}}}}
	}
	return answer{Status: 200, Body: obj{"dataProviders": obj{}}}
}
