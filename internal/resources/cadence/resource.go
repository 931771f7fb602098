// Package cadence is the resource lakeland_cadence: a schedule and the Glue job that runs its source tables,
// with script, engine and trigger.
package cadence

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/payload"
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

// Resource is lakeland_cadence.
type Resource struct{ lifecycle.Base }

// New makes the resource.
func New() resource.Resource { return &Resource{lifecycle.Base{TypeName: "lakeland_cadence"}} }

// IdentitySchema implements resource.ResourceWithIdentity.
func (*Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.IdentitySchema("tracking", "name")
}

// document is the cadence that a configuration, plan or state describes.
func document(tree lifecycle.Tree) (*spec.Cadence, error) {
	c := &spec.Cadence{}
	if err := tree.Decode(c); err != nil {
		return nil, err
	}
	c.Normalize()
	return c, nil
}

// normal is the form in which two spellings are equal. Which engine is deployed is not part of it.
func normal(tree lifecycle.Tree) (lifecycle.Tree, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	c.Engine = spec.Engine{}
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
	tree, unknown, ok := r.Judge(&resp.Diagnostics, "planning", req.Plan.Raw, judge)
	if !ok {
		return
	}
	engine, err := payload.Embedded()
	if err != nil {
		resp.Diagnostics.AddError(lifecycle.Summary("planning", r.TypeName, tree.Text("name")), err.Error())
		return
	}
	named := !unknown.Any("tracking", "name")
	name := spec.PhysicalName(tree.Text("tracking"), tree.Text("name"))
	computed := map[string]attr.Value{
		"id":              lifecycle.Known(spec.CadenceID(tree.Text("tracking"), tree.Text("name")), named),
		"job_name":        lifecycle.Known(name, named),
		"trigger_name":    triggerName(tree, unknown, name),
		"script_location": types.StringUnknown(),
		"engine_version":  types.StringValue(engine.Version),
		"deployed":        types.MapUnknown(types.StringType),
		"tags_all":        lifecycle.TagsAll(r.Session, tree, unknown),
	}
	if r.foresee(ctx, &resp.Diagnostics, tree, unknown); resp.Diagnostics.HasError() {
		return
	}
	settled := len(unknown.Of("tracking", "name", "schedule", "max_concurrent_batches", "role_arn", "artifacts", "connections", "runtime", "enabled")) == 0
	if settled && r.Session != nil {
		d, err := r.deployment(ctx, tree)
		switch {
		case errors.Is(err, tracking.ErrNotFound):
			// A connection, or the tracking itself, is made by this very apply.
		case err != nil:
			lifecycle.Fail(&resp.Diagnostics, lifecycle.Summary("planning", r.TypeName, tree.Text("name")), err)
			return
		default:
			computed["script_location"], computed["deployed"] = types.StringValue(d.scriptAddress()), lifecycle.StringMap(d.digests())
		}
	}
	lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: computed, Normal: normal, Replace: []spec.Path{spec.At("tracking"), spec.At("name")},
	})
}

func triggerName(tree lifecycle.Tree, unknown lifecycle.Unknown, name string) attr.Value {
	switch {
	case unknown.Any("tracking", "name", "schedule"):
		return types.StringUnknown()
	case tree.Text("schedule") == "":
		return types.StringNull()
	default:
		return types.StringValue(name)
	}
}

// deployment is what a plan or state asks for; ErrNotFound while a connection is not there.
func (r *Resource) deployment(ctx context.Context, tree lifecycle.Tree) (*deployment, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	store := r.Tracking(tree.Text("tracking"))
	connections := make([]*spec.Connection, len(c.Connections))
	for i, name := range c.Connections {
		if connections[i], err = store.Connection(ctx, name); err != nil {
			return nil, err
		}
	}
	return plan(tree.Text("tracking"), r.Session.Region, c, connections)
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, c *spec.Cadence) error {
		return store.CreateCadence(ctx, c)
	})
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.write(ctx, "updating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, c *spec.Cadence) error {
		return store.UpdateCadence(ctx, c)
	})
}

// write stores the document, then brings objects, job and trigger to what it says. The document comes first: it
// is what owns the name.
func (r *Resource) write(ctx context.Context, verb string, from *tfsdk.Plan, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, store func(*tracking.Store, *spec.Cadence) error) {
	tree, summary, ok := r.Begin(diags, verb, from.Raw)
	if !ok {
		return
	}
	d, err := r.deployment(ctx, tree)
	if err = r.ready(ctx, tree, err); err == nil {
		err = store(r.Tracking(tree.Text("tracking")), d.doc)
	}
	if err != nil {
		lifecycle.Fail(diags, summary, err)
		return
	}
	state.Raw = from.Raw
	r.Identify(ctx, identity, diags, keys(tree))
	tags := r.Session.AllTags(tree.Strings("tags"))
	set := func(attribute string, value attr.Value) {
		diags.Append(state.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	set("script_location", types.StringValue(d.scriptAddress()))
	set("deployed", lifecycle.StringMap(d.digests()))
	set("tags_all", lifecycle.StringMap(tags))
	if err := r.deploy(ctx, d, tags); err != nil {
		lifecycle.Fail(diags, summary, err)
	}
}

func (r *Resource) deploy(ctx context.Context, d *deployment, tags map[string]string) error {
	if err := r.upload(ctx, d); err != nil {
		return err
	}
	if err := r.ensureJob(ctx, d.job, tags); err != nil {
		return err
	}
	return r.ensureTrigger(ctx, d.job.Name, d.trigger, tags)
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
	stored, err := r.Tracking(tree.Text("tracking")).Cadence(ctx, name)
	if errors.Is(err, tracking.ErrNotFound) {
		lifecycle.Vanished(ctx, resp, summary, "The cadence "+name)
		return
	}
	var engine spec.Engine
	if err == nil {
		engine, stored.Engine = stored.Engine, spec.Engine{}
		err = r.FollowDocument(ctx, &resp.State, tree, normal, func() ([]byte, error) { return stored.Normal() }, "tracking")
	}
	var actual *actual
	if err == nil {
		actual, err = r.look(ctx, spec.PhysicalName(tree.Text("tracking"), name), tree.Text("script_location"), stored, engine)
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
		return
	}
	set := func(attribute string, value attr.Value) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	set("deployed", lifecycle.StringMap(actual.deployed))
	set("tags_all", lifecycle.StringMap(actual.tags))
	set("engine_version", types.StringValue(engine.Version))
}

// Delete implements resource.Resource.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	tree, summary, ok := r.Begin(&resp.Diagnostics, "deleting", req.State.Raw)
	if !ok {
		return
	}
	name := tree.Text("name")
	err := r.Tracking(tree.Text("tracking")).DeleteCadence(ctx, name)
	if err == nil {
		// Script and engine stay: a queued run may want them, and another cadence may share them.
		err = r.withdraw(ctx, spec.PhysicalName(tree.Text("tracking"), name))
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}
