package glue

import (
	"math/big"
	"regexp"
	"strings"
)

// partitionFilter is a parsed GetPartitions expression: comparisons that must all hold.
type partitionFilter []comparison

// comparison compares the value of one partition key with a literal.
type comparison struct {
	key      int // position among the partition keys
	operator string
	text     string
	number   *big.Rat // of numeric keys, otherwise nil
}

// Tokens of an expression. comparisonForm matches one comparison at the start of the text.
var comparisonForm = regexp.MustCompile(
	`^\s*("[^"]+"|` + "`[^`]+`" + `|[A-Za-z_][A-Za-z0-9_]*)\s*(<=|>=|<>|!=|=|<|>)\s*('(?:[^']|'')*'|[-+]?[0-9]+(?:\.[0-9]+)?)\s*`)

var andForm = regexp.MustCompile(`(?i)^and\b`)

// parsePartitionFilter reads an expression of comparisons (= <> != < <= > >=) of a partition
// key with a number or a 'string', joined by AND. Glue knows more (OR, IN, BETWEEN, LIKE, NOT, IS
// NULL, parentheses); those are refused here. Keys of numeric types compare as numbers, others as
// text, dates included, whose form sorts as text. An empty expression selects everything.
func parsePartitionFilter(expression string, keys []column) (partitionFilter, error) {
	var filter partitionFilter
	rest := strings.TrimSpace(expression)
	for rest != "" {
		if len(filter) > 0 {
			and := andForm.FindString(rest)
			if and == "" {
				return nil, unknownExpression(rest)
			}
			rest = rest[len(and):]
		}
		found := comparisonForm.FindStringSubmatch(rest)
		if found == nil {
			return nil, unknownExpression(rest)
		}
		one, err := newComparison(found[1], found[2], found[3], keys)
		if err != nil {
			return nil, err
		}
		filter = append(filter, one)
		rest = rest[len(found[0]):]
	}
	return filter, nil
}

func unknownExpression(rest string) error {
	return invalidInput("Unsupported expression at %q: the sandbox knows comparisons of a partition key "+
		"with a literal, joined by AND", clip(rest))
}

func newComparison(name, operator, literal string, keys []column) (comparison, error) {
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
				return comparison{}, invalidInput("Partition key %s is a number, %s is none", key.Name, literal)
			}
			one.number = number
		case !quoted:
			return comparison{}, invalidInput("Partition key %s is of type %s: write the literal %s in quotes",
				key.Name, deref(key.Type), literal)
		}
		return one, nil
	}
	return comparison{}, invalidInput("%s is not a partition key of the table", name)
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

// matches reports whether all comparisons hold for a partition's values. A value of a numeric
// key that is no number, such as Hive's name for null, matches nothing.
func (f partitionFilter) matches(values []string) bool {
	for _, one := range f {
		if one.key >= len(values) || !one.holds(values[one.key]) {
			return false
		}
	}
	return true
}

func (c *comparison) holds(value string) bool {
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
