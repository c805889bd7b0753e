// Package socket keeps pagbot connected to Slack's Socket Mode without losing
// a click.
//
// It stands in for slack-go's own loop, which drops every envelope that comes
// after a disconnect frame, never pings, and reopens without a pause. One
// [Loop] keeps two connections. A connection that is asked to go, grows old or
// falls silent is replaced first and closed second:
//
//	open (gate, backoff) → dial → hello → live ─┬─ Slack asks, or it is nearly as old as Slack lets it grow
//	                                            ├─ silent for 30 s, or a write failed
//	                                            └─ gone
//	        … then the slot connects again, and when the replacement has said hello the old one
//	retires: still read and acknowledged until Slack closes it or its grace ends → close 1000 → echo → TCP closed
//
// An envelope takes this way: reader → budget → Handle passes it on → whoever
// kept it answers → writer of the connection it came from, which sends all that
// is queued in one write. Handle never waits, so neither does the reader. When
// the budget is used up, and after the loop was told to stop, an envelope is not
// taken: a slash command is answered with Config.Busy, everything else stays
// unacknowledged, so that Slack tells the person or sends the event again.
//
// An acknowledgement whose connection died, or that was written so shortly
// before its end that the two may have crossed, goes out on another one. Whether
// Slack counts that is not settled, so it is the last resort and never the plan.
//
// The same envelope may come twice, on one connection or on two. The loop
// hands over and acknowledges every copy: only the one who keeps them durably
// can tell what was kept before.
package socket
