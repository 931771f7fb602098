// Package connection is the resource lakeland_connection: where a source database is, as a document for the
// engine and as a Glue connection, which places jobs in its network.
package connection

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

var (
	_ resource.ResourceWithConfigure      = (*Resource)(nil)
	_ resource.ResourceWithIdentity       = (*Resource)(nil)
	_ resource.ResourceWithImportState    = (*Resource)(nil)
	_ resource.ResourceWithModifyPlan     = (*Resource)(nil)
	_ resource.ResourceWithValidateConfig = (*Resource)(nil)
)

// Resource is lakeland_connection.
type Resource struct{ lifecycle.Base }

// New makes the resource.
func New() resource.Resource { return &Resource{lifecycle.Base{TypeName: "lakeland_connection"}} }

// IdentitySchema implements resource.ResourceWithIdentity.
func (*Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.IdentitySchema("tracking", "name")
}

// ImportState implements resource.ResourceWithImportState.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	r.Import(ctx, req, resp, "tracking", "name")
}

// document is the connection that a configuration, plan or state describes.
func document(tree lifecycle.Tree) (*spec.Connection, error) {
	c := &spec.Connection{}
	if err := tree.Decode(c); err != nil {
		return nil, err
	}
	c.Normalize()
	return c, nil
}

// normal is the form in which two spellings are equal: the document with its defaults, and what is kept beside
// it.
func normal(tree lifecycle.Tree) (lifecycle.Tree, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	out, err := treeOf(c)
	if err != nil {
		return nil, err
	}
	out["tracking"], out["tags"] = tree["tracking"], tree["tags"]
	return out, nil
}

func treeOf(c *spec.Connection) (lifecycle.Tree, error) {
	data, err := c.Normal()
	if err != nil {
		return nil, err
	}
	return lifecycle.TreeOf(data)
}

func judge(tree lifecycle.Tree) (spec.Problems, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	problems := append(c.Validate(), c.Unsupported()...)
	if wrong := spec.CheckTrackingName(tree.Text("tracking")); wrong != "" {
		problems = append(problems, spec.Problem{Path: spec.At("tracking"), Message: wrong})
	}
	return problems, nil
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
	plan, unknown, ok := r.Judge(&resp.Diagnostics, "planning", req.Plan.Raw, judge)
	if !ok {
		return
	}
	if prior, _, err := lifecycle.Read(req.State.Raw); r.Session != nil && !unknown.Any("secret_arn") && (err != nil || prior.Text("secret_arn") != plan.Text("secret_arn")) {
		lifecycle.Foresee(&resp.Diagnostics, lifecycle.Summary("planning", r.TypeName, plan.Text("name")), r.LookForSecret(ctx, spec.At("secret_arn"), plan.Text("secret_arn")))
	}
	named := !unknown.Any("tracking", "name")
	id, physical := spec.CadenceID(plan.Text("tracking"), plan.Text("name")), spec.PhysicalName(plan.Text("tracking"), plan.Text("name"))
	tags := lifecycle.TagsAll(r.Session, plan, unknown)
	deployed := attr.Value(types.MapUnknown(types.StringType))
	c, err := document(plan)
	if err != nil || len(unknown.Of("tracking", "name", "engine", "host", "port", "database", "secret_arn", "tls", "network")) > 0 {
		c = nil
	}
	if named {
		r.Planned.Connection(id, c)
	}
	if c != nil {
		deployed = leaves(plan.Text("tracking"), c).Value()
	}
	lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: map[string]attr.Value{
			"id": lifecycle.Known(id, named), "glue_connection": lifecycle.Known(physical, named), "deployed": deployed, "tags_all": tags,
		},
		Normal:  normal,
		Replace: effects.Paths(lifecycle.Replace),
	})
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, c *spec.Connection) error {
		if err := r.Claim(ctx, store, &resp.Diagnostics, spec.KindConnection, c.Name, c.Encode); err != nil {
			return err
		}
		return store.CreateConnection(ctx, c)
	})
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.write(ctx, "updating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, c *spec.Connection) error {
		return store.UpdateConnection(ctx, c)
	})
}

// write stores the document, then brings the Glue connection to what it says. The document comes first: it is
// what owns the name.
func (r *Resource) write(ctx context.Context, verb string, plan *tfsdk.Plan, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, put func(*tracking.Store, *spec.Connection) error) {
	tree, summary, ok := r.Begin(diags, verb, plan.Raw)
	if !ok {
		return
	}
	store := r.Tracking(tree.Text("tracking"))
	c, err := document(tree)
	if err == nil {
		err = lifecycle.Refuse(spec.KindConnection, c.Name, r.ReadSecret(ctx, diags, summary, spec.At("secret_arn"), c.SecretARN))
	}
	if err == nil {
		err = r.WithoutTracking(ctx, put(store, c), "tracking", tree.Text("tracking"))
	}
	if err != nil {
		lifecycle.Fail(diags, summary, err)
		return
	}
	state.Raw = plan.Raw
	r.Identify(ctx, identity, diags, keys(tree))
	tags := r.Session.AllTags(tree.Strings("tags"))
	diags.Append(state.SetAttribute(ctx, path.Root("deployed"), leaves(tree.Text("tracking"), c).Value())...)
	diags.Append(state.SetAttribute(ctx, path.Root("tags_all"), lifecycle.StringMap(tags))...)
	err = r.ensureGlue(ctx, glueDefinition(tree.Text("tracking"), c), tags)
	if err == nil {
		err = store.Finish(ctx, spec.KindConnection, c.Name)
	}
	if err != nil {
		lifecycle.Fail(diags, summary, err)
	}
}

func keys(tree lifecycle.Tree) map[string]string {
	return map[string]string{"tracking": tree.Text("tracking"), "name": tree.Text("name")}
}

// Read implements resource.Resource.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "reading", req.State.Raw)
	if !ok {
		return
	}
	name := tree.Text("name")
	r.Identify(ctx, resp.Identity, &resp.Diagnostics, keys(tree))
	stored, err := r.Tracking(tree.Text("tracking")).Stored(ctx, spec.KindConnection, name)
	if errors.Is(err, tracking.ErrNotFound) {
		lifecycle.Vanished(ctx, resp, summary, "The connection "+name)
		return
	}
	if err == nil {
		err = r.follow(ctx, resp, tree, stored)
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}

// follow brings a state to what is out there.
func (r *Resource) follow(ctx context.Context, resp *resource.ReadResponse, tree lifecycle.Tree, stored *tracking.Stored) error {
	var c *spec.Connection
	leaf, err := r.FollowDocument(ctx, &resp.State, tree, normal, stored, func(document []byte) (lifecycle.Tree, error) {
		var err error
		if c, err = spec.DecodeConnection(document); err != nil {
			return nil, err
		}
		return treeOf(c)
	}, "tracking", "tags")
	if err != nil {
		return err
	}
	trackingName, physical := tree.Text("tracking"), spec.PhysicalName(tree.Text("tracking"), tree.Text("name"))
	known := lifecycle.LeavesOf(ctx, resp.State)
	want := known
	if c != nil {
		want = leaves(trackingName, c)
	}
	there, tags, err := r.lookGlue(ctx, physical, want, known)
	if err != nil {
		return err
	}
	there["document"] = leaf
	set := func(attribute string, value attr.Value) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	if lifecycle.Imported(tree) {
		set("id", types.StringValue(spec.CadenceID(trackingName, tree.Text("name"))))
		set("glue_connection", types.StringValue(physical))
		set("tags", r.OwnTags(tags))
	}
	set("deployed", there.Value())
	if tags != nil {
		set("tags_all", lifecycle.StringMap(tags))
	}
	return nil
}

// Delete implements resource.Resource.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "deleting", req.State.Raw)
	if !ok {
		return
	}
	name := tree.Text("name")
	err := r.Tracking(tree.Text("tracking")).DeleteConnection(ctx, name)
	if err == nil {
		err = r.dropGlue(ctx, spec.PhysicalName(tree.Text("tracking"), name))
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}
