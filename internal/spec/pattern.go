package spec

import "fmt"

const (
	// maxPatterns bounds a list of patterns, maxPattern the length of one in bytes: two names with every character
	// escaped.
	maxPatterns = 1000
	maxPattern  = 512
)

// everyTable is what is included where nothing is said.
var everyTable = []string{"*.*"}

// Pattern matches tables by schema and name. It is written SCHEMA.TABLE: in each of the two, "*" stands for any run of
// characters, none included, "?" for any one, and "\" takes the character behind it as it is. The first dot without a
// "\" ends the schema. Everything else stands for itself, case included.
type Pattern struct{ schema, table []glyph }

// glyph is one part of a pattern: a character, or a wildcard.
type glyph struct {
	char rune
	wild bool
}

// ParsePattern reads a pattern.
func ParsePattern(text string) (Pattern, error) {
	if len(text) > maxPattern {
		return Pattern{}, fmt.Errorf("the pattern has %d bytes; at most %d are read", len(text), maxPattern)
	}
	var p Pattern
	into, escaped, split := &p.schema, false, false
	for _, r := range text {
		switch {
		case escaped:
			*into, escaped = append(*into, glyph{char: r}), false
		case r == '\\':
			escaped = true
		case r == '.' && !split:
			into, split = &p.table, true
		default:
			*into = append(*into, glyph{char: r, wild: r == '*' || r == '?'})
		}
	}
	switch {
	case escaped:
		return Pattern{}, fmt.Errorf(`%q ends with a "\" that takes nothing: write "\\" for one that belongs to the name`, text)
	case !split:
		return Pattern{}, fmt.Errorf("%q names no schema: write \"public.%[1]s\", or \"*.%[1]s\" for every schema", text)
	case len(p.schema) == 0 || len(p.table) == 0:
		return Pattern{}, fmt.Errorf("%q is no pattern: write SCHEMA.TABLE, such as \"public.*\"", text)
	}
	return p, nil
}

// Match reports whether a table of exactly these names is meant.
func (p Pattern) Match(schema, table string) bool {
	return match(p.schema, []rune(schema)) && match(p.table, []rune(table))
}

// match goes back, where characters do not fit, to the last "*" alone and lets it take one more: an earlier one
// could take nothing that the last cannot.
func match(pattern []glyph, text []rune) bool {
	at, star, taken := 0, -1, 0
	for i := 0; i < len(text); {
		switch {
		case at < len(pattern) && pattern[at].wild && pattern[at].char == '*':
			star, taken = at, i
			at++
		case at < len(pattern) && (pattern[at].wild || pattern[at].char == text[i]):
			at++
			i++
		case star >= 0:
			taken++
			at, i = star+1, taken
		default:
			return false
		}
	}
	for at < len(pattern) && pattern[at].wild && pattern[at].char == '*' {
		at++
	}
	return at == len(pattern)
}

// Selection says which tables are meant: those that a pattern of the one list matches and none of the other.
type Selection struct {
	include, exclude []Pattern
	// Include and Exclude are the patterns as they were written.
	Include, Exclude []string
}

// Select makes a selection of two lists of patterns; without any to include, every table is. What is wrong is a
// problem at include[i] or exclude[i].
func Select(include, exclude []string) (*Selection, Problems) {
	var ps Problems
	if len(include) == 0 {
		include = everyTable
	}
	s := &Selection{Include: include, Exclude: exclude}
	for _, list := range []struct {
		name  string
		texts []string
		into  *[]Pattern
	}{{"include", include, &s.include}, {"exclude", exclude, &s.exclude}} {
		if len(list.texts) > maxPatterns {
			ps.add(At(list.name), "it has %d patterns; at most %d are read: use \"*\" and \"?\"", len(list.texts), maxPatterns)
			continue
		}
		for i, text := range list.texts {
			p, err := ParsePattern(text)
			if err != nil {
				ps.add(At(list.name, i), "%s", err)
			}
			*list.into = append(*list.into, p)
		}
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return s, nil
}

// Match reports whether a table is meant.
func (s *Selection) Match(schema, table string) bool {
	return anyMatch(s.include, schema, table) && !anyMatch(s.exclude, schema, table)
}

func anyMatch(patterns []Pattern, schema, table string) bool {
	for _, p := range patterns {
		if p.Match(schema, table) {
			return true
		}
	}
	return false
}

// Of leaves the tables of a discovery that are meant.
func (s *Selection) Of(tables []DiscoveredTable) []DiscoveredTable {
	out := []DiscoveredTable{}
	for _, t := range tables {
		if s.Match(t.Schema, t.Table) {
			out = append(out, t)
		}
	}
	return out
}

// Idle lists the patterns, as indexes into Include, to which no table of a list that the selection left answers.
func (s *Selection) Idle(left []DiscoveredTable) []int {
	var idle []int
	for i, p := range s.include {
		used := false
		for _, t := range left {
			used = used || p.Match(t.Schema, t.Table)
		}
		if !used {
			idle = append(idle, i)
		}
	}
	return idle
}
