package entra

import (
	"hash/crc32"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	requestFields = "id approvalId completedDateTime createdBy createdDateTime customData status action isValidationOnly justification scheduleInfo ticketInfo accessId groupId principalId targetScheduleId"
	offerFields   = "id createdDateTime createdUsing modifiedDateTime scheduleInfo status accessId groupId memberType principalId"
)

// fieldsOf are the properties of what PIM lists, spelt as it does.
var fieldsOf = map[string][]string{
	"eligibilityScheduleInstances": strings.Fields("id endDateTime startDateTime accessId eligibilityScheduleId groupId memberType principalId"),
	"eligibilitySchedules":         strings.Fields(offerFields),
	"assignmentScheduleInstances":  strings.Fields("id endDateTime startDateTime accessId assignmentScheduleId assignmentType groupId memberType principalId"),
	"assignmentSchedules":          strings.Fields(offerFields + " assignmentType"),
	"assignmentScheduleRequests":   strings.Fields(requestFields),
	"eligibilityScheduleRequests":  strings.Fields(requestFields),
	"assignmentApprovals":          {"id"},
}

// expandable are what $expand may name, in one list or another.
var expandable = []string{"*", "group", "principal", "targetSchedule", "activatedUsing", "stages"}

// wordsOf are the properties that are one of a few words.
var wordsOf = map[string][]string{
	"accessId": {"member", "owner"}, "memberType": {"direct", "group"}, "assignmentType": {"assigned", "activated"},
	"action": {selfActivate, selfDeactivate, adminAssign, adminRemove, adminUpdate, adminExtend, adminRenew, selfExtend, selfRenew},
}

// asked reads a list's query: what it does not have is refused wherever it is
// named.
func (k collection) asked(c *call) (*filter, *refusal) {
	f, no := c.filter()
	if no != nil {
		return nil, no
	}
	has := fieldsOf[k.name]
	for _, field := range f.fields {
		outer, _, deep := strings.Cut(field, "/")
		same := func(s string) bool { return strings.EqualFold(s, outer) }
		if !slices.ContainsFunc(has, same) && !(deep && (same("group") || same("principal"))) {
			return nil, k.lacks("Invalid filter clause", field)
		}
	}
	for field, words := range wordsOf {
		v := f.fixed(field)
		if v != "" && !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, v) }) {
			return nil, refuse(400, "BadRequest", "Invalid filter clause: '"+v+"' is not a valid value of "+field+".")
		}
	}
	q, _ := url.ParseQuery(c.query)
	for _, name := range fields(q.Get("$select")) {
		if !slices.Contains(has, name) && name != "*" {
			return nil, k.lacks("Parsing OData Select and Expand failed", name)
		}
	}
	for _, name := range navigations(q.Get("$expand") + q.Get("expand")) {
		if !slices.Contains(expandable, name) {
			return nil, k.lacks("Parsing OData Select and Expand failed", name)
		}
	}
	return f, nil
}

func (k collection) lacks(failed, name string) *refusal {
	kind := "privilegedAccessGroup" + strings.ToUpper(k.name[:1]) + strings.TrimSuffix(k.name[1:], "s")
	return refuse(400, "BadRequest", failed+": Could not find a property named '"+name+"' on type 'microsoft.graph."+kind+"'.")
}

// navigations are the names in a $expand, without what stands in brackets.
func navigations(expand string) (names []string) {
	depth, name := 0, ""
	for _, r := range expand + "," {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
			name = ""
		case depth == 0:
			name += string(r)
		}
	}
	return names
}

// list is what a page's token belongs to: no other list takes it.
func (c *call) list() string {
	q, _ := url.ParseQuery(c.query)
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(strings.ToLower(c.path)+"?"+orElse(q.Get("$filter"), q.Get("filter"))))), 36)
}
