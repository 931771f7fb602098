// Package sourcetable is the resource lakeland_source_table: one table of a source, what is read of it, and where
// it lands.
package sourcetable

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

// Resource is lakeland_source_table.
type Resource struct{ lifecycle.Base }

// New makes the resource.
func New() resource.Resource { return &Resource{lifecycle.Base{TypeName: "lakeland_source_table"}} }

// IdentitySchema implements resource.ResourceWithIdentity.
func (*Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.IdentitySchema("tracking", "name")
}

// ImportState implements resource.ResourceWithImportState.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	r.Import(ctx, req, resp, "tracking", "name")
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
	named := !unknown.Any("cadence", "name")
	if named && !unknown.Any("target") {
		if other := r.Planned.Target(trackingName+"/"+t.Name, t.Target); other != "" {
			lifecycle.Fail(&resp.Diagnostics, lifecycle.Summary("planning", r.TypeName, t.Name), spec.Problems{{
				Path:    spec.At("target"),
				Message: fmt.Sprintf("the source table %q of this configuration lands there too, around it, inside it, or in the same catalogue table: give each a location and a catalogue table of its own", other),
			}}.Err(spec.KindTable, t.Name))
			return
		}
	}
	if named && r.Session != nil {
		if r.checkEngine(ctx, &resp.Diagnostics, trackingName, t); resp.Diagnostics.HasError() {
			return
		}
	}
	changes := lifecycle.Settle(ctx, req, resp, lifecycle.Settlement{
		Computed: map[string]attr.Value{
			"id":               lifecycle.Known(trackingName+"/"+t.Name, named),
			"tracking":         lifecycle.Known(trackingName, !unknown.Any("cadence")),
			lifecycle.Deployed: deployed().Value(),
		},
		Normal: normal, Replace: effects.Paths(lifecycle.Replace),
	})
	if changes && !req.State.Raw.IsNull() && len(resp.RequiresReplace) == 0 {
		r.warnOfReload(&resp.Diagnostics, req.State.Raw, tree)
	}
}

// deployed are the leaves of a source table as it should be.
func deployed() lifecycle.Leaves {
	return lifecycle.Leaves{"document": lifecycle.Present, "index": lifecycle.Present, "target.location": owned, "target.entry": owned}
}

const owned = "owned"

// ownership is what a leaf says of a target's owner.
func ownership(owner, name string) string {
	switch owner {
	case name:
		return owned
	case "":
		return lifecycle.Missing
	default:
		return "owned by " + owner
	}
}

// checkEngine refuses a table that its cadence's engine is too old for. Where this very apply deploys a newer
// engine, that one counts.
func (r *Resource) checkEngine(ctx context.Context, diags *diag.Diagnostics, trackingName string, t *spec.Table) {
	version := r.Planned.PlannedEngine(spec.CadenceID(trackingName, t.Cadence))
	if version == "" {
		c, err := r.Tracking(trackingName).Cadence(ctx, t.Cadence)
		if err != nil {
			return // it is made by this very apply, or the write says what is wrong with it
		}
		version = c.Engine.Version
	}
	if err := t.CheckEngine(version); err != nil {
		lifecycle.Fail(diags, lifecycle.Summary("planning", r.TypeName, t.Name), err)
	}
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.write(ctx, "creating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, t *spec.Table) error {
		if err := lifecycle.Refuse(spec.KindTable, t.Name, r.lookForTarget(ctx, t)...); err != nil {
			return err
		}
		if err := r.Claim(ctx, store, &resp.Diagnostics, spec.KindTable, t.Name, t.Encode); err != nil {
			return err
		}
		return store.CreateTable(ctx, t, r.Session.AccountID)
	})
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.write(ctx, "updating", &req.Plan, &resp.State, resp.Identity, &resp.Diagnostics, func(store *tracking.Store, t *spec.Table) error {
		return store.UpdateTable(ctx, t, r.Session.AccountID)
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
	diags.Append(state.SetAttribute(ctx, path.Root(lifecycle.Deployed), deployed().Value())...)
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
	stored, err := r.Tracking(trackingName).Stored(ctx, spec.KindTable, name)
	if errors.Is(err, tracking.ErrNotFound) {
		lifecycle.Vanished(ctx, resp, summary, "The source table "+name)
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
	name, trackingName := tree.Text("name"), tree.Text("tracking")
	var t *spec.Table
	leaf, err := r.FollowDocument(ctx, &resp.State, tree, normal, stored, func(document []byte) (lifecycle.Tree, error) {
		var err error
		if t, err = spec.DecodeTable(document); err != nil {
			return nil, err
		}
		return normalOf(t, trackingName)
	})
	if err != nil {
		return err
	}
	leaves := deployed()
	leaves["document"] = leaf
	if t != nil {
		if stored.Cadence != t.Cadence || stored.Enabled != t.Enabled {
			leaves["index"] = lifecycle.ByHand
		}
		location, entry, err := r.Tracking(trackingName).Owners(ctx, t, r.Session.AccountID)
		if err != nil {
			return err
		}
		leaves["target.location"], leaves["target.entry"] = ownership(location, name), ownership(entry, name)
	}
	if lifecycle.Imported(tree) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), types.StringValue(trackingName+"/"+name))...)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(lifecycle.Deployed), leaves.Value())...)
	return nil
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
