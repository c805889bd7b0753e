package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"

	"pagbot/activation"
)

type rawStage struct {
	ID            string
	ReviewResult  string
	Status        string
	AssignedToMe  *bool
	Justification string
	ReviewedBy    *struct{ ID, DisplayName, UserPrincipalName string }
}

func (s rawStage) reviewed() bool {
	return s.ReviewResult != "" && !strings.EqualFold(s.ReviewResult, "NotReviewed")
}

// rawApproval has stages in v1.0 and steps in beta.
type rawApproval struct {
	ID            string
	Stages, Steps []rawStage
}

// decide approves or denies as the approver.
func (t attempt) decide(ctx context.Context, c caller) activation.Report {
	stage, err := t.stage(ctx, c)
	if err != nil {
		return t.undecided(ctx, err)
	}
	if r, stop := t.readStage(stage); stop {
		return r
	}
	if t.w.Deed == activation.Approve && t.a.Quorum > 1 {
		if r, stop := t.counted(ctx); stop {
			return r
		}
	}
	// Point of no return. A crash from here on leaves a claimed deed: whether it
	// was done shows in the request's status.
	err = t.patch(ctx, c, "stages", stage.ID)
	if f := asFault(err); err != nil && (f.Status == http.StatusNotFound || f.Status == http.StatusMethodNotAllowed) {
		err = t.patch(ctx, c, "steps", stage.ID) // the name in one page of the documentation
	}
	// Done, and not yet known here.
	switch {
	case err == nil:
		return t.done(nil)
	case asFault(err).Status == http.StatusConflict:
		return t.conflict(ctx, c)
	}
	return t.undecided(ctx, err)
}

// stage reads the approval as the approver and picks the stage that is theirs
// to decide, else the last one.
func (t attempt) stage(ctx context.Context, c caller) (rawStage, error) {
	info, err := c.pim().AssignmentApprovals().ByApprovalId(t.a.Request.ID).ToGetRequestInformation(ctx, nil)
	var p rawApproval
	if err == nil {
		err = c.readInto(ctx, info, &p)
	}
	if err != nil {
		return rawStage{}, err
	}
	all := slices.Concat(p.Stages, p.Steps)
	if len(all) == 0 {
		info, err := c.pim().AssignmentApprovals().ByApprovalId(t.a.Request.ID).Stages().ToGetRequestInformation(ctx, nil)
		if all, err = list[rawStage](ctx, c, info, err); err != nil {
			return rawStage{}, err
		}
	}
	if len(all) == 0 {
		return rawStage{}, &Fault{Status: http.StatusOK, Text: "the approval has no stage"}
	}
	open := func(s rawStage) bool { return !s.reviewed() && strings.EqualFold(s.Status, "InProgress") }
	if i := slices.IndexFunc(all, open); i >= 0 {
		return all[i], nil
	}
	return all[len(all)-1], nil
}

// readStage says what can be said before anything is written.
func (t attempt) readStage(s rawStage) (activation.Report, bool) {
	switch {
	case s.reviewed():
		return t.reviewed(s), true
	case strings.EqualFold(s.Status, "Expired") || strings.EqualFold(s.Status, "Completed"):
		return t.refused(activation.Refusal{Code: activation.NotPending, Text: "the stage is " + s.Status}), true
	case s.AssignedToMe != nil && !*s.AssignedToMe:
		return t.refused(activation.Refusal{Code: activation.NotAssigned}), true
	case s.ID == "":
		return t.later(errors.New("the approval's stage has no id")), true
	}
	return activation.Report{}, false
}

// reviewed reads a decision that stands. It may be the one that we carried
// without hearing the answer.
func (t attempt) reviewed(s rawStage) activation.Report {
	approved := strings.EqualFold(s.ReviewResult, "Approved") || strings.EqualFold(s.ReviewResult, "Approve")
	no := activation.Refusal{Code: activation.AlreadyDecided, Text: s.ReviewResult}
	if s.ReviewedBy != nil {
		if strings.EqualFold(s.ReviewedBy.ID, t.w.Actor.Object) && approved == (t.w.Deed == activation.Approve) {
			return t.done(nil)
		}
		no.By = s.ReviewedBy.UserPrincipalName
		if no.By == "" {
			no.By = s.ReviewedBy.DisplayName
		}
	}
	return t.refused(no)
}

// conflict follows a 409: somebody was faster, or the request is over.
func (t attempt) conflict(ctx context.Context, c caller) activation.Report {
	s, err := t.stage(ctx, c)
	switch {
	case err != nil && asFault(err).Passing():
		return t.later(err)
	case err == nil && s.reviewed():
		return t.reviewed(s)
	case err == nil && strings.EqualFold(s.Status, "Expired"):
		return t.refused(activation.Refusal{Code: activation.NotPending, Text: "the stage is " + s.Status})
	}
	return t.refused(activation.Refusal{Code: activation.AlreadyDecided})
}

// undecided translates what a read or a write of an approval may answer. What is
// not found may be over, or only not be theirs to see: the request says which.
func (t attempt) undecided(ctx context.Context, err error) activation.Report {
	f := asFault(err)
	no := activation.Refusal{Code: activation.NotAssigned, Text: f.Error()}
	switch {
	case f.Status == http.StatusNotFound:
		q, look := t.reader.Request(ctx, t.a.Request.ID)
		if look != nil && !NotFound(look) {
			return t.later(look)
		}
		if q.Kind() != activation.AtApproval {
			no.Code = activation.NotPending
		}
		return t.refused(no)
	case f.Status == http.StatusForbidden && f.code() == activation.PermissionNeeded:
		return t.refused(no)
	}
	return t.failed(err)
}

// patch writes the decision. The SDK knows stages only; steps has the same body.
func (t attempt) patch(ctx context.Context, c caller, kind, stage string) error {
	result := "Approve"
	if t.w.Deed == activation.Deny {
		result = "Deny"
	}
	body := map[string]string{"reviewResult": result, "justification": t.p.Reason}
	info, err := c.pim().AssignmentApprovals().ByApprovalId(t.a.Request.ID).Stages().ByApprovalStageId(stage).ToGetRequestInformation(ctx, nil)
	if err == nil {
		err = carry(info, abs.PATCH, body)
	}
	if err != nil {
		return err
	}
	if kind != "stages" {
		if err := c.rename(info, kind); err != nil {
			return err
		}
	}
	return c.write(ctx, info)
}

// rename changes the last but one part of a request's path.
func (c caller) rename(info *abs.RequestInformation, kind string) error {
	info.PathParameters["baseurl"] = c.root.String()
	u, err := info.GetUri()
	if err != nil {
		return err
	}
	parts := strings.Split(u.EscapedPath(), "/")
	parts[len(parts)-2] = kind
	to, err := url.Parse(u.Scheme + "://" + u.Host + strings.Join(parts, "/"))
	if err != nil {
		return err
	}
	info.SetUri(*to)
	return nil
}
