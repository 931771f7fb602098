package spec_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func validTable() spec.Table {
	return spec.Table{
		V: 1, Name: "shop.orders", Cadence: "ten-minutes",
		Source:      spec.Source{Database: &spec.DatabaseSource{Connection: "shop-db", Schema: "public", Table: "orders"}},
		Extract:     spec.Extract{Mode: "full"},
		Target:      spec.Target{Location: "s3://acme-lake/raw/orders/", Database: "raw", Table: "orders", Format: "iceberg"},
		StorageMode: "current_snapshot", PrimaryKey: []string{"id"}, Enabled: true,
	}
}

func validCadence() spec.Cadence {
	return spec.Cadence{
		V: 1, Name: "ten-minutes", Schedule: "cron(0/10 * * * ? *)", BatchSize: 5, MaxConcurrentBatches: 1,
		RoleARN: "arn:aws:iam::123456789012:role/engine", Artifacts: spec.Artifacts{Location: "s3://acme-artifacts/lakeland/"},
		Connections: []string{"shop-db"}, Runtime: spec.Runtime{Kind: "pythonshell", DPU: 0.0625, Timeout: "8h"}, Enabled: true, LogRetention: "30d",
	}
}

func validConnection() spec.Connection {
	return spec.Connection{
		V: 1, Name: "shop-db", Engine: "postgresql", Host: "shop.example.internal", Port: 5432, Database: "shop",
		SecretARN: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-db-AbCdEf",
		TLS:       spec.TLS{Mode: "verify-full"}, MaxConnections: 4,
	}
}

func TestFixturesAreValid(t *testing.T) {
	t.Parallel()
	table, cadence, connection := validTable(), validCadence(), validConnection()
	for _, ps := range []spec.Problems{table.Validate(), cadence.Validate(), connection.Validate(), table.Unsupported(), cadence.Unsupported(), connection.Unsupported()} {
		for _, p := range ps {
			t.Error(p)
		}
	}
}

var (
	thing      = rapid.StringMatching(`[a-z]([a-z0-9-]{0,20}[a-z0-9])?`)
	identifier = rapid.OneOf(rapid.StringMatching(`[a-zA-Z_][a-zA-Z0-9_]{0,20}`), rapid.SampledFrom([]string{`we"ird`, "größe", "a b", "1; drop table x", "日本"}))
	avro       = rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9_ "]{0,20}`) // what is left of it in the lake is a name to Avro
	catalogue  = rapid.StringMatching(`[a-z_][a-z0-9_]{0,20}`)
	location   = rapid.StringMatching(`s3://[a-z0-9][a-z0-9-]{1,20}[a-z0-9]/([a-z0-9_=-]{1,9}/){1,3}`)
	span       = rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("%dh", rapid.IntRange(1, 48).Draw(t, "hours")) })

	connections = rapid.Custom(func(t *rapid.T) spec.Connection {
		c := validConnection()
		c.Name = thing.Draw(t, "name")
		c.Engine = rapid.SampledFrom([]string{"postgresql", "mysql", "mariadb", "oracle", "sqlserver"}).Draw(t, "engine")
		c.Port = rapid.IntRange(1, 65535).Draw(t, "port")
		c.Database = identifier.Draw(t, "database")
		c.TLS.Mode = rapid.SampledFrom(spec.TLSModes).Draw(t, "tls")
		c.MaxConnections = rapid.IntRange(1, 100).Draw(t, "connections")
		if rapid.Bool().Draw(t, "network") {
			c.Network = &spec.Network{SubnetID: "subnet-0123456789abcdef0", SecurityGroupIDs: []string{"sg-0123456789abcdef0", "sg-1123456789abcdef0"}}
		}
		return c
	})

	cadences = rapid.Custom(func(t *rapid.T) spec.Cadence {
		c := validCadence()
		c.Name = thing.Draw(t, "name")
		c.Schedule = rapid.SampledFrom([]string{"", "cron(0/5 * * * ? *)", "cron(15 2 ? * MON *)"}).Draw(t, "schedule")
		c.BatchSize = rapid.IntRange(1, 1000).Draw(t, "batch")
		c.MaxConcurrentBatches = rapid.IntRange(1, 400).Draw(t, "batches")
		c.Connections = rapid.SliceOfNDistinct(thing, 1, 4, rapid.ID).Draw(t, "connections")
		if rapid.Bool().Draw(t, "spark") {
			c.Runtime = spec.Runtime{Kind: "spark", WorkerType: "G.1X", Workers: rapid.IntRange(2, 50).Draw(t, "workers"), GlueVersion: "5.1", Timeout: span.Draw(t, "timeout")}
		}
		if rapid.Bool().Draw(t, "notify") {
			c.Notify = &spec.Notify{TopicARN: "arn:aws:sns:eu-west-1:123456789012:ops", On: rapid.SliceOfNDistinct(rapid.SampledFrom(spec.NotifyEvents), 1, 3, rapid.ID).Draw(t, "on")}
		}
		c.Enabled = rapid.Bool().Draw(t, "enabled")
		return c
	})

	tables = rapid.Custom(func(t *rapid.T) spec.Table {
		s := validTable()
		s.Name = rapid.StringMatching(`[A-Za-z0-9_][A-Za-z0-9_.$/-]{0,30}`).Draw(t, "name")
		s.Cadence = thing.Draw(t, "cadence")
		switch rapid.IntRange(0, 2).Draw(t, "source") {
		case 0:
			s.Source.Database = &spec.DatabaseSource{Connection: thing.Draw(t, "connection"), Schema: identifier.Draw(t, "schema"), Table: identifier.Draw(t, "table")}
			if rapid.Bool().Draw(t, "incremental") {
				s.Extract = rapid.SampledFrom([]spec.Extract{
					{Mode: "incremental"}, {Mode: "incremental", Horizon: "xmin"},
					{Mode: "incremental", Horizon: "transactions", Cursor: "updated_at", Lookback: "5m", CursorTimeZone: "Europe/Berlin"},
					{Mode: "incremental", Horizon: "lookback", Cursor: "id", Lookback: "1000"},
				}).Draw(t, "extract")
			}
		case 1:
			s.Source = spec.Source{DMS: &spec.DMSSource{Location: location.Draw(t, "dms"), Schema: identifier.Draw(t, "schema"), Table: identifier.Draw(t, "table")}}
		case 2:
			s.Source = spec.Source{Files: &spec.FilesSource{Location: location.Draw(t, "files"), Format: rapid.SampledFrom(spec.FileFormats).Draw(t, "files format")}}
		}
		s.Target = spec.Target{Location: location.Draw(t, "location"), Database: catalogue.Draw(t, "database"), Table: catalogue.Draw(t, "table"), Format: rapid.SampledFrom([]string{"iceberg", "hudi"}).Draw(t, "format")}
		identifier, types, partitions := identifier, []string{"decimal(12,2)", "decimal(observed)", "string", "timestamptz"}, []string{"day(created_at)", "bucket(16, id)", "truncate(10, note)", "country"}
		if s.Target.Format == "hudi" {
			identifier, types, partitions = avro, []string{"decimal(12,2)", "string", "long"}, []string{"country", "identity(day)"}
		}
		s.PrimaryKey = rapid.SliceOfNDistinct(identifier, 1, 3, rapid.ID).Draw(t, "key")
		s.StorageMode = rapid.SampledFrom(spec.StorageModes).Draw(t, "storage mode")
		if s.StorageMode == "historical" || rapid.Bool().Draw(t, "ordered") {
			s.Ordering = identifier.Draw(t, "ordering")
		}
		s.AuditColumns = rapid.SliceOfNDistinct(rapid.SampledFrom(spec.AuditColumns), 0, 5, rapid.ID).Draw(t, "audit")
		if s.Extract.Mode == "incremental" && s.Target.Format == "iceberg" {
			s.WriteMode = rapid.SampledFrom(append([]string{""}, spec.WriteModes...)).Draw(t, "write mode")
		}
		if s.Extract.Mode == "incremental" && s.StorageMode == "current_snapshot" {
			s.DeletedColumn = rapid.SampledFrom([]string{"", "is_deleted"}).Draw(t, "deleted")
		}
		s.PartitionBy = rapid.SliceOfNDistinct(rapid.SampledFrom(partitions), 0, len(partitions), rapid.ID).Draw(t, "partitions")
		s.Columns = rapid.MapOfN(identifier, rapid.Custom(func(t *rapid.T) spec.Column {
			return spec.Column{Type: rapid.SampledFrom(types).Draw(t, "type")}
		}), 0, 3).Draw(t, "columns")
		for i, name := range slices.Sorted(maps.Keys(s.Columns)) {
			if rapid.Bool().Draw(t, "named") {
				s.Columns[name] = spec.Column{Type: s.Columns[name].Type, Name: fmt.Sprintf("c%d", i)}
			}
		}
		for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`skipped[ "]?[a-z]{3}`), 0, 3, rapid.ID).Draw(t, "skipped") {
			if s.Columns == nil {
				s.Columns = map[string]spec.Column{}
			}
			s.Columns[name] = spec.Column{Skip: true}
		}
		s.Filter = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) spec.Predicate {
			return spec.Predicate{Column: identifier.Draw(t, "column"), Op: rapid.SampledFrom([]string{"=", ">=", "in"}).Draw(t, "op"), Value: rapid.StringMatching(`[^\x00," ]+`).Draw(t, "value")}
		}), 0, 2).Draw(t, "filter")
		if rapid.Bool().Draw(t, "reconcile") {
			s.Reconcile = &spec.Reconcile{Every: span.Draw(t, "every"), How: rapid.SampledFrom(spec.ReconcileHows).Draw(t, "how")}
		}
		if rapid.Bool().Draw(t, "fresh") {
			s.Freshness = &spec.Freshness{MaxAge: span.Draw(t, "age")}
		}
		s.Reload = rapid.SampledFrom([]string{"", "2026-11-21", "because"}).Draw(t, "reload")
		s.Adopt, s.Enabled = rapid.Bool().Draw(t, "adopt"), rapid.Bool().Draw(t, "enabled")
		return s
	})
)
