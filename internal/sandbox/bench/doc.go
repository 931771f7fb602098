// Package bench measures the engine beside the tools that its users would take instead, on this machine, in the same
// rounds: what counts are ratios, since machines are shared and noisy. It tells where Lakeland loses, too.
package bench
