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

// soql answers the queries that a probe needs: every condition counts, and what
// is not understood is refused.
func (w *World) soql(c *target.Call, q string) target.Answer {
	m := query.FindStringSubmatch(q)
	if m == nil {
		return grumble(400, "MALFORMED_QUERY", "unexpected token")
	}
	all, has := w.entity(c, strings.ToLower(m[2]))
	terms, ok := conditions(m[3])
	if !ok {
		return grumble(400, "MALFORMED_QUERY", "unexpected token in the WHERE: "+m[3])
	}
	fields, unknown := chosen(m[1], has)
	for _, t := range terms {
		if _, no := chosen(t.field, has); no != "" {
			unknown = no
		}
	}
	if unknown != "" {
		return grumble(400, "INVALID_FIELD", fmt.Sprintf("No such column '%s' on entity '%s'.", unknown, m[2]))
	}
	rows, seen := []target.Object{}, map[any]bool{}
	for _, r := range all {
		if seen[r["Id"]] || w.dials.NoPermission || !fits(r, terms) {
			continue
		}
		seen[r["Id"]] = true
		rows = append(rows, shown(r, fields))
	}
	return target.Answer{Status: 200, Body: target.Object{"totalSize": len(rows), "done": true, "records": rows}}
}

// term is field = value.
type term struct{ field, value string }

var condition = regexp.MustCompile(`(?is)^\s*([a-z.]+)\s*=\s*('(?:[^'\\]|\\.)*'|true|false|null)\s*(?:(and)\s|(?:limit\s+[1-9][0-9]*\s*)?$)`)

// conditions reads comparisons for equality, joined by AND, and a LIMIT.
func conditions(where string) (all []term, ok bool) {
	for more := true; more; {
		m := condition.FindStringSubmatch(where)
		if m == nil {
			return nil, false
		}
		where, more = where[len(m[0]):], m[3] != ""
		all = append(all, term{m[1], strings.NewReplacer(`\'`, "'", `\\`, `\`).Replace(strings.Trim(m[2], "'"))})
	}
	return all, true
}

// fits holds a row against conditions; text is compared in any case.
func fits(row target.Object, terms []term) bool {
	for _, t := range terms {
		for name, v := range row {
			if v == nil {
				v = "null"
			}
			if strings.EqualFold(name, t.field) && !strings.EqualFold(fmt.Sprint(v), t.value) {
				return false
			}
		}
	}
	return true
}

// entity is all rows of one, and its columns.
func (w *World) entity(c *target.Call, name string) (rows []target.Object, has []string) {
	switch name {
	case "permissionset":
		return []target.Object{{"Id": "0PS1", "Name": PermissionSet}}, []string{"Id", "Name"}
	case "profile":
		return []target.Object{{"Id": "00e1", "Name": Profile}}, []string{"Id", "Name"}
	case "user":
		return w.profiles(c), []string{"Id", "IsActive", "Profile.Name", "FederationIdentifier"}
	}
	return w.assignments(c), assignmentFields
}

// profiles are users with the one profile that each has: that of the group, or
// the ordinary one.
func (w *World) profiles(c *target.Call) (all []target.Object) {
	for i, u := range w.c.Users {
		has := ordinary
		if w.force.Says(c, u.OID) {
			has = Profile
		}
		all = append(all, target.Object{"Id": fmt.Sprintf("005%d", i+1), "IsActive": true, "Profile.Name": has, "FederationIdentifier": u.OID})
	}
	return all
}

const ordinary = "Standard User"

var assignmentFields = []string{"Id", "PermissionSet.Name", "PermissionSetGroupId", "IsActive", "ExpirationDate", "Assignee.FederationIdentifier"}

// assignments are rows by the names of their columns; a person is found by
// either of two identifiers.
func (w *World) assignments(c *target.Call) (all []target.Object) {
	for i, u := range w.c.Users {
		if !w.force.Says(c, u.OID) {
			continue
		}
		for _, id := range []string{u.OID, u.UPN} {
			all = append(all, target.Object{"Id": fmt.Sprintf("0Pa%d", i+1), "PermissionSet.Name": PermissionSet, "PermissionSetGroupId": nil,
				"IsActive": true, "ExpirationDate": nil, "Assignee.FederationIdentifier": id})
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
