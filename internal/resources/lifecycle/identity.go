package lifecycle

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// IdentitySchema is a resource's identity: account and Region, which an import may leave to the provider, and
// the resource's own key.
func IdentitySchema(keys ...string) identityschema.Schema {
	s := identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"account_id": identityschema.StringAttribute{OptionalForImport: true, Description: "The AWS account; the provider's when left out."},
		"region":     identityschema.StringAttribute{OptionalForImport: true, Description: "The AWS Region; the provider's when left out."},
	}}
	for _, key := range keys {
		s.Attributes[key] = identityschema.StringAttribute{RequiredForImport: true, Description: "As the attribute of that name."}
	}
	return s
}

// Identify fills a resource's identity. Every Create, Update and Read does so before anything else, a Read also
// before it finds that the object has vanished: the framework refuses an answer without identity, and below
// Terraform 1.12, and for state from before there were identities, the core sends none.
func (b *Base) Identify(ctx context.Context, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics, keys map[string]string) {
	if identity == nil {
		return
	}
	set := func(name, value string) {
		diags.Append(identity.SetAttribute(ctx, path.Root(name), types.StringValue(value))...)
	}
	set("account_id", b.Session.AccountID)
	set("region", b.Session.Region)
	for name, value := range keys {
		set(name, value)
	}
}

// Vanished takes an object that no longer exists out of the state and says so.
func Vanished(ctx context.Context, resp *resource.ReadResponse, summary, what string) {
	resp.Diagnostics.AddWarning(summary, what+" no longer exists; it was removed outside Terraform, and the next apply creates it again.")
	resp.State.RemoveResource(ctx)
}
