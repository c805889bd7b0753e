//go:build !race

package engine

// How many points a crash walk goes on by.
const stride = 1
