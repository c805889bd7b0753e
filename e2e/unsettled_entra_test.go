package e2e

import (
	"fmt"
	"time"

	"pagbot/sim/entra"
)

// inEntra turns Entra's dials.
func inEntra(name string, turn func(*entra.Dials)) way {
	return way{name: name, turn: func(p *place) { p.Entra.Turn(turn) }}
}

// either are the two ways of a dial that is on or off.
func either(dial func(*entra.Dials) *bool) []way {
	set := func(v bool) func(*entra.Dials) { return func(d *entra.Dials) { *dial(d) = v } }
	return []way{inEntra("off", set(false)), inEntra("on", set(true))}
}

// The stories that play what Entra leaves open.
const (
	life        = "TestUnsettledLife"
	asking      = "TestUnsettledAsk"
	duplicate   = "TestUnsettledDuplicate"
	session     = "TestUnsettledSession"
	byDevice    = "TestUnsettledDevice"
	login       = "TestUnsettledLogin"
	ending      = "TestUnsettledEnd"
	race        = "TestUnsettledRace"
	withdraw    = "TestUnsettledWithdraw"
	timeout     = "TestUnsettledTimeout"
	portal      = "TestUnsettledPortal"
	eligibility = "TestUnsettledEligibility"
)

// word are the ways of a dial that is a word.
func word(dial func(*entra.Dials) *string, words ...string) (ways []way) {
	for _, s := range words {
		ways = append(ways, inEntra(s, func(d *entra.Dials) { *dial(d) = s }))
	}
	return ways
}

// number are the ways of a dial that is a number.
func number(dial func(*entra.Dials) *int, numbers ...int) (ways []way) {
	for _, n := range numbers {
		ways = append(ways, inEntra(fmt.Sprint(n), func(d *entra.Dials) { *dial(d) = n }))
	}
	return ways
}

// settles are ways in which an accepted ask may become access.
func settles(words ...string) (ways []way) {
	for _, s := range words {
		ways = append(ways, inEntra(s, func(d *entra.Dials) {
			d.Created, d.SettleTo, d.Provision = s, "Provisioned", 20*time.Second
		}))
	}
	return append(ways, inEntra("Provisioned at once", func(d *entra.Dials) { d.Created = "" }))
}

// names are OAuth's words beside the numbers that the stories meet.
func names(words ...string) (ways []way) {
	for _, s := range words {
		ways = append(ways, inEntra(s, func(d *entra.Dials) { d.Names = map[int]string{50173: s, 53003: s} }))
	}
	return ways
}

// cancels are the answers to a cancel that comes too late; each must be met.
func cancels(numbers ...int) (ways []way) {
	for i, v := range number(func(d *entra.Dials) *int { return &d.CancelLate }, numbers...) {
		ways = append(ways, v.seen(refused(numbers[i])))
	}
	return ways
}

var openInEntra = []open{
	{dial: "Pascal", story: life, ways: either(func(d *entra.Dials) *bool { return &d.Pascal })},
	{dial: "ExpandNull", story: life, ways: either(func(d *entra.Dials) *bool { return &d.ExpandNull })},
	{dial: "IgnoreTop", story: life, ways: either(func(d *entra.Dials) *bool { return &d.IgnoreTop })},
	{dial: "NoEcho", story: life, ways: either(func(d *entra.Dials) *bool { return &d.NoEcho })},
	{dial: "Page", story: life, ways: number(func(d *entra.Dials) *int { return &d.Page }, 0, 1, 2)},
	{dial: "StageNames", story: life, ways: []way{
		inEntra("both", func(d *entra.Dials) { d.StageNames = "" }),
		inEntra("stages", func(d *entra.Dials) { d.StageNames = "stages" }),
		inEntra("steps", func(d *entra.Dials) { d.StageNames = "steps" }).seen(refused(404)),
	}},
	{dial: "PastStart", story: asking, ways: either(func(d *entra.Dials) *bool { return &d.PastStart })},
	{dial: "AcrsFirst", story: asking, ways: either(func(d *entra.Dials) *bool { return &d.AcrsFirst })},
	{dial: "Shape", story: asking, ways: word(func(d *entra.Dials) *string { return &d.Shape }, "book", "plain", "wrapped")},
	{dial: "Created, SettleTo", story: asking, ways: settles("PendingProvisioning", "PendingScheduleCreation", "ScheduleCreated", "PendingSomethingNew", "Granted")},
	{dial: "Duplicate", story: duplicate, ways: word(func(d *entra.Dials) *string { return &d.Duplicate }, "PendingRoleAssignmentRequest", "RoleAssignmentRequestExists")},
	{dial: "Names", story: session, ways: names("invalid_grant", "interaction_required", "access_denied")},
	{dial: "DeviceAcrs", story: byDevice, ways: either(func(d *entra.Dials) *bool { return &d.DeviceAcrs })},
	{dial: "SlowDown", story: byDevice, ways: either(func(d *entra.Dials) *bool { return &d.SlowDown })},
	{dial: "LoginIsSilent", story: login, ways: either(func(d *entra.Dials) *bool { return &d.LoginIsSilent })},
	{dial: "RefusedAs", story: ending, ways: number(func(d *entra.Dials) *int { return &d.RefusedAs }, 400, 403, 409)},
	{dial: "BareDeactivate", story: ending, ways: either(func(d *entra.Dials) *bool { return &d.BareDeactivate })},
	{dial: "Deactivated", story: ending, ways: word(func(d *entra.Dials) *string { return &d.Deactivated }, "Revoked", "Provisioned", "PendingRevocation")},
	{dial: "Reactivate", story: ending, ways: []way{
		inEntra("at once", func(d *entra.Dials) { d.Reactivate = 0 }),
		inEntra("12 s", func(d *entra.Dials) { d.Reactivate = 12 * time.Second }),
		inEntra("2 min", func(d *entra.Dials) { d.Reactivate = 2 * time.Minute }),
	}},
	{dial: "CancelLate", story: withdraw, ways: cancels(400, 403, 404, 409)},
	{dial: "BareReviewer", story: race, ways: either(func(d *entra.Dials) *bool { return &d.BareReviewer })},
	{dial: "TimeoutStatus", story: timeout, ways: word(func(d *entra.Dials) *string { return &d.TimeoutStatus }, "Denied", "Failed", "Canceled")},
	{dial: "OwnApproval", story: portal, ways: either(func(d *entra.Dials) *bool { return &d.OwnApproval })},
	{dial: "RemoveActivated", story: portal, ways: either(func(d *entra.Dials) *bool { return &d.RemoveActivated })},
	{dial: "EligibilityEnds", story: eligibility, ways: either(func(d *entra.Dials) *bool { return &d.EligibilityEnds })},
	{dial: "FilterCode", why: "the bot always names a group or a principal, so that it is never refused for want of a filter"},
	{dial: "Validated", why: "the bot validates nothing: it judges by the role settings that PIM serves, and PIM by the real ask"},
	{dial: "NoSelfExtend", why: "the bot extends and renews nothing: extensions are of assignments, not of activations"},
	{dial: "AuditsSayGroup, AuditNoCategory", why: "the audit log is an extra that needs a permission of its own; TestAuditsNameTheDecider in graph reads it each way, over the same wire"},
	{dial: "AuditNoRequest", why: "the same"},
	{dial: "AppActivates", why: "the bot's application only reads: every deed is a person's"},
	{dial: "AppCode", why: "the bot's application only reads: every deed is a person's"},
	{dial: "AppsNotRoles", why: "the bot's application only reads: it assigns nobody anywhere"},
	{dial: "ShortIsRule", why: "five minutes is the bot's own floor, too: it sends no shorter ask"},
	{dial: "RefuseWeeks", why: "the bot sends hours and minutes, or an end; PIM's own maximum is a day"},
	{dial: "FutureBesideActive", why: "the bot takes no ask for later beside what runs, so that none is refused"},
}
