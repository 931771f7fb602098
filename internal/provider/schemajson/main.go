// Command schemajson prints the provider's schema in the form of `terraform providers schema -json`, for
// tfplugindocs. It needs no core, and has what older cores leave out, such as the identities of resources.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/provider"
)

func main() {
	if err := write(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "schemajson:", err)
		os.Exit(1)
	}
}

type document struct {
	FormatVersion string                    `json:"format_version"`
	Schemas       map[string]providerSchema `json:"provider_schemas"`
}

type providerSchema struct {
	Provider   *schema             `json:"provider"`
	Resources  map[string]*schema  `json:"resource_schemas"`
	Sources    map[string]*schema  `json:"data_source_schemas"`
	Identities map[string]identity `json:"resource_identity_schemas"`
}

type schema struct {
	Version int64  `json:"version"`
	Block   *block `json:"block"`
}

type block struct {
	Attributes  map[string]attribute `json:"attributes,omitempty"`
	Blocks      map[string]nested    `json:"block_types,omitempty"`
	Description string               `json:"description,omitempty"`
	Kind        string               `json:"description_kind"`
}

type nested struct {
	Nesting string `json:"nesting_mode"`
	Block   *block `json:"block"`
	Min     int64  `json:"min_items,omitempty"`
	Max     int64  `json:"max_items,omitempty"`
}

type attribute struct {
	Type        tftypes.Type `json:"type,omitempty"`
	Nested      *object      `json:"nested_type,omitempty"`
	Description string       `json:"description,omitempty"`
	Kind        string       `json:"description_kind"`
	Required    bool         `json:"required,omitempty"`
	Optional    bool         `json:"optional,omitempty"`
	Computed    bool         `json:"computed,omitempty"`
	Sensitive   bool         `json:"sensitive,omitempty"`
	Deprecated  bool         `json:"deprecated,omitempty"`
	WriteOnly   bool         `json:"write_only,omitempty"`
}

type object struct {
	Attributes map[string]attribute `json:"attributes"`
	Nesting    string               `json:"nesting_mode"`
}

type identity struct {
	Version    int64                        `json:"version"`
	Attributes map[string]identityAttribute `json:"attributes"`
}

type identityAttribute struct {
	Type        tftypes.Type `json:"type"`
	Description string       `json:"description,omitempty"`
	Required    bool         `json:"required_for_import,omitempty"`
	Optional    bool         `json:"optional_for_import,omitempty"`
}

func write(ctx context.Context, w io.Writer) error {
	server, err := providerserver.NewProtocol6WithError(provider.New("")())()
	if err != nil {
		return err
	}
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err == nil {
		err = wrong(schemas.Diagnostics)
	}
	if err != nil {
		return err
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err == nil {
		err = wrong(identities.Diagnostics)
	}
	if err != nil {
		return err
	}
	out := providerSchema{Provider: schemaOf(schemas.Provider), Resources: map[string]*schema{}, Sources: map[string]*schema{}, Identities: map[string]identity{}}
	for name, s := range schemas.ResourceSchemas {
		out.Resources[name] = schemaOf(s)
	}
	for name, s := range schemas.DataSourceSchemas {
		out.Sources[name] = schemaOf(s)
	}
	for name, s := range identities.IdentitySchemas {
		attributes := map[string]identityAttribute{}
		for _, a := range s.IdentityAttributes {
			attributes[a.Name] = identityAttribute{a.Type, a.Description, a.RequiredForImport, a.OptionalForImport}
		}
		out.Identities[name] = identity{s.Version, attributes}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(document{"1.0", map[string]providerSchema{"lakeland": out}})
}

func wrong(diagnostics []*tfprotov6.Diagnostic) error {
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	return nil
}

func schemaOf(s *tfprotov6.Schema) *schema { return &schema{s.Version, blockOf(s.Block)} }

func blockOf(b *tfprotov6.SchemaBlock) *block {
	out := &block{Attributes: attributesOf(b.Attributes), Blocks: map[string]nested{}, Description: b.Description, Kind: kind(b.DescriptionKind)}
	for _, n := range b.BlockTypes {
		out.Blocks[n.TypeName] = nested{strings.ToLower(n.Nesting.String()), blockOf(n.Block), n.MinItems, n.MaxItems}
	}
	return out
}

func attributesOf(all []*tfprotov6.SchemaAttribute) map[string]attribute {
	out := map[string]attribute{}
	for _, a := range all {
		converted := attribute{
			Type: a.Type, Description: a.Description, Kind: kind(a.DescriptionKind), Required: a.Required, Optional: a.Optional,
			Computed: a.Computed, Sensitive: a.Sensitive, Deprecated: a.Deprecated, WriteOnly: a.WriteOnly,
		}
		if a.NestedType != nil {
			converted.Nested = &object{attributesOf(a.NestedType.Attributes), strings.ToLower(a.NestedType.Nesting.String())}
		}
		out[a.Name] = converted
	}
	return out
}

func kind(k tfprotov6.StringKind) string { return strings.ToLower(k.String()) }
