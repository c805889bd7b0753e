package entra

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// collection is one of PIM's lists, as it was at a time.
type collection struct {
	name string
	rows func(w *World, c *call, at time.Time, p part) []obj
	mark string // under which one of them is found
}

var (
	eligibilityInstances = collection{"eligibilityScheduleInstances", (*World).eligibilityInstances, "id"}
	eligibilitySchedules = collection{"eligibilitySchedules", (*World).eligibilitySchedules, "schedule"}
	assignmentInstances  = collection{"assignmentScheduleInstances", (*World).assignmentInstances, "id"}
	assignmentSchedules  = collection{"assignmentSchedules", (*World).assignmentSchedules, "schedule"}
	assignmentRequests   = collection{"assignmentScheduleRequests", (*World).assignmentRequests, "id"}
	eligibilityRequests  = collection{"eligibilityScheduleRequests", (*World).eligibilityRequests, "id"}
	assignmentApprovals  = collection{"assignmentApprovals", (*World).assignmentApprovals, "id"}
)

// list serves a collection to those who may read it. PIM insists on a filter
// by group or principal.
func list(k collection) func(*World, *call) answer {
	return func(w *World, c *call) answer {
		f, no := k.asked(c)
		if no != nil {
			return w.refused(c, no)
		}
		if f.fixed("groupId") == "" && f.fixed("principalId") == "" {
			return w.refused(c, refuse(400, w.dials.FilterCode, "A filter on groupId or principalId is required."))
		}
		group := f.fixed("groupId")
		if g := w.group(group); g != nil {
			group = g.ID
		}
		if !w.mayList(c, group, f.fixed("principalId")) {
			return w.refused(c, denied)
		}
		return w.page(c, k.name, w.finish(c, f.keep(k.rows(w, c, c.now.Add(-w.dials.ReadLag), w.narrow(f)))))
	}
}

// narrow is the smaller part of what a filter's group and principal leave.
func (w *World) narrow(f *filter) part {
	group, principal := f.fixed("groupId"), f.fixed("principalId")
	if principal != "" {
		return part{{"principal", principal}}
	}
	return part{{"group", group}}
}

// mayList tells whether a person may list: their own, or as the group's member
// or owner, or with a directory role. An app needs only its permission.
func (w *World) mayList(c *call, group, principal string) bool {
	by := c.by
	return by.oid == "" || by.admin || strings.EqualFold(principal, by.oid) ||
		group != "" && (w.tied(edge{group, "owner", by.oid}, c.now) || w.member(group, by.oid, c.now))
}

// get serves one row: to those who may list it, who made it, or who decide it.
func get(k collection) func(*World, *call) answer {
	return func(w *World, c *call) answer {
		if _, no := k.asked(c); no != nil {
			return w.refused(c, no)
		}
		rows := k.rows(w, c, c.now.Add(-w.dials.ReadLag), part{{k.mark, c.args["id"]}})
		if len(rows) == 0 {
			return w.refused(c, refuse(404, "ResourceNotFound", "The "+k.name+" entity is not found."))
		}
		o := rows[0]
		made, _ := o["createdBy"].(obj)
		maker, _ := made["user"].(obj)
		waits := k.name == assignmentRequests.name && w.decides(c.by.oid, w.request(c.args["id"]), c.now)
		if !waits && maker["id"] != c.by.oid && !w.mayList(c, o["groupId"].(string), o["principalId"].(string)) {
			return w.refused(c, denied)
		}
		one := maps.Clone(w.finish(c, rows[:1])[0])
		one["@odata.context"] = c.context("identityGovernance/privilegedAccess/group/" + k.name + "/$entity")
		return answer{status: 200, body: one}
	}
}

// mine serves filterByCurrentUser.
func mine(k collection) func(*World, *call) answer {
	return func(w *World, c *call) answer {
		f, no := k.asked(c)
		if c.by.oid == "" && k.name == assignmentApprovals.name {
			no = unauthorized
		}
		if w.dials.NationalCloud {
			no = refuse(404, "Request_ResourceNotFound", "Resource not found for the segment 'filterByCurrentUser'.")
		}
		if no != nil {
			return w.refused(c, no)
		}
		on := c.args["on"]
		asks := k.name == assignmentRequests.name || k.name == eligibilityRequests.name
		if on != "principal" && (!asks || on != "createdBy" && on != "approver") && (k.name != assignmentApprovals.name || on != "approver") {
			return w.refused(c, refuse(400, "BadRequest", "The value of 'on' is not supported: "+on))
		}
		at := c.now.Add(-w.dials.ReadLag)
		rows := slices.DeleteFunc(k.rows(w, c, at, w.own(c, on, at)), func(o obj) bool { return !w.concerns(c, on, o, at) })
		return w.page(c, k.name, w.finish(c, f.keep(rows)))
	}
}

// own is the part of a collection in which a caller's rows can be.
func (w *World) own(c *call, on string, at time.Time) part {
	switch on {
	case "createdBy":
		return part{{"creator", orElse(c.by.oid, "nobody")}}
	case "approver":
		return asked
	}
	p := part{{"principal", c.by.oid}}
	for _, g := range w.above(c.by.oid, at) {
		p = append(p, mark{"principal", g})
	}
	return p
}

// concerns tells whether a row is the caller's own in the sense of `on`. An
// app has nothing of its own.
func (w *World) concerns(c *call, on string, o obj, at time.Time) bool {
	if c.by.oid == "" {
		return false
	}
	switch on {
	case "createdBy":
		return o["createdBy"].(obj)["user"].(obj)["id"] == c.by.oid
	case "approver":
		r := w.request(o["id"].(string))
		return r != nil && r.approval && w.decides(c.by.oid, r, c.now)
	}
	p, _ := o["principalId"].(string)
	return p == c.by.oid || w.group(p) != nil && w.member(p, c.by.oid, at)
}

// finish applies $expand, the lies and $select, in this order.
func (w *World) finish(c *call, rows []obj) []obj {
	q, _ := url.ParseQuery(c.query)
	expand, names := q.Get("$expand")+q.Get("expand"), fields(q.Get("$select"))
	alone := expand != "" || w.dials.Sparse || w.dials.OddKeys || w.dials.Pascal
	for i, o := range rows {
		if alone {
			o = maps.Clone(o)
		}
		if strings.Contains(expand, "group") {
			o["group"] = w.expanded(func() any { return w.groupJSON(w.group(o["groupId"].(string))) })
		}
		if strings.Contains(expand, "principal") {
			o["principal"] = w.expanded(func() any { return w.principalJSON(o["principalId"].(string)) })
		}
		rows[i] = selected(w.lie(o), names)
	}
	return rows
}

func (w *World) expanded(f func() any) any {
	if w.dials.ExpandNull {
		return nil
	}
	return f()
}

// fields are the names in a $select.
func fields(list string) (names []string) {
	if list == "" {
		return nil
	}
	for _, f := range strings.Split(list, ",") {
		names = append(names, strings.TrimSpace(f))
	}
	return names
}

func selected(o obj, names []string) obj {
	if names == nil {
		return o
	}
	less := make(obj, len(names)+1)
	for _, f := range names {
		if v, ok := o[f]; ok {
			less[f] = v
		}
	}
	for _, k := range []string{"group", "principal", "@odata.type"} {
		if v, ok := o[k]; ok {
			less[k] = v
		}
	}
	return less
}

// lie changes an honest row as the dials say.
func (w *World) lie(o obj) obj {
	if w.dials.Sparse {
		for _, k := range []string{"approvalId", "createdBy", "targetScheduleId", "eligibilityScheduleId"} {
			delete(o, k)
		}
	}
	for plain, odd := range map[string]string{"createdDateTime": "createdDateTIme", "completedDateTime": "completedDateTIme"} {
		if v, ok := o[plain]; ok && w.dials.OddKeys {
			delete(o, plain)
			o[odd] = v
		}
	}
	if !w.dials.Pascal {
		return o
	}
	for _, k := range []string{"action", "accessId", "assignmentType", "memberType"} {
		if s, ok := o[k].(string); ok && s != "" {
			o[k] = strings.ToUpper(s[:1]) + s[1:]
		}
	}
	if s, ok := o["scheduleInfo"].(obj); ok {
		if x, ok := s["expiration"].(obj); ok {
			t := x["type"].(string)
			x["type"] = strings.ToUpper(t[:1]) + t[1:]
		}
	}
	return o
}

// page cuts a list into pages, with all the ways in which nextLink goes wrong.
func (w *World) page(c *call, context string, rows []obj) answer {
	q, _ := url.ParseQuery(c.query)
	size := w.dials.Page
	pims := strings.HasPrefix(c.path, "/"+c.version+pag)
	if n, err := strconv.Atoi(q.Get("$top")); err == nil && !(pims && w.dials.IgnoreTop) && n > 0 && (size == 0 || n < size) {
		size = n
	}
	from, empty, ok := skipped(q.Get("$skiptoken"), c.list(), len(rows))
	if !ok {
		return w.refused(c, refuse(400, "BadRequest", "Skip token is not valid."))
	}
	body := obj{"@odata.context": c.context(strings.TrimPrefix("identityGovernance/privilegedAccess/group/"+context, "identityGovernance/privilegedAccess/group/#"))}
	to := len(rows)
	if size > 0 {
		to = min(from+size, len(rows))
	}
	if empty {
		to = from
	}
	if to < len(rows) {
		next := strconv.Itoa(to)
		switch {
		case w.dials.EmptyPage && from == 0:
			next += "e"
		case w.dials.RepeatLink:
			next = strconv.Itoa(from)
		}
		q.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(next+"."+c.list())))
		body["@odata.nextLink"] = orElse(w.dials.ForeignLink, c.base) + c.path + "?" + encode(q)
	}
	if q.Get("$count") == "true" {
		body["@odata.count"] = len(rows)
	}
	body["value"] = append([]obj{}, rows[from:to]...)
	return answer{status: 200, body: body}
}

// skipped reads a skip token of a list: where a page begins, and whether it is
// to be empty. Rows may have gone since it was given.
func skipped(token, list string, rows int) (from int, empty, ok bool) {
	if token == "" {
		return 0, false, true
	}
	t, err := base64.RawURLEncoding.DecodeString(token)
	number, of, _ := strings.Cut(string(t), ".")
	number, empty = strings.CutSuffix(number, "e")
	from, bad := strconv.Atoi(number)
	return min(from, rows), empty, err == nil && bad == nil && from >= 0 && of == list
}

// encode writes a query as the service does: keys keep their dollar.
func encode(q url.Values) string {
	return strings.ReplaceAll(strings.ReplaceAll(q.Encode(), "%24", "$"), "+", "%20")
}

func (c *call) context(what string) string { return c.base + "/" + c.version + "/$metadata#" + what }

func (c *call) filter() (*filter, *refusal) {
	q, err := url.ParseQuery(c.query)
	if err != nil {
		return nil, refuse(400, "BadRequest", "Invalid query: "+err.Error())
	}
	f, err := parseFilter(orElse(q.Get("$filter"), q.Get("filter")))
	if err != nil {
		return nil, refuse(400, "BadRequest", "Invalid filter clause: "+err.Error())
	}
	return f, nil
}
