package downstream

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// sightings are what somebody was seen to see. Not seeing a thing says nothing
// of a person before it is known to be there at all.
type sightings struct {
	mu sync.Mutex
	at map[string]time.Time // wire
}

// sightFor is how long a thing that was seen is believed to be there.
const sightFor = 24 * time.Hour

func (s *sightings) note(things []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]time.Time{}
	}
	for _, t := range things {
		s.at[strings.ToLower(t)] = time.Now()
	}
}

// all reports whether all things are known to be there.
func (s *sightings) all(things []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(things, func(t string) bool {
		at, ok := s.at[strings.ToLower(t)]
		return !ok || time.Since(at) > sightFor
	})
}
