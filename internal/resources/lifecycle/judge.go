package lifecycle

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
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
	return tree, unknown, !diags.HasError()
}

// FollowDocument changes a state to what the stored document says, leaf by leaf. beside names attributes that
// the normal form holds and the document does not.
func (b *Base) FollowDocument(ctx context.Context, state *tfsdk.State, prior Tree, normal func(Tree) (Tree, error), stored func() ([]byte, error), beside ...string) error {
	data, err := stored()
	if err != nil {
		return err
	}
	remote, err := TreeOf(data)
	if err != nil {
		return err
	}
	was, err := normal(prior)
	if err != nil {
		was = prior // a state from another release is replaced leaf by leaf
	}
	for _, name := range beside {
		remote[name] = was[name]
	}
	remote["tags"] = was["tags"]
	return Follow(ctx, state, prior, was, remote)
}
