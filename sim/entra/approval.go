package entra

import (
	"strings"
	"time"
)

// stage is the one stage of an approval: the first answer decides.
type stage struct {
	id, result, status string
	words              string
	by                 string
	at                 time.Time
}

var unauthorized = refuse(403, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.")

// approvalFor finds the approval that a caller may see: approvers of it only.
func (w *World) approvalFor(by caller, id string, now time.Time) (*request, *refusal) {
	if by.oid == "" {
		return nil, unauthorized
	}
	r := w.request(id)
	if r == nil || !r.approval {
		return nil, refuse(404, "ResourceNotFound", "The approval is not found.")
	}
	if !w.decides(by.oid, r, now) {
		return nil, denied
	}
	return r, nil
}

// decides tells whether an account is an approver of a request: never of its own.
func (w *World) decides(oid string, r *request, now time.Time) bool {
	own := oid == r.Principal && !w.dials.OwnApproval
	return !own && w.approvers(roleKey{r.Group, r.Access}, now)[oid]
}

// decide takes an approver's answer. Nothing is asked about the approver's
// sign-in: neither MFA nor an authentication context.
func (w *World) decide(by caller, id, stageID, answer, words string, now time.Time) *refusal {
	r, no := w.approvalFor(by, id, now)
	if no != nil {
		return no
	}
	ok := strings.EqualFold(answer, "Approve")
	switch {
	case stageID != r.stage.id && stageID != r.id: // the approval's id serves as its step's too
		return refuse(404, "ResourceNotFound", "The approval stage is not found.")
	case !r.pending(now):
		return refuse(409, "Conflict", "The approval stage is already decided or closed.")
	case !ok && !strings.EqualFold(answer, "Deny"):
		return refuse(400, "BadRequest", "reviewResult must be Approve or Deny.")
	case w.setting(roleKey{r.Group, r.Access}).ApproverWords && strings.TrimSpace(words) == "":
		return refuse(400, "RoleAssignmentRequestPolicyValidationFailed", `The following policy rules failed: ["JustificationRule"]`)
	}
	r.stage = stage{r.stage.id, map[bool]string{true: "Approved", false: "Denied"}[ok], "Completed", words, by.oid, now}
	w.note(r, now, map[bool]string{true: didApprove, false: didDeny}[ok], by, words)
	if ok {
		w.grant(r, now, "PendingProvisioning")
	} else {
		r.become(now, "Denied")
	}
	return nil
}

// stageJSON is a stage as one caller sees it.
func (w *World) stageJSON(by caller, r *request, now time.Time) obj {
	s := r.stage
	o := obj{"id": s.id, "displayName": nil, "reviewedDateTime": when(s.at), "reviewResult": s.result, "status": s.status,
		"assignedToMe": w.decides(by.oid, r, now), "justification": s.words, "reviewedBy": nil}
	if u := w.user(s.by); u != nil && s.by != "" {
		who := obj{"@odata.type": "#microsoft.graph.userIdentity", "id": u.ID, "displayName": u.Name, "userPrincipalName": u.UPN}
		if w.dials.BareReviewer {
			who = obj{"id": u.ID, "displayName": u.Name}
		}
		o["reviewedBy"] = who
	}
	return o
}

func (w *World) approvalJSON(by caller, r *request, now time.Time) obj {
	return obj{"id": r.id, "stages": []obj{w.stageJSON(by, r, now)}}
}
