package provision

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
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
	skip, _ := strconv.Atoi(q.Get("$skiptoken"))
	rows = rows[min(max(skip, 0), len(rows)):]
	if top, err := strconv.Atoi(q.Get("$top")); err == nil && top > 0 && top < len(rows) {
		rows = rows[:top]
		q.Set("$skiptoken", strconv.Itoa(skip+top))
		body["@odata.nextLink"] = "http://" + r.Host + r.URL.Path + "?" + q.Encode()
	}
	body["value"] = rows
	return target.Answer{Status: 200, Body: body}
}

func (w *World) row(a *App, i int, e target.Write) obj {
	status, info := "success", any(nil)
	if e.Code != "" {
		status, info = "failure", obj{"errorCode": e.Code, "reason": "The application refused it.", "additionalDetails": nil, "errorCategory": "failure", "recommendedAction": nil}
	}
	change := obj{"displayName": "members", "oldValue": nil, "newValue": e.OID}
	if !e.Added {
		change = obj{"displayName": "members", "oldValue": e.OID, "newValue": nil}
	}
	at := e.At.UTC().Format("2006-01-02T15:04:05Z")
	return obj{"id": fmt.Sprintf("%s-%d", a.Principal, i), "activityDateTime": at, "tenantId": w.tenant, "jobId": a.JobID, "cycleId": a.JobID + "-" + at, "changeId": fmt.Sprintf("%s-%d", a.JobID, i),
		"provisioningAction": "update", "durationInMilliseconds": 500, "provisioningStatusInfo": obj{"status": status, "errorInformation": info}, "provisioningSteps": []obj{},
		"modifiedProperties": []obj{change}, "servicePrincipal": obj{"id": a.Principal, "displayName": a.Name},
		"initiatedBy":    obj{"id": "", "displayName": "Azure AD Provisioning Service", "initiatorType": "system"},
		"sourceIdentity": obj{"id": e.Group, "displayName": "", "identityType": "Group", "details": obj{}},
		"targetIdentity": obj{"id": "", "displayName": "", "identityType": "Group", "details": obj{}}}
}

// term is one comparison of a filter. Case matters.
type term struct{ attr, op, value string }

var (
	comparison = regexp.MustCompile(`^\s*([A-Za-z/]+)\s+(eq|gt|lt)\s+'?([^']*?)'?\s*$`)
	containing = regexp.MustCompile(`^\s*contains\(([A-Za-z/]+),\s*'([^']*)'\)\s*$`)
)

func filter(text string) (terms []term, ok bool) {
	for part := range strings.SplitSeq(text, " and ") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		m, n := comparison.FindStringSubmatch(part), containing.FindStringSubmatch(part)
		switch {
		case m != nil:
			terms = append(terms, term{m[1], m[2], m[3]})
		case n != nil:
			terms = append(terms, term{n[1], "contains", n[2]})
		default:
			return nil, false
		}
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
