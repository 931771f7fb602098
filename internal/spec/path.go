package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// Path locates a field in a document. Its steps are string (a field), int (an index of a list) and Key (an
// entry of a map).
type Path []any

// Key is a step of a Path into a map.
type Key string

// At makes a path of its steps.
func At(steps ...any) Path { return steps }

// With returns the path extended by steps; the receiver is not changed.
func (p Path) With(steps ...any) Path {
	return append(append(make(Path, 0, len(p)+len(steps)), p...), steps...)
}

// String writes the path the way configurations do: source.database.table, primary_key[1], columns["a b"].
func (p Path) String() string {
	var b strings.Builder
	for i, step := range p {
		switch s := step.(type) {
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s)
		case int:
			b.WriteString("[" + strconv.Itoa(s) + "]")
		case Key:
			b.WriteString("[" + strconv.Quote(string(s)) + "]")
		default:
			fmt.Fprintf(&b, "[%v]", s)
		}
	}
	return b.String()
}

// Problem is one thing wrong with a document: where, and a sentence that says what is wrong and what to write
// instead.
type Problem struct {
	Path    Path
	Message string
	// Needs are other fields that the rule looked at: while one of them is not known, neither is the problem.
	Needs []Path
}

func (p Problem) String() string {
	if len(p.Path) == 0 {
		return p.Message
	}
	return p.Path.String() + ": " + p.Message
}

// Problems collects everything wrong with a document, in the order of its fields.
type Problems []Problem

func (ps *Problems) add(path Path, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// needing says which other fields the rule of the problem just added looked at.
func (ps *Problems) needing(paths ...Path) {
	last := &(*ps)[len(*ps)-1]
	last.Needs = append(last.Needs, paths...)
}

// Err returns the problems as one error that names the document, or nil when there are none.
func (ps Problems) Err(kind Kind, name string) error {
	if len(ps) == 0 {
		return nil
	}
	return &InvalidError{Kind: kind, Name: name, Problems: ps}
}

// InvalidError says that a document breaks the rules of its kind.
type InvalidError struct {
	Kind     Kind
	Name     string
	Problems Problems
}

func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return fmt.Sprintf("%s %q is not valid: %s", e.Kind, e.Name, strings.Join(lines, "; "))
}
