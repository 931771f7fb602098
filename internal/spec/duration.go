package spec

import (
	"fmt"
	"strconv"
	"time"
)

var durationForm = formOf(`^([0-9]{1,6})(s|m|h|d)$`)

// ParseDuration reads a whole number with a unit: "90s", "5m", "24h", "30d". A day is 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("%q is not a duration: write a whole number and s, m, h or d, such as \"5m\" or \"24h\"", text)
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: %w", text, err)
	}
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[parts[2]]
	return time.Duration(n) * unit, nil
}

// checkDuration adds a problem when a text is no duration within bounds.
func checkDuration(ps *Problems, at Path, text string, low, high time.Duration, bounds string) {
	d, err := ParseDuration(text)
	switch {
	case err != nil:
		ps.add(at, "%s", err)
	case d < low || d > high:
		ps.add(at, "%q is out of range: write %s", text, bounds)
	}
}
