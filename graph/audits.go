package graph

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"pagbot/activation"
)

// Audits learns from the directory's audit log who decided in Entra: PIM tells
// nobody but approvers. The log is minutes late, and needs AuditLog.Read.All; a
// reader that does not have it learns nothing, and nothing is said of it. It is
// the engine's hand for activation.WatchWho.
type Audits struct{ reader *Reader }

// NewAudits makes the hand.
func NewAudits(r *Reader) *Audits { return &Audits{r} }

const auditBeat = 2 * time.Minute

// Do looks once, and again until the log has it.
func (w *Audits) Do(ctx context.Context, a activation.Activation, _ activation.Effect) activation.Report {
	if !a.Nameless() {
		return activation.Report{}
	}
	by, err := w.decider(ctx, a)
	switch f := asFault(err); {
	case err == nil && by != nil:
		return activation.Report{Tell: activation.DecidedBy{By: *by}}
	case err == nil:
		return activation.Report{Again: w.reader.now().Add(auditBeat)}
	case f.Status == http.StatusForbidden || f.Status == http.StatusUnauthorized:
		return activation.Report{}
	case f.After > 0:
		return activation.Report{After: f.After}
	default:
		return activation.Report{Again: w.reader.now().Add(auditBeat), Err: err}
	}
}

// Look is Do: looking twice changes nothing.
func (w *Audits) Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	return w.Do(ctx, a, e)
}

type rawAudit struct {
	ActivityDisplayName, CorrelationID string
	ActivityDateTime                   stamp
	InitiatedBy                        struct {
		User *struct{ ID, DisplayName, UserPrincipalName string }
	}
	TargetResources   []struct{ ID string }
	AdditionalDetails []struct{ Value string }
}

// decider finds who decided; nil while the log does not tell, or not clearly.
func (w *Audits) decider(ctx context.Context, a activation.Activation) (*activation.Person, error) {
	from := a.Request.Created
	if hour := a.Decision.At.Add(-time.Hour); from.Before(hour) {
		from = hour // a busy tenant has many lines; it was looked at every minute
	}
	u := *w.reader.root
	u.Path += "/auditLogs/directoryAudits"
	u.RawQuery = "$filter=" + url.PathEscape("loggedByService eq 'PIM' and activityDateTime ge "+from.UTC().Format(time.RFC3339))
	info := abs.NewRequestInformation()
	info.Method = abs.GET
	info.SetUri(u)
	info.Headers.TryAdd("Accept", "application/json")
	all, err := list[rawAudit](ctx, w.reader.caller, info, nil)
	if err != nil {
		return nil, err
	}
	var sure, likely []activation.Person
	for _, q := range all {
		user := q.InitiatedBy.User
		if user == nil || user.ID == "" || !q.decides(a) {
			continue
		}
		p := w.reader.person(user.ID, rawPrincipal{ID: user.ID, DisplayName: user.DisplayName, UserPrincipalName: user.UserPrincipalName})
		switch {
		case q.names(a.Request.ID):
			sure = append(sure, p)
		case q.names(a.Group.ID) && q.names(a.Person.Object) && !q.ActivityDateTime.After(a.Decision.At.Add(time.Minute)):
			likely = append(likely, p)
		}
	}
	if len(sure) == 0 {
		sure = likely
	}
	for _, p := range sure {
		if !p.SameAccount(sure[0]) {
			return nil, nil // two, and no way to tell which
		}
	}
	if len(sure) == 0 {
		return nil, nil
	}
	return &sure[0], nil
}

// decides tells by the name of an activity. How they are called for groups is
// not settled; for roles they end in "request approved" and "request denied".
func (q rawAudit) decides(a activation.Activation) bool {
	word := "denied"
	if a.Decision.Approve {
		word = "approved"
	}
	return strings.Contains(strings.ToLower(q.ActivityDisplayName), word)
}

// names reports whether a line is about something.
func (q rawAudit) names(id string) bool {
	if id == "" {
		return false
	}
	for _, t := range q.TargetResources {
		if strings.EqualFold(t.ID, id) {
			return true
		}
	}
	for _, d := range q.AdditionalDetails {
		if strings.EqualFold(d.Value, id) {
			return true
		}
	}
	return strings.Contains(strings.ToLower(q.CorrelationID), strings.ToLower(id))
}
