package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Claim looks, before a document is created, at what has its name already. An apply that was interrupted may have
// left it: half made, or complete and never recorded in the state. Creating it again then goes on from there, and
// the plan's reader is told. Whether the name may be taken is decided by the store, not here.
func (b *Base) Claim(ctx context.Context, store *tracking.Store, diags *diag.Diagnostics, kind spec.Kind, name string, encode func() ([]byte, error)) error {
	id := store.Tracking() + "/" + name
	if !b.Planned.Made(b.TypeName, id) {
		return fmt.Errorf("two blocks of this configuration describe the %s %q: remove one, or give it another name", kind, id)
	}
	stored, err := store.Stored(ctx, kind, name)
	if errors.Is(err, tracking.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	document, err := encode()
	switch {
	case err != nil:
		return err
	case stored.Unfinished:
		diags.AddWarning(Summary("creating", b.TypeName, name), "An earlier apply began to create it and was interrupted. This one finished what it had begun.")
	case bytes.Equal(stored.Document, document):
		diags.AddWarning(Summary("creating", b.TypeName, name), "It was there already, exactly as configured, as after an apply that was interrupted before it could record it. "+
			"This configuration now manages it; if another one does too, remove it from one of them.")
	}
	return nil
}
