//go:build race

package downstream

// With the race detector everything takes some ten times as long, and the
// figures are not what it is for.
const (
	truthLives  = 200
	lyingLives  = 60
	waiters     = 1000
	waitPasts   = 2
	waitNatures = 1
)
