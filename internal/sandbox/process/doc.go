// Package process supervises the programs that the sandbox starts, and the throw-away directories and
// loopback ports they use.
//
// It promises that nothing outlives its owner. A child is the leader of a process group of its own, and
// the whole group is killed when the child ends, whatever it ended of. On Linux a child also receives a
// signal when this process dies, however it dies. A directory that a killed process could not remove is
// removed by the next process that makes one.
package process
