//go:build !race

package downstream

const truthLives = 10_000
