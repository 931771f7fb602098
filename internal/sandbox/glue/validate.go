package glue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// maxShownValue bounds how much of an offending value an error message repeats, in bytes.
const maxShownValue = 128

// maxFindings bounds how many constraint violations one check collects.
const maxFindings = 100

// checkRequest checks a request body against the shape and returns nil or the error that AWS
// answers: SerializationException for what is not JSON or has the wrong type,
// ValidationException with all violated constraints otherwise.
//
// Two things are stricter than AWS, so that mistakes are seen: an unknown member is refused
// (AWS ignores it), and a number with a fraction is no integer.
func (m *model) checkRequest(shapeName string, body []byte) *apiError {
	c := m.check(shapeName, body)
	if c.mistyped != "" {
		return newError(codeSerialization, http.StatusBadRequest, "%s", c.mistyped)
	}
	if len(c.violations) == 0 {
		return nil
	}
	noun := "errors"
	if len(c.violations) == 1 {
		noun = "error"
	}
	return newError(codeValidation, http.StatusBadRequest, "%d validation %s detected: %s",
		len(c.violations), noun, strings.Join(c.violations, "; "))
}

// checkResponse checks a reply against the shape; an error is a bug of the sandbox.
func (m *model) checkResponse(shapeName string, body []byte) error {
	c := m.check(shapeName, body)
	if c.mistyped != "" {
		return errors.New(c.mistyped)
	}
	if len(c.violations) > 0 {
		return errors.New(strings.Join(c.violations, "; "))
	}
	return nil
}

func (m *model) check(shapeName string, body []byte) *checker {
	c := &checker{model: m}
	value, err := decodeJSON(body)
	if err != nil {
		c.mistyped = err.Error()
		return c
	}
	c.value("", shapeName, value)
	return c
}

// decodeJSON decodes one JSON document, keeping numbers as they are written. An empty body is
// an empty object, as it is to AWS.
func decodeJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("the body is no JSON document: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body holds more than one JSON document")
	}
	return value, nil
}

// checker walks a decoded JSON value along a shape. It collects violated constraints and the
// first value of a wrong type.
type checker struct {
	model      *model
	mistyped   string
	violations []string
}

func (c *checker) typeError(path, want string, got any) {
	if c.mistyped == "" {
		if path == "" {
			path = "the body"
		}
		c.mistyped = fmt.Sprintf("%s: expected %s, found %s", path, want, jsonKind(got))
	}
}

func (c *checker) violate(path string, value any, constraint string) {
	if len(c.violations) >= maxFindings {
		return
	}
	c.violations = append(c.violations,
		fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", shown(value), path, constraint))
}

// value checks one value; path is written the way AWS writes it in its messages.
func (c *checker) value(path, shapeName string, value any) {
	if c.mistyped != "" {
		return
	}
	s := c.model.Shapes[shapeName]
	if s == nil {
		c.typeError(path, "a modelled shape", value)
		return
	}
	if s.Document {
		return
	}
	switch s.Type {
	case "structure":
		c.structure(path, s, value)
	case "list":
		c.list(path, s, value)
	case "map":
		c.mapping(path, s, value)
	case "string":
		c.text(path, s, value)
	case "integer", "long":
		c.integer(path, s, value)
	case "double", "float", "timestamp":
		c.float(path, s, value)
	case "boolean":
		if _, ok := value.(bool); !ok {
			c.typeError(path, "a boolean", value)
		}
	default:
		c.typeError(path, "a type the sandbox knows ("+s.Type+" is none)", value)
	}
}

func (c *checker) structure(path string, s *shape, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		c.typeError(path, "an object", value)
		return
	}
	for _, name := range s.Required {
		if object[name] == nil {
			c.violate(joinPath(path, lowerFirst(name)), nil, "Member must not be null")
		}
	}
	for _, name := range sortedKeys(object) {
		member := object[name]
		ref, known := s.Members[name]
		switch {
		case !known:
			c.violate(joinPath(path, name), member, "Member must be known to the service model")
		case member != nil:
			c.value(joinPath(path, lowerFirst(name)), ref, member)
		}
	}
}

func (c *checker) list(path string, s *shape, value any) {
	items, ok := value.([]any)
	if !ok {
		c.typeError(path, "a list", value)
		return
	}
	c.length(path, s, value, len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s.%d.member", path, i+1)
		if item == nil {
			c.violate(at, nil, "Member must not be null")
			continue
		}
		c.value(at, s.Member, item)
	}
}

func (c *checker) mapping(path string, s *shape, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		c.typeError(path, "an object", value)
		return
	}
	c.length(path, s, value, len(object))
	for _, key := range sortedKeys(object) {
		c.value(path+".key", s.Key, key)
		at := path + "." + key + ".member"
		if object[key] == nil {
			c.violate(at, nil, "Member must not be null")
			continue
		}
		c.value(at, s.Value, object[key])
	}
}

func (c *checker) text(path string, s *shape, value any) {
	text, ok := value.(string)
	if !ok {
		c.typeError(path, "a string", value)
		return
	}
	// AWS counts a Java string's length, which is in UTF-16 code units.
	c.length(path, s, value, len(utf16.Encode([]rune(text))))
	if s.pattern != nil && !s.pattern.MatchString(text) {
		c.violate(path, value, "Member must satisfy regular expression pattern: "+s.Pattern)
	}
	if s.enum != nil && !s.enum[text] {
		c.violate(path, value, "Member must satisfy enum value set: ["+strings.Join(s.Enum, ", ")+"]")
	}
}

func (c *checker) integer(path string, s *shape, value any) {
	number, ok := value.(json.Number)
	if !ok {
		c.typeError(path, "an integer", value)
		return
	}
	bits := 64
	if s.Type == "integer" {
		bits = 32
	}
	n, err := strconv.ParseInt(number.String(), 10, bits)
	if err != nil {
		c.typeError(path, fmt.Sprintf("an integer of %d bits", bits), value)
		return
	}
	c.limits(path, s, value, float64(n))
}

func (c *checker) float(path string, s *shape, value any) {
	number, ok := value.(json.Number)
	if !ok {
		c.typeError(path, "a number", value)
		return
	}
	f, err := number.Float64()
	if err != nil {
		c.typeError(path, "a number that a double can hold", value)
		return
	}
	if s.Type == "timestamp" && math.Abs(f) > maxTimestamp {
		c.typeError(path, "a timestamp in seconds since 1970", value)
		return
	}
	c.limits(path, s, value, f)
}

func (c *checker) length(path string, s *shape, value any, n int) {
	if s.Min != nil && float64(n) < *s.Min {
		c.violate(path, value, fmt.Sprintf("Member must have length greater than or equal to %v", *s.Min))
	}
	if s.Max != nil && float64(n) > *s.Max {
		c.violate(path, value, fmt.Sprintf("Member must have length less than or equal to %v", *s.Max))
	}
}

func (c *checker) limits(path string, s *shape, value any, n float64) {
	if s.Min != nil && n < *s.Min {
		c.violate(path, value, fmt.Sprintf("Member must have value greater than or equal to %v", *s.Min))
	}
	if s.Max != nil && n > *s.Max {
		c.violate(path, value, fmt.Sprintf("Member must have value less than or equal to %v", *s.Max))
	}
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// lowerFirst gives a member's name as AWS's messages write it: jobName for JobName.
func lowerFirst(name string) string {
	if name == "" {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func shown(value any) string {
	if value == nil {
		return "null"
	}
	text, ok := value.(string)
	if !ok {
		encoded, err := json.Marshal(value)
		if err != nil {
			return "(unreadable)"
		}
		text = string(encoded)
	}
	return "'" + clip(text) + "'"
}

// clip returns text, cut to at most maxShownValue bytes at a character's boundary.
func clip(text string) string {
	if len(text) <= maxShownValue {
		return text
	}
	return strings.ToValidUTF8(text[:maxShownValue], "") + "..."
}

func jsonKind(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "the number " + clip(v.String())
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
