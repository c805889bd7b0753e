package socket

import (
	"cmp"
	"sort"
	"time"
)

// State is where a connection stands.
type State string

// The states, in the order in which a connection goes through them.
const (
	Greeting  State = "greeting"  // waiting for Slack's hello
	Live      State = "live"      // the slot's own
	Replacing State = "replacing" // in use until its replacement has said hello
	Retiring  State = "retiring"  // replaced, still read and acknowledged
)

type standing struct {
	state State
	since time.Time
}

// Connection is the health of one connection.
type Connection struct {
	Slot  int           // which of the slots it serves or served
	State State         // where it stands
	Since time.Time     // since when
	Born  time.Time     // when it was opened
	Quiet time.Duration // since the last frame of any kind
	Trip  time.Duration // the last ping's round trip; 0: none yet
	Owed  int           // its envelopes that are being handled
}

// Counts is the part of Health that is counted.
type Counts struct {
	Opens      uint64 // calls of apps.connections.open
	Refused    uint64 // attempts that brought no connection
	Hellos     uint64 // attempts that did
	Envelopes  uint64 // read, taken or not
	Busy       uint64 // not taken: stopping, or too many at once
	Failed     uint64 // left unacknowledged by the handler, or because the ack was too large
	Late       uint64 // acknowledged after Slack's three seconds
	Strayed    uint64 // acknowledgements that went out on another connection
	Lost       uint64 // acknowledgements for which none was found in time
	Unreadable uint64 // frames that are not JSON
	Ghosts     int    // connections that Slack counted at the last hello beyond ours: dead ones, or another process
	Alarm      string // what an administrator must do; empty once a connection is made
	Trouble    string // the last failed attempt's error; empty once a connection is made
}

// Health is a snapshot of the loop. The counters begin with the process.
type Health struct {
	Counts
	Connections []Connection
	Wanted      int       // live connections there should be
	Unacked     int       // envelopes taken and not yet acknowledged
	Waiting     int       // acknowledgements that wait for a connection
	NextOpen    time.Time // no connection is opened before; zero: at once
}

// Live counts the connections that serve their slot and were heard of lately.
// All is well while it equals Wanted.
func (h Health) Live() int {
	n := 0
	for _, c := range h.Connections {
		if (c.State == Live || c.State == Replacing) && c.Quiet < silence {
			n++
		}
	}
	return n
}

// Health tells how the loop is. A bot whose process lives and which is deaf
// shows here: Live is 0, or every Quiet is long.
func (l *Loop) Health() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := Health{Counts: l.stats, Wanted: l.cfg.Connections, Unacked: l.taken, Waiting: len(l.orphans)}
	if next := l.gate.until(); time.Until(next) > 0 {
		h.NextOpen = next
	}
	for c, st := range l.conns {
		h.Connections = append(h.Connections, Connection{
			Slot: c.slot, State: st.state, Since: st.since, Born: c.born,
			Quiet: c.quiet(), Trip: time.Duration(c.trip.Load()), Owed: int(c.owed.Load()),
		})
	}
	sort.Slice(h.Connections, func(i, k int) bool { // a generic sort is compiled anew for each type
		a, b := h.Connections[i], h.Connections[k]
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), a.Born.Compare(b.Born)) < 0
	})
	return h
}

func (l *Loop) count(f func(*Counts)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}

func (l *Loop) state(c *conn, s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if st := l.conns[c]; st != nil {
		*st = standing{s, time.Now()}
	}
}
