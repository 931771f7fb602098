package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Judge reads a configuration or plan and reports what is wrong with its document. It is not ok when there were
// errors.
func (b *Base) Judge(diags *diag.Diagnostics, verb string, raw tftypes.Value, judge func(Tree) (spec.Problems, error)) (tree Tree, unknown Unknown, ok bool) {
	tree, unknown, err := Read(raw)
	summary := Summary(verb, b.TypeName, tree.Text("name"))
	var problems spec.Problems
	if err == nil {
		problems, err = judge(tree)
	}
	if err != nil {
		diags.AddError(summary, err.Error())
		return nil, nil, false
	}
	Report(diags, summary, problems, unknown)
	if verb == "validating" {
		warnEmpty(diags, summary, raw, problems)
	}
	return tree, unknown, !diags.HasError()
}

// warnEmpty points out objects that set nothing. Core drops names that an object does not have, without a word, before
// the provider is asked; an object with nothing left is all that can be seen of it.
func warnEmpty(diags *diag.Diagnostics, summary string, raw tftypes.Value, problems spec.Problems) {
	var attributes map[string]tftypes.Value
	if err := raw.As(&attributes); err != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		reported := slices.ContainsFunc(problems, func(p spec.Problem) bool { return len(p.Path) > 0 && p.Path[0] == any(name) })
		if names := emptied(attributes[name]); len(names) > 0 && !reported {
			diags.AddAttributeWarning(AttributePath(spec.At(name)), summary,
				fmt.Sprintf("%s: it sets nothing. Terraform drops names that it does not know inside an object: check the spelling against %s, or leave %[1]s out.", name, strings.Join(names, ", ")))
		}
	}
}

// emptied lists the names of an object's attributes when all of them are null.
func emptied(v tftypes.Value) []string {
	var fields map[string]tftypes.Value
	if !v.Type().Is(tftypes.Object{}) || !v.IsKnown() || v.IsNull() || v.As(&fields) != nil {
		return nil
	}
	for _, field := range fields {
		if !field.IsNull() {
			return nil
		}
	}
	return slices.Sorted(maps.Keys(fields))
}

// FollowDocument changes a state to what the stored document says, leaf by leaf, and says what became of the
// document: one that cannot be read leaves the state as it was, for the next apply to write it anew. beside names
// attributes that the normal form holds and the document does not.
func (b *Base) FollowDocument(ctx context.Context, state *tfsdk.State, prior Tree, normal func(Tree) (Tree, error), stored *tracking.Stored, remote func(document []byte) (Tree, error), beside ...string) (leaf string, err error) {
	tree, err := remote(stored.Document)
	if err != nil {
		return ByHand, nil //nolint:nilerr // the plan shows it, and the next apply mends it
	}
	was, err := normal(prior)
	if err != nil {
		was = prior // a state from another release is replaced leaf by leaf
	}
	for _, name := range beside {
		tree[name] = was[name]
	}
	if err := Follow(ctx, state, prior, was, tree); err != nil {
		return "", err
	}
	switch {
	case stored.Leaving:
		return "half destroyed", nil
	case stored.Unfinished:
		return "half created", nil
	default:
		return Present, nil
	}
}
