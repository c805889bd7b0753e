package activation

import "strings"

// Standing is what PIM's status word means for us.
type Standing int

// The standings. Microsoft defines none of its status words; an unknown
// "Pending…" is read as not finished.
const (
	UnderWay   Standing = iota // in the pipeline
	AtApproval                 // waits for an approver
	InFuture                   // accepted, starts later
	Granted                    // provisioned
	TakenBack                  // revoked or deactivated
	SaidNo                     // denied by an approver
	CalledOff                  // cancelled
	BrokenDown                 // provisioning failed
)

// inPipeline reports whether the status is one of those that PIM is known to
// use between a decision and the grant.
func (r Request) inPipeline() bool {
	switch strings.ToLower(r.Status) {
	case "pendingprovisioning", "pendingschedulecreation", "schedulecreated":
		return true
	}
	return false
}

// over reports whether nothing will be granted, or nothing more.
func (s Standing) over() bool { return s >= TakenBack }

// Kind reads the status word of a request, in any casing.
func (r Request) Kind() Standing {
	switch s := strings.ToLower(r.Status); s {
	case "pendingapproval", "pendingadmindecision":
		return AtApproval
	case "granted":
		return InFuture
	case "provisioned":
		return Granted
	case "revoked":
		return TakenBack
	case "denied":
		return SaidNo
	case "canceled", "cancelled":
		return CalledOff
	case "failed":
		return BrokenDown
	default:
		return UnderWay
	}
}
