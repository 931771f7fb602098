package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Value makes an attribute's value of plain data; nil is null.
func Value(ctx context.Context, t attr.Type, data any) (attr.Value, error) {
	raw, err := terraformValue(t.TerraformType(ctx), canonical(data))
	if err != nil {
		return nil, err
	}
	return t.ValueFromTerraform(ctx, raw)
}

// RawValue makes a whole state, or part of one, of plain data: what is absent is null.
func RawValue(t tftypes.Type, data any) (tftypes.Value, error) {
	return terraformValue(t, canonical(data))
}

func terraformValue(t tftypes.Type, data any) (tftypes.Value, error) {
	if data == nil {
		return tftypes.NewValue(t, nil), nil
	}
	switch typed := t.(type) {
	case tftypes.Object:
		fields, ok := data.(map[string]any)
		if !ok {
			return mismatch(t, data)
		}
		out := map[string]tftypes.Value{}
		for name, inner := range typed.AttributeTypes {
			value, err := terraformValue(inner, fields[name])
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = value
		}
		return tftypes.NewValue(t, out), nil
	case tftypes.Map:
		fields, ok := data.(map[string]any)
		if !ok {
			return mismatch(t, data)
		}
		out := map[string]tftypes.Value{}
		for name, field := range fields {
			value, err := terraformValue(typed.ElementType, field)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%q: %w", name, err)
			}
			out[name] = value
		}
		return tftypes.NewValue(t, out), nil
	case tftypes.List:
		elements, ok := data.([]any)
		if !ok {
			return mismatch(t, data)
		}
		out := make([]tftypes.Value, len(elements))
		for i, element := range elements {
			value, err := terraformValue(typed.ElementType, element)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = value
		}
		return tftypes.NewValue(t, out), nil
	}
	switch value := data.(type) {
	case string:
		if t.Is(tftypes.String) {
			return tftypes.NewValue(t, value), nil
		}
	case bool:
		if t.Is(tftypes.Bool) {
			return tftypes.NewValue(t, value), nil
		}
	case float64:
		if t.Is(tftypes.Number) {
			return tftypes.NewValue(t, big.NewFloat(value)), nil
		}
	}
	return mismatch(t, data)
}

func mismatch(t tftypes.Type, data any) (tftypes.Value, error) {
	return tftypes.Value{}, fmt.Errorf("%T cannot be a %s", data, t)
}

// canonical is data as JSON reads it back: maps, slices, strings, booleans and float64.
func canonical(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		return v
	}
	return out
}
