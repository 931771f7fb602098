package provider_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/provider"
)

// server is the provider as a core sees it, without one.
type server struct {
	tfprotov6.ProviderServer
	t       *testing.T
	schemas *tfprotov6.GetProviderSchemaResponse
	ctx     context.Context //nolint:containedctx // that of the test where there is none
}

func serve(t *testing.T) *server {
	t.Helper()
	s := providerserver.NewProtocol6(provider.New("test")())()
	schemas, err := s.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range schemas.Diagnostics {
		t.Fatalf("%s: %s", d.Summary, d.Detail)
	}
	return &server{ProviderServer: s, t: t, schemas: schemas}
}

// unknown stands for a value that is not known yet.
type unknown struct{}

// value makes a value of a type from maps, slices, strings, numbers and booleans. What is left out is null.
func value(t *testing.T, typ tftypes.Type, data any) tftypes.Value {
	t.Helper()
	switch d := data.(type) {
	case nil:
		return tftypes.NewValue(typ, nil)
	case unknown:
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	case map[string]any:
		out := map[string]tftypes.Value{}
		switch typed := typ.(type) {
		case tftypes.Object:
			for name := range d {
				if _, ok := typed.AttributeTypes[name]; !ok {
					t.Fatalf("there is no attribute %q", name)
				}
			}
			for name, inner := range typed.AttributeTypes {
				out[name] = value(t, inner, d[name])
			}
		case tftypes.Map:
			for name, inner := range d {
				out[name] = value(t, typed.ElementType, inner)
			}
		}
		return tftypes.NewValue(typ, out)
	case []any:
		list, ok := typ.(tftypes.List)
		if !ok {
			t.Fatalf("a list where %s is wanted", typ)
		}
		out := make([]tftypes.Value, len(d))
		for i, inner := range d {
			out[i] = value(t, list.ElementType, inner)
		}
		return tftypes.NewValue(typ, out)
	default:
		return tftypes.NewValue(typ, d)
	}
}

func (s *server) dynamic(typ tftypes.Type, data any) *tfprotov6.DynamicValue {
	s.t.Helper()
	dynamic, err := tfprotov6.NewDynamicValue(typ, value(s.t, typ, data))
	if err != nil {
		s.t.Fatal(err)
	}
	return &dynamic
}

// problems are the errors of a plan, as "path: detail".
func problems(diagnostics []*tfprotov6.Diagnostic) []string {
	var out []string
	for _, d := range diagnostics {
		if d.Severity != tfprotov6.DiagnosticSeverityError {
			continue
		}
		out = append(out, fmt.Sprintf("%s | %s | %s", pathText(d.Attribute), d.Summary, d.Detail))
	}
	slices.Sort(out)
	return out
}

func pathText(p *tftypes.AttributePath) string {
	if p == nil {
		return ""
	}
	var out strings.Builder
	for _, step := range p.Steps() {
		switch s := step.(type) {
		case tftypes.AttributeName:
			if out.Len() > 0 {
				out.WriteByte('.')
			}
			out.WriteString(string(s))
		case tftypes.ElementKeyInt:
			fmt.Fprintf(&out, "[%d]", int64(s))
		case tftypes.ElementKeyString:
			fmt.Fprintf(&out, "[%q]", string(s))
		}
	}
	return out.String()
}

// validate is what `terraform validate` says of a resource.
func (s *server) validate(resource string, config map[string]any) []string {
	s.t.Helper()
	typ := s.schemas.ResourceSchemas[resource].ValueType()
	resp, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: s.dynamic(typ, config)})
	if err != nil {
		s.t.Fatal(err)
	}
	return problems(resp.Diagnostics)
}

// configure is what the provider says of its own block.
func (s *server) configure(ctx context.Context, config map[string]any) []string {
	s.t.Helper()
	typ := s.schemas.Provider.ValueType()
	resp, err := s.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.11.4", Config: s.dynamic(typ, config)})
	if err != nil {
		s.t.Fatal(err)
	}
	return problems(resp.Diagnostics)
}

// plan plans the creation of a resource and returns the planned values, and what is wrong.
func (s *server) plan(resource string, config map[string]any) (map[string]tftypes.Value, []string) {
	s.t.Helper()
	typ := s.schemas.ResourceSchemas[resource].ValueType()
	resp, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, Config: s.dynamic(typ, config), PriorState: s.dynamic(typ, nil), ProposedNewState: s.dynamic(typ, config),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	planned, err := resp.PlannedState.Unmarshal(typ)
	if err != nil {
		s.t.Fatal(err)
	}
	fields := map[string]tftypes.Value{}
	if err := planned.As(&fields); err != nil {
		s.t.Fatal(err)
	}
	return fields, problems(resp.Diagnostics)
}
