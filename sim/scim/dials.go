package scim

import (
	"time"

	"pagbot/sim/target"
)

// Dials are the limits and lies of the application.
type Dials struct {
	target.Dials
	Members      string        // how it shows a group's members: Full, Omit, Empty, Cut
	Most         int           // members of a group that it shows under Cut
	OmitEmpty    bool          // an empty list is left out, as the RFC allows
	NoGroups     bool          // users do not show their groups
	Filters      string        // how it takes a filter on members: Honoured, Ignored, Refused
	Page         int           // resources on a page of a list, at most
	Apply        time.Duration // how long the application takes over what was written
	Deprovisions bool          // an account that came with its first access is deleted with its last
	NoExternalID bool          // externalId is something else than the object id
}

// How members are shown, and filters on them are taken.
const (
	Full     = "full"
	Omit     = "omit"
	Empty    = "empty" // always none, as AWS does
	Cut      = "cut"
	Honoured = "honoured"
	Ignored  = "ignored" // the filter's other half is all that counts: everybody is in
	Refused  = "refused" // 400
)

// Usual is an application that does as the RFC says.
func Usual() Dials {
	return Dials{Dials: target.Usual(), Members: Full, Filters: Honoured, Page: 100, Most: 100}
}
