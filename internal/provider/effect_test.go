package provider_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
)

var effects = []lifecycle.Effect{
	lifecycle.InPlace, lifecycle.InPlaceAtNextRun, lifecycle.InPlaceWithReload, lifecycle.RefusedUntilReload, lifecycle.InPlaceOrReload,
	lifecycle.InPlaceWithinTracking, lifecycle.Replace, lifecycle.OneValue, lifecycle.Refused,
}

// together are values that change with one another's.
type together config

// Every attribute that can be configured ends with what its change does, and says so once; a plan does just that.
func TestChangesDoWhatTheDescriptionsSay(t *testing.T) {
	t.Parallel()
	for resource, tc := range map[string]struct {
		from config
		// to holds another value of each attribute that has one.
		to config
	}{
		trackingType: {
			config{"name": "shop"},
			config{"name": "other", "deletion_protection": false, "kms_key_arn": key, "tags": config{"a": "b"}},
		},
		connectionType: {
			config{
				"tracking": "shop", "name": "shop-db", "engine": "postgresql", "host": "shop.example.internal", "database": "shop", "secret_arn": secret, "tls": config{},
				"network": config{"subnet_id": "subnet-0123456789abcdef0", "security_group_ids": []any{"sg-0123456789abcdef0"}},
			},
			config{
				"tracking": "other", "name": "other", "host": "other.example.internal", "port": 5433, "database": "other", "secret_arn": secret + "x", "tls.mode": "verify-ca",
				"tls.ca": selfSigned(t), "max_connections": 5, "network.subnet_id": "subnet-1123456789abcdef0", "network.security_group_ids": []any{"sg-1123456789abcdef0"},
				"network.availability_zone": "eu-west-1a", "tags": config{"a": "b"},
			},
		},
		cadenceType: {
			config{
				"tracking": "shop", "name": "ten-minutes", "role_arn": role, "artifacts": config{"location": "s3://acme-artifacts/lakeland/"}, "connections": []any{"shop-db"},
				"runtime": config{},
			},
			config{
				"tracking": "other", "name": "other", "schedule": "rate(1 hour)", "batch_size": 6, "role_arn": role + "x", "artifacts.location": "s3://acme-artifacts/other/",
				"artifacts.kms_key_arn": key, "connections": []any{"other-db"}, "runtime.dpu": 1, "runtime.timeout": "1h", "enabled": false, "tags": config{"a": "b"},
			},
		},
		tableType: {
			config{
				"name": "shop.orders", "cadence": "shop/ten-minutes", "source": config{"database": config{"connection": "shop-db", "schema": "public", "table": "orders"}},
				"target": config{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders"}, "columns": config{"amount": config{"type": "decimal(12,2)"}},
				"extract":     config{"mode": "incremental", "horizon": "lookback", "cursor": "at", "lookback": "5m", "cursor_time_zone": "UTC"},
				"primary_key": []any{"order_id"}, "filter": []any{config{"column": "state", "op": "=", "value": "paid"}}, "reconcile": config{"every": "1d"},
			},
			config{
				"storage_mode": together{"storage_mode": "historical", "ordering": "at"}, "ordering": "at", "write_mode": "merge_on_read", "audit_columns": []any{"_lk_op"}, "deleted_column": "gone",
				"partition_by": []any{"day(at)"}, "adopt": true, "reconcile.every": "2d",
				"name": "shop.other", "cadence": "shop/hourly", "source.database.connection": "other-db", "source.database.schema": "other", "source.database.table": "other",
				"target.location": "s3://acme-lake/raw/other/", "target.database": "other", "target.table": "other", "target.format": together{"target": config{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders", "format": "parquet"}, "storage_mode": "historical", "ordering": "at"}, "primary_key": []any{"id"}, "reload": "again", "enabled": false,
				"columns.type": "decimal(14,2)", "columns.name": "total", "columns.skip": together{"columns": config{"amount": config{"skip": true}}}, "extract.horizon": "transactions", "extract.cursor": "seen_at", "extract.lookback": "6m", "extract.cursor_time_zone": "Europe/Berlin",
				"extract.mode": together{"extract": config{"mode": "full"}}, "filter.column": together{"filter": []any{config{"column": "status", "op": "=", "value": "paid"}}},
				"filter.op": together{"filter": []any{config{"column": "state", "op": "!=", "value": "paid"}}}, "filter.value": together{"filter": []any{config{"column": "state", "op": "=", "value": "new"}}},
			},
		},
	} {
		s := serve(t)
		made := s.planChange(resource, tftypes.NewValue(s.typeOf(resource), nil), tc.from)
		if len(made.problems) > 0 {
			t.Fatal(made.problems)
		}
		tried := 0
		for path, effect := range describedEffects(t, resource, "", s.schemas.ResourceSchemas[resource].Block.Attributes) {
			other, has := tc.to[path]
			if effect == lifecycle.Refused || effect == lifecycle.OneValue || path == "reconcile.how" { // which has one value too
				if has {
					t.Errorf("%s.%s has no other value: %q", resource, path, effect)
				}
				continue
			}
			if !has {
				t.Errorf("no other value of %s.%s is tried", resource, path)
				continue
			}
			tried++
			changed := config{strings.Replace(path, "columns.", "columns.amount.", 1): other}
			if several, ok := other.(together); ok {
				changed = config(several)
			}
			p := s.planChange(resource, made.value, with(tc.from, changed))
			if len(p.problems) > 0 || len(p.changes) == 0 || len(p.replace) > 0 != (effect == lifecycle.Replace) {
				t.Errorf("%s.%s is said to change so: %q; a plan changes %q and replaces for %q: %q", resource, path, effect, p.changes, p.replace, p.problems)
			}
		}
		if tried != len(tc.to) {
			t.Errorf("%s: %d values tried, %d given", resource, tried, len(tc.to))
		}
	}
}

// A cadence of another tracking takes the table out of the one it is in.
func TestAnotherTrackingReplacesTheTable(t *testing.T) {
	t.Parallel()
	s := serve(t)
	from := config{
		"name": "shop.orders", "cadence": "shop/ten-minutes", "source": config{"database": config{"connection": "shop-db", "schema": "public", "table": "orders"}},
		"target": config{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders"},
	}
	made := s.planChange(tableType, tftypes.NewValue(s.typeOf(tableType), nil), from)
	p := s.planChange(tableType, made.value, with(from, config{"cadence": "other/ten-minutes"}))
	if len(p.replace) != 1 || p.replace[0] != "tracking" {
		t.Errorf("replaces for %q: %q", p.replace, p.problems)
	}
}

// describedEffects are the effects of what can be configured and holds a value, by path.
func describedEffects(t *testing.T, resource, above string, attributes []*tfprotov6.SchemaAttribute) map[string]lifecycle.Effect {
	t.Helper()
	out := map[string]lifecycle.Effect{}
	for _, a := range attributes {
		path := above + a.Name
		found := lifecycle.Effect("")
		for _, effect := range effects {
			if n := strings.Count(a.Description, string(effect)); n > 1 || n == 1 && (found != "" || !strings.HasSuffix(a.Description, string(effect))) {
				t.Errorf("%s.%s says more than once, or not last, what its change does: %s", resource, path, a.Description)
			} else if n == 1 {
				found = effect
			}
		}
		switch configurable := a.Required || a.Optional; {
		case !configurable && found != "" && found != lifecycle.Replace:
			t.Errorf("%s.%s is computed: %s", resource, path, a.Description)
		case !configurable:
		case a.NestedType != nil && found != lifecycle.Refused:
			for inner, effect := range describedEffects(t, resource, path+".", a.NestedType.Attributes) {
				out[inner] = effect
			}
		case found == "":
			t.Errorf("%s.%s does not say what its change does: %s", resource, path, a.Description)
		default:
			out[path] = found
		}
		if strings.Contains(a.Description, "not supported yet") != (found == lifecycle.OneValue) && path != "reconcile.how" {
			t.Errorf("%s.%s has parts that are not supported yet or it has not: %s", resource, path, a.Description)
		}
	}
	return out
}

// selfSigned is a certificate (PEM).
func selfSigned(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(nil, of, of, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// A plan says what becomes of the rows in the lake.
func TestPlansWarnOfReloads(t *testing.T) {
	t.Parallel()
	s := serve(t)
	from := config{
		"name": "shop.orders", "cadence": "shop/ten-minutes", "source": config{"database": config{"connection": "shop-db", "schema": "public", "table": "orders"}},
		"target": config{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders"}, "reload": "once",
	}
	made := s.planChange(tableType, tftypes.NewValue(s.typeOf(tableType), nil), from)
	for _, tc := range []struct {
		name    string
		changes config
		warns   string
	}{
		{"nothing", config{}, ""},
		{"another key", config{"primary_key": []any{"id"}}, ""},
		{"a reload", config{"reload": "again"}, "The next run lands the whole table afresh"},
		{"no reload any more", config{"reload": nil}, ""},
		{"another table", config{"source.database.table": "others"}, "the next run fails and leaves the lake's table as it is"},
		{"another table with a reload", config{"source.database.table": "others", "reload": "again"}, "The next run lands the whole table afresh"},
		{"another source table", config{"name": "shop.others", "reload": "again"}, ""},
	} {
		p := s.planChange(tableType, made.value, with(from, tc.changes))
		if len(p.problems) > 0 || len(p.warnings) > 1 || len(p.warnings) == 1 != (tc.warns != "") || tc.warns != "" && !strings.Contains(p.warnings[0], tc.warns) {
			t.Errorf("%s: %q, %q", tc.name, p.warnings, p.problems)
		}
	}
	versions := s.planChange(tableType, tftypes.NewValue(s.typeOf(tableType), nil), with(from, config{"storage_mode": "historical", "ordering": "at", "primary_key": []any{"id"}}))
	if p := s.planChange(tableType, versions.value, from); len(p.warnings) != 1 || !strings.Contains(p.warnings[0], "replaces all versions of the rows") {
		t.Errorf("a table of versions that becomes one of rows: %q, %q", p.warnings, p.problems)
	}
	if p := s.planChange(tableType, tftypes.NewValue(s.typeOf(tableType), nil), with(from, config{"reload": "again"})); len(p.warnings) > 0 {
		t.Errorf("a first plan warns: %q", p.warnings)
	}
}

// A plan says of a table of Hudi what no run can follow, with a reload or without.
func TestPlansWarnOfWhatHudiKeeps(t *testing.T) {
	t.Parallel()
	s := serve(t)
	from := config{
		"name": "shop.orders", "cadence": "shop/ten-minutes", "source": config{"database": config{"connection": "shop-db", "schema": "public", "table": "orders"}},
		"target": config{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders", "format": "hudi"}, "primary_key": []any{"id"}, "ordering": "at",
	}
	made := s.planChange(tableType, tftypes.NewValue(s.typeOf(tableType), nil), from)
	for _, tc := range []struct {
		name    string
		changes config
		warns   bool
	}{
		{"nothing", config{}, false},
		{"no ordering any more", config{"ordering": nil}, false},
		{"another key", config{"primary_key": []any{"id", "line"}}, true},
		{"another key with a reload", config{"primary_key": []any{"line"}, "reload": "again"}, true},
		{"partitions", config{"partition_by": []any{"country"}}, true},
		{"another ordering", config{"ordering": "changed"}, true},
		{"versions", config{"storage_mode": "historical"}, true},
		{"another target", config{"primary_key": []any{"line"}, "target.location": "s3://acme-lake/raw/others/"}, false},
	} {
		p := s.planChange(tableType, made.value, with(from, tc.changes))
		if len(p.problems) > 0 || len(p.warnings) > 1 || len(p.warnings) == 1 != tc.warns || tc.warns && !strings.Contains(p.warnings[0], "whatever reload says") {
			t.Errorf("%s: %q, %q", tc.name, p.warnings, p.problems)
		}
	}
}
