package lifecycle

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// shape is a type with every kind of attribute.
var shape = types.ObjectType{AttrTypes: map[string]attr.Type{
	"text": types.StringType, "flag": types.BoolType, "number": types.Float64Type, "whole": types.Int64Type,
	"list": types.ListType{ElemType: types.StringType}, "map": types.MapType{ElemType: types.StringType},
	"inner":  types.ObjectType{AttrTypes: map[string]attr.Type{"a": types.StringType, "b": types.Int64Type}},
	"nested": types.MapType{ElemType: types.ObjectType{AttrTypes: map[string]attr.Type{"type": types.StringType}}},
}}

var trees = rapid.Custom(func(t *rapid.T) Tree {
	tree := Tree{}
	add := func(name string, value any) {
		if rapid.Bool().Draw(t, "has "+name) {
			tree[name] = value
		}
	}
	text := rapid.StringMatching(`[a-z]{0,5}`)
	add("text", text.Draw(t, "text"))
	add("flag", rapid.Bool().Draw(t, "flag"))
	add("number", rapid.SampledFrom([]float64{0, 0.0625, -1.5, 1e9}).Draw(t, "number"))
	add("whole", float64(rapid.IntRange(-5, 1<<40).Draw(t, "whole")))
	list := []any{}
	for _, s := range rapid.SliceOfN(text, 0, 3).Draw(t, "list") {
		list = append(list, s)
	}
	add("list", list)
	entries := map[string]any{}
	for k, v := range rapid.MapOfN(text, text, 0, 3).Draw(t, "map") {
		entries[k] = v
	}
	add("map", entries)
	add("inner", map[string]any{"a": text.Draw(t, "a"), "b": float64(rapid.IntRange(0, 9).Draw(t, "b"))})
	add("nested", map[string]any{"x": map[string]any{"type": text.Draw(t, "type")}})
	return tree
})

// What becomes a value of Terraform's reads back as the same data.
func TestValuesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := trees.Draw(t, "tree")
		value, err := Value(context.Background(), shape, map[string]any(want))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := value.ToTerraformValue(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got, unknown, err := Read(raw)
		if err != nil || len(unknown) != 0 || !Same(map[string]any(want), map[string]any(got)) {
			t.Fatalf("%v, %v: %s", unknown, err, cmp.Diff(canonical(want), canonical(got)))
		}
	})
}

func TestValueRefusesOtherKinds(t *testing.T) {
	t.Parallel()
	for _, data := range []map[string]any{{"text": 1}, {"flag": "yes"}, {"whole": "1"}, {"list": "a"}, {"map": []any{}}, {"inner": "a"}, {"nested": map[string]any{"x": 1}}} {
		if _, err := Value(t.Context(), shape, data); err == nil {
			t.Errorf("%v became a value", data)
		}
	}
}

// Where the normal forms agree the state keeps its spelling; where they differ, exactly the leaf follows.
func TestOverlay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                       string
		prior, normal, remote, got any
	}{
		{"equal in meaning", "rate(1 day)", "cron(3 4 * * ? *)", "cron(3 4 * * ? *)", "rate(1 day)"},
		{"changed", "rate(1 day)", "cron(3 4 * * ? *)", "cron(0 0 * * ? *)", "cron(0 0 * * ? *)"},
		{"one leaf of several", map[string]any{"location": "s3://a/b", "format": nil}, map[string]any{"location": "s3://a/b/", "format": "iceberg", "table": "t"}, map[string]any{"location": "s3://a/b/", "format": "hudi", "table": "t"}, map[string]any{"location": "s3://a/b", "format": "hudi"}},
		{"a leaf that is gone", map[string]any{"a": "1", "b": "2"}, map[string]any{"a": "1", "b": "2"}, map[string]any{"a": "1"}, map[string]any{"a": "1"}},
		{"a leaf that came", map[string]any{"a": "1"}, map[string]any{"a": "1"}, map[string]any{"a": "1", "b": "2"}, map[string]any{"a": "1", "b": "2"}},
		{"an object that came", nil, nil, map[string]any{"every": "1h"}, map[string]any{"every": "1h"}},
		{"an object that is gone", map[string]any{"every": "1h"}, map[string]any{"every": "1h", "how": "count"}, nil, nil},
		{"absent and empty are one", nil, nil, []any{}, nil},
		{"a list follows whole", []any{"a", "b"}, []any{"a", "b"}, []any{"a"}, []any{"a"}},
	} {
		if got := overlay(tc.prior, tc.normal, tc.remote); !Same(got, tc.got) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.got)
		}
	}
}

// Following what is there to the letter, whatever it is, gives a state whose normal form is what is there.
func TestOverlayArrivesAtWhatIsThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prior, remote := trees.Draw(t, "prior"), trees.Draw(t, "remote")
		if got := overlay(map[string]any(prior), map[string]any(prior), map[string]any(remote)); !Same(got, map[string]any(remote)) {
			t.Fatalf("%v", cmp.Diff(canonical(remote), canonical(got)))
		}
	})
}

func TestUnknownCovers(t *testing.T) {
	t.Parallel()
	object := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"a": tftypes.String, "b": tftypes.Object{AttributeTypes: map[string]tftypes.Type{"c": tftypes.String, "d": tftypes.List{ElementType: tftypes.String}}}}}
	inner := tftypes.NewValue(object.AttributeTypes["b"], map[string]tftypes.Value{
		"c": tftypes.NewValue(tftypes.String, "x"), "d": tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, []tftypes.Value{tftypes.NewValue(tftypes.String, tftypes.UnknownValue)}),
	})
	tree, unknown, err := Read(tftypes.NewValue(object, map[string]tftypes.Value{"a": tftypes.NewValue(tftypes.String, tftypes.UnknownValue), "b": inner}))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"a": true, "b": true, "b.c": false, "b.d": true, "b.d[0]": true, "b.d[1]": false} {
		p := map[string]spec.Path{"a": spec.At("a"), "b": spec.At("b"), "b.c": spec.At("b", "c"), "b.d": spec.At("b", "d"), "b.d[0]": spec.At("b", "d", 0), "b.d[1]": spec.At("b", "d", 1)}[path]
		if got := unknown.Covers(p); got != want {
			t.Errorf("%s: unknown %v", path, got)
		}
	}
	if tree.Text("a") != "" || !unknown.Any("b") || unknown.Any("c") || len(unknown.Of("a")) != 1 {
		t.Errorf("tree %v, unknown %v", tree, unknown)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	a := Tree{"target": map[string]any{"location": "x", "table": "t"}, "n": 1}
	b := Tree{"target": map[string]any{"location": "y", "table": "t"}, "n": 1.0}
	if got := Changed(a, b, spec.At("target", "location"), spec.At("target", "table"), spec.At("n"), spec.At("absent", "leaf")); len(got) != 1 || got[0].String() != "target.location" {
		t.Errorf("changed: %v", got)
	}
}
