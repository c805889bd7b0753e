package devops

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Collection is the security namespace that carries what administrators may do.
const Collection = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7"

// Token is the one token in it.
const Token = "NAMESPACE:"

// adminBits are the actions in the namespace, all of which administrators have.
const adminBits = 31

var actions = []string{"GENERIC_READ", "GENERIC_WRITE", "CREATE_PROJECTS", "TRIGGER_EVENT", "MANAGE_TEMPLATE"}

const oidProperty = "http://schemas.microsoft.com/identity/claims/objectidentifier"

func (o *Organization) descriptor(u User) string {
	return "Microsoft.IdentityModel.Claims.ClaimsIdentity;" + o.w.tenant + `\` + u.UPN
}

func (o *Organization) pcaDescriptor() string { return "Microsoft.TeamFoundation.Identity;" + o.sid }

func subject(kind, id string) string {
	return kind + "." + base64.RawURLEncoding.EncodeToString([]byte(id))
}

func list(rows []any) answer {
	return answer{Status: 200, Body: obj{"count": len(rows), "value": append([]any{}, rows...)}}
}

// administers is the policy engine: what the copy that answers now knows.
func (c *call) administers(oid string) bool {
	i, ok := c.o.user(oid)
	return ok && (c.o.Users[i].Administrator || c.o.copy.Says(c.Call, oid))
}

// transitive tells whether a query sees memberships through groups: an
// administrator through an Entra group is no direct member.
func (c *call) transitive() bool {
	q := strings.ToLower(c.URL.Query().Get("queryMembership"))
	return q == "expanded" || q == "expandedup"
}

// searches are what identities can be searched by. What is not simulated of
// them finds nobody.
var searches = []string{"general", "accountname", "displayname", "mailaddress", "localgroupname", "administratorsgroup", "identifier", "alias", "directoryalias", "teamgroupname"}

// misspelt refuses a queryMembership that there is not.
func (c *call) misspelt() *answer {
	m := strings.ToLower(c.URL.Query().Get("queryMembership"))
	if m == "" || slices.Contains([]string{"none", "direct", "expanded", "expandedup", "expandeddown"}, m) {
		return nil
	}
	a := trouble(400, "VssRequestException", "queryMembership is not valid: "+m)
	return &a
}

// identities resolves people and groups (call 1).
func (c *call) identities() answer {
	q := c.URL.Query()
	want := strings.ToLower(q.Get("filterValue"))
	filter := strings.ToLower(q.Get("searchFilter"))
	switch by := q.Get("descriptors") + q.Get("identityIds") + q.Get("subjectDescriptors"); {
	case c.misspelt() != nil:
		return *c.misspelt()
	case filter != "" && !slices.Contains(searches, filter):
		return trouble(400, "VssRequestException", "searchFilter is not valid: "+filter)
	case (filter == "") != (want == ""), filter == "" && by == "":
		return trouble(400, "VssRequestException", "Give a searchFilter and its filterValue, or whom to read.")
	}
	ids := strings.Split(strings.ToLower(q.Get("descriptors")+","+q.Get("identityIds")+","+q.Get("subjectDescriptors")), ",")
	hit := func(names ...string) bool {
		for _, n := range names {
			if n = strings.ToLower(n); n != "" && slices.Contains(ids, n) {
				return true
			}
		}
		return false
	}
	rows := []any{}
	for i, u := range c.o.Users {
		named := map[string][]string{"general": {u.UPN, u.Name}, "accountname": {u.UPN}, "mailaddress": {u.UPN}, "displayname": {u.Name}}[filter]
		found := slices.ContainsFunc(named, func(n string) bool { return want != "" && strings.EqualFold(n, want) })
		if u.SignedIn && (found || hit(c.o.ids[i], c.o.descriptor(u), subject("aad", u.OID))) {
			rows = append(rows, c.person(i))
		}
	}
	name := `[` + c.o.Name + `]\Project Collection Administrators`
	local := filter == "localgroupname" && (strings.EqualFold(want, name) || strings.EqualFold(want, "Project Collection Administrators"))
	if local || hit(c.o.pca, c.o.pcaDescriptor()) {
		rows = append(rows, obj{"id": c.o.pca, "descriptor": c.o.pcaDescriptor(), "subjectDescriptor": subject("vssgp", c.o.sid), "providerDisplayName": name,
			"isActive": true, "isContainer": true, "members": []any{}, "memberOf": []any{}, "memberIds": []any{}, "resourceVersion": 2, "metaTypeId": 255,
			"properties": obj{"SchemaClassName": property("Group"), "SpecialType": property("AdministrativeApplicationGroup")}})
	}
	return list(rows)
}

func property(v string) obj { return obj{"$type": "System.String", "$value": v} }

func (c *call) person(i int) obj {
	u := c.o.Users[i]
	above := []any{}
	if c.transitive() && c.administers(u.OID) {
		above = append(above, c.o.pcaDescriptor())
	}
	return obj{"id": c.o.ids[i], "descriptor": c.o.descriptor(u), "subjectDescriptor": subject("aad", u.OID), "providerDisplayName": u.Name,
		"isActive": true, "members": []any{}, "memberOf": above, "memberIds": []any{}, "resourceVersion": 2, "metaTypeId": 0,
		"properties": obj{"SchemaClassName": property("User"), "Account": property(u.UPN), "Mail": property(u.UPN),
			"Domain": property(c.o.w.tenant), oidProperty: property(u.OID)}}
}

// membersOf tells whether a person is in a container (call 2): its descriptor,
// or nothing. It is in no published reference.
func (c *call) membersOf(id, container string) answer {
	if no := c.misspelt(); no != nil {
		return *no
	}
	i := slices.Index(c.o.ids, strings.ToLower(id))
	if i >= 0 && c.o.Users[i].SignedIn && strings.EqualFold(container, c.o.pca) && c.transitive() && c.administers(c.o.Users[i].OID) {
		return answer{Status: 200, Body: c.o.pcaDescriptor()}
	}
	if c.o.w.dials.AbsentEmpty {
		return answer{Status: 200}
	}
	return trouble(404, "VssResourceNotFoundException", "The identity is not a member of the container.")
}

// accessControl is the list of who may do what (call 4).
func (c *call) accessControl(space string) answer {
	q := c.URL.Query()
	if !strings.EqualFold(space, Collection) {
		return noNamespace(space)
	}
	if t := q.Get("token"); t != "" && t != Token {
		return list(nil)
	}
	extended := strings.EqualFold(q.Get("includeExtendedInfo"), "true")
	aces := obj{}
	wanted := strings.Split(q.Get("descriptors"), ",")
	for _, d := range append([]string{c.o.pcaDescriptor()}, c.everybody()...) {
		if q.Get("descriptors") == "" && d == c.o.pcaDescriptor() || slices.Contains(wanted, d) {
			c.entry(aces, d, extended)
		}
	}
	return list([]any{obj{"inheritPermissions": true, "token": Token, "acesDictionary": aces, "includeExtendedInfo": extended}})
}

func (c *call) everybody() (all []string) {
	for _, u := range c.o.Users {
		if u.SignedIn {
			all = append(all, c.o.descriptor(u))
		}
	}
	return all
}

// entry adds one identity's entry. Only the group has bits of its own; a
// person's come with the extended information.
func (c *call) entry(aces obj, d string, extended bool) {
	allow, effective := 0, 0
	if d == c.o.pcaDescriptor() {
		allow, effective = adminBits, adminBits
	}
	for _, u := range c.o.Users {
		if c.o.descriptor(u) == d && c.administers(u.OID) {
			effective = adminBits
		}
	}
	if effective == 0 && c.o.w.dials.NoEntry {
		return
	}
	e := obj{"descriptor": d, "allow": allow, "deny": 0}
	if extended {
		e["extendedInfo"] = obj{"effectiveAllow": effective, "effectiveDeny": 0, "inheritedAllow": 0, "inheritedDeny": 0}
	}
	aces[d] = e
}

// namespace describes the bits.
func (c *call) namespace(id string) answer {
	if !strings.EqualFold(id, Collection) {
		return noNamespace(id)
	}
	all := []any{}
	for i, a := range actions {
		all = append(all, obj{"bit": 1 << i, "name": a, "displayName": a, "namespaceId": Collection})
	}
	return list([]any{obj{"namespaceId": Collection, "name": "Collection", "displayName": "Collection", "separatorValue": ":", "elementLength": -1,
		"writePermission": 2, "readPermission": 1, "dataspaceCategory": "Default", "actions": all, "structureValue": 1, "isRemotable": false}})
}

func noNamespace(id string) answer {
	return trouble(404, "SecurityNamespaceNotFoundException", "The security namespace "+id+" is not found.")
}

// evaluate answers about the caller, whoever that is (call 6): an application
// that asks learns about itself.
func (c *call) evaluate() answer {
	var in struct {
		AlwaysAllowAdministrators bool `json:"alwaysAllowAdministrators"`
		Evaluations               []struct {
			SecurityNamespaceID string `json:"securityNamespaceId"`
			Token               string `json:"token"`
			Permissions         int    `json:"permissions"`
			Value               bool   `json:"value"`
		} `json:"evaluations"`
	}
	if err := json.Unmarshal(c.Bytes, &in); err != nil || len(in.Evaluations) == 0 {
		return trouble(400, "ArgumentNullException", "Value cannot be null. Parameter name: evaluations")
	}
	for i, e := range in.Evaluations {
		if !strings.EqualFold(e.SecurityNamespaceID, Collection) {
			return noNamespace(e.SecurityNamespaceID)
		}
		in.Evaluations[i].Value = c.may(e.Token, e.Permissions)
	}
	return answer{Status: 200, Body: in}
}

func (c *call) may(token string, bits int) bool {
	return token == Token && bits&^adminBits == 0 && c.administers(c.By.OID)
}

func (c *call) permissions(space, bits string) answer {
	n, err := strconv.Atoi(bits)
	if err != nil {
		return trouble(400, "VssRequestException", "The permissions must be a number.")
	}
	if !strings.EqualFold(space, Collection) {
		return noNamespace(space)
	}
	rows := []any{}
	for _, t := range strings.Split(c.URL.Query().Get("tokens"), ",") {
		rows = append(rows, c.may(t, n))
	}
	return list(rows)
}
