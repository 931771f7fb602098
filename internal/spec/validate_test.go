package spec_test

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Each wrong value is found at its own path, and the message says what to write instead.
func TestValidateTable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(*spec.Table)
		path string
		want string
	}{
		{"no name", func(s *spec.Table) { s.Name = "" }, "name", `such as "shop.orders"`},
		{"two sources", func(s *spec.Table) {
			s.Source.DMS = &spec.DMSSource{Location: "s3://dms/x/", Schema: "a", Table: "b"}
		}, "source", "exactly one of database, dms and files"},
		{"no source", func(s *spec.Table) { s.Source = spec.Source{} }, "source", "names no source"},
		{"no table", func(s *spec.Table) { s.Source.Database.Table = "" }, "source.database.table", "name of a table"},
		{"bad files format", func(s *spec.Table) {
			s.Source = spec.Source{Files: &spec.FilesSource{Location: "s3://abc/x/", Format: "jsn"}}
		}, "source.files.format", `did you mean "json"?`},
		{"misspelt mode", func(s *spec.Table) { s.Extract.Mode = "incremntal" }, "extract.mode", `did you mean "incremental"?`},
		{"horizon with full", func(s *spec.Table) { s.Extract.Horizon = "xmin" }, "extract.horizon", "leave it out"},
		{"cursor without horizon", func(s *spec.Table) { s.Extract = spec.Extract{Mode: "incremental", Cursor: "updated_at"} }, "extract.horizon", "must be named"},
		{"horizon without cursor", func(s *spec.Table) { s.Extract = spec.Extract{Mode: "incremental", Horizon: "transactions"} }, "extract.cursor", "needs the column"},
		{"lookback without width", func(s *spec.Table) { s.Extract = spec.Extract{Mode: "incremental", Horizon: "lookback", Cursor: "id"} }, "extract.lookback", "has no default"},
		{"bad lookback", func(s *spec.Table) {
			s.Extract = spec.Extract{Mode: "incremental", Horizon: "lookback", Cursor: "id", Lookback: "5 minutes"}
		}, "extract.lookback", "neither a duration"},
		{"unknown zone", func(s *spec.Table) {
			s.Extract = spec.Extract{Mode: "incremental", Horizon: "lookback", Cursor: "at", Lookback: "5m", CursorTimeZone: "Mars/Base"}
		}, "extract.cursor_time_zone", "is not a time zone"},
		{"lookback of xmin", func(s *spec.Table) { s.Extract = spec.Extract{Mode: "incremental", Lookback: "5m"} }, "extract.lookback", "it belongs to a cursor"},
		{"zone of xmin", func(s *spec.Table) {
			s.Extract = spec.Extract{Mode: "incremental", Horizon: "xmin", CursorTimeZone: "UTC"}
		}, "extract.cursor_time_zone", "it belongs to a cursor"},
		{"a number of transactions", func(s *spec.Table) {
			s.Extract = spec.Extract{Mode: "incremental", Horizon: "transactions", Cursor: "at", Lookback: "1000"}
		}, "extract.lookback", `write a duration such as "5m"`},
		{"incremental without key", func(s *spec.Table) { s.Extract, s.PrimaryKey = spec.Extract{Mode: "incremental"}, nil }, "primary_key", `mode "incremental" needs`},
		{"location without scheme", func(s *spec.Table) { s.Target.Location = "acme-lake/raw" }, "target.location", "is not an S3 address"},
		{"a whole bucket", func(s *spec.Table) { s.Target.Location = "s3://acme-lake/" }, "target.location", "folder of its own"},
		{"upper-case catalogue table", func(s *spec.Table) { s.Target.Table = "Orders" }, "target.table", "lower-case"},
		{"unknown format", func(s *spec.Table) { s.Target.Format = "delta" }, "target.format", "write one of iceberg, hudi, parquet"},
		{"historical without ordering", func(s *spec.Table) { s.StorageMode = "historical" }, "ordering", "name the ordering column"},
		{"parquet with partitions", func(s *spec.Table) { s.Target.Format, s.PartitionBy = "parquet", []string{"day(at)"} }, "partition_by", "use iceberg"},
		{"parquet merge", func(s *spec.Table) { s.Target.Format, s.Extract.Mode = "parquet", "incremental" }, "target.format", "cannot merge"},
		{"Hudi without a key", func(s *spec.Table) { s.Target.Format, s.PrimaryKey = "hudi", nil }, "primary_key", `format "hudi" needs the columns that identify a row`},
		{"Hudi by days", func(s *spec.Table) { hudi(s).PartitionBy = []string{"country", "day(at)"} }, "partition_by[1]", `not by "day(at)": write a column, such as one that the source computes, or use iceberg`},
		{"Hudi by buckets", func(s *spec.Table) { hudi(s).PartitionBy = []string{"bucket(4, id)"} }, "partition_by[0]", "by the values of columns alone"},
		{"Hudi on read", func(s *spec.Table) { hudi(s).WriteMode = "merge_on_read" }, "write_mode", `is for format "iceberg": leave it out`},
		{"a key of Hudi that is a time", func(s *spec.Table) { hudi(s).Columns = map[string]spec.Column{"id": {Type: "timestamptz"}} }, `columns["id"].type`, `primary_key[0] names the column, and values of type "timestamptz" have no one spelling`},
		{"a key of Hudi that is a fraction", func(s *spec.Table) { hudi(s).Columns = map[string]spec.Column{"id": {Type: "double"}} }, `columns["id"].type`, "choose a column of whole numbers, text, dates or decimals"},
		{"a partition of Hudi that is a time", func(s *spec.Table) {
			hudi(s).PartitionBy, s.Columns = []string{"identity(at)"}, map[string]spec.Column{"at": {Type: "timestamp"}}
		}, `columns["at"].type`, `declare it as "long", which is microseconds since 1970, or choose`},
		{"versions of Hudi by a time", func(s *spec.Table) {
			hudi(s).StorageMode, s.Ordering, s.Columns = "historical", "at", map[string]spec.Column{"at": {Type: "timestamp"}}
		}, `columns["at"].type`, "ordering names the column"},
		{"a key that Avro does not take", func(s *spec.Table) { hudi(s).PrimaryKey = []string{"größe"} }, "primary_key[0]", `"größe" would be "größe" in the lake, a name that Avro does not take, and with it no reader of Hudi: give it another, such as columns = { "größe" = { name = "gr__e" } }`},
		{"a cursor that Avro does not take", func(s *spec.Table) {
			hudi(s).Extract = spec.Extract{Mode: "incremental", Horizon: "lookback", Cursor: "1st", Lookback: "1"}
		}, "extract.cursor", `columns = { "1st" = { name = "st" } }`},
		{"a partition that Avro does not take", func(s *spec.Table) { hudi(s).PartitionBy = []string{"日"} }, "partition_by[0]", "a name that Avro does not take"},
		{"a declared column that Avro does not take", func(s *spec.Table) { hudi(s).Columns = map[string]spec.Column{"2nd": {Type: "string"}} }, `columns["2nd"]`, "a name that Avro does not take"},
		{"a column that is Hudi's", func(s *spec.Table) { hudi(s).Columns = map[string]spec.Column{"t": {Name: "_hoodie_commit_time"}} }, `columns["t"].name`, "that Hudi keeps for itself: give it another"},
		{"an ordering that is Hudi's", func(s *spec.Table) { hudi(s).Ordering = "_Hoodie_Commit_Time" }, "ordering", "that Hudi keeps for itself"},
		{"deletions in a column that is Hudi's", func(s *spec.Table) {
			hudi(s).Extract, s.DeletedColumn = spec.Extract{Mode: "incremental"}, "_hoodie_file_name"
		}, "deleted_column", "that Hudi keeps for itself"},
		{"a decimal of Hudi that grows", func(s *spec.Table) { hudi(s).Columns = map[string]spec.Column{"n": {Type: spec.ObservedDecimal}} }, `columns["n"].type`, `write a decimal that holds all that may come, such as "decimal(38,9)"`},
		{"bad transform", func(s *spec.Table) { s.PartitionBy = []string{"week(at)"} }, "partition_by[0]", "is not a partition"},
		{"zero buckets", func(s *spec.Table) { s.PartitionBy = []string{"a", "bucket(0, id)"} }, "partition_by[1]", "at least 1"},
		{"key twice", func(s *spec.Table) { s.PrimaryKey = []string{"id", "id"} }, "primary_key", `"id" stands twice`},
		{"bad type", func(s *spec.Table) { s.Columns = map[string]spec.Column{"amount": {Type: "decimal(40,2)"}} }, `columns["amount"].type`, "out of range"},
		{"misspelt type", func(s *spec.Table) { s.Columns = map[string]spec.Column{"amount": {Type: "timestmp"}} }, `columns["amount"].type`, `did you mean "timestamp"?`},
		{"a column without anything", func(s *spec.Table) { s.Columns = map[string]spec.Column{"amount": {}} }, `columns["amount"]`, "says nothing"},
		{"bad column name", func(s *spec.Table) { s.Columns = map[string]spec.Column{"amount": {Name: "Total Amount"}} }, `columns["amount"].name`, `such as "total_amount"`},
		{"one name for two columns", func(s *spec.Table) { s.Columns = map[string]spec.Column{"a": {Name: "x"}, "b": {Name: "x"}} }, `columns["b"].name`, `is the name of the column "a" already`},
		{"a key that is skipped", func(s *spec.Table) { s.Columns = map[string]spec.Column{"id": {Skip: true}} }, `columns["id"].skip`, "primary_key[0] names the column, which has to be read for that: leave out skip, or name another column there"},
		{"a cursor that is skipped", func(s *spec.Table) {
			s.Extract = spec.Extract{Mode: "incremental", Horizon: "transactions", Cursor: "at"}
			s.Columns = map[string]spec.Column{"at": {Skip: true}}
		}, `columns["at"].skip`, "extract.cursor names the column"},
		{"an ordering that is skipped", func(s *spec.Table) { s.Ordering, s.Columns = "n", map[string]spec.Column{"n": {Skip: true}} }, `columns["n"].skip`, "ordering names the column"},
		{"a partition that is skipped", func(s *spec.Table) {
			s.PartitionBy, s.Columns = []string{"country", "bucket(16, n)"}, map[string]spec.Column{"n": {Skip: true}}
		}, `columns["n"].skip`, "partition_by[1] names the column"},
		{"a filter that is skipped", func(s *spec.Table) {
			s.Filter, s.Columns = []spec.Predicate{{Column: "n", Op: "is_null"}}, map[string]spec.Column{"n": {Skip: true}}
		}, `columns["n"].skip`, "filter[0].column names the column"},
		{"skipped under a name", func(s *spec.Table) { s.Columns = map[string]spec.Column{"n": {Skip: true, Name: "m"}} }, `columns["n"]`, "neither a name nor a type"},
		{"skipped with a type", func(s *spec.Table) { s.Columns = map[string]spec.Column{"n": {Skip: true, Type: "int"}} }, `columns["n"]`, "neither a name nor a type"},
		{"unknown op", func(s *spec.Table) { s.Filter = []spec.Predicate{{Column: "a", Op: "like", Value: "x"}} }, "filter[0].op", "write one of"},
		{"value of is_null", func(s *spec.Table) { s.Filter = []spec.Predicate{{Column: "a", Op: "is_null", Value: "x"}} }, "filter[0].value", "takes no value"},
		{"empty list", func(s *spec.Table) { s.Filter = []spec.Predicate{{Column: "a", Op: "in"}} }, "filter[0].value", "a value of the list is empty"},
		{"NUL in a value", func(s *spec.Table) { s.Filter = []spec.Predicate{{Column: "a", Op: "=", Value: "x\x00"}} }, "filter[0].value", "NUL"},
		{"reconcile too often", func(s *spec.Table) { s.Reconcile = &spec.Reconcile{Every: "1m", How: "count"} }, "reconcile.every", "out of range"},
		{"freshness", func(s *spec.Table) { s.Freshness = &spec.Freshness{MaxAge: "soon"} }, "freshness.max_age", "is not a duration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			table := validTable()
			database := *table.Source.Database
			table.Source.Database = &database
			tc.edit(&table)
			expectProblem(t, table.Validate(), tc.path, tc.want)
		})
	}
}

func hudi(s *spec.Table) *spec.Table {
	s.Target.Format, s.PrimaryKey = "hudi", []string{"id"}
	return s
}

// What a table of Hudi may be, each thing beside one that it may not be.
func TestTablesOfHudi(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*spec.Table){
		"all rows": func(*spec.Table) {},
		"changes in partitions, newest first": func(s *spec.Table) {
			s.Extract, s.PartitionBy, s.Ordering = spec.Extract{Mode: "incremental", Horizon: "transactions", Cursor: "at"}, []string{"country", "identity(Day)"}, "at"
			s.Columns = map[string]spec.Column{"at": {Type: "timestamptz"}, "größe": {Name: "groesse"}, "1st": {Skip: true}, "amount": {Type: "decimal(12,2)"}}
		},
		"versions by microseconds": func(s *spec.Table) {
			s.StorageMode, s.Ordering, s.Columns = "historical", "at", map[string]spec.Column{"at": {Type: "long"}}
		},
	} {
		table := validTable()
		edit(hudi(&table))
		if ps := table.Validate(); len(ps) != 0 {
			t.Errorf("%s: %v", name, ps)
		}
		if ps := table.Unsupported(); len(ps) != 0 {
			t.Errorf("%s: %v", name, ps)
		}
	}
}

func TestValidateCadence(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(*spec.Cadence)
		path string
		want string
	}{
		{"name", func(c *spec.Cadence) { c.Name = "Ten Minutes!" }, "name", `such as "ten-minutes"`},
		{"schedule", func(c *spec.Cadence) { c.Schedule = "hourly" }, "schedule", "is not a schedule"},
		{"role", func(c *spec.Cadence) { c.RoleARN = "engine" }, "role_arn", "arn:aws:iam:"},
		{"role of another partition", func(c *spec.Cadence) { c.RoleARN = "arn:aws-cn:iam::123456789012:user/x" }, "role_arn", "is not the ARN"},
		{"artifacts", func(c *spec.Cadence) { c.Artifacts.Location = "bucket" }, "artifacts.location", "is not an S3 address"},
		{"no connections", func(c *spec.Cadence) { c.Connections = nil }, "connections", "is empty"},
		{"dpu", func(c *spec.Cadence) { c.Runtime.DPU = 0.5 }, "runtime.dpu", "write 0.0625 or 1"},
		{"dpu of spark", func(c *spec.Cadence) { c.Runtime.Kind = "spark" }, "runtime.dpu", "worker_type and workers"},
		{"workers of a shell", func(c *spec.Cadence) { c.Runtime.Workers = 4 }, "runtime.workers", `kind = "spark"`},
		{"timeout", func(c *spec.Cadence) { c.Runtime.Timeout = "90s" }, "runtime.timeout", "out of range"},
		{"half minutes", func(c *spec.Cadence) { c.Runtime.Timeout = "330s" }, "runtime.timeout", "whole number of minutes"},
		{"event", func(c *spec.Cadence) {
			c.Notify = &spec.Notify{TopicARN: "arn:aws:sns:eu-west-1:123456789012:ops", On: []string{"fail"}}
		}, "notify.on[0]", `did you mean "failed"?`},
		{"retention", func(c *spec.Cadence) { c.LogRetention = "30" }, "log_retention", "is not a duration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cadence := validCadence()
			tc.edit(&cadence)
			expectProblem(t, cadence.Validate(), tc.path, tc.want)
		})
	}
}

func TestValidateConnection(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		edit func(*spec.Connection)
		path string
		want string
	}{
		{"engine", func(c *spec.Connection) { c.Engine = "postgres" }, "engine", `did you mean "postgresql"?`},
		{"host with a scheme", func(c *spec.Connection) { c.Host = "postgresql://shop" }, "host", "without scheme"},
		{"host with a port", func(c *spec.Connection) { c.Host = "shop:5432" }, "host", "without scheme, port or path"},
		{"port", func(c *spec.Connection) { c.Port = 70000 }, "port", "1 to 65535"},
		{"secret itself", func(c *spec.Connection) { c.SecretARN = "hunter2" }, "secret_arn", "arn:aws:secretsmanager:"},
		{"no tls", func(c *spec.Connection) { c.TLS.Mode = "disable" }, "tls.mode", "a connection without TLS is not offered"},
		{"ca", func(c *spec.Connection) { c.TLS.CA = "ca.pem" }, "tls.ca", `write file("ca.pem")`},
		{"a private key as ca", func(c *spec.Connection) { c.TLS.CA = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }, "tls.ca", "never put a private key here"},
		{"connections", func(c *spec.Connection) { c.MaxConnections = -1 }, "max_connections", "1 to 100"},
		{"subnet", func(c *spec.Connection) {
			c.Network = &spec.Network{SubnetID: "a", SecurityGroupIDs: []string{"sg-0123456789abcdef0"}}
		}, "network.subnet_id", "subnet-0123456789abcdef0"},
		{"groups", func(c *spec.Connection) {
			c.Network = &spec.Network{SubnetID: "subnet-0123456789abcdef0", SecurityGroupIDs: []string{"x"}}
		}, "network.security_group_ids[0]", "sg-"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			connection := validConnection()
			tc.edit(&connection)
			expectProblem(t, connection.Validate(), tc.path, tc.want)
		})
	}
}

func TestValidateTracking(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   spec.Tracking
		path string
		want string
	}{
		{spec.Tracking{Name: "shop-prod"}, "name", `such as "shop_prod"`},
		{spec.Tracking{Name: "shop", ReplicaRegions: []string{"frankfurt"}}, "replica_regions[0]", "is not a Region"},
		{spec.Tracking{Name: "shop", KMSKeyARN: "alias/x"}, "kms_key_arn", "arn:aws:kms:"},
	} {
		expectProblem(t, tc.in.Validate(), tc.path, tc.want)
	}
}

// What is not effective yet says so at its own path and names what to use instead.
func TestUnsupportedNamesAWayOut(t *testing.T) {
	t.Parallel()
	table := validTable()
	table.Extract = spec.Extract{Mode: "incremental"}
	table.Reconcile, table.Freshness = &spec.Reconcile{Every: "1d", How: "keys"}, &spec.Freshness{MaxAge: "1h"}
	for _, path := range []string{"reconcile.how", "freshness"} {
		expectProblem(t, table.Unsupported(), path, "not supported yet")
	}
	for _, p := range table.Unsupported() {
		if !strings.Contains(p.Message, ": use ") && !strings.Contains(p.Message, "leave it out") {
			t.Errorf("%s names no way out", p)
		}
	}
}

func expectProblem(t *testing.T, ps spec.Problems, path, want string) {
	t.Helper()
	for _, p := range ps {
		if p.Path.String() == path && strings.Contains(p.Message, want) {
			return
		}
	}
	t.Errorf("no problem at %s with %q among %v", path, want, ps)
}
