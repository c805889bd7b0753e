// Package activation decides: it holds one person's time-bound access to one
// group from the ask to its proven end, as plain values and pure functions.
package activation
