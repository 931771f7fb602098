// Package sourceschema is the data source lakeland_source_schema: the tables of a connection's database, read from the
// database itself or from a document that the engine wrote. It is the one package of the provider that links a
// database driver.
package sourceschema

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

var (
	_ datasource.DataSourceWithConfigure      = (*DataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*DataSource)(nil)
)

// DataSource is lakeland_source_schema.
type DataSource struct{ lifecycle.Base }

// New makes the data source.
func New() datasource.DataSource {
	return &DataSource{lifecycle.Base{TypeName: "lakeland_source_schema"}}
}

// Metadata implements datasource.DataSource.
func (d *DataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.TypeName
}

// Configure implements datasource.DataSourceWithConfigure.
func (d *DataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.Take(&resp.Diagnostics, req.ProviderData)
}

// request is what a configuration asks for.
func request(tree lifecycle.Tree) (*spec.SourceSchema, string, error) {
	r := &spec.SourceSchema{}
	if err := tree.Decode(r); err != nil {
		return nil, "", err
	}
	return r, r.Tracking + "/" + r.Connection, nil
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (d *DataSource) ValidateConfig(_ context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	tree, unknown, err := lifecycle.Read(req.Config.Raw)
	var wanted *spec.SourceSchema
	var id string
	if err == nil {
		wanted, id, err = request(tree)
	}
	if unknown.Any("tracking", "connection_name") {
		id = ""
	}
	summary := lifecycle.Summary("validating", d.TypeName, id)
	if err != nil {
		resp.Diagnostics.AddError(summary, err.Error())
		return
	}
	lifecycle.Report(&resp.Diagnostics, summary, wanted.Validate(), unknown)
}

// Read implements datasource.DataSource.
func (d *DataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	tree, _, err := lifecycle.Read(req.Config.Raw)
	var wanted *spec.SourceSchema
	var id string
	if err == nil {
		wanted, id, err = request(tree)
	}
	summary := lifecycle.Summary("reading", d.TypeName, id)
	if err != nil {
		resp.Diagnostics.AddError(summary, err.Error())
		return
	}
	if lifecycle.Report(&resp.Diagnostics, summary, wanted.Validate(), nil); resp.Diagnostics.HasError() || !d.Connected(&resp.Diagnostics, summary) {
		return
	}
	meant, problems := spec.Select(wanted.Include, wanted.Exclude)
	if len(problems) > 0 {
		lifecycle.Report(&resp.Diagnostics, summary, problems, nil)
		return
	}
	var found *spec.Discovery
	if wanted.Document != "" {
		found, err = d.fromDocument(ctx, wanted)
	} else {
		found, err = d.fromDatabase(ctx, wanted, meant)
	}
	if err != nil {
		lifecycle.Fail(&resp.Diagnostics, summary, err)
		return
	}
	left := meant.Of(found.Tables)
	warnIdle(&resp.Diagnostics, summary, wanted, meant, found, left)
	resp.State.Raw, err = lifecycle.RawValue(req.Config.Raw.Type(), stateOf(tree, found, left))
	if err != nil {
		resp.Diagnostics.AddError(summary, err.Error())
	}
}

// warnIdle points out patterns to which no table answers: what goes over the tables would do nothing, or remove what it
// made of them before.
func warnIdle(diags *diag.Diagnostics, summary string, wanted *spec.SourceSchema, meant *spec.Selection, found *spec.Discovery, left []spec.DiscoveredTable) {
	for _, i := range meant.Idle(left) {
		at, what := spec.At("include", i), fmt.Sprintf("no table of the database %q answers to %q", found.Database, meant.Include[i])
		if len(wanted.Include) == 0 {
			at, what = spec.At("include"), fmt.Sprintf("no table of the database %q is left", found.Database)
		}
		if wanted.Document != "" {
			what += fmt.Sprintf(" among those of the document, which was taken with include = %q and exclude = %q", found.Include, found.Exclude)
		}
		diags.AddAttributeWarning(lifecycle.AttributePath(at), summary, fmt.Sprintf("%s: %s: patterns are SCHEMA.TABLE, case included, and exclude counts", at, what))
	}
}

// stateOf is the configuration with what was found.
func stateOf(tree lifecycle.Tree, found *spec.Discovery, left []spec.DiscoveredTable) map[string]any {
	tables := make(map[string]any, len(left))
	for _, t := range left {
		tables[spec.TableKey(t.Schema, t.Table)] = t
	}
	state := map[string]any{"database": found.Database, "taken_at": found.TakenAt, "in_recovery": found.InRecovery, "tables": tables}
	for name, value := range tree {
		state[name] = value
	}
	return state
}
