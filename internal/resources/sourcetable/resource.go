// Package sourcetable is the resource lakeland_source_table: one table of a source, what is read of it, and where
// it lands.
package sourcetable

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

var (
	_ resource.ResourceWithConfigure      = (*Resource)(nil)
	_ resource.ResourceWithIdentity       = (*Resource)(nil)
	_ resource.ResourceWithModifyPlan     = (*Resource)(nil)
	_ resource.ResourceWithValidateConfig = (*Resource)(nil)
)

// Resource is lakeland_source_table.
type Resource struct{ lifecycle.Base }

// New makes the resource.
func New() resource.Resource { return &Resource{lifecycle.Base{TypeName: "lakeland_source_table"}} }

// IdentitySchema implements resource.ResourceWithIdentity.
func (*Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.IdentitySchema("tracking", "name")
}

// document is the source table that a configuration, plan or state describes, and its tracking. The attribute
// cadence holds "<tracking>/<cadence>", the document the cadence alone.
func document(tree lifecycle.Tree) (t *spec.Table, trackingName string, problems spec.Problems, err error) {
	t = &spec.Table{}
	if err := tree.Decode(t); err != nil {
		return nil, "", nil, err
	}
	trackingName, cadence, err := spec.SplitCadenceID(t.Cadence)
	if err != nil {
		problems = append(problems, spec.Problem{Path: spec.At("cadence"), Message: err.Error()})
		cadence = "unknown" // judged by the problem above
	}
	t.Cadence = cadence
	t.Normalize()
	return t, trackingName, problems, nil
}

// normal is the form in which two spellings are equal.
func normal(tree lifecycle.Tree) (lifecycle.Tree, error) {
	t, trackingName, _, err := document(tree)
	if err != nil {
		return nil, err
	}
	return normalOf(t, trackingName)
}

func normalOf(t *spec.Table, trackingName string) (lifecycle.Tree, error) {
	data, err := t.Normal()
	if err != nil {
		return nil, err
	}
	out, err := lifecycle.TreeOf(data)
	if err != nil {
		return nil, err
	}
	out["cadence"], out["tracking"] = spec.CadenceID(trackingName, t.Cadence), trackingName
	return out, nil
}

func judge(tree lifecycle.Tree) (spec.Problems, error) {
	t, _, problems, err := document(tree)
	if err != nil {
		return nil, err
	}
	return append(append(problems, t.Validate()...), t.Unsupported()...), nil
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *Resource) ValidateConfig(_ context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	r.Judge(&resp.Diagnostics, "validating", req.Config.Raw, judge)
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	tree, unknown, ok := r.Judge(&resp.Diagnostics, "planning", req.Plan.Raw, judge)
	if !ok {
		return
	}
	t, trackingName, _, err := document(tree)
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, lifecycle.Summary("planning", r.TypeName, tree.Text("name")), err)
		return
	}
	if req.State.Raw.IsNull() && r.Session != nil && !unknown.Any("target") {
		lifecycle.Foresee(&resp.Diagnostics, lifecycle.Summary("planning", r.TypeName, t.Name), r.lookForTarget(ctx, t)...)
	}
	lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: map[string]attr.Value{
			"id":       lifecycle.Known(trackingName+"/"+t.Name, !unknown.Any("cadence", "name")),
			"tracking": lifecycle.Known(trackingName, !unknown.Any("cadence")),
		},
		Normal: normal,
		Replace: []spec.Path{
			spec.At("name"), spec.At("tracking"), spec.At("target", "location"), spec.At("target", "database"), spec.At("target", "table"), spec.At("target", "format"),
		},
	})
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, t *spec.Table) error {
		if err := lifecycle.Refuse(spec.KindTable, t.Name, r.lookForTarget(ctx, t)...); err != nil {
			return err
		}
		return store.CreateTable(ctx, t, r.Session.AccountID)
	})
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.write(ctx, "updating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, t *spec.Table) error {
		return store.UpdateTable(ctx, t)
	})
}

func (r *Resource) write(ctx context.Context, verb string, plan *tfsdk.Plan, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, store func(*tracking.Store, *spec.Table) error) {
	tree, summary, ok := r.Begin(diags, verb, plan.Raw)
	if !ok {
		return
	}
	t, trackingName, problems, err := document(tree)
	if err == nil {
		err = problems.Err(spec.KindTable, tree.Text("name"))
	}
	if err == nil {
		err = r.sharesConnection(ctx, r.Tracking(trackingName), t)
	}
	if err == nil {
		err = r.WithoutTracking(ctx, store(r.Tracking(trackingName), t), "cadence", trackingName)
	}
	if err != nil {
		lifecycle.Fail(diags, summary, err)
		return
	}
	state.Raw = plan.Raw
	r.Identify(ctx, identity, diags, keys(trackingName, t.Name))
}

func keys(trackingName, name string) map[string]string {
	return map[string]string{"tracking": trackingName, "name": name}
}

// Read implements resource.Resource.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "reading", req.State.Raw)
	if !ok {
		return
	}
	name, trackingName := tree.Text("name"), tree.Text("tracking")
	r.Identify(ctx, resp.Identity, &resp.Diagnostics, keys(trackingName, name))
	stored, err := r.Tracking(trackingName).Table(ctx, name)
	if errors.Is(err, tracking.ErrNotFound) {
		lifecycle.Vanished(ctx, resp, summary, "The source table "+name)
		return
	}
	if err == nil {
		var was, remote lifecycle.Tree
		if was, err = normal(tree); err == nil {
			remote, err = normalOf(stored, trackingName)
		}
		if err == nil {
			err = lifecycle.Follow(ctx, &resp.State, tree, was, remote)
		}
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}

// Delete implements resource.Resource. State, history, catalogue entry and data stay.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "deleting", req.State.Raw)
	if !ok {
		return
	}
	t, trackingName, _, err := document(tree)
	if err == nil {
		err = r.Tracking(trackingName).DeleteTable(ctx, t, r.Session.AccountID)
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}
