// Package tracking is the resource lakeland_tracking: the four DynamoDB tables through which provider and engine
// meet.
package tracking

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	layout "github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

var (
	_ resource.ResourceWithConfigure      = (*Resource)(nil)
	_ resource.ResourceWithIdentity       = (*Resource)(nil)
	_ resource.ResourceWithImportState    = (*Resource)(nil)
	_ resource.ResourceWithModifyPlan     = (*Resource)(nil)
	_ resource.ResourceWithValidateConfig = (*Resource)(nil)
)

// Resource is lakeland_tracking.
type Resource struct{ lifecycle.Base }

// New makes the resource.
func New() resource.Resource { return &Resource{lifecycle.Base{TypeName: "lakeland_tracking"}} }

// IdentitySchema implements resource.ResourceWithIdentity.
func (*Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.IdentitySchema("name")
}

// ImportState implements resource.ResourceWithImportState.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	r.Import(ctx, req, resp, "name")
}

func describe(tree lifecycle.Tree) (*spec.Tracking, error) {
	t := &spec.Tracking{Name: tree.Text("name"), KMSKeyARN: tree.Text("kms_key_arn")}
	if protect, ok := tree["deletion_protection"].(bool); ok {
		t.DeletionProtection = protect
	}
	var lists struct {
		ReplicaRegions []string `json:"replica_regions"`
	}
	err := tree.Decode(&lists)
	t.ReplicaRegions = lists.ReplicaRegions
	return t, err
}

func judge(tree lifecycle.Tree) (spec.Problems, error) {
	t, err := describe(tree)
	return append(t.Validate(), t.Unsupported()...), err
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *Resource) ValidateConfig(_ context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	r.Judge(&resp.Diagnostics, "validating", req.Config.Raw, judge)
}

// normal is the form in which two spellings are equal.
func normal(tree lifecycle.Tree) (lifecycle.Tree, error) {
	t, err := describe(tree)
	return lifecycle.Tree{"name": t.Name, "deletion_protection": t.DeletionProtection, "kms_key_arn": t.KMSKeyARN, "replica_regions": t.ReplicaRegions, "tags": tree["tags"]}, err
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	plan, unknown, ok := r.Judge(&resp.Diagnostics, "planning", req.Plan.Raw, judge)
	if !ok {
		return
	}
	named := !unknown.Any("name")
	arns := attr.Value(types.MapUnknown(types.StringType))
	if named && r.Session != nil {
		arns = lifecycle.StringMap(r.arns(plan.Text("name")))
	}
	tags, deployed := lifecycle.TagsAll(r.Session, plan, unknown), attr.Value(types.MapUnknown(types.StringType))
	if t, err := describe(plan); err == nil && !tags.IsUnknown() && !unknown.Any("name", "deletion_protection", "kms_key_arn") {
		deployed = leaves(t, r.Session.AllTags(plan.Strings("tags"))).Value()
	}
	lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: map[string]attr.Value{"id": lifecycle.Known(plan.Text("name"), named), "table_arns": arns, "tags_all": tags, lifecycle.Deployed: deployed},
		Normal:   normal, Replace: effects.Paths(lifecycle.Replace),
	})
}

func (r *Resource) arns(name string) map[string]string {
	arns := map[string]string{}
	for _, table := range suffixes {
		arns[table] = r.Session.ARN("dynamodb", "table/"+layout.TableName(name, table))
	}
	return arns
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, r.claim)
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.write(ctx, "updating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(context.Context, *diag.Diagnostics, *spec.Tracking, map[string]string) error { return nil })
}

func (r *Resource) write(ctx context.Context, verb string, plan *tfsdk.Plan, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, check func(context.Context, *diag.Diagnostics, *spec.Tracking, map[string]string) error) {
	tree, summary, ok := r.Begin(diags, verb, plan.Raw)
	if !ok {
		return
	}
	tags := r.Session.AllTags(tree.Strings("tags"))
	t, err := describe(tree)
	if err == nil {
		err = check(ctx, diags, t, tags)
	}
	if err != nil {
		lifecycle.Fail(diags, summary, err)
		return
	}
	// From here on there may be tables: with the state saved, a failure leaves them to be destroyed, not lost.
	state.Raw = plan.Raw
	r.Identify(ctx, identity, diags, map[string]string{"name": t.Name})
	set := func(attribute string, value attr.Value) {
		diags.Append(state.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	set("table_arns", lifecycle.StringMap(r.arns(t.Name)))
	set("tags_all", lifecycle.StringMap(tags))
	set(lifecycle.Deployed, leaves(t, tags).Value())
	if err := r.finish(ctx, t, tags); err != nil {
		lifecycle.Fail(diags, summary, err)
	}
}

// Delete implements resource.Resource.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "deleting", req.State.Raw)
	if !ok {
		return
	}
	if err := r.dropUnused(ctx, tree.Text("name")); err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}

// Read implements resource.Resource.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "reading", req.State.Raw)
	if !ok {
		return
	}
	name := tree.Text("name")
	r.Identify(ctx, resp.Identity, &resp.Diagnostics, map[string]string{"name": name})
	there, err := r.look(ctx, name, lifecycle.LeavesOf(ctx, resp.State))
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
		return
	}
	if there.none {
		lifecycle.Vanished(ctx, resp, summary, "The tracking "+name)
		return
	}
	set := func(attribute string, value attr.Value) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	if lifecycle.Imported(tree) {
		set("id", types.StringValue(name))
		set("deletion_protection", types.BoolValue(there.protected))
		set("kms_key_arn", types.StringPointerValue(orNil(there.key)))
		set("tags", r.OwnTags(there.tags))
	}
	set("table_arns", lifecycle.StringMap(r.arns(name)))
	set(lifecycle.Deployed, there.leaves.Value())
	if there.tags != nil {
		set("tags_all", lifecycle.StringMap(there.tags))
	}
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
