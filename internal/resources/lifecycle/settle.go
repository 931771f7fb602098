package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Settlement is what a resource knows when it is planned.
type Settlement struct {
	// Computed are the values that the provider decides, known or unknown.
	Computed map[string]attr.Value
	// Normal brings a plan or state into the form in which two spellings of one thing are equal. Values that are
	// not known are absent from what it is given.
	Normal func(Tree) (Tree, error)
	// Replace are the paths whose change means another object.
	Replace []spec.Path
}

// Settle finishes a plan. Equality of meaning does not act on plans by itself: a plan that differs from the
// state in spelling alone would still be an update, with every computed value unknown. So where the normal
// forms and the computed values agree, the plan keeps the state's spelling. It reports whether anything but the
// spelling changes.
func Settle(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, s Settlement) (changes bool) {
	for _, name := range slices.Sorted(maps.Keys(s.Computed)) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), s.Computed[name])...)
	}
	if req.State.Raw.IsNull() || resp.Diagnostics.HasError() {
		return true
	}
	before, _, err := Read(req.State.Raw)
	if err == nil {
		before, err = s.Normal(before)
	}
	if err != nil {
		before = nil // a state that cannot be read as a document differs from every plan
	}
	planned, unknown, err := Read(resp.Plan.Raw)
	if err == nil {
		planned, err = s.Normal(planned)
	}
	if err == nil && len(unknown) == 0 && before != nil && Same(before, planned) && sameComputed(ctx, req.State, s.Computed) {
		if resp.Plan.Raw, err = respelled(req.State.Raw, resp.Plan.Raw); err != nil {
			resp.Diagnostics.AddError("Settling a plan", err.Error())
		}
		return false
	}
	for _, p := range s.Replace {
		if unknown.Covers(p) || before == nil || len(Changed(before, planned, p)) > 0 {
			resp.RequiresReplace = append(resp.RequiresReplace, AttributePath(p))
		}
	}
	return true
}

// respelled is a plan with the values of the state where both have one. The core lets a plan keep a prior value,
// but not plan one for an attribute that the configuration leaves out, nor leave out one that it sets.
func respelled(state, plan tftypes.Value) (tftypes.Value, error) {
	var before, after map[string]tftypes.Value
	if err := errors.Join(state.As(&before), plan.As(&after)); err != nil {
		return plan, err
	}
	after = maps.Clone(after) // As hands out the plan's own map
	for name, value := range before {
		if !value.IsNull() && !after[name].IsNull() {
			after[name] = value
		}
	}
	return tftypes.NewValue(plan.Type(), after), nil
}

func sameComputed(ctx context.Context, state tfsdk.State, computed map[string]attr.Value) bool {
	for name, value := range computed {
		if value.IsUnknown() {
			return false
		}
		var before attr.Value
		if diags := state.GetAttribute(ctx, path.Root(name), &before); diags.HasError() || !value.Equal(before) {
			return false
		}
	}
	return true
}

// Follow changes a state to what is really there, leaf by leaf: where the normal forms agree, the state keeps
// its spelling.
func Follow(ctx context.Context, state *tfsdk.State, prior, normalPrior, remote Tree) error {
	schema := state.Schema.GetAttributes()
	for _, name := range slices.Sorted(maps.Keys(schema)) {
		attribute := schema[name]
		// After an import even a default has to come into the state, where the attribute has one by itself.
		imported := attribute.IsComputed() && prior[name] == nil && remote[name] != nil
		if Same(normalPrior[name], remote[name]) && !imported {
			continue
		}
		if _, known := remote[name]; !known && normalPrior[name] == nil {
			continue
		}
		leaf := remote[name]
		if !imported {
			leaf = overlay(prior[name], normalPrior[name], remote[name])
		}
		value, err := Value(ctx, attribute.GetType(), leaf)
		if err != nil {
			return err
		}
		if diags := state.SetAttribute(ctx, path.Root(name), value); diags.HasError() {
			return &diagnosticError{diags.Errors()[0].Summary() + ": " + diags.Errors()[0].Detail()}
		}
	}
	return nil
}

type diagnosticError struct{ text string }

func (e *diagnosticError) Error() string { return e.text }

// overlay is prior with the leaves of remote that differ from prior's normal form.
func overlay(prior, normalPrior, remote any) any {
	if Same(normalPrior, remote) {
		return prior
	}
	if prior == nil {
		prior = map[string]any{} // an import, or an object that was left out: its defaults stay left out
	}
	was, okPrior := canonical(prior).(map[string]any)
	normal, okNormal := canonical(normalPrior).(map[string]any)
	is, okRemote := canonical(remote).(map[string]any)
	if !okPrior || !okNormal || !okRemote {
		return remote
	}
	out := maps.Clone(was)
	for name := range normal {
		if _, still := is[name]; !still {
			delete(out, name)
		}
	}
	for name, value := range is {
		if leaf := overlay(was[name], normal[name], value); leaf != nil {
			out[name] = leaf
		} else {
			delete(out, name)
		}
	}
	return out
}

// Same reports whether two values of plain data are equal, numbers by value. Absent and empty are one, inside
// others too.
func Same(a, b any) bool {
	return reflect.DeepEqual(pruned(canonical(a)), pruned(canonical(b)))
}

// pruned is data without what is empty; nothing at all is nil.
func pruned(v any) any {
	switch typed := v.(type) {
	case []any:
		if len(typed) == 0 {
			return nil
		}
	case map[string]any:
		for name, inner := range typed {
			if inner = pruned(inner); inner == nil {
				delete(typed, name)
			} else {
				typed[name] = inner
			}
		}
		if len(typed) == 0 {
			return nil
		}
	}
	return v
}

// Changed lists which of some paths differ between two trees.
func Changed(a, b Tree, paths ...spec.Path) []spec.Path {
	var out []spec.Path
	for _, p := range paths {
		if !Same(at(a, p), at(b, p)) {
			out = append(out, p)
		}
	}
	return out
}

func at(t Tree, p spec.Path) any {
	here := canonical(t)
	for _, step := range p {
		fields, ok := here.(map[string]any)
		if !ok {
			return nil
		}
		name, ok := step.(string)
		if !ok {
			return nil
		}
		here = fields[name]
	}
	return here
}

// TreeOf is a document as plain data.
func TreeOf(document []byte) (Tree, error) {
	tree := Tree{}
	if err := json.Unmarshal(document, &tree); err != nil {
		return nil, err
	}
	return tree, nil
}
