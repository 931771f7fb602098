package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lakeland/terraform-provider-lakeland"

// mayImport is ARCHITECTURE.md's table of rooms: each package, or folder of packages, with what of this module it
// may import. The longest entry that matches a package counts; "x/..." means x and everything in it.
var mayImport = map[string][]string{
	"":                                {"internal/provider"},
	"cmd/lakeland-engine":             {"internal/engine/...", "internal/tracking", "internal/spec", "internal/awsclient"},
	"cmd/lakeland-sandbox":            {"internal/sandbox/..."},
	"cmd/lakeland-bench":              {"internal/engine/...", "internal/spec"},
	"internal/awsclient":              {},
	"internal/spec":                   {},
	"internal/tracking":               {"internal/spec"},
	"internal/provider":               {"internal/resources/...", "internal/spec", "internal/awsclient"},
	"internal/provider/schemajson":    {"internal/provider"},
	"internal/resources/...":          {"internal/resources/lifecycle", "internal/spec", "internal/tracking", "internal/jobscript", "internal/payload", "internal/awsclient"},
	"internal/resources/sourceschema": {"internal/engine/source/postgres", "internal/resources/lifecycle", "internal/spec", "internal/tracking", "internal/awsclient"},
	"internal/jobscript":              {"internal/spec"},
	"internal/payload":                {},
	"internal/payload/pack":           {"internal/payload"},
	"internal/engine/column":          {},
	"internal/engine/schema":          {"internal/engine/column", "internal/spec"},
	"internal/engine/store":           {"internal/engine/guard"},
	"internal/engine/guard":           {},
	"internal/engine/heap":            {},
	"internal/engine/catalog":         {},
	"internal/engine/source/...":      {"internal/engine/column", "internal/engine/guard", "internal/engine/schema", "internal/engine/store", "internal/spec"},
	"internal/engine/parquet":         {"internal/engine/column", "internal/engine/schema", "internal/engine/store"},
	"internal/engine/merge":           {"internal/engine/column", "internal/engine/guard", "internal/engine/parquet", "internal/engine/schema", "internal/engine/store", "internal/engine/table"},
	"internal/engine/table/...":       {"internal/engine/column", "internal/engine/guard", "internal/engine/parquet", "internal/engine/schema", "internal/engine/store", "internal/engine/catalog", "internal/engine/table"},
	"internal/engine/run":             {"internal/engine/...", "internal/tracking", "internal/spec"},
	"internal/sandbox/...":            {"internal/sandbox/...", "internal/spec"},
}

// neverLinked are packages that a binary must not hold: the engine knows nothing of Terraform, Iceberg's table package
// would bring it to 70 MB, rows come by COPY on pgconn, never as values through pgx (pgconn itself imports pgtype), and
// roles are looked at by the provider alone. The provider looks at catalogues, and never at rows.
var neverLinked = map[string][]string{
	"cmd/lakeland-engine": {
		"github.com/hashicorp/terraform-plugin-framework/...", "github.com/apache/iceberg-go/table/...",
		"github.com/apache/iceberg-go/catalog/...", "github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgxpool",
		"github.com/aws/aws-sdk-go-v2/service/iam",
	},
	"": {
		"github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgxpool", "github.com/parquet-go/parquet-go/...", "github.com/apache/iceberg-go/...",
		module + "/internal/engine/run", module + "/internal/engine/parquet", module + "/internal/engine/table/...", module + "/internal/engine/catalog",
	},
}

type listed struct {
	ImportPath    string
	Imports, Deps []string
}

func TestArrowsRunAsTheArchitectureSays(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		rule, ok := ruleOf(room)
		if !ok {
			t.Errorf("%q stands in no line of the table of rooms", room)
			continue
		}
		seen[rule] = true
		for _, path := range p.Imports {
			other, ours := strings.CutPrefix(path, module+"/")
			if ours && !slices.ContainsFunc(mayImport[rule], func(allowed string) bool { return covers(allowed, other) }) {
				t.Errorf("%q imports %q, which the table of rooms does not allow", room, other)
			}
		}
		for _, banned := range neverLinked[room] {
			if slices.ContainsFunc(p.Deps, func(path string) bool { return covers(banned, path) }) {
				t.Errorf("%q links %s", room, banned)
			}
		}
	}
	for rule := range mayImport {
		if !seen[rule] {
			t.Errorf("the table of rooms has %q, and no such package is left", rule)
		}
	}
}

func covers(pattern, room string) bool {
	folder, all := strings.CutSuffix(pattern, "/...")
	return room == folder || all && strings.HasPrefix(room, folder+"/")
}

func ruleOf(room string) (best string, found bool) {
	for pattern := range mayImport {
		if covers(pattern, room) && (!found || len(pattern) > len(best)) {
			best, found = pattern, true
		}
	}
	return best, found
}
