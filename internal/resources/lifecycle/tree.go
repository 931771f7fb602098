// Package lifecycle is what all resources do alike: take a document out of a configuration, judge it with its
// paths, keep a plan quiet where only the spelling changed, decide on replacement, and say in one form what went
// wrong. The attributes of resources have the names of the documents' fields, so one walk serves them all; a
// test in each resource holds schema and document together.
package lifecycle

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Tree is a configuration, plan or state as plain data: strings, numbers, booleans, []any and map[string]any.
// What is null is absent.
type Tree map[string]any

// Unknown lists the paths whose values are not known yet.
type Unknown []spec.Path

// Read turns a resource's value into plain data.
func Read(v tftypes.Value) (Tree, Unknown, error) {
	var unknown Unknown
	if v.IsNull() || !v.IsKnown() {
		return nil, nil, nil
	}
	data, err := plain(v, nil, &unknown)
	if err != nil {
		return nil, nil, err
	}
	tree, ok := data.(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("a resource's value is %T", data)
	}
	return tree, unknown, nil
}

func plain(v tftypes.Value, at spec.Path, unknown *Unknown) (any, error) {
	switch {
	case !v.IsKnown():
		*unknown = append(*unknown, at)
		return nil, nil
	case v.IsNull():
		return nil, nil
	case v.Type().Is(tftypes.String):
		return scalar[string](v)
	case v.Type().Is(tftypes.Bool):
		return scalar[bool](v)
	case v.Type().Is(tftypes.Number):
		var out big.Float
		if err := v.As(&out); err != nil {
			return nil, err
		}
		if n, accuracy := out.Int64(); accuracy == big.Exact {
			return n, nil
		}
		n, _ := out.Float64()
		return n, nil
	case v.Type().Is(tftypes.Object{}):
		return plainMap(v, at, func(name string) any { return name }, unknown)
	case v.Type().Is(tftypes.Map{}):
		return plainMap(v, at, func(name string) any { return spec.Key(name) }, unknown)
	default:
		var elements []tftypes.Value
		if err := v.As(&elements); err != nil {
			return nil, err
		}
		out := make([]any, len(elements))
		for i, element := range elements {
			value, err := plain(element, at.With(i), unknown)
			if err != nil {
				return nil, err
			}
			out[i] = value
		}
		return out, nil
	}
}

func scalar[T any](v tftypes.Value) (any, error) {
	var out T
	err := v.As(&out)
	return out, err
}

func plainMap(v tftypes.Value, at spec.Path, step func(string) any, unknown *Unknown) (any, error) {
	var fields map[string]tftypes.Value
	if err := v.As(&fields); err != nil {
		return nil, err
	}
	out := make(map[string]any, len(fields))
	for name, field := range fields {
		value, err := plain(field, at.With(step(name)), unknown)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out[name] = value
		}
	}
	return out, nil
}

// Covers reports whether the value at a path, or one around or inside it, is not known yet.
func (u Unknown) Covers(p spec.Path) bool {
	for _, unknown := range u {
		n := min(len(unknown), len(p))
		same := true
		for i := range n {
			same = same && unknown[i] == p[i]
		}
		if same {
			return true
		}
	}
	return false
}

// Any reports whether one of some top-level attributes holds an unknown value.
func (u Unknown) Any(names ...string) bool {
	for _, name := range names {
		if u.Covers(spec.At(name)) {
			return true
		}
	}
	return false
}

// Decode fills a document from the attributes that are its fields; others are passed over.
func (t Tree) Decode(document any) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, document)
}

// Text is the string at a top-level attribute, or "".
func (t Tree) Text(name string) string {
	text, _ := t[name].(string)
	return text
}

// Strings is the map of strings at a top-level attribute; never nil.
func (t Tree) Strings(name string) map[string]string {
	out := map[string]string{}
	fields, _ := t[name].(map[string]any)
	for key, value := range fields {
		if text, ok := value.(string); ok {
			out[key] = text
		}
	}
	return out
}

// AttributePath is a document's path as the framework writes it.
func AttributePath(p spec.Path) path.Path {
	out := path.Empty()
	for _, step := range p {
		switch s := step.(type) {
		case string:
			out = out.AtName(s)
		case int:
			out = out.AtListIndex(s)
		case spec.Key:
			out = out.AtMapKey(string(s))
		}
	}
	return out
}

// Of lists the unknown values at or in some top-level attributes.
func (u Unknown) Of(names ...string) Unknown {
	var out Unknown
	for _, p := range u {
		for _, name := range names {
			if len(p) > 0 && p[0] == any(name) {
				out = append(out, p)
			}
		}
	}
	return out
}
