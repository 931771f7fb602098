package spec

import (
	"errors"
	"slices"
	"strings"
)

// Values are what a predicate compares with: none for is_null and is_not_null, one for comparisons, one or more for in.
//
// The list of in is separated by commas. Blanks around a value do not count; a value in double quotes is taken as it
// stands, a double quote in it written twice.
func (p Predicate) Values() ([]string, error) {
	switch p.Op {
	case "is_null", "is_not_null":
		return nil, nil
	case "in":
		return splitList(p.Value)
	default:
		return []string{p.Value}, nil
	}
}

var (
	errOpenQuote   = errors.New(`a double quote is not closed: write "a, b" in two double quotes, and a double quote in it twice`)
	errBehindQuote = errors.New(`something follows a value in double quotes: write a comma there, or a double quote in the value twice`)
	errEmptyValue  = errors.New(`a value of the list is empty: write values with commas between them, such as "paid, shipped"; the empty text is ""`)
)

func splitList(list string) ([]string, error) {
	var values []string
	for rest := list; ; {
		rest = strings.TrimLeft(rest, " ")
		var value string
		if strings.HasPrefix(rest, `"`) {
			var err error
			if value, rest, err = quotedValue(rest[1:]); err != nil {
				return nil, err
			}
			rest = strings.TrimLeft(rest, " ")
			if rest != "" && rest[0] != ',' {
				return nil, errBehindQuote
			}
		} else {
			end := strings.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			value, rest = strings.TrimRight(rest[:end], " "), rest[end:]
			if value == "" {
				return nil, errEmptyValue
			}
		}
		values = append(values, value)
		if rest == "" {
			return values, nil
		}
		rest = rest[1:]
	}
}

// quotedValue reads up to the double quote that closes a value, and returns what follows.
func quotedValue(text string) (value, rest string, err error) {
	var b strings.Builder
	for {
		end := strings.IndexByte(text, '"')
		if end < 0 {
			return "", "", errOpenQuote
		}
		b.WriteString(text[:end])
		text = text[end+1:]
		if !strings.HasPrefix(text, `"`) {
			return b.String(), text, nil
		}
		b.WriteByte('"')
		text = text[1:]
	}
}

func (t *Table) checkFilter(ps *Problems) {
	for i, p := range t.Filter {
		at := At("filter", i)
		checkIdentifier(ps, at.With("column"), p.Column, "column")
		_, wrong := p.Values()
		switch {
		case !slices.Contains(FilterOps, p.Op):
			ps.add(at.With("op"), "%s", notOneOf(p.Op, FilterOps))
		case (p.Op == "is_null" || p.Op == "is_not_null") && p.Value != "":
			ps.add(at.With("value"), "%q takes no value: leave it out", p.Op)
		case len(p.Value) > 4096:
			ps.add(at.With("value"), "it has %d bytes; at most 4096 are allowed", len(p.Value))
		case strings.ContainsRune(p.Value, 0):
			ps.add(at.With("value"), "it holds the character NUL, which no database stores: leave that out")
		case wrong != nil:
			ps.add(at.With("value"), "%s", wrong)
			ps.needing(at.With("op"))
		}
	}
}
