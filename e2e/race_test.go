//go:build race

package e2e

// With the race detector everything takes some five times as long, and what it
// finds does not depend on which answer was in doubt: one that was done, one that
// was not, and one that was half.
var doubted = []string{"504 and done", "hangs", "cut off"}

// One life of each story that plays what is unsettled.
const mostLives = 1
