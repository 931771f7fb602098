package spec

import (
	"fmt"
	"strings"
)

var (
	trackingName = formOf(`^[a-z][a-z0-9_]{0,39}$`)
	thingName    = formOf(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	tableName    = formOf(`^[A-Za-z0-9_][A-Za-z0-9_.$/-]{0,254}$`)
)

// CheckTrackingName says what is wrong with the name of a tracking, or "". A hyphen is not allowed: it
// separates tracking and cadence in the names of jobs and triggers, and "a-b" + "c" would meet "a" + "b-c".
func CheckTrackingName(name string) string {
	if trackingName.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("%q is not a name for a tracking: write 1 to 40 lower-case letters, digits and underscores, with a letter first, such as %q", name, suggest(name, '_', 40))
}

// checkThingName says what is wrong with the name of a cadence or connection, or "".
func checkThingName(name string) string {
	if thingName.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("%q is not a name: write 1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end, such as %q", name, suggest(name, '-', 63))
}

// CheckConnectionName says what is wrong with the name of a connection, or "".
func CheckConnectionName(name string) string { return checkThingName(name) }

// suggest bends a refused name into one that is accepted.
func suggest(name string, separator rune, limit int) string {
	bent := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		default:
			return separator
		}
	}, strings.ToLower(name))
	cut := string(separator)
	bent = strings.TrimLeft(bent, cut+"0123456789")
	if len(bent) > limit {
		bent = bent[:limit]
	}
	if bent = strings.TrimRight(bent, cut); bent == "" {
		return "shop"
	}
	return bent
}

// PhysicalName is the name of a cadence's Glue job and trigger, and of a connection's Glue connection.
func PhysicalName(tracking, name string) string { return "lakeland-" + tracking + "-" + name }

// CadenceID is the identity of a cadence across the resources of a configuration.
func CadenceID(tracking, cadence string) string { return tracking + "/" + cadence }

// SplitCadenceID takes a cadence's identity apart.
func SplitCadenceID(id string) (tracking, cadence string, err error) {
	tracking, cadence, found := strings.Cut(id, "/")
	if !found || CheckTrackingName(tracking) != "" || checkThingName(cadence) != "" {
		return "", "", fmt.Errorf("%q is not the id of a cadence: write \"<tracking>/<cadence>\", or take it from lakeland_cadence.<name>.id", id)
	}
	return tracking, cadence, nil
}

// LakeName is the name in the lake of a source's column that is given none: lower case, letters beyond ASCII as they are, and an
// underscore for all else that Athena takes in no name without quoting.
func LakeName(source string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f {
			return r
		}
		return '_'
	}, strings.ToLower(source))
}
