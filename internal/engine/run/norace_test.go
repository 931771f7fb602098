//go:build !race

package run_test

// underRace says that the race detector watches, under which tests take several times as long.
const underRace = false
