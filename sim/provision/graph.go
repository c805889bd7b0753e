package provision

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

type obj = target.Object

// Permissions, application or delegated.
const (
	ownedBy  = "Application.ReadWrite.OwnedBy" // for an application that it owns
	readAll  = "Synchronization.Read.All"
	writeAll = "Synchronization.ReadWrite.All"
	auditAll = "AuditLog.Read.All"
)

// membersMost is how many members one demand may have.
const membersMost = 5

// Handler serves its part of Graph.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.answer, Trouble: trouble, Type: "application/json;odata.metadata=minimal;charset=utf-8"})
}

// trouble is an error in Graph's shape.
func trouble(status int, code, message string) target.Answer {
	return target.Answer{Status: status, Body: obj{"error": obj{"code": code, "message": message}}}
}

var (
	denied   = trouble(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	notFound = trouble(404, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present.")
)

func (w *World) answer(c *target.Call) target.Answer {
	if err := w.Bearer(c); err != nil {
		return target.Challenge(trouble(401, "InvalidAuthenticationToken", "Access token is empty or not valid."))
	}
	version, path, _ := strings.Cut(strings.Trim(c.URL.Path, "/"), "/")
	if version != "v1.0" && version != "beta" {
		return trouble(400, "BadRequest", "Invalid version: "+version)
	}
	parts := strings.Split(path, "/")
	switch {
	case path == "auditLogs/provisioning" && c.Method == http.MethodGet:
		return w.log(c)
	case len(parts) < 4 || parts[0] != "servicePrincipals" || parts[2] != "synchronization" || parts[3] != "jobs":
		return notFound
	}
	a := w.app(parts[1])
	write := c.Method == http.MethodPost
	switch owned := a != nil && c.By.Has(ownedBy) && slices.Contains(a.Owners, c.By.OID); {
	case !owned && !c.By.Has(writeAll) && (write || !c.By.Has(readAll)):
		return denied
	case a == nil:
		return notFound
	}
	return w.jobs(c, a, parts[4:])
}

// jobs serves what is below an application's jobs.
func (w *World) jobs(c *target.Call, a *App, rest []string) target.Answer {
	get := c.Method == http.MethodGet
	switch {
	case len(rest) == 0 && get:
		rows := []obj{}
		if !a.Jobless {
			rows = append(rows, a.json())
		}
		return target.Answer{Status: 200, Body: obj{"value": rows}}
	case a.Jobless || len(rest) == 0 || rest[0] != a.JobID:
		return notFound
	case len(rest) == 1 && get:
		return target.Answer{Status: 200, Body: a.json()}
	case len(rest) == 2 && get && rest[1] == "schema":
		return target.Answer{Status: 200, Body: a.schema()}
	case len(rest) == 2 && !get && rest[1] == "provisionOnDemand":
		return w.demand(c, a)
	}
	return notFound
}

// object reads a template.
func object(format string, args ...any) (o obj) {
	if err := json.Unmarshal(fmt.Appendf(nil, format, args...), &o); err != nil {
		panic(err)
	}
	return o
}

// schema names the rule that a demand must name.
func (a *App) schema() obj {
	return object(`{"id":%q,"version":"1","directories":[],"synchronizationRules":[{"id":%q,"name":"Entra to %[3]s","editable":true,"priority":1,"sourceDirectoryName":"Azure Active Directory","targetDirectoryName":%[3]q,
"objectMappings":[{"enabled":true,"sourceObjectName":"Group","targetObjectName":"Group","flowTypes":"Add, Update, Delete","attributeMappings":[]},{"enabled":true,"sourceObjectName":"User","targetObjectName":"User","flowTypes":"Add, Update, Delete","attributeMappings":[]}]}]}`,
		a.JobID, a.Rule, a.Name)
}

// when is a moment as JSON.
func when(t time.Time) string {
	if t.IsZero() {
		return "null"
	}
	return t.UTC().Format(`"2006-01-02T15:04:05Z"`)
}

// json is the job.
func (a *App) json() obj {
	s := a.Job.State()
	execution := func(at time.Time, state string) string {
		if at.IsZero() {
			return "null"
		}
		return fmt.Sprintf(`{"timeBegan":%[1]s,"timeEnded":%[1]s,"state":%q,"activityIdentifier":"a-1","countEscrowed":0}`, when(at), state)
	}
	code, schedule, last, quarantine := "Active", "Active", "Succeeded", "null"
	if s.Failed > 0 {
		last = "Failed"
	}
	switch {
	case a.Stopped, s.Disabled:
		code, schedule = "Paused", "Disabled"
	case !s.Quarantined.IsZero():
		code = "Quarantine"
		quarantine = fmt.Sprintf(`{"currentBegan":%[1]s,"seriesBegan":%[1]s,"seriesCount":%d,"nextAttempt":%s,"reason":"EncounteredQuarantineException","error":{"code":"InvalidCredentials","message":"The application does not take the credentials of its provisioning.","tenantActionable":true}}`,
			when(s.Quarantined), s.Failed, when(s.Next))
	}
	return object(`{"id":%q,"templateId":%q,"schedule":{"expiration":null,"interval":"PT%dM","state":%q},"status":{"code":%q,"countSuccessiveCompleteFailures":%d,"escrowsPruned":false,"lastExecution":%s,"lastSuccessfulExecution":%s,"quarantine":%s,"progress":[],"synchronizedEntryCountByType":[],"troubleshootingUrl":null}}`,
		a.JobID, a.Template, int(s.Tick.Minutes()), schedule, code, s.Failed, execution(s.Last, last), execution(s.LastGood, "Succeeded"), quarantine)
}

// ask is what a demand says.
type ask struct {
	Parameters []struct {
		RuleID   string `json:"ruleId"`
		Subjects []struct {
			ID    string `json:"objectId"`
			Kind  string `json:"objectTypeName"`
			Links struct {
				Members []struct {
					ID   string `json:"objectId"`
					Kind string `json:"objectTypeName"`
				} `json:"members"`
			} `json:"links"`
		} `json:"subjects"`
	} `json:"parameters"`
}

// demand writes members of one group now.
func (w *World) demand(c *target.Call, a *App) target.Answer {
	if w.tooMany(c.By.OID) {
		no := trouble(429, "TooManyRequests", "Too many requests.")
		if !w.dials.NoRetryAfter {
			no.Header = map[string]string{"Retry-After": w.dials.RetryAfter}
		}
		return no
	}
	var in ask
	d := json.NewDecoder(bytes.NewReader(c.Bytes))
	d.DisallowUnknownFields()
	bad := func(why string) target.Answer { return trouble(400, "BadRequest", why) }
	if !c.JSON() || d.Decode(&in) != nil || len(in.Parameters) != 1 || len(in.Parameters[0].Subjects) != 1 {
		return bad("Give one parameter with one subject.")
	}
	p, subject := in.Parameters[0], in.Parameters[0].Subjects[0]
	switch {
	case p.RuleID != a.Rule:
		return bad("There is no rule " + p.RuleID + ".")
	case subject.Kind != "Group":
		return bad("Only groups are simulated.")
	case len(subject.Links.Members) > membersMost:
		return bad("At most five members can be provisioned on demand.")
	case a.OAuth && !a.Stopped:
		return bad("Stop the job before provisioning on demand.")
	}
	var members []string
	for _, m := range subject.Links.Members {
		if m.Kind != "User" {
			return said(target.DemandFailed, "NestedGroupsNotSupported")
		}
		members = append(members, m.ID)
	}
	return said(a.Job.Demand(subject.ID, members))
}

// said is a demand's answer: JSON in two strings.
func said(result, code string) target.Answer {
	details := "{}"
	if code != "" {
		details = fmt.Sprintf(`{"errorCode":%[1]q,"errorMessage":%[1]q}`, code)
	}
	return target.Answer{Status: 200, Body: obj{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.stringKeyStringValuePair",
		"key": fmt.Sprintf(`{"result":%q,"details":%s}`, result, details), "value": `{"provisioningSteps":[]}`}}
}

// tooMany spends one of a caller's demands.
func (w *World) tooMany(who string) bool {
	now := w.wire()
	recent := slices.DeleteFunc(w.demands[who], func(t time.Time) bool { return now.Sub(t) >= w.dials.DemandWindow })
	over := len(recent) >= w.dials.Demands
	if !over {
		recent = append(recent, now)
	}
	w.demands[who] = recent
	return over
}
