package awsidc

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pagbot/sim/target"
)

type obj = target.Object

// Handler serves the identity store, and the security token service for
// requests that are forms.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.serve, Trouble: trouble, Type: "application/x-amz-json-1.1"})
}

func trouble(status int, code, message string) target.Answer {
	return target.Answer{Status: status, Body: obj{"__type": "com.amazonaws.identitystore#" + code, "Message": message, "RequestId": "made-up"}}
}

// request is what all operations take, together.
type request struct {
	IdentityStoreID string   `json:"IdentityStoreId"`
	UserID          string   `json:"UserId"`
	GroupID         string   `json:"GroupId"`
	GroupIDs        []string `json:"GroupIds"`
	MemberID        struct {
		UserID string `json:"UserId"`
	} `json:"MemberId"`
	AlternateIdentifier struct {
		UniqueAttribute *struct{ AttributePath, AttributeValue string }
		ExternalID      *struct {
			ID     string `json:"Id"`
			Issuer string
		} `json:"ExternalId"`
	}
	MaxResults int
	NextToken  string
}

func (w *World) serve(c *target.Call) target.Answer {
	if strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(c.Bytes))
		if c.Op = form.Get("Action"); c.Op == "AssumeRoleWithWebIdentity" {
			return w.role(form)
		}
		return trouble(400, "InvalidAction", "not here")
	}
	_, c.Op, _ = strings.Cut(c.Header.Get("X-Amz-Target"), "AWSIdentityStore.")
	if c.Method != http.MethodPost {
		return unheard
	}
	if code, ok := w.signed(c); !ok {
		return trouble(400, code, "The security token included in the request is invalid.")
	}
	if w.Throttled(c.By.OID) {
		a := trouble(400, "ThrottlingException", "Rate exceeded")
		if n, err := strconv.Atoi(w.dials.RetryAfter); err == nil {
			a.Body.(obj)["RetryAfterSeconds"] = n
		}
		return a
	}
	if slices.Contains(w.dials.Deny, c.Op) {
		return trouble(400, "AccessDeniedException", "User is not authorized to perform: identitystore:"+c.Op)
	}
	var in request
	if json.Unmarshal(c.Bytes, &in) != nil || in.IdentityStoreID == "" {
		return trouble(400, "ValidationException", "IdentityStoreId is required")
	}
	if in.IdentityStoreID != w.c.Store {
		return missing("IDENTITY_STORE", in.IdentityStoreID)
	}
	c.Lag += w.dials.Apply
	return w.operate(c, in)
}

func missing(kind, id string) target.Answer {
	a := trouble(400, "ResourceNotFoundException", kind+" not found.")
	a.Body.(obj)["ResourceType"], a.Body.(obj)["ResourceId"] = kind, id
	return a
}

func (w *World) operate(c *target.Call, in request) target.Answer {
	switch c.Op {
	case "GetGroupId":
		return w.groupID(in)
	case "GetUserId":
		return w.userID(c, in)
	case "DescribeUser":
		return w.describe(c, in)
	case "IsMemberInGroups":
		return w.isMember(c, in)
	case "ListGroupMembershipsForMember":
		return w.memberships(c, in)
	}
	if slices.Contains(further, c.Op) {
		return trouble(400, "AccessDeniedException", "User is not authorized to perform: identitystore:"+c.Op)
	}
	return unheard
}

// further are the store's operations that nobody may do here.
var further = strings.Fields(`GetGroupMembershipId ListGroupMemberships ListGroups ListUsers DescribeGroup DescribeGroupMembership CreateGroup CreateGroupMembership CreateUser
	DeleteGroup DeleteGroupMembership DeleteUser UpdateGroup UpdateUser`)

var unheard = trouble(400, "UnknownOperationException", "")

func invalid(why string) target.Answer { return trouble(400, "ValidationException", why) }

// misses refuses an alternate identifier that is none, or by what nobody is found.
func (in request) misses(path string) bool {
	by := in.AlternateIdentifier
	return (by.UniqueAttribute == nil) == (by.ExternalID == nil) || by.UniqueAttribute != nil && by.UniqueAttribute.AttributePath != path
}

func (w *World) ok(body obj) target.Answer {
	body["IdentityStoreId"] = w.c.Store
	return target.Answer{Status: 200, Body: body}
}

func (w *World) groupID(in request) target.Answer {
	by := in.AlternateIdentifier
	if in.misses("displayName") {
		return invalid("AlternateIdentifier takes displayName, or an ExternalId")
	}
	for _, g := range w.groups {
		named := by.UniqueAttribute != nil && by.UniqueAttribute.AttributePath == "displayName" && strings.EqualFold(by.UniqueAttribute.AttributeValue, g.Name)
		if named || by.ExternalID != nil && by.ExternalID.Issuer == w.c.Issuer && by.ExternalID.ID == g.PAG {
			return w.ok(obj{"GroupId": w.ids["group "+g.Name], "GroupArn": "arn:aws:identitystore:::group/" + w.ids["group "+g.Name]})
		}
	}
	return missing("GROUP", "")
}

// there lists the users that were written.
func (w *World) there(c *target.Call) (all []User) {
	for _, u := range w.c.Users {
		for _, g := range w.c.Groups {
			w.born[u.OID] = w.born[u.OID] || u.Provisioned || w.copy.Says(c, key(g, u.OID))
		}
		if w.born[u.OID] {
			all = append(all, u)
		}
	}
	return all
}

func (w *World) external(u User) string {
	if w.dials.NoExternalID {
		local, _, _ := strings.Cut(u.UPN, "@")
		return local
	}
	return u.OID
}

func (w *World) userID(c *target.Call, in request) target.Answer {
	by := in.AlternateIdentifier
	if in.misses("userName") {
		return invalid("AlternateIdentifier takes userName, or an ExternalId")
	}
	for _, u := range w.there(c) {
		named := by.UniqueAttribute != nil && by.UniqueAttribute.AttributePath == "userName" && strings.EqualFold(by.UniqueAttribute.AttributeValue, u.UPN)
		if named || by.ExternalID != nil && by.ExternalID.Issuer == w.c.Issuer && by.ExternalID.ID == w.external(u) {
			return w.ok(obj{"UserId": w.ids["user "+u.OID], "UserArn": "arn:aws:identitystore:::user/" + w.ids["user "+u.OID]})
		}
	}
	return missing("USER", "")
}

func (w *World) user(c *target.Call, id string) (User, bool) {
	for _, u := range w.there(c) {
		if w.ids["user "+u.OID] == id {
			return u, true
		}
	}
	return User{}, false
}

func (w *World) describe(c *target.Call, in request) target.Answer {
	u, ok := w.user(c, in.UserID)
	if !ok {
		return missing("USER", in.UserID)
	}
	return w.ok(obj{"UserId": in.UserID, "UserArn": "arn:aws:identitystore:::user/" + in.UserID, "Revision": "1", "UserName": u.UPN,
		"ExternalIds": []obj{{"Issuer": w.c.Issuer, "Id": w.external(u)}}})
}

func (w *World) isMember(c *target.Call, in request) target.Answer {
	u, ok := w.user(c, in.MemberID.UserID)
	if !ok {
		return missing("USER", in.MemberID.UserID)
	}
	if n := len(in.GroupIDs); n < 1 || n > 100 {
		return trouble(400, "ValidationException", "1 to 100 groups")
	}
	rows := []obj{}
	for _, id := range in.GroupIDs {
		i := slices.IndexFunc(w.groups, func(g Group) bool { return w.ids["group "+g.Name] == id })
		if i < 0 && !w.dials.GoneIsFalse {
			return missing("GROUP", id)
		}
		rows = append(rows, obj{"GroupId": id, "MemberId": obj{"UserId": in.MemberID.UserID}, "MembershipExists": i >= 0 && w.copy.Says(c, key(w.groups[max(i, 0)], u.OID))})
	}
	return target.Answer{Status: 200, Body: obj{"Results": rows}}
}

// memberships gives one a page, so that nobody forgets to turn it.
func (w *World) memberships(c *target.Call, in request) target.Answer {
	u, ok := w.user(c, in.MemberID.UserID)
	if !ok {
		return missing("USER", in.MemberID.UserID)
	}
	rows := []obj{}
	for _, g := range w.groups {
		if w.copy.Says(c, key(g, u.OID)) {
			rows = append(rows, obj{"IdentityStoreId": w.c.Store, "MembershipId": g.Name + "-" + u.OID, "GroupId": w.ids["group "+g.Name], "MemberId": obj{"UserId": in.MemberID.UserID}})
		}
	}
	at, err := strconv.Atoi(cmp.Or(in.NextToken, "0"))
	if err != nil || at < 0 || in.MaxResults < 0 || in.MaxResults > 100 {
		return invalid("NextToken is one of this list's; MaxResults is 1 to 100")
	}
	if at >= len(rows) {
		return target.Answer{Status: 200, Body: obj{"GroupMemberships": []obj{}}}
	}
	page := obj{"GroupMemberships": rows[at : at+1]}
	if at+1 < len(rows) {
		page["NextToken"] = strconv.Itoa(at + 1)
	}
	return target.Answer{Status: 200, Body: page}
}
