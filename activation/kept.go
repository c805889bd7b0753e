package activation

import (
	"encoding/json"
	"time"
)

// Kept is an envelope from Slack that was stored before it was acknowledged
// and is now to be understood.
type Kept struct {
	ID   string
	Raw  json.RawMessage
	At   time.Time // world time of its arrival
	Last bool      // no further attempt follows: answer the person now
}

// Eligibility is one group that a person may activate for themselves.
type Eligibility struct {
	Group  Group  `json:"group"`
	Access Access `json:"access"`
	Via    string `json:"via,omitempty"` // id of the group through which, if nested
}
