package spec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/agnivade/levenshtein"
)

// maxDepth bounds the nesting of a document; the deepest field stands at four.
const maxDepth = 16

// document is what all kinds have in common for decoding.
type document interface {
	header() (Kind, string, int)
	Normalize()
	Validate() Problems
}

// decode reads one JSON document strictly: a field that is unknown, written twice or of another type, and
// anything after the document, is an error that names the field. Absent optional fields get their defaults.
// The result is valid.
func decode(data []byte, kind Kind, into document) error {
	return decodeUpTo(MaxDocument, data, kind, into)
}

func decodeUpTo(limit int, data []byte, kind Kind, into document) error {
	name, version, err := peek(limit, data)
	if err != nil {
		return fmt.Errorf("reading a %s document: %w", kind, err)
	}
	if version > Version {
		return &NewerError{Kind: kind, Name: name, Version: version}
	}
	if version < 1 {
		return fmt.Errorf("reading %s %q: its document has version %d; versions start at 1", kind, name, version)
	}
	var problems Problems
	reader := json.NewDecoder(bytes.NewReader(data))
	reader.UseNumber()
	if err := checkFields(reader, reflect.TypeOf(into).Elem(), nil, 0, &problems); err != nil {
		return fmt.Errorf("reading %s %q: %w", kind, name, err)
	}
	if err := problems.Err(kind, name); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		var mistyped *json.UnmarshalTypeError
		if errors.As(err, &mistyped) {
			return Problems{{Path: At(mistyped.Field), Message: fmt.Sprintf("holds a %s where a %s is wanted", mistyped.Value, mistyped.Type)}}.Err(kind, name)
		}
		return fmt.Errorf("reading %s %q: %w", kind, name, err)
	}
	into.Normalize()
	return into.Validate().Err(kind, name)
}

// peek reads name and version alone, so that a newer document is refused by name before its fields are judged.
func peek(limit int, data []byte) (name string, version int, err error) {
	if len(data) > limit {
		return "", 0, fmt.Errorf("it has %d bytes; at most %d are read", len(data), limit)
	}
	var head struct {
		V          int    `json:"v"`
		Name       string `json:"name"`
		Connection string `json:"connection"` // which a discovery is named by
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return "", 0, fmt.Errorf("it is not a JSON document: %w", err)
	}
	return cmp.Or(head.Name, head.Connection), head.V, nil
}

// checkFields walks a JSON value beside the Go type it will be decoded into and reports fields that the type
// does not have, and fields that stand twice.
func checkFields(r *json.Decoder, t reflect.Type, at Path, depth int, problems *Problems) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is nested deeper than %d levels", at, maxDepth)
	}
	token, err := r.Token()
	if err != nil {
		return fmt.Errorf("the JSON ends early: %w", err)
	}
	if t != nil {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for r.More() {
			key, err := r.Token()
			if err != nil {
				return fmt.Errorf("the JSON ends early: %w", err)
			}
			name, _ := key.(string)
			step, inner := fieldType(t, name, at, problems)
			if seen[name] {
				problems.add(at.With(step), "stands twice")
			}
			seen[name] = true
			if err := checkFields(r, inner, at.With(step), depth+1, problems); err != nil {
				return err
			}
		}
		_, err = r.Token()
	case json.Delim('['):
		var inner reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			inner = t.Elem()
		}
		for i := 0; r.More(); i++ {
			if err := checkFields(r, inner, at.With(i), depth+1, problems); err != nil {
				return err
			}
		}
		_, err = r.Token()
	}
	if err != nil {
		return fmt.Errorf("the JSON ends early: %w", err)
	}
	if depth == 0 {
		if _, err := r.Token(); !errors.Is(err, io.EOF) {
			return errors.New("something stands after the document")
		}
	}
	return nil
}

// fieldType finds the type of an object's entry. Below an unknown field nothing more is judged.
func fieldType(t reflect.Type, name string, at Path, problems *Problems) (step any, inner reflect.Type) {
	switch {
	case t == nil:
		return name, nil
	case t.Kind() == reflect.Map:
		return Key(name), t.Elem()
	case t.Kind() != reflect.Struct:
		return name, nil
	}
	known := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		field, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if field == name {
			return name, t.Field(i).Type
		}
		known = append(known, field)
	}
	if near := Nearest(name, known); near != "" {
		problems.add(at.With(name), "is not a field; did you mean %q?", near)
	} else {
		problems.add(at.With(name), "is not a field; the fields here are %s", strings.Join(known, ", "))
	}
	return name, nil
}

// Nearest returns the candidate closest to a misspelt word, or "" when none is close.
func Nearest(word string, candidates []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, candidate := range candidates {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// encode writes a document as JSON with a stable order of fields. It refuses a document that is not valid, so
// nothing is stored that the other side would refuse.
func encode(d document) ([]byte, error) { return encodeUpTo(MaxDocument, d) }

func encodeUpTo(limit int, d document) ([]byte, error) {
	kind, name, _ := d.header()
	if err := d.Validate().Err(kind, name); err != nil {
		return nil, err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("writing %s %q: %w", kind, name, err)
	}
	if len(data) > limit {
		return nil, fmt.Errorf("writing %s %q: the document has %d bytes; at most %d are allowed", kind, name, len(data), limit)
	}
	return data, nil
}
