package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

const schemaType = "lakeland_source_schema"

// buildEngine builds the engine's command once per test binary.
var buildEngine = sync.OnceValues(func() (string, error) {
	folder, err := sandbox.TestFolder("engine")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "lakeland-engine")
	build := exec.Command("go", "build", "-o", path, "./cmd/lakeland-engine")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the engine: %w: %s", err, out)
	}
	return path, nil
})

// engine runs the engine as people do.
func (a *account) engine(arguments ...string) string {
	a.t.Helper()
	path, err := buildEngine()
	a.must(err)
	command := exec.CommandContext(a.t.Context(), path, arguments...)
	command.Env = a.sb.EnvFor(a.endpoints)
	out, err := command.CombinedOutput()
	if err != nil {
		a.t.Fatalf("%s: %v: %s", arguments[0], err, out)
	}
	return string(out)
}

// look is what a core does of a data source: it validates its configuration and reads it.
func (s *server) look(ctx context.Context, c config) (state lifecycle.Tree, wrong, warned []string) {
	s.t.Helper()
	typ := s.schemas.DataSourceSchemas[schemaType].ValueType()
	dynamic := s.dynamic(typ, c)
	valid, err := s.ValidateDataResourceConfig(ctx, &tfprotov6.ValidateDataResourceConfigRequest{TypeName: schemaType, Config: dynamic})
	if err != nil {
		s.t.Fatal(err)
	}
	if wrong := problems(valid.Diagnostics); len(wrong) > 0 {
		return nil, wrong, nil
	}
	read, err := s.ReadDataSource(ctx, &tfprotov6.ReadDataSourceRequest{TypeName: schemaType, Config: dynamic})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range read.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityWarning {
			warned = append(warned, pathText(d.Attribute)+" | "+d.Detail)
		}
	}
	if wrong := problems(read.Diagnostics); len(wrong) > 0 {
		return nil, wrong, warned
	}
	value, err := read.State.Unmarshal(typ)
	if err != nil {
		s.t.Fatal(err)
	}
	if !value.IsFullyKnown() {
		s.t.Errorf("what was read is %s", value)
	}
	if state, _, err = lifecycle.Read(value); err != nil {
		s.t.Fatal(err)
	}
	return state, nil, warned
}

// tablesOf are the tables of a state, as a discovery has them.
func tablesOf(t *testing.T, state lifecycle.Tree) map[string]spec.DiscoveredTable {
	t.Helper()
	data, err := json.Marshal(state["tables"])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]spec.DiscoveredTable{}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) schemaConfig() config {
	return config{"tracking": w.name, "connection_name": "shop-db"}
}

var fewTables = []string{
	`CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric, at timestamptz NOT NULL)`, `COMMENT ON TABLE orders IS 'what was ordered'`,
	`CREATE INDEX ON orders (at)`, `INSERT INTO orders SELECT i, i, now() FROM generate_series(1, 100) i`, `ANALYZE orders`,
	`CREATE VIEW seen AS SELECT id FROM orders`, `CREATE TABLE "a.b" ("A" int, a int)`, `CREATE SCHEMA "s.x"`, `CREATE TABLE "s.x"."${path.module}" (id int)`,
}

// The tables of a database, as they are; the connection may be one that this plan is about to make, or one that there is.
func TestSourceSchemaOfADatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sql(fewTables...)
	configs := w.standard()
	s := w.process()
	if _, wrong, _ := s.look(t.Context(), w.schemaConfig()); len(wrong) != 1 || !strings.HasPrefix(wrong[0], "tracking | ") || !strings.Contains(wrong[0], "there is no tracking") {
		t.Errorf("before there is anything: %q", wrong)
	}
	for _, resource := range []string{trackingType, connectionType} {
		if _, wrong := w.planWith(s, resource, configs[resource]); len(wrong) > 0 {
			t.Fatal(wrong)
		}
	}
	planned, wrong, _ := s.look(t.Context(), w.schemaConfig())
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	w.apply(trackingType, configs[trackingType])
	if _, wrong, _ := w.process().look(t.Context(), w.schemaConfig()); len(wrong) != 1 || !strings.HasPrefix(wrong[0], "connection_name | ") || !strings.Contains(wrong[0], `there is no connection "shop-db"`) {
		t.Errorf("before there is a connection: %q", wrong)
	}
	w.apply(connectionType, configs[connectionType])
	state, wrong, warned := w.process().look(t.Context(), w.schemaConfig())
	if len(wrong)+len(warned) > 0 {
		t.Fatalf("%q %q", wrong, warned)
	}
	if diff := cmp.Diff(planned["tables"], state["tables"]); diff != "" {
		t.Errorf("a plan before the connection is made sees something else: %s", diff)
	}
	at, err := time.Parse(time.RFC3339Nano, state.Text("taken_at"))
	if err != nil || time.Since(at).Abs() > time.Minute || state.Text("database") != w.db.Name || state["in_recovery"] != false {
		t.Errorf("taken at %q of %q, %v", state.Text("taken_at"), state.Text("database"), err)
	}
	tables := tablesOf(t, state)
	var got []string
	for key := range tables {
		got = append(got, key)
	}
	slices.Sort(got)
	if want := []string{"public.a.b", "public.orders", "public.seen", `s\.x.${path.module}`}; !slices.Equal(got, want) {
		t.Errorf("the tables are %q", got)
	}
	rows := int64(100)
	orders := tables["public.orders"]
	orders.Bytes, orders.Suggested.Reason = nil, ""
	if diff := cmp.Diff(spec.DiscoveredTable{
		Schema: "public", Table: "orders", Kind: "table", Comment: "what was ordered", EstimatedRows: &rows, PrimaryKey: []string{"id"}, UniqueKeys: [][]string{}, Cursors: []string{"at"},
		Columns: []spec.DiscoveredColumn{
			{Name: "id", Type: "bigint", LakeType: "long", TargetName: "id"},
			{Name: "amount", Type: "numeric", Nullable: true, LakeType: "string", TargetName: "amount", Warning: orders.Columns[1].Warning},
			{Name: "at", Type: "timestamp with time zone", LakeType: "timestamptz", TargetName: "at"},
		},
		Suggested: spec.Suggestion{
			Name: "public.orders", TargetTable: "orders", Extract: spec.SuggestedExtract{Mode: "incremental", Horizon: "xmin"}, StorageMode: "current_snapshot", PrimaryKey: []string{"id"},
		},
	}, orders); diff != "" || !strings.Contains(orders.Columns[1].Warning, "declare its type in columns") {
		t.Error(diff)
	}
	if got := tables["public.a.b"].Problem; !strings.Contains(got, `would both be "a" in the lake`) {
		t.Errorf("a table whose columns clash: %q", got)
	}
	chosen, wrong, warned := w.process().look(t.Context(), with(w.schemaConfig(), config{"include": []any{"public.*", "sales.*"}, "exclude": []any{"*.a*"}}))
	if len(wrong) > 0 || len(tablesOf(t, chosen)) != 2 || len(warned) != 1 || !strings.HasPrefix(warned[0], `include[1] | include[1]: no table of the database`) || !strings.Contains(warned[0], `answers to "sales.*"`) {
		t.Errorf("%q, %q: %v", wrong, warned, chosen["tables"])
	}
	none, wrong, warned := w.process().look(t.Context(), with(w.schemaConfig(), config{"exclude": []any{"*.*"}}))
	if len(wrong) > 0 || len(tablesOf(t, none)) != 0 || len(warned) != 1 || !strings.HasPrefix(warned[0], "include | include: no table of the database") {
		t.Errorf("nothing left: %q, %q", wrong, warned)
	}
}

// Where Terraform cannot reach the database, the engine writes what it holds, and both ways give the same.
func TestSourceSchemaOfADocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sql(fewTables...)
	configs := w.standard()
	w.applyAll(map[string]config{trackingType: configs[trackingType], connectionType: configs[connectionType]})
	location := "s3://" + w.artifacts + "/lakeland/"
	object := location + "discovery/" + w.name + "/shop-db.json"
	s := w.process()
	document := func(at string) config { return with(w.schemaConfig(), config{"document": at}) }
	if _, wrong, _ := s.look(t.Context(), document(location)); len(wrong) != 1 || !strings.HasPrefix(wrong[0], "document | ") || !strings.Contains(wrong[0], "there is nothing at "+object+": write it with `lakeland-engine discover --tracking "+w.name) {
		t.Errorf("before it was written: %q", wrong)
	}
	said := w.engine("discover", "--tracking", w.name, "--connection", "shop-db", "--to", location)
	if !strings.Contains(said, "to="+object) {
		t.Errorf("the engine says %q", said)
	}
	live, wrong, _ := s.look(t.Context(), w.schemaConfig())
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	for _, at := range []string{location, object} {
		read, wrong, warned := s.look(t.Context(), document(at))
		if len(wrong)+len(warned) > 0 {
			t.Fatalf("%q %q", wrong, warned)
		}
		if diff := cmp.Diff(live["tables"], read["tables"]); diff != "" {
			t.Errorf("document and database differ: %s", diff)
		}
	}
	// The database is not looked at.
	w.sql(`DROP TABLE "a.b"`)
	read, wrong, warned := s.look(t.Context(), with(document(object), config{"include": []any{"public.a*", "nowhere.*"}}))
	if _, still := tablesOf(t, read)["public.a.b"]; len(wrong) > 0 || !still || len(warned) != 1 || !strings.Contains(warned[0], `among those of the document, which was taken with include = ["*.*"]`) {
		t.Errorf("%q, %q: %v", wrong, warned, read["tables"])
	}
	for name, tc := range map[string]struct{ content, want string }{
		"junk":    {"not JSON", "is no discovery: reading a discovery document: it is not a JSON document"},
		"newer":   {`{"v":9,"connection":"shop-db"}`, "was written by a newer engine (its version is 9, this release reads up to 1)"},
		"other":   {`{"v":1,"connection":"other-db","engine":"postgresql","database":"shop","taken_at":"2026-11-21T12:00:00Z","in_recovery":false,"include":[],"exclude":[],"tables":[]}`, `is of the connection "other-db", and "shop-db" is wanted`},
		"secrets": {`{"v":1,"connection":"shop-db","engine":"postgresql","database":"shop","taken_at":"2026-11-21T12:00:00Z","password":"sesame"}`, "password: is not a field"},
	} {
		_, err := w.clients.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(w.artifacts), Key: aws.String(name + ".json"), Body: strings.NewReader(tc.content)})
		w.must(err)
		if _, wrong, _ := s.look(t.Context(), document("s3://"+w.artifacts+"/"+name+".json")); len(wrong) != 1 || !strings.HasPrefix(wrong[0], "document | ") || !strings.Contains(wrong[0], tc.want) || strings.Contains(wrong[0], "sesame") {
			t.Errorf("%s: %q", name, wrong)
		}
	}
	if _, wrong, _ := s.look(t.Context(), document("s3://"+w.sb.NewName(t)+"/x.json")); len(wrong) != 1 || !strings.HasPrefix(wrong[0], "document | ") {
		t.Errorf("a bucket that is not there: %q", wrong)
	}
}

// A database that cannot be reached, or does not let in, says so at the connection, with what to do instead.
func TestSourceSchemaUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.apply(trackingType, configs[trackingType])
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	defer func() { _ = silent.Close() }()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.must(closed.Close())
	wrongLogin := w.secretOf("c4nary-of-a-login")
	next := "lakeland-engine discover --tracking " + w.name + " --connection shop-db --to s3://"
	for _, tc := range []struct {
		name    string
		changes config
		want    []string
	}{
		{"a port that nobody listens at", config{"port": int64(closed.Addr().(*net.TCPAddr).Port)}, []string{"nothing listens there", next, "set document = "}},
		{"a server that does not answer", config{"port": int64(silent.Addr().(*net.TCPAddr).Port)}, []string{"the server did not answer", next}},
		{"a host that is not there", config{"host": "absent.invalid"}, []string{next}},
		{"a wrong password", config{"secret_arn": wrongLogin}, []string{"check username and password in the connection's secret"}},
		{"another authority", config{"tls": nil}, []string{"tls.ca", next}},
	} {
		s := w.process()
		if _, wrong := w.planWith(s, connectionType, with(configs[connectionType], tc.changes)); len(wrong) > 0 {
			t.Fatal(wrong)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, wrong, _ := s.look(ctx, w.schemaConfig())
		cancel()
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0], "connection_name | reading lakeland_source_schema ("+w.name+"/shop-db) | ") || strings.Contains(wrong[0], "c4nary") {
			t.Errorf("%s: %q", tc.name, wrong)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(wrong[0], want) {
				t.Errorf("%s: %q, wanted %q", tc.name, wrong[0], want)
			}
		}
	}
	s := w.process()
	if _, wrong := w.planWith(s, connectionType, with(configs[connectionType], config{"host": unknown{}})); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if _, wrong, _ := s.look(t.Context(), w.schemaConfig()); len(wrong) != 1 || !strings.Contains(wrong[0], `parts of the connection "shop-db" are not known before it is applied`) {
		t.Errorf("a connection that is not known yet: %q", wrong)
	}
}

// secretOf is a secret with the server's user and a password.
func (a *account) secretOf(password string) string {
	a.t.Helper()
	login, err := json.Marshal(map[string]string{"username": a.sb.Postgres().User(), "password": password})
	a.must(err)
	return a.keep(&secretsmanager.CreateSecretInput{SecretString: aws.String(string(login))})
}

// What configuration alone decides fails at validation, each at its attribute; what is not known is not judged.
func TestSourceSchemaIsJudged(t *testing.T) {
	t.Parallel()
	s := serve(t)
	typ := s.schemas.DataSourceSchemas[schemaType].ValueType()
	for _, tc := range []struct {
		config config
		want   []string
	}{
		{config{"tracking": "shop", "connection_name": "shop-db", "include": []any{"public.*", `a\.b.*`}, "exclude": []any{}, "document": "s3://acme-artifacts/lakeland/"}, nil},
		{config{"tracking": unknown{}, "connection_name": unknown{}, "include": []any{unknown{}, "orders"}, "exclude": unknown{}, "document": unknown{}}, []string{"include[1]"}},
		{config{"tracking": "Shop", "connection_name": "Shop", "include": []any{"orders"}, "exclude": []any{`x.\`}, "document": "/home/shop.json"}, []string{"connection_name", "document", "exclude[0]", "include[0]", "tracking"}},
	} {
		resp, err := s.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: schemaType, Config: s.dynamic(typ, tc.config)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, problem := range problems(resp.Diagnostics) {
			path, _, _ := strings.Cut(problem, " | ")
			got = append(got, path)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%v: %q", tc.config, problems(resp.Diagnostics))
		}
	}
	read, err := s.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: schemaType, Config: s.dynamic(typ, config{"tracking": "shop", "connection_name": "shop-db"})})
	if err != nil || len(problems(read.Diagnostics)) != 1 || !strings.Contains(problems(read.Diagnostics)[0], "The provider's configuration is not known yet") {
		t.Errorf("without a session: %v, %q", err, problems(read.Diagnostics))
	}
}

// Schema and document have the same fields, of the same kinds, and none of them is for secrets.
func TestSourceSchemaAndDiscoveryAgree(t *testing.T) {
	t.Parallel()
	object, ok := serve(t).schemas.DataSourceSchemas[schemaType].ValueType().(tftypes.Object)
	if !ok {
		t.Fatal("no object")
	}
	tables, ok := object.AttributeTypes["tables"].(tftypes.Map)
	if !ok {
		t.Fatal("no map of tables")
	}
	same(t, "tables", tables.ElementType, reflect.TypeFor[spec.DiscoveredTable]())
	found := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
	wanted := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
	for name, typ := range object.AttributeTypes {
		switch name {
		case "database", "taken_at", "in_recovery":
			found.AttributeTypes[name] = typ
		case "tables":
		default:
			wanted.AttributeTypes[name] = typ
		}
	}
	agree(t, "request", wanted, reflect.TypeFor[spec.SourceSchema](), nil, nil)
	agree(t, "discovery", found, reflect.TypeFor[spec.Discovery](), nil, []string{"v", "connection", "engine", "include", "exclude", "tables"})
}
