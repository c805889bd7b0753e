//go:build !race

package e2e

import (
	"maps"
	"slices"
)

// Every answer that leaves a doubt.
var doubted = slices.Sorted(maps.Keys(doubts))

// Each way of all that is unsettled.
const mostLives = 1000
