package entra

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Dials are the tenant's constant limits and lies. [Usual] gives the book's
// values; where the book doesn't know, the comment says "unsettled".
type Dials struct {
	// How long things take, in world time.
	Provision     time.Duration // from an accepted request to instance and membership
	ReadLag       time.Duration // PIM's reads serve the state of so long ago
	MembershipLag time.Duration // membership follows the instance by so long, both ways
	Reactivate    time.Duration // from a deactivation until it left the reads and may be activated again; unsettled for groups
	Floor         time.Duration // no removal, and no activation, shorter than this
	Window        time.Duration // how long an approver has

	RolesLag   time.Duration // the transitive list of roles serves the state of so long ago
	DeltaLag   time.Duration // delta serves the state of so long ago
	AuditDelay time.Duration // from a deed to its line in the audit log
	AuditKeep  time.Duration // how long a line stays: 7 days without a licence, 30 with

	// What PIM answers.
	Created            string // status of an accepted create, "" for Provisioned; PendingProvisioning and the like end as SettleTo; unsettled
	SettleTo           string // Provisioned or Failed, after Provision
	TimeoutStatus      string // of a request that nobody decided in time; unsettled
	Duplicate          string // code of a second request while one waits; unsettled
	Validated          int    // HTTP status of a successful validation; unsettled
	MembershipNever    bool   // PIM says Provisioned, the directory never hears
	AcrsNever          bool   // the authentication context is refused even with the claim
	AppActivates       bool   // an application may selfActivate for a user; unsettled
	RemoveActivated    bool   // adminRemove ends an activated row too; unsettled
	EligibilityEnds    bool   // an activation ends with the eligibility behind it; unsettled for groups
	KeepLastOwner      bool   // PIM can't take the last owner out, and retries for 30 days
	OwnApproval        bool   // approvers may decide their own requests; unsettled for groups
	NoLicence          bool   // the tenant lacks the licence that PIM needs
	CancelLate         int    // HTTP status of a cancel that comes too late; unsettled
	Deactivated        string // status of a deactivation's request; known from directory roles only
	BareDeactivate     bool   // a deactivation needs no scheduleInfo; unsettled
	AcrsFirst          bool   // the authentication context is looked at before the other rules; unsettled
	ContextFallsBack   bool   // a context that no policy names is satisfied by MFA; else every context counts as named
	ShortIsRule        bool   // an ask under five minutes breaks the ExpirationRule instead; unsettled
	PastStart          bool   // a start in the past is refused instead of replaced; unsettled for groups
	FutureBesideActive bool   // a later activation is taken while one runs; refused on directory roles, unsettled for groups
	AppCode            string // code that refuses an application's selfActivate; unsettled
	AppsNotRoles       bool   // applications may not assign in role-assignable groups; unsettled
	FilterCode         string // code of the refusal when the filter is missing; unsettled
	IgnoreTop          bool   // PIM's lists don't honour $top; unsettled
	NationalCloud      bool   // there is no filterByCurrentUser
	PerSecond          int    // as many calls a second and app are answered, the rest is 429; 0 all
	RetryAfter         string // of these 429
	NoSelfExtend       bool   // selfExtend and selfRenew are no actions; unsettled, the page doesn't list them
	RefuseWeeks        bool   // P52W1D, not valid ISO 8601, is refused; unsettled
	StageNames         string // where a decision is taken: "stages", "steps", "" at both; unsettled
	LoginIsSilent      bool   // a browser's session serves prompt=login where claims are asked for; unsettled
	RefusedAs          int    // HTTP status of PIM's refusals that the book has as 400; unsettled

	// How it says so.
	AuditsSayGroup  bool           // PIM's audit activities have "group" where the published ones have "role"; unsettled
	AuditNoRequest  bool           // PIM's audit lines name group and person, and not the request; unsettled
	AuditNoCategory bool           // loggedByService and category can't be filtered by together; unsettled
	Shape           string         // error bodies: "book" (as captured), "plain", "wrapped"; unsettled
	OddKeys         bool           // createdDateTIme and completedDateTIme, as one page prints them
	BareReviewer    bool           // an approval's reviewedBy has no UPN; unsettled
	NoEcho          bool           // client-request-id is not echoed; unsettled
	Pascal          bool           // SelfActivate, AfterDuration, Direct; unsettled
	Sparse          bool           // no approvalId, createdBy, targetScheduleId, eligibilityScheduleId
	ApprovalAlways  bool           // approvalId although nothing is approved
	CompletedEarly  bool           // completedDateTime although still pending
	ExpandNull      bool           // $expand gives null; unsettled
	Gzip            bool           // compressed answers to those that accept them
	Page            int            // rows a page; 0 for all; unsettled
	EmptyPage       bool           // the second page is empty, and not the last
	RepeatLink      bool           // nextLink names the page that it stands on
	ForeignLink     string         // where nextLink leads, as https://host; "" is here
	TokenLife       time.Duration  // of access tokens; 0 draws as the service does: 60-90 min, 20-28 h with cp1
	Hears           time.Duration  // from a disabled account, a revocation or a new password to Graph's challenge; up to 15 min
	Names           map[int]string // OAuth's error beside an AADSTS number: 53003, 530036, 50076 … ; unsettled
	SlowDown        bool           // a device that polls faster than it was told hears slow_down; unsettled
	DeviceAcrs      bool           // a device code may satisfy an authentication context; unsettled
	Loop            int            // as many token requests alike in five minutes are let through, then 50196; 0 never
	StepUpAsks      bool           // a refresh never satisfies an authentication context
	ErrorsStay      bool           // the authority shows its refusals instead of sending them back to the app
	ConsentToAdmins bool           // scopes that nobody consented to: admins are asked, others refused
}

// Usual are the book's values.
func Usual() Dials {
	return Dials{Provision: 1500 * time.Millisecond, Reactivate: 12 * time.Second, Floor: 5 * time.Minute, Window: 24 * time.Hour,
		SettleTo: "Provisioned", TimeoutStatus: "Denied", Duplicate: "PendingRoleAssignmentRequest", Validated: 201, CancelLate: 400,
		Deactivated: "Revoked", BareDeactivate: true, AppCode: "UnauthorizedAccessException", FilterCode: "InvalidFilter",
		RemoveActivated: true, EligibilityEnds: true, KeepLastOwner: true, Shape: "book", ConsentToAdmins: true,
		TokenLife: tokenLife, AuditDelay: 3 * time.Minute, AuditKeep: 30 * 24 * time.Hour}
}

// Dials reads the dials.
func (w *World) Dials() Dials {
	w.enter()
	defer w.mu.Unlock()
	return w.dials
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) {
	w.enter()
	defer w.mu.Unlock()
	f(&w.dials)
}

// What a [Fault] may do.
const (
	DoStatus      = "status"       // answer Status, with Code and RetryAfter
	DoHang        = "hang"         // answer nothing until the caller gives up
	DoReset       = "reset"        // break the connection
	DoCut         = "cut"          // break it in the middle of the body
	DoHTML        = "html"         // Status (502) with a page
	DoBare        = "bare"         // Status with {}
	DoString      = "string"       // Status with {"error":"boom"}
	DoNoMessage   = "nomessage"    // Status with an error without message
	DoEmpty       = "empty"        // Status (200) and no body
	DoSlow        = "slow"         // the right answer, after Delay of real time
	DoCAE         = "cae"          // 401 with a good claims challenge
	DoCAEUnpadded = "cae-unpadded" // whose base64 lacks its padding
	DoCAEUnquoted = "cae-unquoted" // whose claims lack their quotes
)

// Fault is something that goes wrong on one kind of call. Late faults let the
// call act first: the answer alone is spoilt.
type Fault struct {
	Method     string  `json:"method,omitempty"` // "" any
	Path       string  `json:"path,omitempty"`   // part of the path
	Group      string  `json:"group,omitempty"`  // id that the call names
	User       string  `json:"user,omitempty"`   // object id of the caller
	App        string  `json:"app,omitempty"`    // id of the calling app, at Graph and at the authority
	Skip       int     `json:"skip,omitempty"`   // let so many through first
	Times      int     `json:"times,omitempty"`  // 0: for ever
	P          float64 `json:"p,omitempty"`      // chance, by the seed; 0: always
	Do         string  `json:"do"`
	Late       bool    `json:"late,omitempty"`
	Status     int     `json:"status,omitempty"`
	Code       string  `json:"code,omitempty"`
	Message    string  `json:"message,omitempty"`
	RetryAfter string  `json:"retryAfter,omitempty"` // as sent: "3", "0.9", a date; "" none

	Delay time.Duration `json:"delay,omitempty"` // of DoSlow
}

type armed struct {
	Fault
	hits int
}

// Inject arms a fault; the returned function disarms it.
func (w *World) Inject(f Fault) (disarm func()) {
	w.enter()
	defer w.mu.Unlock()
	a := &armed{Fault: f}
	w.faults = append(w.faults, a)
	return func() {
		w.enter()
		defer w.mu.Unlock()
		w.faults = slices.DeleteFunc(w.faults, func(x *armed) bool { return x == a })
	}
}

// fault finds the first armed fault that strikes this call.
func (w *World) fault(c *call) *Fault {
	for _, a := range w.faults {
		if !a.meant(c) {
			continue
		}
		a.hits++
		if a.hits <= a.Skip || a.Times > 0 && a.hits > a.Skip+a.Times {
			continue
		}
		if a.P > 0 && w.rand.Float64() >= a.P {
			continue
		}
		return &a.Fault
	}
	return nil
}

func (a *armed) meant(c *call) bool {
	return (a.Method == "" || strings.EqualFold(a.Method, c.method)) && strings.Contains(c.path, a.Path) &&
		(a.User == "" || a.User == c.by.oid) && (a.App == "" || strings.EqualFold(a.App, c.client())) &&
		(a.Group == "" || strings.Contains(c.path+c.query+string(c.body), a.Group))
}

// client is the app that a call is by: its token's at Graph, the one that it
// names at the authority.
func (c *call) client() string {
	if c.by.app != "" {
		return c.by.app
	}
	if id, _, ok := (&http.Request{Header: c.header}).BasicAuth(); ok { // a part of a $batch has no request
		return id
	}
	query, _ := url.ParseQuery(c.query)
	form, _ := url.ParseQuery(string(c.body))
	return cmp.Or(query.Get("client_id"), form.Get("client_id"))
}
