package activation

import (
	"fmt"
	"strings"
	"time"
)

// Code is the kind of a refusal, for programs. bot/words.go has the sentence
// for people, once.
type Code string

// The codes.
const (
	NotEligible      Code = "not eligible"
	AlreadyActive    Code = "already active"
	AlreadyPending   Code = "already pending"
	TooLong          Code = "too long"
	TooShort         Code = "too short"
	ReasonMissing    Code = "reason missing"
	TicketMissing    Code = "ticket missing"
	TicketUnfit      Code = "ticket unfit"       // pagbot's own rule about tickets
	TicketUnknown    Code = "ticket unknown"     // to the group's ticket system, or not open there
	TicketUnchecked  Code = "ticket not checked" // its ticket system could not be asked
	NeedsMFA         Code = "needs mfa"
	NeedsContext     Code = "needs authentication context"
	RulesFailed      Code = "rules failed" // PIM named rules that we don't know
	TooEarly         Code = "too early"    // PIM's five-minute floor for ending
	NotActive        Code = "not active"
	NotEnded         Code = "not ended" // so that it could not be renewed
	Excluded         Code = "excluded"  // pagbot's own rule about groups that exclude each other
	NotPending       Code = "not pending"
	EndPassed        Code = "end passed" // it was asked for until then, and nobody had decided
	AlreadyDecided   Code = "already decided"
	AlreadyAgreed    Code = "already agreed" // one voice a human where several are needed
	NotApprover      Code = "not an approver"
	NotAssigned      Code = "not assigned" // PIM does not let them decide on this request, whatever the role settings say
	OwnRequest       Code = "own request"
	WarrantBad       Code = "warrant bad"
	WarrantExpired   Code = "warrant expired"
	Lapsed           Code = "lapsed"       // it was permitted, and could not be done before the warrant died
	WrongPerson      Code = "wrong person" // the browser's account is not the one the click was for
	NotBound         Code = "not bound"
	SignedOut        Code = "signed out"       // by themselves, while it waited for their browser
	NotAllowedHere   Code = "not allowed here" // outsider, guest, bot, unknown
	ConsentMissing   Code = "consent missing"
	LicenceMissing   Code = "licence missing"
	PermissionNeeded Code = "permission missing"
	BlockedByPolicy  Code = "blocked by conditional access"
	Throttled        Code = "throttled"
	Unavailable      Code = "unavailable"     // Entra did not answer, or not sensibly
	Paced            Code = "paced"           // it waits for its turn to begin
	TooOften         Code = "too often"       // asked for again and again in vain
	Changed          Code = "changed"         // what PIM holds is not what was shown
	Quarantined      Code = "quarantined"     // Entra writes nothing to an application until its provisioning is mended
	NotProvisioned   Code = "not provisioned" // Entra has no provisioning there, or nothing to write
	Broken           Code = "broken"          // everything else: see the reference in the log
)

// Refusal is a no with its kind and what a sentence about it needs.
type Refusal struct {
	Code  Code      `json:"code"`
	Max   Duration  `json:"max,omitempty"`   // TooLong: the policy's maximum
	Until time.Time `json:"until,omitzero"`  // AlreadyActive, Excluded, EndPassed: its end; TooEarly: when it can be ended; Paced: when it begins; TooOften: when it may be asked for again; Quarantined: since when
	Rules []string  `json:"rules,omitempty"` // PIM's own names of the rules that failed
	By    string    `json:"by,omitempty"`    // AlreadyDecided: who; NotEligible: the closest that is; Excluded: by which group; TicketUnknown: the ticket
	Rival string    `json:"rival,omitempty"` // Excluded: id of the activation of that group, if one is known
	Ref   string    `json:"ref,omitempty"`   // Broken: what to tell the administrator
	Text  string    `json:"text,omitempty"`  // what the outside said, for the log and the journal
}

// Error implements error, for logs; people read bot/words.go.
func (r Refusal) Error() string {
	parts := []string{string(r.Code)}
	if len(r.Rules) > 0 {
		parts = append(parts, strings.Join(r.Rules, ", "))
	}
	if r.Text != "" {
		parts = append(parts, r.Text)
	}
	if r.Ref != "" {
		parts = append(parts, fmt.Sprintf("reference %s", r.Ref))
	}
	return strings.Join(parts, ": ")
}
