package hudi

import "bytes"

// compareKeys orders record keys as Java's strings are, by UTF-16 units: what needs two of them stands before the last of what
// needs one.
func compareKeys(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		// The first bytes of characters from U+10000 on are 0xf0 and above, those from U+E000 up to there 0xee and 0xef.
		switch {
		case a[i] >= 0xf0 && (b[i] == 0xee || b[i] == 0xef):
			return -1
		case b[i] >= 0xf0 && (a[i] == 0xee || a[i] == 0xef):
			return 1
		default:
			return bytes.Compare(a[i:i+1], b[i:i+1])
		}
	}
	return len(a) - len(b)
}
