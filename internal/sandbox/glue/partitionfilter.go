package glue

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// partitionFilter is a parsed GetPartitions expression. It says whether a partition with the values is selected.
type partitionFilter interface {
	matches(values []string) bool
}

// all and anyOf are filters that are joined by AND and OR. Without any, all selects everything.
type (
	all   []partitionFilter
	anyOf []partitionFilter
)

func (f all) matches(values []string) bool {
	return !slices.ContainsFunc(f, func(one partitionFilter) bool { return !one.matches(values) })
}

func (f anyOf) matches(values []string) bool {
	return slices.ContainsFunc(f, func(one partitionFilter) bool { return one.matches(values) })
}

// comparison compares the value of one partition key with a literal.
type comparison struct {
	key      int // position among the partition keys
	operator string
	text     string
	number   *big.Rat // of numeric keys, otherwise nil
}

// Tokens of an expression, each matched at the start of the text.
const (
	keyToken     = `("[^"]+"|` + "`[^`]+`" + `|[A-Za-z_][A-Za-z0-9_]*)`
	literalToken = `('(?:[^']|'')*'|[-+]?[0-9]+(?:\.[0-9]+)?)`
)

var (
	comparisonForm = regexp.MustCompile(`^` + keyToken + `\s*(<=|>=|<>|!=|=|<|>)\s*` + literalToken)
	inForm         = regexp.MustCompile(`(?i)^` + keyToken + `\s+in\s*\(`)
	literalForm    = regexp.MustCompile(`^` + literalToken)
	andForm        = regexp.MustCompile(`(?i)^and\b`)
	orForm         = regexp.MustCompile(`(?i)^or\b`)
)

// maxDepth bounds the parentheses within parentheses.
const maxDepth = 100

// expression is one that is being read; rest is what is left of it.
type expression struct {
	rest  string
	keys  []column
	depth int
}

// parsePartitionFilter reads an expression of comparisons (= <> != < <= > >=) of a partition
// key with a number or a 'string', and of key IN (literals), joined by AND and OR, in parentheses or not. Glue knows
// more (BETWEEN, LIKE, NOT, IS NULL); those are refused here. Keys of numeric types compare as numbers, others as
// text, dates included, whose form sorts as text. An empty expression selects everything.
func parsePartitionFilter(text string, keys []column) (partitionFilter, error) {
	e := &expression{rest: strings.TrimSpace(text), keys: keys}
	if e.rest == "" {
		return all{}, nil
	}
	filter, err := e.alternatives()
	if err == nil && e.rest != "" {
		err = unknownExpression(e.rest)
	}
	return filter, err
}

// accept takes what a form matches off the text; nil where it does not.
func (e *expression) accept(form *regexp.Regexp) []string {
	found := form.FindStringSubmatch(e.rest)
	if found != nil {
		e.rest = strings.TrimSpace(e.rest[len(found[0]):])
	}
	return found
}

func (e *expression) acceptText(text string) bool {
	rest, found := strings.CutPrefix(e.rest, text)
	if found {
		e.rest = strings.TrimSpace(rest)
	}
	return found
}

func (e *expression) alternatives() (partitionFilter, error) {
	var filter anyOf
	for {
		one, err := e.conjunction()
		if err != nil {
			return nil, err
		}
		if filter = append(filter, one); e.accept(orForm) == nil {
			return filter, nil
		}
	}
}

func (e *expression) conjunction() (partitionFilter, error) {
	var filter all
	for {
		one, err := e.term()
		if err != nil {
			return nil, err
		}
		if filter = append(filter, one); e.accept(andForm) == nil {
			return filter, nil
		}
	}
}

func (e *expression) term() (partitionFilter, error) {
	whole := e.rest
	if e.acceptText("(") {
		if e.depth++; e.depth > maxDepth {
			return nil, unknownExpression(whole)
		}
		inner, err := e.alternatives()
		if e.depth--; err == nil && !e.acceptText(")") {
			err = unknownExpression(whole)
		}
		return inner, err
	}
	if found := e.accept(inForm); found != nil {
		var filter anyOf
		for {
			literal := e.accept(literalForm)
			if literal == nil {
				return nil, unknownExpression(whole)
			}
			one, err := newComparison(found[1], "=", literal[1], e.keys)
			if err != nil {
				return nil, err
			}
			filter = append(filter, one)
			switch {
			case e.acceptText(")"):
				return filter, nil
			case !e.acceptText(","):
				return nil, unknownExpression(whole)
			}
		}
	}
	found := e.accept(comparisonForm)
	if found == nil {
		return nil, unknownExpression(whole)
	}
	return newComparison(found[1], found[2], found[3], e.keys)
}

func unknownExpression(rest string) error {
	return invalidInput("Unsupported expression at %q: the sandbox knows comparisons of a partition key "+
		"with a literal, and IN, joined by AND and OR", clip(rest))
}

func newComparison(name, operator, literal string, keys []column) (partitionFilter, error) {
	name = strings.Trim(name, "\"`")
	if operator == "!=" {
		operator = "<>"
	}
	for i, key := range keys {
		if !strings.EqualFold(key.Name, name) {
			continue
		}
		one := comparison{key: i, operator: operator, text: literal}
		quoted := strings.HasPrefix(literal, "'")
		if quoted {
			one.text = strings.ReplaceAll(literal[1:len(literal)-1], "''", "'")
		}
		switch {
		case isNumeric(deref(key.Type)):
			number, ok := parseNumber(one.text)
			if !ok {
				return nil, invalidInput("Partition key %s is a number, %s is none", key.Name, literal)
			}
			one.number = number
		case !quoted:
			return nil, invalidInput("Partition key %s is of type %s: write the literal %s in quotes",
				key.Name, deref(key.Type), literal)
		}
		return one, nil
	}
	return nil, invalidInput("%s is not a partition key of the table", name)
}

// isNumeric reports whether values of a Hive type compare as numbers.
func isNumeric(hiveType string) bool {
	base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(hiveType)), "(")
	switch base {
	case "tinyint", "smallint", "int", "integer", "bigint", "long", "decimal":
		return true
	default:
		return false
	}
}

var plainNumber = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?$`)

func parseNumber(text string) (*big.Rat, bool) {
	if !plainNumber.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// matches reports whether the comparison holds for a partition's values. A value of a numeric
// key that is no number, such as Hive's name for null, matches nothing.
func (c comparison) matches(values []string) bool {
	return c.key < len(values) && c.holds(values[c.key])
}

func (c comparison) holds(value string) bool {
	order := strings.Compare(value, c.text)
	if c.number != nil {
		number, ok := parseNumber(value)
		if !ok {
			return false
		}
		order = number.Cmp(c.number)
	}
	switch c.operator {
	case "=":
		return order == 0
	case "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default: // ">=", the last that comparisonForm lets through
		return order >= 0
	}
}
