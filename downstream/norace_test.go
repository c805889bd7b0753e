//go:build !race

package downstream

// How much the longest tests do.
const (
	truthLives  = 10_000
	lyingLives  = 120
	waiters     = 5000
	waitPasts   = 24
	waitNatures = 9
)
