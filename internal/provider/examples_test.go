package provider_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
)

const examples = "../../examples"

func TestExamplesAreFormatted(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(examples, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(hclwrite.Format(text), text) {
			t.Errorf("%s is not formatted: run terraform fmt", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What the pages show is accepted. What an example refers to is not known, and so not judged.
func TestExamplesAreAccepted(t *testing.T) {
	t.Parallel()
	s, seen, seenData := serve(t), map[string]bool{}, map[string]bool{}
	paths, err := filepath.Glob(examples + "/resources/*/resource.tf")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(examples + "/data-sources/*/data-source.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(append(slices.Clone(paths), sources...), examples+"/provider/provider.tf") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
		body, ok := file.Body.(*hclsyntax.Body)
		if diags.HasErrors() || !ok {
			t.Fatal(diags)
		}
		for _, block := range body.Blocks {
			var said []*tfprotov6.Diagnostic
			switch block.Type {
			case "resource":
				seen[block.Labels[0]] = true
				resp, err := s.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: block.Labels[0], Config: configured(t, s.typeOf(block.Labels[0]), block)})
				if err != nil {
					t.Fatal(err)
				}
				said = resp.Diagnostics
			case "data":
				seenData[block.Labels[0]] = true
				resp, err := s.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: block.Labels[0], Config: configured(t, s.schemas.DataSourceSchemas[block.Labels[0]].ValueType(), block)})
				if err != nil {
					t.Fatal(err)
				}
				said = resp.Diagnostics
			}
			for _, d := range said {
				t.Errorf("%s: %s: %s: %s", path, strings.Join(block.Labels, "."), d.Summary, d.Detail)
			}
		}
	}
	if len(sources) != len(s.schemas.DataSourceSchemas) || len(seenData) != len(sources) {
		t.Errorf("%d data sources have examples, %d stand in them, of %d", len(sources), len(seenData), len(s.schemas.DataSourceSchemas))
	}
	if len(paths) != len(s.schemas.ResourceSchemas) || len(seen) != len(s.schemas.ResourceSchemas) {
		t.Errorf("%d resources have examples, %d stand in them, of %d", len(paths), len(seen), len(s.schemas.ResourceSchemas))
	}
}

// configured is what a core makes of a block.
func configured(t *testing.T, of tftypes.Type, block *hclsyntax.Block) *tfprotov6.DynamicValue {
	t.Helper()
	encoded, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	typ, err := ctyjson.UnmarshalType(encoded)
	if err != nil {
		t.Fatal(err)
	}
	attributes := map[string]cty.Value{}
	for name, attribute := range block.Body.Attributes {
		if name == "for_each" {
			continue
		}
		scope := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: map[string]function.Function{"file": someText}}
		for _, reference := range attribute.Expr.Variables() {
			scope.Variables[reference.RootName()] = cty.DynamicVal
		}
		value, diags := attribute.Expr.Value(scope)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		attributes[name] = value
	}
	given := cty.ObjectVal(attributes)
	onlyKnownNames(t, strings.Join(block.Labels, "."), given.Type(), typ)
	value, err := convert.Convert(given, lenient(typ))
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(block.Labels, "."), err)
	}
	packed, err := msgpack.Marshal(value, typ)
	if err != nil {
		t.Fatal(err)
	}
	return &tfprotov6.DynamicValue{MsgPack: packed}
}

var someText = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "path", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl:   func([]cty.Value, cty.Type) (cty.Value, error) { return cty.UnknownVal(cty.String), nil },
})

// lenient is a type whose attributes may all be left out.
func lenient(typ cty.Type) cty.Type {
	switch {
	case typ.IsObjectType():
		inner, names := map[string]cty.Type{}, []string{}
		for name, attribute := range typ.AttributeTypes() {
			inner[name], names = lenient(attribute), append(names, name)
		}
		return cty.ObjectWithOptionalAttrs(inner, names)
	case typ.IsListType():
		return cty.List(lenient(typ.ElementType()))
	case typ.IsMapType():
		return cty.Map(lenient(typ.ElementType()))
	default:
		return typ
	}
}

// onlyKnownNames refuses names that a conversion would drop without a word.
func onlyKnownNames(t *testing.T, at string, given, typ cty.Type) {
	t.Helper()
	if !given.IsObjectType() || !typ.IsObjectType() {
		return
	}
	for name, inner := range given.AttributeTypes() {
		if !typ.HasAttribute(name) {
			t.Errorf("%s: there is no attribute %q", at, name)
			continue
		}
		onlyKnownNames(t, at+"."+name, inner, typ.AttributeType(name))
	}
}
