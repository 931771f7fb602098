// Package cadence is the resource lakeland_cadence: a schedule and the Glue job that runs its source tables,
// with script, engine and trigger.
package cadence

import (
	"context"
	"errors"
	"fmt"

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
	_ resource.ResourceWithImportState    = (*Resource)(nil)
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

// ImportState implements resource.ResourceWithImportState.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	r.Import(ctx, req, resp, "tracking", "name")
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
	out, err := treeOf(c)
	if err != nil {
		return nil, err
	}
	out["tracking"], out["tags"] = tree["tracking"], tree["tags"]
	return out, nil
}

func treeOf(c *spec.Cadence) (lifecycle.Tree, error) {
	plain := *c
	plain.Engine = spec.Engine{}
	data, err := plain.Normal()
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
	allTags := computed["tags_all"]
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
			computed["script_location"] = types.StringValue(d.scriptAddress())
			if !allTags.IsUnknown() {
				computed[lifecycle.Deployed] = d.leaves(r.Session.AllTags(tree.Strings("tags"))).Value()
			}
		}
	}
	if named {
		r.Planned.Engine(spec.CadenceID(tree.Text("tracking"), tree.Text("name")), engine.Version)
	}
	changes := lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: computed, Normal: normal, Replace: effects.Paths(lifecycle.Replace),
	})
	if changes && !req.State.Raw.IsNull() && len(resp.RequiresReplace) == 0 {
		warnOfStop(ctx, req.State, resp)
	}
}

// warnOfStop says in the plan that a running trigger is stopped for a change.
func warnOfStop(ctx context.Context, state tfsdk.State, resp *resource.ModifyPlanResponse) {
	is, should := lifecycle.LeavesOf(ctx, state), lifecycle.LeavesOf(ctx, tfsdk.State(resp.Plan))
	if is["trigger.state"] != "activated" || should["trigger.state"] != "activated" || !is.Differ(should, triggerPart, "trigger.state", "trigger.tags.") {
		return
	}
	var name types.String
	resp.Diagnostics.Append(state.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.AddWarning(lifecycle.Summary("planning", "lakeland_cadence", name.ValueString()),
		"Its trigger is running. AWS changes a trigger only while it is stopped: apply stops it, changes it and starts it again, and starts it as it was when the change fails. "+
			"A firing that falls into these seconds is missed; runs that are under way go on.")
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

// deployment is what a plan or state asks for; ErrNotFound while a connection is not there, or not known yet.
func (r *Resource) deployment(ctx context.Context, tree lifecycle.Tree) (*deployment, error) {
	c, err := document(tree)
	if err != nil {
		return nil, err
	}
	store := r.Tracking(tree.Text("tracking"))
	connections := make([]*spec.Connection, len(c.Connections))
	for i, name := range c.Connections {
		planned, known := r.Planned.PlannedConnection(spec.CadenceID(tree.Text("tracking"), name))
		switch {
		case known && planned == nil:
			return nil, tracking.ErrNotFound
		case known:
			connections[i] = planned
		default:
			if connections[i], err = store.Connection(ctx, name); err != nil {
				return nil, fmt.Errorf("the connection %q, which it names: %w: apply that connection first; referred to by its attribute, it is planned before this cadence", name, err)
			}
		}
	}
	return plan(tree.Text("tracking"), r.Session.Region, c, connections)
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, c *spec.Cadence) error {
		if err := r.Claim(ctx, store, &resp.Diagnostics, spec.KindCadence, c.Name, c.Encode); err != nil {
			return err
		}
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
func (r *Resource) write(ctx context.Context, verb string, from *tfsdk.Plan, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, put func(*tracking.Store, *spec.Cadence) error) {
	tree, summary, ok := r.Begin(diags, verb, from.Raw)
	if !ok {
		return
	}
	store := r.Tracking(tree.Text("tracking"))
	d, err := r.deployment(ctx, tree)
	if err = r.ready(ctx, tree, err); err == nil {
		err = put(store, d.doc)
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
	set(lifecycle.Deployed, d.leaves(tags).Value())
	set("tags_all", lifecycle.StringMap(tags))
	err = r.deploy(ctx, d, tags)
	if err == nil {
		err = store.Finish(ctx, spec.KindCadence, d.doc.Name)
	}
	if err != nil {
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
	stored, err := r.Tracking(tree.Text("tracking")).Stored(ctx, spec.KindCadence, name)
	if errors.Is(err, tracking.ErrNotFound) {
		lifecycle.Vanished(ctx, resp, summary, "The cadence "+name)
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
	at := place{tracking: tree.Text("tracking"), name: tree.Text("name"), script: tree.Text("script_location"), known: lifecycle.LeavesOf(ctx, resp.State)}
	leaf, err := r.FollowDocument(ctx, &resp.State, tree, normal, stored, func(document []byte) (lifecycle.Tree, error) {
		var err error
		if at.stored, err = spec.DecodeCadence(document); err != nil {
			return nil, err
		}
		return treeOf(at.stored)
	}, "tracking", "tags")
	if err != nil {
		return err
	}
	there, err := r.look(ctx, at)
	if err != nil {
		return err
	}
	there.leaves["document"] = leaf
	set := func(attribute string, value attr.Value) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	if lifecycle.Imported(tree) {
		physical := spec.PhysicalName(at.tracking, at.name)
		set("id", types.StringValue(spec.CadenceID(at.tracking, at.name)))
		set("job_name", types.StringValue(physical))
		if at.stored != nil && at.stored.Schedule != "" {
			set("trigger_name", types.StringValue(physical))
		}
		set("script_location", types.StringValue(there.script))
		set("tags", r.OwnTags(there.tags))
	}
	set(lifecycle.Deployed, there.leaves.Value())
	if there.tags != nil {
		set("tags_all", lifecycle.StringMap(there.tags))
	}
	if at.stored != nil {
		set("engine_version", types.StringValue(at.stored.Engine.Version))
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
	err := r.Tracking(tree.Text("tracking")).DeleteCadence(ctx, name)
	if err == nil {
		// Script and engine stay: a queued run may want them, and another cadence may share them.
		err = r.withdraw(ctx, spec.PhysicalName(tree.Text("tracking"), name))
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
	}
}
