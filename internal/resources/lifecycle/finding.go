package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Finding is something wrong with what a configuration refers to in the account.
type Finding struct {
	spec.Problem
	// Mendable says that a resource of the same apply may still put it right.
	Mendable bool
}

func missing(at spec.Path, format string, args ...any) *Finding {
	return &Finding{Problem: spec.Problem{Path: at, Message: fmt.Sprintf(format, args...)}, Mendable: true}
}

func wrong(at spec.Path, format string, args ...any) *Finding {
	return &Finding{Problem: spec.Problem{Path: at, Message: fmt.Sprintf(format, args...)}}
}

// Foresee reports at plan what would stop the apply. What the apply itself may still put right is a warning. A
// finding that is nil is none.
func Foresee(diags *diag.Diagnostics, summary string, findings ...*Finding) {
	for _, f := range findings {
		switch {
		case f == nil:
		case f.Mendable:
			diags.AddAttributeWarning(AttributePath(f.Path), summary, f.String()+". If this apply creates it, refer to it by its resource's attribute, so that Terraform keeps the order.")
		default:
			diags.AddAttributeError(AttributePath(f.Path), summary, f.String())
		}
	}
}

// Refuse makes an error of what was found, or nil of nothing, before anything is written.
func Refuse(kind spec.Kind, name string, findings ...*Finding) error {
	var problems spec.Problems
	for _, f := range findings {
		if f != nil {
			problems = append(problems, f.Problem)
		}
	}
	return problems.Err(kind, name)
}

// WithoutTracking says of an error that came of a tracking that does not exist that it did, at the attribute that
// names the tracking; any other error stays as it is.
func (b *Base) WithoutTracking(ctx context.Context, err error, attribute, name string) error {
	if !errors.Is(err, tracking.ErrNotFound) || !errors.Is(b.Tracking(name).CheckLayout(ctx), tracking.ErrNotFound) {
		return err
	}
	return Refuse("tracking", name, missing(spec.At(attribute),
		"there is no tracking %q in this account and Region: create it first, and refer to it by its attribute, so that Terraform keeps the order", name))
}

// AtError is an error that is about an attribute.
type AtError struct {
	Path spec.Path
	Err  error
}

func (e *AtError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *AtError) Unwrap() error { return e.Err }

// attributeOf is the attribute that an error is about: one that says so, or a refusal of the tracking.
func attributeOf(err error) spec.Path {
	var told *AtError
	if errors.As(err, &told) {
		return told.Path
	}
	var absent *tracking.MissingError
	var exists *tracking.ExistsError
	var owned *tracking.OwnedError
	switch {
	case errors.As(err, &absent) && absent.Kind == spec.KindCadence:
		return spec.At("cadence")
	case errors.As(err, &absent) && absent.Kind == spec.KindConnection:
		return spec.At("connections")
	case errors.As(err, &exists):
		return spec.At("name")
	case errors.As(err, &owned):
		if _, notLocation := spec.ParseLocation(owned.Target); notLocation != nil {
			return spec.At("target", "table")
		}
		return spec.At("target", "location")
	}
	return nil
}
