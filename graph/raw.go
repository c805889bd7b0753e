package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pagbot/activation"
)

// The shapes of Graph's answers, as far as they are used. encoding/json matches
// names in any casing, which Graph's need; values are compared in any casing.

type rawPrincipal struct {
	Type              string `json:"@odata.type"`
	ID                string
	DisplayName       string
	UserPrincipalName string
	Mail              string
	UserType          string
	AccountEnabled    *bool
}

// isUser tells users from groups and service principals.
func (p rawPrincipal) isUser() bool {
	if p.Type != "" {
		return strings.HasSuffix(strings.ToLower(p.Type), ".user")
	}
	return p.UserPrincipalName != ""
}

// disabled reports whether Entra says so; it may tell nothing.
func (p rawPrincipal) disabled() bool { return p.AccountEnabled != nil && !*p.AccountEnabled }

type rawGroup struct{ ID, DisplayName string }

type rawRequest struct {
	ID               string
	Status           string
	CreatedDateTime  stamp
	Action           string
	AccessID         string
	GroupID          string
	PrincipalID      string
	Justification    string
	TargetScheduleID string
	TicketInfo       struct{ TicketNumber, TicketSystem string }
	ScheduleInfo     struct {
		StartDateTime stamp
		Expiration    struct {
			EndDateTime stamp
			Duration    iso
		}
	}
	Principal rawPrincipal
	Group     rawGroup
}

func (r *Reader) request(q rawRequest) activation.Request {
	x := q.ScheduleInfo.Expiration
	return activation.Request{
		ID: q.ID, Status: q.Status, Created: q.CreatedDateTime.Time, Start: q.ScheduleInfo.StartDateTime.Time,
		Person: r.person(q.PrincipalID, q.Principal), Group: r.groupOf(q.GroupID, q.Group), Access: access(q.AccessID),
		Action: action(q.Action), Justification: q.Justification, Ticket: q.TicketInfo.TicketNumber, Schedule: q.TargetScheduleID,
		Length: activation.Duration(x.Duration), Until: x.EndDateTime.Time,
	}
}

type rawInstance struct {
	ID                   string
	PrincipalID          string
	GroupID              string
	AccessID             string
	AssignmentType       string
	AssignmentScheduleID string
	StartDateTime        stamp
	EndDateTime          stamp
	Principal            rawPrincipal
	Group                rawGroup
}

func (r *Reader) instance(q rawInstance) activation.Instance {
	return activation.Instance{
		ID: q.ID, Schedule: q.AssignmentScheduleID, Person: r.person(q.PrincipalID, q.Principal), Group: r.groupOf(q.GroupID, q.Group),
		Access: access(q.AccessID), From: q.StartDateTime.Time, Ends: q.EndDateTime.Time,
	}
}

// person takes the name from the expanded principal, which may be missing.
func (r *Reader) person(id string, p rawPrincipal) activation.Person {
	return activation.Person{Tenant: r.tenant, Object: id, Name: p.UserPrincipalName}
}

func (r *Reader) groupOf(id string, g rawGroup) activation.Group {
	return activation.Group{Tenant: r.tenant, ID: id, Name: g.DisplayName}
}

func access(s string) activation.Access { return activation.Access(strings.ToLower(s)) }

// PIM's words for what a request wants.
const (
	selfActivate   = "selfActivate"
	selfDeactivate = "selfDeactivate"
)

func action(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// stamp is a time that may be null, or the year 1.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *stamp) UnmarshalJSON(b []byte) error {
	var s string
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(b, &s); err != nil || s == "" {
		return err
	}
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		v, err = time.Parse("2006-01-02T15:04:05", s) // without a zone, PIM means UTC
	}
	if err != nil {
		return err
	}
	if v.Year() > 1 {
		t.Time = v.UTC()
	}
	return nil
}

// iso is an ISO 8601 duration. The SDK's parser makes zero of PT0.5H.
type iso time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *iso) UnmarshalJSON(b []byte) error {
	var s string
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(b, &s); err != nil || s == "" {
		return err
	}
	v, err := parseISO(s)
	*d = iso(v)
	return err
}

var isoForm = regexp.MustCompile(`^P(?:([0-9.]+)W)?(?:([0-9.]+)D)?(?:T(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?$`)

// parseISO reads weeks to seconds, also mixed (P4W2D, as the SDK writes 30
// days). Months and years have no length.
func parseISO(s string) (time.Duration, error) {
	m := isoForm.FindStringSubmatch(strings.ToUpper(s))
	if m == nil || strings.Trim(s, "PTpt") == "" {
		return 0, fmt.Errorf("duration %q: want something like PT8H", s)
	}
	var sum time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseFloat(m[i+1], 64)
		if err != nil || n > 1e6 {
			return 0, fmt.Errorf("duration %q: %s is no number", s, m[i+1])
		}
		sum += time.Duration(n * float64(unit))
	}
	return sum, nil
}
