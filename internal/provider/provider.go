// Package provider is the Terraform provider: its configuration, and the list of what it offers.
package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/cadence"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/connection"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/sourceschema"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/sourcetable"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/tracking"
)

// Address is where the provider is published.
const Address = "registry.terraform.io/lakeland/lakeland"

// Provider is the provider lakeland.
type Provider struct {
	version string
}

// New makes a provider that calls itself by a version.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &Provider{version: version} }
}

// Metadata implements provider.Provider.
func (p *Provider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "lakeland", p.version
}

// Configure implements provider.Provider. It may be called more than once; with values that are not known yet
// it leaves the resources without a session, and they plan without one.
func (p *Provider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	data := &lifecycle.Data{}
	resp.ResourceData, resp.DataSourceData = data, data
	tree, unknown, err := lifecycle.Read(req.Config.Raw)
	if err != nil {
		resp.Diagnostics.AddError(configuring, err.Error())
		return
	}
	if len(unknown) > 0 {
		return
	}
	c, err := parse(tree)
	if err != nil {
		resp.Diagnostics.AddError(configuring, err.Error())
		return
	}
	c.connect(ctx, p.version, data, &resp.Diagnostics)
}

// Resources implements provider.Provider.
func (*Provider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{tracking.New, connection.New, cadence.New, sourcetable.New}
}

// DataSources implements provider.Provider.
func (*Provider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{sourceschema.New}
}
