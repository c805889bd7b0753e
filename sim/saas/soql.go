package saas

import (
	"fmt"
	"regexp"
	"strings"

	"pagbot/sim/target"
)

// grumble is an error in Salesforce's shape.
func grumble(status int, code, message string) target.Answer {
	return target.Answer{Status: status, Body: []target.Object{{"errorCode": code, "message": message}}}
}

var query = regexp.MustCompile(`(?is)^\s*SELECT\s+(.+?)\s+FROM\s+(PermissionSetAssignment|PermissionSet|User|Profile)\s+WHERE\s+(.+)$`)

// soql answers the two queries that a probe needs.
func (w *World) soql(c *target.Call, q string) target.Answer {
	m := query.FindStringSubmatch(q)
	if m == nil {
		return grumble(400, "MALFORMED_QUERY", "unexpected token")
	}
	all, has := w.assignments(c, m[3]), assignmentFields
	switch strings.ToLower(m[2]) {
	case "permissionset":
		all, has = w.sets(m[3], PermissionSet, "0PS1"), []string{"Id", "Name"}
	case "profile":
		all, has = w.sets(m[3], Profile, "00e1"), []string{"Id", "Name"}
	case "user":
		all, has = w.profiles(c, m[3]), []string{"Id", "IsActive", "Profile.Name", "FederationIdentifier"}
	}
	fields, unknown := chosen(m[1], has)
	if unknown != "" {
		return grumble(400, "INVALID_FIELD", fmt.Sprintf("No such column '%s' on entity '%s'.", unknown, m[2]))
	}
	rows := []target.Object{}
	for _, r := range all {
		rows = append(rows, shown(r, fields))
	}
	return target.Answer{Status: 200, Body: target.Object{"totalSize": len(rows), "done": true, "records": rows}}
}

func (w *World) sets(where, name, id string) []target.Object {
	if !strings.Contains(where, "'"+name+"'") || w.dials.NoPermission {
		return nil
	}
	return []target.Object{{"Id": id, "Name": name}}
}

// profiles are users with the one profile that each has: that of the group, or
// the ordinary one. What the WHERE does not name does not matter.
func (w *World) profiles(c *target.Call, where string) (all []target.Object) {
	for i, u := range w.c.Users {
		has := ordinary
		if w.force.Says(c, u.OID) {
			has = Profile
		}
		named := strings.Contains(where, "FederationIdentifier='"+u.OID+"'") && (!strings.Contains(where, "Profile.Name") || strings.Contains(where, "'"+has+"'"))
		if named && !w.dials.NoPermission {
			all = append(all, target.Object{"Id": fmt.Sprintf("005%d", i+1), "IsActive": true, "Profile.Name": has, "FederationIdentifier": u.OID})
		}
	}
	return all
}

const ordinary = "Standard User"

var assignmentFields = []string{"Id", "PermissionSet.Name", "PermissionSetGroupId", "IsActive", "ExpirationDate", "Assignee.FederationIdentifier"}

// assignments are rows by the names of their columns.
func (w *World) assignments(c *target.Call, where string) (all []target.Object) {
	for i, u := range w.c.Users {
		for _, id := range []string{u.OID, u.UPN} {
			named := strings.Contains(where, "FederationIdentifier='"+id+"'") && strings.Contains(where, "'"+PermissionSet+"'")
			if named && !w.dials.NoPermission && w.force.Says(c, u.OID) {
				all = append(all, target.Object{"Id": fmt.Sprintf("0Pa%d", i+1), "PermissionSet.Name": PermissionSet, "PermissionSetGroupId": nil,
					"IsActive": true, "ExpirationDate": nil, "Assignee.FederationIdentifier": id})
			}
		}
	}
	return all
}

// chosen are the columns of a SELECT, spelt as they are declared.
func chosen(list string, has []string) (fields []string, unknown string) {
next:
	for f := range strings.SplitSeq(list, ",") {
		f = strings.TrimSpace(f)
		for _, h := range has {
			if strings.EqualFold(f, h) {
				fields = append(fields, h)
				continue next
			}
		}
		return nil, f
	}
	return fields, ""
}

// shown is a row with some of its columns, those of relations within them.
func shown(row target.Object, fields []string) target.Object {
	out := target.Object{}
	for _, f := range fields {
		relation, column, related := strings.Cut(f, ".")
		if !related {
			out[f] = row[f]
			continue
		}
		inner, _ := out[relation].(target.Object)
		if inner == nil {
			inner = target.Object{}
		}
		inner[column] = row[f]
		out[relation] = inner
	}
	return out
}
