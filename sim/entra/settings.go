package entra

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"time"
)

// Settings are PIM's role settings for one access to one group. They are
// served as the 17 rules of a policy, and enforced from the same values.
type Settings struct {
	// Activation, by the person.
	MaxDuration   time.Duration `json:"maxDuration"`
	Justification bool          `json:"justification"`
	Ticketing     bool          `json:"ticketing"`
	MFA           bool          `json:"mfa"`
	AuthContext   string        `json:"authContext"` // "c1"; excludes MFA
	Approval      bool          `json:"approval"`
	Approvers     []Approver    `json:"approvers"`
	ApproverWords bool          `json:"approverWords"` // approvers must give a justification
	// Assignment, by an administrator.
	AdminMax           time.Duration `json:"adminMax"`
	AdminJustification bool          `json:"adminJustification"`
	AdminExpires       bool          `json:"adminExpires"`    // no permanent assignments
	EligibleMax        time.Duration `json:"eligibleMax"`     // 0: a year
	EligibleExpires    bool          `json:"eligibleExpires"` // no permanent eligibilities
}

// Approver is a user, or all (transitive) members of a group.
type Approver struct {
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
}

// DefaultSettings are what a group has before anybody changes it.
func DefaultSettings() Settings {
	return Settings{MaxDuration: 8 * time.Hour, Justification: true, ApproverWords: true,
		AdminMax: 180 * 24 * time.Hour, AdminJustification: true, EligibleMax: 365 * 24 * time.Hour}
}

// SetSettings changes role settings, which onboards the group into PIM.
func (w *World) SetSettings(group, access string, s Settings) error {
	w.enter()
	defer w.mu.Unlock()
	switch {
	case w.group(group) == nil || !validAccess(access):
		return fmt.Errorf("no group %s with access %s", group, access)
	case s.MFA && s.AuthContext != "":
		return fmt.Errorf("MfaAndAcrsConflict: MFA and an authentication context exclude each other")
	case s.Approval && len(s.Approvers) == 0:
		return fmt.Errorf("approval needs at least one approver")
	}
	w.settings[roleKey{group, access}] = &s
	w.onboard[group] = true
	return nil
}

func (w *World) setting(k roleKey) Settings {
	if s := w.settings[k]; s != nil {
		return *s
	}
	return DefaultSettings()
}

// approvers are the users who may decide.
func (w *World) approvers(k roleKey, at time.Time) map[string]bool {
	who := map[string]bool{}
	for _, a := range w.setting(k).Approvers {
		if a.User != "" {
			who[a.User] = true
			continue
		}
		for _, b := range w.below(a.Group, at) {
			who[b.principal] = b.user != nil
		}
	}
	return who
}

// policyID changes when the group is onboarded, as the service's does.
func (w *World) policyID(k roleKey) string {
	h := fnv.New128a()
	fmt.Fprint(h, k, w.onboard[k.group])
	b := h.Sum(nil)
	return fmt.Sprintf("Group_%s_%x-%x-%x-%x-%x", k.group, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// policyAssignment is the resource that binds a policy to one access.
func (w *World) policyAssignment(k roleKey, expand, rules bool) obj {
	id := w.policyID(k)
	a := obj{"id": id + "_" + k.access, "policyId": id, "scopeId": k.group, "scopeType": "Group", "roleDefinitionId": k.access}
	if !expand {
		return a
	}
	p := obj{"id": id, "displayName": "Group", "description": "Group", "isOrganizationDefault": false, "scopeId": k.group,
		"scopeType": "Group", "lastModifiedDateTime": nil, "lastModifiedBy": obj{"displayName": nil, "id": nil}}
	if rules {
		p["rules"] = w.rules(k)
	}
	a["policy"] = p
	return a
}

const ruleType = "#microsoft.graph.unifiedRoleManagementPolicy"

// rules are the 17 of a group's policy, in the service's names.
func (w *World) rules(k roleKey) []obj {
	s := w.setting(k)
	rules := []obj{
		expiration("Admin", "Eligibility", cmp.Or(s.EligibleMax, DefaultSettings().EligibleMax), s.EligibleExpires),
		enablement("Admin", "Eligibility", nil),
		expiration("Admin", "Assignment", s.AdminMax, s.AdminExpires),
		enablement("Admin", "Assignment", names(s.AdminJustification, "Justification")),
		expiration("EndUser", "Assignment", s.MaxDuration, true),
		enablement("EndUser", "Assignment", names(s.MFA, "MultiFactorAuthentication", s.Justification, "Justification", s.Ticketing, "Ticketing")),
		approvalRule(s), contextRule(s),
	}
	for _, at := range [][2]string{{"Admin", "Eligibility"}, {"Admin", "Assignment"}, {"EndUser", "Assignment"}} {
		for _, to := range []string{"Admin", "Requestor", "Approver"} {
			rules = append(rules, notification(to, at[0], at[1]))
		}
	}
	return rules
}

// names picks the words whose flag, which stands before them, is set.
func names(pairs ...any) []string {
	words := []string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].(bool) {
			words = append(words, pairs[i+1].(string))
		}
	}
	return words
}

func rule(kind, id, caller, level string, more obj) obj {
	more["@odata.type"], more["id"] = ruleType+kind+"Rule", id
	more["target"] = obj{"caller": caller, "operations": []string{"All"}, "level": level, "inheritableSettings": []string{}, "enforcedSettings": []string{}}
	return more
}

func expiration(caller, level string, limit time.Duration, required bool) obj {
	return rule("Expiration", "Expiration_"+caller+"_"+level, caller, level,
		obj{"isExpirationRequired": required, "maximumDuration": isoDuration(limit)})
}

func enablement(caller, level string, on []string) obj {
	if on == nil {
		on = []string{}
	}
	return rule("Enablement", "Enablement_"+caller+"_"+level, caller, level, obj{"enabledRules": on})
}

func notification(to, caller, level string) obj {
	return rule("Notification", "Notification_"+to+"_"+caller+"_"+level, caller, level, obj{"notificationType": "Email", "recipientType": to,
		"notificationLevel": "All", "isDefaultRecipientsEnabled": true, "notificationRecipients": []string{}})
}

func contextRule(s Settings) obj {
	var claim any
	if s.AuthContext != "" {
		claim = s.AuthContext
	}
	return rule("AuthenticationContext", "AuthenticationContext_EndUser_Assignment", "EndUser", "Assignment",
		obj{"isEnabled": s.AuthContext != "", "claimValue": claim})
}

func approvalRule(s Settings) obj {
	who := []obj{}
	for _, a := range s.Approvers {
		if a.User != "" {
			who = append(who, obj{"@odata.type": "#microsoft.graph.singleUser", "userId": a.User})
		} else {
			who = append(who, obj{"@odata.type": "#microsoft.graph.groupMembers", "groupId": a.Group})
		}
	}
	stage := obj{"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": s.ApproverWords, "escalationTimeInMinutes": 0,
		"isEscalationEnabled": false, "primaryApprovers": who, "escalationApprovers": []obj{}}
	return rule("Approval", "Approval_EndUser_Assignment", "EndUser", "Assignment", obj{"setting": obj{"isApprovalRequired": s.Approval,
		"isApprovalRequiredForExtension": false, "isRequestorJustificationRequired": true, "approvalMode": "SingleStage", "approvalStages": []obj{stage}}})
}
