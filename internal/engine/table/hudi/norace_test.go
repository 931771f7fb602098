//go:build !race

package hudi_test

// usualStride is of how many interleavings one is explored.
const usualStride = 4
