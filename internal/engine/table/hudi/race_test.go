//go:build race

package hudi_test

// usualStride is of how many interleavings one is explored; under the race detector each takes several times as long.
const usualStride = 16
