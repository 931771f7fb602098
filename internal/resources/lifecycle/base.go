package lifecycle

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Base is what every resource has from the provider.
type Base struct {
	// TypeName is the resource's, such as "lakeland_cadence".
	TypeName string
	// Session is nil while the provider's configuration is not known; resources then plan without it.
	Session *awsclient.Session
	// Clock is driven by the session's DynamoDB replies.
	Clock *tracking.Clock
	// Planned is shared by all resources of a provider's configuration.
	Planned *Planned

	iam     *iam.Client
	buckets *buckets
}

// Data is what the provider's Configure hands to its resources. Its zero value is that of a provider whose
// configuration is not known yet.
type Data struct {
	session *awsclient.Session
	clock   *tracking.Clock
	planned Planned
	iam     *iam.Client
	buckets *buckets
}

// Connect makes the clients of a session.
func (d *Data) Connect(config aws.Config, o awsclient.Options, accountID, partition string, defaultTags map[string]string) {
	d.clock = &tracking.Clock{}
	o.OnDate = d.clock.Observe
	d.buckets = &buckets{}
	// Not among awsclient's clients, which the engine links.
	d.iam = iam.NewFromConfig(config, func(c *iam.Options) {
		if e := o.Endpoints["iam"]; e != "" {
			c.BaseEndpoint = aws.String(e)
		}
	})
	d.session = &awsclient.Session{Clients: awsclient.New(config, o), AccountID: accountID, Partition: partition, DefaultTags: defaultTags}
}

// Metadata implements resource.Resource.
func (b *Base) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = b.TypeName
	resp.ResourceBehavior.MutableIdentity = false
}

// Configure implements resource.ResourceWithConfigure. It may be called more than once.
func (b *Base) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	b.Take(&resp.Diagnostics, req.ProviderData)
}

// Take keeps what the provider's Configure handed over; nil is what it hands over before it was called.
func (b *Base) Take(diags *diag.Diagnostics, providerData any) {
	if providerData == nil {
		return
	}
	data, ok := providerData.(*Data)
	if !ok {
		diags.AddError("Configuring "+b.TypeName, fmt.Sprintf("The provider handed over %T. Please report this to the provider's developers.", providerData))
		return
	}
	b.Session, b.Clock, b.Planned, b.iam, b.buckets = data.session, data.clock, &data.planned, data.iam, data.buckets
}

// Begin reads the value that an operation is about, and says under which summary its errors go. It is not ok when
// the value cannot be read or there is no session; the latter happens only where the provider's configuration
// depends on what is not known yet.
func (b *Base) Begin(diags *diag.Diagnostics, verb string, raw tftypes.Value) (tree Tree, summary string, ok bool) {
	tree, _, err := Read(raw)
	summary = Summary(verb, b.TypeName, tree.Text("name"))
	if err != nil {
		diags.AddError(summary, err.Error())
		return nil, summary, false
	}
	if !b.Connected(diags, summary) {
		return nil, summary, false
	}
	return tree, summary, true
}

// Connected reports whether there is a session, and adds an error where there is none.
func (b *Base) Connected(diags *diag.Diagnostics, summary string) bool {
	if b.Session == nil {
		diags.AddError(summary, "The provider's configuration is not known yet: give region, credentials and endpoints values that do not depend on resources of the same apply.")
	}
	return b.Session != nil
}

// Tracking opens a tracking by name.
func (b *Base) Tracking(name string) *tracking.Store {
	return tracking.New(b.Session.DynamoDB, name, b.Clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
}
