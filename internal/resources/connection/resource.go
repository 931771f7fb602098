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

// document is the connection that a configuration, plan or state describes.
func document(tree lifecycle.Tree) (*spec.Connection, error) {
	c := &spec.Connection{}
	err := tree.Decode(c)
	return c, err
}

// normal is the form in which two spellings are equal: the document with its defaults, and what is kept beside
// it.
func normal(tree lifecycle.Tree) (lifecycle.Tree, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	data, err := c.Normal()
	if err != nil {
		return nil, err
	}
	out, err := lifecycle.TreeOf(data)
	if err != nil {
		return nil, err
	}
	out["tracking"], out["tags"] = tree["tracking"], tree["tags"]
	return out, nil
}

func judge(tree lifecycle.Tree) (spec.Problems, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	c.Normalize()
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
	settled := len(unknown.Of("tracking", "name", "engine", "host", "port", "database", "secret_arn", "tls", "network")) == 0
	definition := ""
	if c, err := document(plan); settled && err == nil {
		c.Normalize()
		definition = glueDefinition(plan.Text("tracking"), c).digest()
	}
	lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: map[string]attr.Value{
			"id":              lifecycle.Known(spec.CadenceID(plan.Text("tracking"), plan.Text("name")), named),
			"glue_connection": lifecycle.Known(spec.PhysicalName(plan.Text("tracking"), plan.Text("name")), named),
			"definition":      lifecycle.Known(definition, definition != ""),
			"tags_all":        lifecycle.TagsAll(r.Session, plan, unknown),
		},
		Normal:  normal,
		Replace: []spec.Path{spec.At("tracking"), spec.At("name")},
	})
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, c *spec.Connection) error {
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
func (r *Resource) write(ctx context.Context, verb string, plan *tfsdk.Plan, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, store func(*tracking.Store, *spec.Connection) error) {
	tree, summary, ok := r.Begin(diags, verb, plan.Raw)
	if !ok {
		return
	}
	c, err := document(tree)
	if err == nil {
		c.Normalize()
		err = lifecycle.Refuse(spec.KindConnection, c.Name, r.ReadSecret(ctx, diags, summary, spec.At("secret_arn"), c.SecretARN))
	}
	if err == nil {
		err = r.WithoutTracking(ctx, store(r.Tracking(tree.Text("tracking")), c), "tracking", tree.Text("tracking"))
	}
	if err != nil {
		lifecycle.Fail(diags, summary, err)
		return
	}
	state.Raw = plan.Raw
	r.Identify(ctx, identity, diags, keys(tree))
	want := glueDefinition(tree.Text("tracking"), c)
	if err := r.ensureGlue(ctx, want, r.Session.AllTags(tree.Strings("tags"))); err != nil {
		lifecycle.Fail(diags, summary, err)
		return
	}
	diags.Append(state.SetAttribute(ctx, path.Root("definition"), types.StringValue(want.digest()))...)
	diags.Append(state.SetAttribute(ctx, path.Root("tags_all"), lifecycle.StringMap(r.Session.AllTags(tree.Strings("tags"))))...)
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
	stored, err := r.Tracking(tree.Text("tracking")).Connection(ctx, name)
	if errors.Is(err, tracking.ErrNotFound) {
		lifecycle.Vanished(ctx, resp, summary, "The connection "+name)
		return
	}
	if err == nil {
		err = r.FollowDocument(ctx, &resp.State, tree, normal, func() ([]byte, error) { return stored.Encode() }, "tracking")
	}
	var found *found
	if err == nil {
		found, err = r.lookGlue(ctx, spec.PhysicalName(tree.Text("tracking"), name))
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("definition"), types.StringValue(found.definition))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("tags_all"), lifecycle.StringMap(found.tags))...)
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
