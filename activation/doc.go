// Package activation decides. It is the heart of pagbot, a Slack bot for
// companies that give out privileged access through Microsoft Entra PIM
// (Privileged Identity Management): there a person is not a member of a powerful
// group but eligible, and activates the membership for some hours, often with
// somebody's approval. PIM says "activated" within seconds; the systems in which
// the group carries a role (Azure DevOps, Intune, …) follow minutes to hours
// later, and forget as late. Nobody tells the person who waits, or the one who
// must be sure that the access is gone. pagbot takes the request and the
// approval in Slack, and says when the access works and when it is gone.
//
// The package holds one such activation, from the ask to its proven end, as
// plain values and pure functions: no clock, no network, no store. What it is
// told comes in as an Input; what is true from then on leaves as Events; what
// must be done outside, as Effects.
//
//	events  := Decide(a, input, now) // what does this mean?
//	a        = Apply(a, event)       // the only writer of the phase
//	effects := Effects(a, event)     // what must be done because of it?
//	           Wants(a, effect, now) // is it still worth doing?
//	           a.Due()               // when to look again by itself (Tick)
//
// Around it: package bot understands what people type and press, and says every
// sentence; engine keeps a click before Slack is told that it arrived, stores
// events and effects in one transaction, and has the effects done; store is the
// database; graph reads PIM and does deeds, graph/signin is the browser's side
// (sign-in pages, seals, kept tokens); downstream asks targets, and knows how
// often; sim pretends to be Slack, Entra and Azure DevOps for the tests. If the
// process is killed, the next one finds the same clicks, events and effects in
// the store and goes on; there is no other way of starting.
//
// # Words
//
//	group        one that PIM manages; access to it is member or owner
//	activation   our noun: one person, one group, one access, once. At most one
//	             is pending or active in PIM for the three of them (Key)
//	request      what PIM calls the thing it was sent
//	deed         a write to PIM in a person's name: activate, deactivate,
//	             cancel, approve, deny
//	warrant      the right to do one deed once (see "Who proves what")
//	target       a system downstream in which the group carries a role
//	probe        one question to one target about one person
//	refused      a rule of PIM or pagbot said no; denied: an approver did
//	turned away  a click that never became a deed
//	lapsed       a deed whose warrant died before it was done
//	withdrawn    the requester took the request back, or never confirmed it
//
// # One life, in order
//
// Asked. A person types a command: an Ask, together with the facts gathered for
// it. Judge tries every rule (PIM's are walls, pagbot's are guard rails). If one
// is not met, EvRefused begins and ends the life. Else EvAsked: the deed
// "activate" is pending, and every target is asked once, before anything is
// granted. That is the negative control; without it a later yes proves nothing
// new, so the deed leaves it two seconds' time. Only the person hears of an ask that PIM has not taken.
//
// Noticed. Or the activation was made in the portal and is found there: a
// Notice. Its life is the same from there on, with PIM's data.
//
// AwaitingApproval. PIM has the request, and an approver must answer within its
// 24 hours. A card stands in the channel. A click comes in as a Vote and becomes
// a pending deed, "approve" or "deny"; nobody decides on their own request,
// neither from a second account. Where a group wants more than one approver
// (Quorum), each yes but the last is proven, counted (EvAgreed) and not told to
// PIM, where the first would be enough. An approver may also be faster in the portal:
// then the next look at PIM (Saw) says so. While nobody answers, the approvers
// are reminded (EvReminded), later others, and before PIM drops the request the
// requester too: three times and no more, because people who are asked too often
// stop reading. What was asked for until an end that comes first can be approved
// no more from then on (end passed). Scheduled is the rare case that PIM
// accepted a start in the future.
//
// Provisioning. Everybody has decided; PIM does it, normally within seconds. Its
// answer to a request says "Provisioned" before an instance can be seen, and only
// what is seen counts.
//
// Active. An assignment instance is there. PIM is done; the targets are not:
// they are now probed until each says yes, as long as it takes. Before the end, at Lead or a quarter
// of the whole if that is less, the person is told (EvWarned).
//
// Ending. The person wants it ended early (Finish); the deed is pending.
//
// PIM extends nothing that runs. A renewal is two lives told in one commit: this
// one ends, with the next one's id in Next, and the next begins After it. Its
// submit is Held until this end; what targets say meanwhile is of this one, so
// that the next has no control, and its first yes only says that it works. A
// switch is the same from one group to another (Leaves), which are mostly groups
// that exclude each other: first this one ends, or its request is withdrawn, and
// only then is the next asked for. In between the person has neither, and at no
// time both.
//
// Verifying. PIM grants it no longer: it ran out, was ended, or was revoked
// elsewhere. The targets are probed until each says no. What takes longer than
// the target's Within is overdue and told in the channel; after a day it is not
// proven, and that is what is said.
//
// Closed. Final; whatever comes later changes nothing. Outcome says why.
//
// # The moves
//
// Where each kind of stored event (testdata/events) leads. It is what Apply does
// with any event in any phase, also those that Decide would not make there; PIM's
// word may also go back, as when a lagging read is overtaken. Events that are not
// listed leave the phase as it is; they may arrive anywhere, late or twice.
//
//	(phase table: generated by go test ./activation -update)
//
//	(nothing yet)
//	  → asked              by asked, asked_later, asked_renewal, asked_switch
//	  → noticed            by noticed
//	  → awaiting approval  by noticed_pending
//	  → active             by noticed_active
//	  → closed             by refused, refused_excluded
//
//	asked
//	  → scheduled          by submitted_scheduled
//	  → awaiting approval  by submitted_pending
//	  → provisioning       by decided_approved, submitted_underway
//	  → active             by provisioned
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	noticed
//	  → scheduled          by submitted_scheduled
//	  → awaiting approval  by submitted_pending
//	  → provisioning       by decided_approved, submitted_underway
//	  → active             by provisioned
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	scheduled
//	  → awaiting approval  by submitted_pending
//	  → provisioning       by decided_approved, submitted_underway
//	  → active             by provisioned
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	awaiting approval
//	  → scheduled          by submitted_scheduled
//	  → provisioning       by decided_approved, submitted_underway
//	  → active             by provisioned
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	provisioning
//	  → scheduled          by submitted_scheduled
//	  → awaiting approval  by submitted_pending
//	  → active             by provisioned
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	active
//	  → ending             by finish_asked_end, finish_asked_renewed
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	ending
//	  → active             by deed_refused, lapsed
//	  → verifying          by ended
//	  → closed             by closed, closed_refused
//
//	verifying
//	  → closed             by closed, closed_refused
//
//	closed (final)
//
//	(end of the phase table)
//
// # What each input does
//
//	Ask       begins a life, or refuses it (Asks: several, in one commit;
//	          Renewal: with the end of the one before, also in a switch)
//	Notice    begins a life that was begun elsewhere
//	Vote      an approver's click: a pending deed, or turned away
//	Finish    end or withdraw: a pending deed, or turned away
//	Done      what PIM answered to a deed: it is done, or refused
//	StepUp    Entra wants more of the person: the deed waits for their browser
//	Lapse     the warrant's time is over and the deed was never done
//	Saw       what PIM shows now; its reads lag up to half a minute
//	DecidedBy who decided in Entra, learned minutes later; also after the end
//	Probed    what a target answered
//	Demanded  Entra was asked to write it to a target at once (once a life,
//	          where a target is configured so), or won't
//	Replaced  a newer activation of the same key began: measuring ends
//	Overlap   another activation opens the same target: measuring its removal ends
//	Clash     two are active that exclude each other: an alarm
//	Trouble   something that should happen can't, or can again (Stuck, a field)
//	Tick      time has passed: warn, call it stuck, overdue or not proven
//
// No input is an error in any phase. What says nothing new makes no event.
//
// # What runs beside the phases
//
// Each target has two measurements, Grant and Removal, each a Span. Polling
// never finds an instant, only an interval: the change lies in (After, By]. After
// is when the last contrary answer was asked for, By when the first wanted one
// was received. A yes after a no is effective; a yes without any no before only
// works; a yes before PIM granted anything is had already, and its staying is
// nobody's alarm. A no after a yes is gone; a no where no yes was ever seen,
// never came.
//
// An answer proves as much as the one who gave it can know:
//
//	L0  Entra lists it                                listed: nothing is proven downstream;
//	                                                  configured, if the target's settings
//	                                                  name the group as well
//	L1  the target's own copy lists it                received
//	L2  the target's policy engine allows the person  effective on a new session
//	L3  a fresh token of the person succeeds          effective for that session
//
// The level travels with the span, and what people read is worded by it: at L0
// "effective" is only ever called "listed" or "configured". Everything else is "can't tell", and
// says why. Gone means gone for new sessions; not proven, that a day after the
// end no no was heard.
//
// An answer that is no news makes no event, but its time is not lost: it is kept
// with the probe's job in the store, and comes in as Last with the next news.
//
// # Three lanes
//
// An Effect is stored in the transaction of its event, and done from there.
//
//	deed   writes to Graph: in order per activation and person; looked for
//	       before it is repeated, longer than PIM's reads lag. In the same lane:
//	       "demand", by which the application (not the person, so that it has no
//	       warrant) has Entra write a member to a target that it would write to
//	       anyway, only sooner: asking twice changes nothing;
//	       "tell", which says to older activations of the same key that this one
//	       has taken their place; and "free", which lets go the renewal that
//	       waits for the end of this one
//	say    goes to Slack: a card is a slot (the newest state is what is sent),
//	       a reply or DM is appended, at least once
//	watch  only reads: PIM, and each target; only news becomes an event. A
//	       slot: naming it again means "look now"
//
// # Who proves what
//
// A Slack click says what, a browser says who. Each deed carries a Warrant:
// this account, this deed, these Terms (by digest), this long, once. It is
// minted from one click, and sealed. If its proof is Fresh, the deed waits for
// an interactive sign-in that names this warrant; with Session the kept token
// does. ProofFor has the default: fresh for every approval, for owner access,
// and wherever PIM itself asks for MFA, an authentication context or an approval.
// So a stolen Slack session can approve nothing; with a kept session it could
// activate only what PIM gives without asking anything of anybody, and a group
// may be configured to fresh. Whoever holds the key checks the seal and the
// digest right before the call; here a warrant that is of another deed or
// account, expired, or was ever used, refused or lapsed (Spent) makes no deed.
//
// The conversations in testdata tell all this again, line by line; begin with
// 01_whole_life.txt.
package activation
