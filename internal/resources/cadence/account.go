package cadence

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

var artifactsLocation = spec.At("artifacts", "location")

// foresee looks at plan for what would stop the apply.
func (r *Resource) foresee(ctx context.Context, diags *diag.Diagnostics, tree lifecycle.Tree, unknown lifecycle.Unknown) {
	if r.Session == nil || unknown.Covers(artifactsLocation) {
		return
	}
	c, err := document(tree)
	if err != nil {
		return // judged already
	}
	lifecycle.Foresee(diags, lifecycle.Summary("planning", r.TypeName, tree.Text("name")), r.LookForBucket(ctx, artifactsLocation, c.Artifacts.Location))
}

// ready looks, before anything is written, for what the cadence refers to. err is what came of reading its connections.
func (r *Resource) ready(ctx context.Context, tree lifecycle.Tree, err error) error {
	if errors.Is(err, tracking.ErrNotFound) {
		if err = r.WithoutTracking(ctx, err, "tracking", tree.Text("tracking")); errors.Is(err, tracking.ErrNotFound) {
			return r.missingConnections(ctx, tree, err)
		}
	}
	if err != nil {
		return err
	}
	c, err := document(tree)
	if err != nil {
		return err
	}
	return lifecycle.Refuse(spec.KindCadence, c.Name,
		r.LookForRole(ctx, spec.At("role_arn"), c.RoleARN),
		r.LookForBucket(ctx, artifactsLocation, c.Artifacts.Location))
}

// missingConnections names each connection that does not exist; err is returned where all do by now.
func (r *Resource) missingConnections(ctx context.Context, tree lifecycle.Tree, err error) error {
	c, decodeErr := document(tree)
	if decodeErr != nil {
		return decodeErr
	}
	var problems spec.Problems
	for i, name := range c.Connections {
		if _, found := r.Tracking(tree.Text("tracking")).Connection(ctx, name); errors.Is(found, tracking.ErrNotFound) {
			problems = append(problems, spec.Problem{
				Path:    spec.At("connections", i),
				Message: fmt.Sprintf("there is no connection %q in the tracking %q: create it first, and refer to it by its attribute, so that Terraform keeps the order", name, tree.Text("tracking")),
			})
		}
	}
	if len(problems) == 0 {
		return err
	}
	return problems.Err(spec.KindCadence, c.Name)
}
