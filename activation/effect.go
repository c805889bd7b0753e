package activation

import (
	"encoding/json"
	"time"
)

// Lane is a queue of effects with its own way of repeating.
type Lane string

// The lanes. A deed writes to Graph and is looked for before it is repeated,
// unless repeating it changes nothing; a
// say goes to Slack; a watch only reads.
const (
	LaneDeed  Lane = "deed"
	LaneSay   Lane = "say"
	LaneWatch Lane = "watch"
)

// Kind is what an effect does.
type Kind string

// The kinds.
const (
	DoDeed   Kind = "deed"
	Card     Kind = "card"   // slot: the group's channel, the newest state
	Thread   Kind = "thread" // append: a reply under the card
	DM       Kind = "dm"     // append: to one person
	AskSign  Kind = "signin" // slot: a DM with the link of one deed, and what became of it
	Whisper  Kind = "answer" // append: private answer where the person typed
	WatchPIM Kind = "pim"    // slot: request and instance as PIM holds them
	WatchWho Kind = "who"    // slot: who decided in Entra
	Probe    Kind = "probe"  // slot: one target in one direction
	Free     Kind = "free"   // deed lane: let go what waits for the end of this one
	Demand   Kind = "demand" // slot, deed lane: ask Entra to write the new member to a target at once; as the application
	Succeed  Kind = "tell"   // deed lane: tell older activations of the same key that this one replaced them
)

// Topic says which sentence a message carries; bot/words.go has it.
type Topic string

// The topics.
const (
	TopicActive    Topic = "active"    // PIM granted it
	TopicEffective Topic = "effective" // a target said yes
	TopicHad       Topic = "had already"
	TopicDecided   Topic = "decided"
	TopicWarning   Topic = "warning" // the end is near
	TopicEnded     Topic = "ended"
	TopicGone      Topic = "gone"
	TopicOverdue   Topic = "overdue"  // removal is late
	TopicDeclined  Topic = "declined" // Entra was asked to write it at once, and won't
	TopicRefused   Topic = "refused"
	TopicClosed    Topic = "closed" // without ever having been granted
	TopicStuck     Topic = "stuck"
	TopicAsked     Topic = "asked"       // it is on its way, and what comes next
	TopicAgreed    Topic = "agreed"      // one approver did, others must
	TopicUnheard   Topic = "unheard"     // an earlier one may not decide any more
	TopicRound     Topic = "gone round"  // a decision in Entra went round the quorum
	TopicClash     Topic = "clash"       // two are active that exclude each other
	TopicRemind    Topic = "remind"      // approvers: it still waits
	TopicMore      Topic = "remind more" // and others
	TopicRescue    Topic = "rescue"      // PIM drops it soon
)

// Effect is something to be done in the outside world because of an event. It
// is stored as a job in the transaction of its event.
type Effect struct {
	Key     string    `json:"key"` // within the activation
	Lane    Lane      `json:"lane"`
	Kind    Kind      `json:"kind"`
	Slot    bool      `json:"slot,omitempty"` // the newest replaces what still waits
	Seq     uint64    `json:"seq"`            // the event that caused it
	Topic   Topic     `json:"topic,omitempty"`
	To      Person    `json:"to,omitzero"`
	Target  string    `json:"target,omitempty"`
	Toward  Direction `json:"toward,omitempty"`
	Warrant string    `json:"warrant,omitempty"` // id
	Refusal *Refusal  `json:"refusal,omitempty"` // what a TopicRefused is about
	Deed    Deed      `json:"deed,omitempty"`    // and of which deed
	Order   string    `json:"order,omitempty"`
	Wait    string    `json:"wait,omitempty"`
	Due     time.Time `json:"due,omitzero"` // zero: now
	Until   time.Time `json:"until,omitzero"`

	// Given by the engine at each attempt, not part of what is stored.
	Memory  json.RawMessage `json:"-"` // what the last attempt left
	Receipt json.RawMessage `json:"-"` // what the outside gave back for this slot before
}

// Report is what came of an attempt at an effect.
//
// Neither Again, After nor Wait: it is finished. Absent answers a Look only:
// it is certain that it was not done. Unsure says that it may have been done:
// the next attempt looks first.
type Report struct {
	Tell    Input           // news, committed together with the job's fate
	Again   time.Time       // world time: try again then
	After   time.Duration   // wire time: try again so much later (throttling)
	Wait    string          // blocked until this is released
	Until   time.Time       // and not longer than this
	Memory  json.RawMessage // for the next attempt
	Receipt json.RawMessage // kept under the activation and the effect's key
	Absent  bool
	Unsure  bool
	Err     error // for the log
}

// Finished reports whether the job is over.
func (r Report) Finished() bool {
	return r.Again.IsZero() && r.After == 0 && r.Wait == "" && !r.Absent && !r.Unsure
}
