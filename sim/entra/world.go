package entra

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"
)

// Config says which tenant to pretend to be.
type Config struct {
	Seed   uint64
	Now    func() time.Time  // world time: PIM, directory, lags; default time.Now
	Wire   func() time.Time  // tokens, codes and sessions; default Now
	Tenant string            // default: made from the seed
	Dials  *Dials            // default: Usual()
	Keep   int               // how many calls the history holds at least; default 100,000
	Extra  map[string]string // further resources a token may be for: URI prefix → audience
}

// World is one tenant. Its methods may be called from any goroutine.
type World struct {
	now, wire func() time.Time
	tenant    string
	extra     map[string]string
	memory    int

	mu       sync.Mutex
	rand     *rand.Rand
	calls    *rand.Rand // for request-ids, so that a call more or less changes no other id
	dials    Dials
	faults   []*armed
	agenda   agenda
	users    []*User
	groups   []*Group
	apps     []*App
	named    map[mark][]*User    // by id, name and addresses
	grouped  map[mark][]*Group   // by id and name
	bonds    map[edge]*bond      // membership and ownership
	inside   map[roleKey][]*bond // who ever had an access, sorted
	holds    map[string][]*bond  // where a principal was ever a member, sorted
	settings map[roleKey]*Settings
	onboard  map[string]bool
	eligible shelf[*eligibility]
	requests shelf[*request]
	offers   shelf[*request] // requests about eligibilities
	rows     shelf[*row]
	audits   []audit
	written  uint64 // lines of it so far
	roles    []Role
	held     []*held
	history  []Record
	pace     map[string]pace
	hold     map[string]time.Time // until when a caller was told to wait
	table    []route              // Graph's; here, because $batch looks into it again
	patterns []pattern            // of the table's paths
	verified map[string]obj       // tokens that were seen before, and their claims
	auth     authority
}

// New makes an empty tenant.
func New(c Config) *World {
	w := &World{now: c.Now, wire: c.Wire, tenant: c.Tenant, extra: map[string]string{}, memory: cmp.Or(c.Keep, 100_000),
		rand: rand.New(rand.NewPCG(c.Seed, 0x656e747261)), calls: rand.New(rand.NewPCG(c.Seed, 0x63616c6c)), dials: Usual(),
		named: map[mark][]*User{}, grouped: map[mark][]*Group{}, inside: map[roleKey][]*bond{}, holds: map[string][]*bond{},
		eligible: newShelf[*eligibility](), requests: newShelf[*request](), offers: newShelf[*request](), rows: newShelf[*row](), verified: map[string]obj{},
		bonds: map[edge]*bond{}, settings: map[roleKey]*Settings{}, onboard: map[string]bool{}, hold: map[string]time.Time{}, pace: map[string]pace{},
		auth: newAuthority()}
	maps.Copy(w.extra, c.Extra)
	if w.now == nil {
		w.now = time.Now
	}
	if w.wire == nil {
		w.wire = w.now
	}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.table = routes
	for _, r := range routes {
		w.patterns = append(w.patterns, cut(r.path))
	}
	w.tenant = cmp.Or(w.tenant, w.guid())
	return w
}

// Tenant is the tenant's id.
func (w *World) Tenant() string { return w.tenant }

// Now is the world's time.
func (w *World) Now() time.Time { return w.now().UTC() }

// enter locks the world and does what has fallen due; the caller unlocks.
func (w *World) enter() time.Time {
	w.mu.Lock()
	now := w.Now()
	w.agenda.run(now)
	return now
}

// guid is the next made-up id: seeded, so that a run can be repeated.
func (w *World) guid() string { return guid(w.rand) }

func guid(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// roleKey names what a policy governs: one access to one group.
type roleKey struct{ group, access string }

// edge is one principal's one access to one group.
type edge struct{ group, access, principal string }

// span is a stretch of time, the end excluded; a zero end is open.
type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool {
	return !s.from.IsZero() && !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}
