package provider_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

const (
	key    = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
	secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-db-AbCdEf"
	role   = "arn:aws:iam::123456789012:role/engine"
	topic  = "arn:aws:sns:eu-west-1:123456789012:ops"
)

// The attributes that were promised, all of them at once: none is renamed or retyped, each is accepted, and what is
// not effective yet is refused by its own path with what to use instead.
func TestPromisedAttributes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		resource string
		config   map[string]any
		refused  []string
	}{
		{"lakeland_tracking", map[string]any{
			"name": "shop", "replica_regions": []any{"eu-central-1"}, "deletion_protection": true, "kms_key_arn": key,
		}, []string{"replica_regions"}},
		{"lakeland_connection", map[string]any{
			"tracking": "shop", "name": "shop-db", "engine": "postgresql", "host": "shop.example.internal", "port": 5432, "max_connections": 4, "database": "shop", "secret_arn": secret,
			"tls":     map[string]any{"mode": "verify-full"},
			"network": map[string]any{"subnet_id": "subnet-0123456789abcdef0", "security_group_ids": []any{"sg-0123456789abcdef0"}},
		}, nil},
		{"lakeland_connection", map[string]any{
			"tracking": "shop", "name": "shop-db", "engine": "mariadb", "host": "h", "database": "shop", "secret_arn": secret,
		}, []string{"engine"}},
		{"lakeland_cadence", map[string]any{
			"tracking": "shop", "name": "ten-minutes", "schedule": "cron(0/10 * * * ? *)", "batch_size": 5, "max_concurrent_batches": 2, "role_arn": role,
			"artifacts": map[string]any{"location": "s3://acme-artifacts/lakeland/", "kms_key_arn": key}, "connections": []any{"shop-db"},
			"runtime": map[string]any{"kind": "spark", "worker_type": "G.1X", "workers": 2, "glue_version": "5.1"},
			"notify":  map[string]any{"topic_arn": topic, "on": []any{"failed"}}, "enabled": true, "log_retention": "90d", "tags": map[string]any{"a": "b"},
		}, []string{"log_retention", "max_concurrent_batches", "notify", "runtime.kind"}},
		{"lakeland_cadence", map[string]any{
			"tracking": "shop", "name": "ten-minutes", "role_arn": role, "artifacts": map[string]any{"location": "s3://acme-artifacts/lakeland/"}, "connections": []any{"shop-db"},
			"runtime": map[string]any{"kind": "pythonshell", "dpu": 0.0625},
		}, nil},
		{"lakeland_source_table", map[string]any{
			"name": "shop.orders", "cadence": "shop/ten-minutes",
			"source":       map[string]any{"database": map[string]any{"connection": "shop-db", "schema": "public", "table": "orders"}},
			"extract":      map[string]any{"mode": "incremental", "horizon": "transactions", "cursor": "updated_at", "lookback": "5m"},
			"target":       map[string]any{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders", "format": "iceberg"},
			"storage_mode": "current_snapshot", "primary_key": []any{"id"}, "partition_by": []any{"day(created_at)"},
			"columns": map[string]any{"amount": map[string]any{"type": "decimal(12,2)"}}, "filter": []any{map[string]any{"column": "deleted", "op": "=", "value": "false"}},
			"ordering": "updated_at", "reconcile": map[string]any{"every": "24h", "how": "count"}, "reload": "text", "adopt": true, "enabled": true, "freshness": map[string]any{"max_age": "2h"},
			"write_mode": "merge_on_read", "audit_columns": []any{"_lk_run_id", "_lk_ingested_at", "_lk_op", "_lk_seq", "_lk_source"}, "deleted_column": "is_deleted",
		}, []string{"freshness"}},
		{"lakeland_source_table", map[string]any{
			"name": "shop.orders", "cadence": "shop/ten-minutes", "source": map[string]any{"dms": map[string]any{"location": "s3://acme-dms/x/", "schema": "a", "table": "b"}},
			"target": map[string]any{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders", "format": "hudi"}, "primary_key": []any{"id"}, "storage_mode": "historical", "ordering": "at",
		}, []string{"source.dms"}},
		{"lakeland_source_table", map[string]any{
			"name": "shop.orders", "cadence": "shop/ten-minutes", "source": map[string]any{"database": map[string]any{"connection": "shop-db", "schema": "public", "table": "orders"}},
			"extract": map[string]any{"mode": "incremental"}, "target": map[string]any{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders", "format": "hudi"},
			"primary_key": []any{"id"}, "partition_by": []any{"country"}, "ordering": "updated_at", "columns": map[string]any{"amount": map[string]any{"type": "decimal(12,2)"}}, "adopt": true,
		}, nil},
		{"lakeland_source_table", map[string]any{
			"name": "shop.orders", "cadence": "shop/ten-minutes", "source": map[string]any{"files": map[string]any{"location": "s3://acme-events/x/", "format": "json"}},
			"target": map[string]any{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders", "format": "parquet"},
		}, []string{"source.files"}},
		{"lakeland_source_table", map[string]any{
			"name": "shop.orders", "cadence": "shop/ten-minutes", "source": map[string]any{"database": map[string]any{"connection": "shop-db", "schema": "public", "table": "orders"}},
			"extract": map[string]any{"mode": "full"}, "target": map[string]any{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders"}, "primary_key": []any{"id"}, "reload": "again",
		}, nil},
	} {
		var paths []string
		for _, problem := range serve(t).validate(tc.resource, tc.config) {
			path, detail, _ := strings.Cut(problem, " | ")
			if !strings.Contains(detail, "not supported yet") {
				t.Errorf("%s: %s", tc.resource, problem)
			}
			paths = append(paths, path)
		}
		slices.Sort(paths)
		if !slices.Equal(paths, tc.refused) {
			t.Errorf("%s refuses %v, wanted %v", tc.resource, paths, tc.refused)
		}
	}
}

// Values that are not known yet are never judged, nor is what depends on them.
func TestUnknownValuesAreNotJudged(t *testing.T) {
	t.Parallel()
	for resource, config := range map[string]map[string]any{
		"lakeland_tracking":   {"name": unknown{}, "kms_key_arn": unknown{}},
		"lakeland_connection": {"tracking": unknown{}, "name": unknown{}, "engine": unknown{}, "host": unknown{}, "database": unknown{}, "secret_arn": unknown{}, "tls": unknown{}, "network": map[string]any{"subnet_id": unknown{}, "security_group_ids": unknown{}}},
		"lakeland_cadence":    {"tracking": unknown{}, "name": unknown{}, "schedule": unknown{}, "role_arn": unknown{}, "artifacts": map[string]any{"location": unknown{}}, "connections": []any{unknown{}}, "runtime": map[string]any{"kind": unknown{}, "workers": 3}},
		"lakeland_source_table": {
			"name": unknown{}, "cadence": unknown{}, "source": map[string]any{"database": map[string]any{"connection": unknown{}, "schema": "public", "table": "t"}},
			"extract": unknown{}, "target": map[string]any{"location": unknown{}, "database": "raw", "table": "t"}, "storage_mode": unknown{}, "primary_key": unknown{},
		},
	} {
		for _, problem := range serve(t).validate(resource, config) {
			t.Errorf("%s: %s", resource, problem)
		}
	}
	found := serve(t).validate("lakeland_source_table", map[string]any{
		"name": "t", "cadence": unknown{}, "source": map[string]any{"database": map[string]any{"connection": unknown{}, "schema": "public", "table": "t"}},
		"extract": map[string]any{"mode": "sometimes"}, "target": map[string]any{"location": unknown{}, "database": "Raw", "table": "t"},
	})
	if len(found) != 2 || !strings.HasPrefix(found[0], "extract.mode | validating lakeland_source_table (t) | ") || !strings.HasPrefix(found[1], "target.database | ") {
		t.Errorf("beside unknown values, what is wrong is %v", found)
	}
}

// Schema and document have the same fields, of the same kinds: what is configured reaches the document whole.
func TestSchemasAndDocumentsAgree(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for resource, tc := range map[string]struct {
		document any
		// beside are attributes that are no fields; internal are fields that are no attributes.
		beside, internal []string
	}{
		"lakeland_connection":   {spec.Connection{}, []string{"deployed", "glue_connection", "id", "tags", "tags_all", "tracking"}, []string{"v"}},
		"lakeland_cadence":      {spec.Cadence{}, []string{"deployed", "engine_version", "id", "job_name", "script_location", "tags", "tags_all", "tracking", "trigger_name"}, []string{"engine", "v"}},
		"lakeland_source_table": {spec.Table{}, []string{"deployed", "id", "tracking"}, []string{"v"}},
	} {
		object, ok := s.schemas.ResourceSchemas[resource].ValueType().(tftypes.Object)
		if !ok {
			t.Fatal(resource)
		}
		agree(t, resource, object, reflect.TypeOf(tc.document), tc.beside, tc.internal)
	}
}

func agree(t *testing.T, at string, object tftypes.Object, document reflect.Type, beside, internal []string) {
	t.Helper()
	fields := map[string]reflect.Type{}
	for i := range document.NumField() {
		name, _, _ := strings.Cut(document.Field(i).Tag.Get("json"), ",")
		fields[name] = document.Field(i).Type
	}
	for name, attribute := range object.AttributeTypes {
		field, ok := fields[name]
		if !ok {
			if !slices.Contains(beside, name) {
				t.Errorf("%s.%s is no field of the document", at, name)
			}
			continue
		}
		same(t, at+"."+name, attribute, field)
	}
	for name := range fields {
		if _, ok := object.AttributeTypes[name]; !ok && !slices.Contains(internal, name) {
			t.Errorf("%s.%s is no attribute", at, name)
		}
	}
}

func same(t *testing.T, at string, attribute tftypes.Type, field reflect.Type) {
	t.Helper()
	for field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch typed := attribute.(type) {
	case tftypes.Object:
		agree(t, at, typed, field, nil, nil)
		return
	case tftypes.List:
		if field.Kind() == reflect.Slice {
			same(t, at, typed.ElementType, field.Elem())
			return
		}
	case tftypes.Map:
		if field.Kind() == reflect.Map {
			same(t, at, typed.ElementType, field.Elem())
			return
		}
	default:
		kinds := map[bool][]reflect.Kind{
			attribute.Is(tftypes.String): {reflect.String}, attribute.Is(tftypes.Bool): {reflect.Bool}, attribute.Is(tftypes.Number): {reflect.Int, reflect.Int64, reflect.Float64},
		}[true]
		if field == reflect.TypeFor[time.Time]() && attribute.Is(tftypes.String) {
			return
		}
		if slices.Contains(kinds, field.Kind()) {
			return
		}
	}
	t.Errorf("%s is %s as an attribute and %s in the document", at, attribute, field)
}

// Without a session, as when the provider's configuration is not known yet, resources still plan.
func TestPlansWithoutASession(t *testing.T) {
	t.Parallel()
	s := serve(t)
	if found := s.configure(t.Context(), map[string]any{"region": unknown{}}); len(found) != 0 {
		t.Fatal(found)
	}
	planned, found := s.plan("lakeland_cadence", map[string]any{
		"tracking": "shop", "name": "hourly", "role_arn": role, "artifacts": map[string]any{"location": "s3://acme-artifacts/"}, "connections": []any{"db"},
		"batch_size": 5, "max_concurrent_batches": 1, "enabled": true, "log_retention": "30d",
		"id": unknown{}, "job_name": unknown{}, "trigger_name": unknown{}, "script_location": unknown{}, "engine_version": unknown{}, "deployed": unknown{}, "tags_all": unknown{},
	})
	if len(found) != 0 {
		t.Fatal(found)
	}
	var id string
	if err := planned["id"].As(&id); err != nil || id != "shop/hourly" {
		t.Errorf("id %q, %v", id, err)
	}
	if !planned["trigger_name"].IsNull() || planned["deployed"].IsKnown() || planned["tags_all"].IsKnown() {
		t.Errorf("planned: %v", planned)
	}
}
