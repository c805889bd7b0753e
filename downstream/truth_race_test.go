//go:build race

package downstream

// With the race detector a life takes some fifteen times as long.
const truthLives = 600
