//go:build race

package engine

import "flag"

// With the race detector everything takes some ten times as long, and it finds
// its races at any point: each fourth is crashed at, before and after it.
const stride = 4

// A fourth of the random lives, unless the command line says how many.
func init() {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
}
