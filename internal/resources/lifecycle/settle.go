package lifecycle

import (
	"context"
	"encoding/json"
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
// forms and the computed values agree, the plan becomes the state, to the letter but for what comes or goes.
func Settle(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, s Settlement) {
	for _, name := range slices.Sorted(maps.Keys(s.Computed)) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), s.Computed[name])...)
	}
	if req.State.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
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
		if kept, err := keepSpelling(req, resp.Plan.Raw); err == nil {
			resp.Plan.Raw = kept
			return
		}
	}
	for _, p := range s.Replace {
		if unknown.Covers(p) || before == nil || len(Changed(before, planned, p)) > 0 {
			resp.RequiresReplace = append(resp.RequiresReplace, AttributePath(p))
		}
	}
}

// keepSpelling is the state, but with the planned value of each attribute that the configuration sets and the state
// does not, or the other way round: there the core accepts nothing but what the configuration says.
func keepSpelling(req resource.ModifyPlanRequest, plan tftypes.Value) (tftypes.Value, error) {
	var config, state, planned map[string]tftypes.Value
	for _, v := range []struct {
		from tftypes.Value
		into *map[string]tftypes.Value
	}{{req.Config.Raw, &config}, {req.State.Raw, &state}, {plan, &planned}} {
		if err := v.from.As(v.into); err != nil {
			return plan, err
		}
	}
	for name, attribute := range req.State.Schema.GetAttributes() {
		if !attribute.IsComputed() && config[name].IsNull() != state[name].IsNull() {
			state[name] = planned[name]
		}
	}
	return tftypes.NewValue(req.State.Raw.Type(), state), nil
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
		if Same(normalPrior[name], remote[name]) {
			continue
		}
		attribute := schema[name]
		if _, known := remote[name]; !known && normalPrior[name] == nil {
			continue
		}
		value, err := Value(ctx, attribute.GetType(), overlay(prior[name], normalPrior[name], remote[name]))
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
