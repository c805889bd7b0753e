package bot

import (
	"time"

	"pagbot/activation"
)

// life tells an activation a whole life: asked, approved, active, probed, ended
// by its person, gone.
func life(tell func(time.Duration, activation.Input)) {
	const m = time.Minute
	request := activation.Request{ID: "5e0e57ed-0000-0000-0000-000000000001", Status: "PendingApproval", Created: after(2 * m)}
	warrant := func(id string, by activation.Person, d activation.Deed) activation.Warrant {
		return activation.Warrant{ID: id, Actor: by, Deed: d, Proof: activation.Fresh, Expires: after(5 * time.Hour)}
	}
	probe := func(says activation.Says, dir activation.Direction, at time.Duration) activation.Probed {
		return activation.Probed{Target: "devops", Direction: dir, Answer: activation.Answer{Says: says, Level: activation.L2, Evidence: "Project/token effectiveAllow=1", Sent: after(at), Received: after(at + time.Second), Why: "it asks us to slow down"}}
	}
	tell(0, activation.Ask{ID: "abcdefghij", Tag: "7F3K", Person: requester, Group: admins, Access: activation.Member, Length: 2 * time.Hour, Reason: "restore the orders table",
		Warrant: warrant("w1", requester, activation.Submit), Facts: activation.Facts{Eligible: true, Settings: activation.Settings{NeedsApproval: true},
			Targets: []activation.Target{{ID: "devops", Kind: "devops", Name: "Azure DevOps contoso", Level: activation.L2, Within: activation.Duration(time.Hour)}}}})
	tell(m, activation.StepUp{Warrant: "w1", Claims: "c1"})
	tell(2*m, activation.Done{Warrant: "w1", Request: &request, At: after(2 * m)})
	tell(2*m, probe(activation.No, activation.Grant, 2*m))
	tell(3*m, activation.Vote{By: approver, Approve: true, Reason: "known incident", Warrant: warrant("w2", approver, activation.Approve)})
	tell(4*m, activation.Done{Warrant: "w2", Refusal: &activation.Refusal{Code: activation.NeedsMFA}, At: after(4 * m)})
	tell(5*m, activation.Vote{By: approver, Approve: true, Reason: "known incident", Warrant: warrant("w3", approver, activation.Approve)})
	provisioned := request
	provisioned.Status = "Provisioned"
	tell(6*m, activation.Done{Warrant: "w3", Request: &provisioned, At: after(6 * m)})
	instance := activation.Instance{ID: "i", Person: requester, Group: admins, Access: activation.Member, From: after(6 * m), Ends: after(126 * m)}
	tell(7*m, activation.Saw{Request: &provisioned, Looked: true, Present: &instance, At: after(7 * m)})
	tell(8*m, probe(activation.CantTell, activation.Grant, 8*m))
	tell(15*m, probe(activation.Yes, activation.Grant, 15*m))
	tell(100*m, activation.Finish{By: requester, Warrant: warrant("w4", requester, activation.End)})
	tell(101*m, activation.Done{Warrant: "w4", At: after(101 * m)})
	tell(165*m, activation.Tick{})
	tell(170*m, probe(activation.No, activation.Removal, 170*m))
}
