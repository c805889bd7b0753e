package provision

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pagbot/sim/target"
)

// log serves auditLogs/provisioning: one row for each person who was written
// into a group or out of it, the newest first. Rows about accounts are not
// simulated.
func (w *World) log(c *target.Call) target.Answer {
	if !c.By.Has(auditAll) {
		return denied
	}
	q := c.URL.Query()
	terms, ok := filter(q.Get("$filter"))
	if !ok {
		return trouble(400, "BadRequest", "Invalid filter clause.")
	}
	if name := c.Option("$filter", "$top", "$skiptoken"); name != "" {
		return trouble(400, "BadRequest", "The query option '"+name+"' is not supported here.")
	}
	rows := []obj{}
	for _, a := range w.apps {
		if a.Jobless {
			continue
		}
		for i, e := range a.Job.Log() {
			if r := w.row(a, i, e); !slices.ContainsFunc(terms, func(t term) bool { return !t.fits(r) }) {
				rows = append(rows, r)
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y obj) int {
		return strings.Compare(y["activityDateTime"].(string), x["activityDateTime"].(string))
	})
	return paged(c.Request, q, rows)
}

// paged cuts a list, as $top says.
func paged(r *http.Request, q url.Values, rows []obj) target.Answer {
	body := obj{}
	skip, bad := number(q, "$skiptoken")
	top, worse := number(q, "$top")
	if bad || worse {
		return trouble(400, "BadRequest", "A number is expected in $top and $skiptoken.")
	}
	rows = rows[min(skip, len(rows)):]
	if top > 0 && top < len(rows) {
		rows = rows[:top]
		q.Set("$skiptoken", strconv.Itoa(skip+top))
		body["@odata.nextLink"] = "http://" + r.Host + r.URL.Path + "?" + q.Encode()
	}
	body["value"] = rows
	return target.Answer{Status: 200, Body: body}
}

// number reads a part of a query; none is 0.
func number(q url.Values, name string) (n int, bad bool) {
	if !q.Has(name) {
		return 0, false
	}
	n, err := strconv.Atoi(q.Get(name))
	return n, err != nil || n < 0
}

func (w *World) row(a *App, i int, e target.Write) obj {
	at, change, status := when(e.At), `{"displayName":"members","oldValue":null,"newValue":%q}`, `{"status":"success","errorInformation":null}`
	if !e.Added {
		change = `{"displayName":"members","oldValue":%q,"newValue":null}`
	}
	if e.Code != "" {
		status = fmt.Sprintf(`{"status":"failure","errorInformation":{"errorCode":%q,"reason":"The application refused it.","additionalDetails":null,"errorCategory":"failure","recommendedAction":null}}`, e.Code)
	}
	return object(`{"id":"%[1]s-%[2]d","activityDateTime":%[3]s,"tenantId":%[4]q,"jobId":%[5]q,"cycleId":"%[5]s-%[2]d","changeId":"%[1]s-%[2]d","provisioningAction":"update","durationInMilliseconds":500,
"provisioningStatusInfo":%[6]s,"provisioningSteps":[],"modifiedProperties":[%[7]s],"servicePrincipal":{"id":%[1]q,"displayName":%[8]q},
"initiatedBy":{"id":"","displayName":"Azure AD Provisioning Service","initiatorType":"system"},
"sourceIdentity":{"id":%[9]q,"displayName":"","identityType":"Group","details":{}},"targetIdentity":{"id":"","displayName":"","identityType":"Group","details":{}}}`,
		a.Principal, i, at, w.tenant, a.JobID, status, fmt.Sprintf(change, e.OID), a.Name, e.Group)
}

// term is one comparison of a filter. Case matters.
type term struct{ attr, op, value string }

// attributes are what the log can be filtered by here.
var attributes = strings.Fields(`id activityDateTime tenantId jobId cycleId changeId provisioningAction provisioningStatusInfo/status servicePrincipal/id servicePrincipal/displayName
	initiatedBy/displayName sourceIdentity/id sourceIdentity/displayName sourceIdentity/identityType targetIdentity/id targetIdentity/displayName targetIdentity/identityType`)

func filter(text string) (terms []term, ok bool) {
	if text == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(text, " and ") {
		t := term{op: "contains"}
		if in, is := strings.CutPrefix(part, "contains("); is {
			t.attr, t.value, ok = strings.Cut(strings.TrimSuffix(in, ")"), ",")
		} else {
			t.attr, t.value, ok = strings.Cut(part, " ")
			t.op, t.value, _ = strings.Cut(t.value, " ")
		}
		t.value = strings.Trim(t.value, " '")
		if !ok || !strings.Contains("eq gt lt contains", t.op) || !slices.Contains(attributes, t.attr) {
			return nil, false
		}
		terms = append(terms, t)
	}
	return terms, true
}

func (t term) fits(r obj) bool {
	var v any = r
	for name := range strings.SplitSeq(t.attr, "/") {
		in, ok := v.(obj)
		if !ok {
			return false
		}
		v = in[name]
	}
	s, ok := v.(string)
	switch t.op {
	case "eq":
		return ok && s == t.value
	case "gt":
		return ok && s > t.value
	case "lt":
		return ok && s < t.value
	}
	return ok && strings.Contains(s, t.value)
}
