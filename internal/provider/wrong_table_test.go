package provider_test

import (
	"strings"
	"testing"
)

func TestWrongSourceTables(t *testing.T) {
	t.Parallel()
	saysWrong(t, "lakeland_source_table", []wrong{
		{"no name", func(c block) { c["name"] = "" }, "name",
			`"" is not a name for a source table: write 1 to 255 letters, digits and . _ - $ /, such as "shop.orders"`},
		{"a space in the name", func(c block) { c["name"] = "shop orders" }, "name",
			`"shop orders" is not a name for a source table: write 1 to 255 letters, digits and . _ - $ /, such as "shop.orders"`},
		{"cadence by name", func(c block) { c["cadence"] = "ten-minutes" }, "cadence",
			`"ten-minutes" is not the id of a cadence: write "<tracking>/<cadence>", or take it from lakeland_cadence.<name>.id`},
		{"no source", func(c block) { c["source"] = block{} }, "source",
			`it names no source: write exactly one of database, dms and files, spelt so: Terraform drops other names inside an object`},
		{"two sources", func(c block) {
			c.in("source")["files"] = block{"location": "s3://acme-events/x/", "format": "json"}
		}, "source", `it names 2 sources: write exactly one of database, dms and files`},
		{"connection by id", func(c block) { c.in("source", "database")["connection"] = "shop/shop-db" }, "source.database.connection",
			`"shop/shop-db" is not a name: write 1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end, such as "shop-shop-db"`},
		{"no schema", func(c block) { c.in("source", "database")["schema"] = "" }, "source.database.schema", `"" is not the name of a schema: write 1 to 128 characters`},
		{"table too long", func(c block) { c.in("source", "database")["table"] = strings.Repeat("t", 129) }, "source.database.table",
			`"` + strings.Repeat("t", 129) + `" is not the name of a table: write 1 to 128 characters`},
		{"misspelt mode", func(c block) { c["extract"] = block{"mode": "incremantal"} }, "extract.mode", `"incremantal" is not known; did you mean "incremental"?`},
		{"cursor of a full read", func(c block) { c["extract"] = block{"mode": "full", "cursor": "updated_at"} }, "extract.cursor",
			`it belongs to mode = "incremental": leave it out, or change the mode`},
		{"location without scheme", func(c block) { c.in("target")["location"] = "acme-lake/raw/orders/" }, "target.location",
			`"acme-lake/raw/orders/" is not an S3 address: write "s3://bucket/prefix/"`},
		{"Hadoop's scheme", func(c block) { c.in("target")["location"] = "s3a://acme-lake/raw/orders/" }, "target.location",
			`"s3a://acme-lake/raw/orders/" is not an S3 address: write "s3://bucket/prefix/"`},
		{"a whole bucket", func(c block) { c.in("target")["location"] = "s3://acme-lake" }, "target.location",
			`"s3://acme-lake/" is a whole bucket: write a folder of its own for the table`},
		{"an empty part", func(c block) { c.in("target")["location"] = "s3://acme-lake/raw//orders/" }, "target.location",
			`part 2 of the prefix of "s3://acme-lake/raw//orders/" is "", which readers resolve differently: leave it out`},
		{"a part that leads up", func(c block) { c.in("target")["location"] = "s3://acme-lake/raw/../orders/" }, "target.location",
			`part 2 of the prefix of "s3://acme-lake/raw/../orders/" is "..", which readers resolve differently: leave it out`},
		{"a character of patterns", func(c block) { c.in("target")["location"] = "s3://acme-lake/raw/orders*/" }, "target.location",
			`the prefix of "s3://acme-lake/raw/orders*/" holds a character that Hadoop's readers refuse: use letters, digits, hyphens, underscores, dots and equals signs`},
		{"catalogue table in capitals", func(c block) { c.in("target")["table"] = "Orders" }, "target.table",
			`"Orders" is not a name Athena reads unquoted: write lower-case letters, digits and underscores, such as "orders"`},
		{"catalogue database with a hyphen", func(c block) { c.in("target")["database"] = "raw-zone" }, "target.database",
			`"raw-zone" is not a name Athena reads unquoted: write lower-case letters, digits and underscores, such as "raw_zone"`},
		{"misspelt format", func(c block) { c.in("target")["format"] = "icebreg" }, "target.format", `"icebreg" is not known; did you mean "iceberg"?`},
		{"unknown format", func(c block) { c.in("target")["format"] = "delta" }, "target.format", `"delta" is not known: write one of iceberg, hudi, parquet`},
		{"storage mode", func(c block) { c["storage_mode"] = "snapshot" }, "storage_mode", `"snapshot" is not known: write one of current_snapshot, historical`},
		{"an empty key column", func(c block) { c["primary_key"] = []any{"id", ""} }, "primary_key[1]", `"" is not the name of a column: write 1 to 128 characters`},
		{"a key column twice", func(c block) { c["primary_key"] = []any{"id", "line", "id"} }, "primary_key", `"id" stands twice`},
		{"a partition of no transform", func(c block) { c["partition_by"] = []any{"week(created_at)"} }, "partition_by[0]",
			`"week(created_at)" is not a partition: write a column, or year(c), month(c), day(c), hour(c), bucket(16, c) or truncate(10, c)`},
		{"Hudi without a key", func(c block) { delete(c.hudi(), "primary_key") }, "primary_key", `it is empty: format "hudi" needs the columns that identify a row`},
		{"partitions of Hudi by what is made of columns", func(c block) { c.hudi()["partition_by"] = []any{"country", "day(created_at)"} }, "partition_by[1]",
			`format "hudi" has partitions by the values of columns alone, not by "day(created_at)": write a column, such as one that the source computes, or use iceberg`},
		{"changes of Hudi on read", func(c block) { c.hudi()["extract"], c["write_mode"] = block{"mode": "incremental"}, "merge_on_read" }, "write_mode",
			`"merge_on_read" is for format "iceberg": leave it out`},
		{"a key of Hudi that is a time", func(c block) { c.hudi()["columns"] = map[string]any{"id": map[string]any{"type": "timestamptz"}} }, `columns["id"].type`,
			`primary_key[0] names the column, and values of type "timestamptz" have no one spelling in the record keys and partitions of format "hudi", so that one row may become two: declare it as "long", which is microseconds since 1970, or choose a column of whole numbers, text, dates or decimals`},
		{"versions of Hudi by a time", func(c block) {
			c.hudi()["columns"] = map[string]any{"at": map[string]any{"type": "timestamp"}}
			c["storage_mode"], c["ordering"] = "historical", "at"
		}, `columns["at"].type`,
			`ordering names the column, and values of type "timestamp" have no one spelling in the record keys and partitions of format "hudi", so that one row may become two: declare it as "long", which is microseconds since 1970, or choose a column of whole numbers, text, dates or decimals`},
		{"versions of Hudi without an ordering", func(c block) { c.hudi()["storage_mode"] = "historical" }, "ordering", `storage_mode "historical" keeps a row per key and ordering: name the ordering column`},
		{"a partition of Hudi by floating numbers", func(c block) {
			c.hudi()["columns"] = map[string]any{"rate": map[string]any{"type": "double"}}
			c["partition_by"] = []any{"rate"}
		}, `columns["rate"].type`,
			`partition_by[0] names the column, and values of type "double" have no one spelling in the record keys and partitions of format "hudi", so that one row may become two: choose a column of whole numbers, text, dates or decimals`},
		{"a name that Avro does not take", func(c block) { c.hudi()["primary_key"] = []any{"größe"} }, "primary_key[0]",
			`"größe" would be "größe" in the lake, a name that Avro does not take, and with it no reader of Hudi: give it another, such as columns = { "größe" = { name = "gr__e" } }`},
		{"a name of Hudi's own", func(c block) {
			c.hudi()["columns"] = map[string]any{"key": map[string]any{"name": "_hoodie_record_key"}}
		}, `columns["key"].name`,
			`"_hoodie_record_key" is the name of a column that Hudi keeps for itself: give it another, such as columns = { "key" = { name = "source_hoodie_record_key" } }`},
		{"deleted rows of Hudi in a column of its own", func(c block) {
			c.hudi()["extract"], c["deleted_column"] = block{"mode": "incremental"}, "_hoodie_record_key"
		}, "deleted_column", `"_hoodie_record_key" is the name of a column that Hudi keeps for itself: write another, such as "is_deleted"`},
		{"a decimal of Hudi that grows", func(c block) {
			c.hudi()["columns"] = map[string]any{"amount": map[string]any{"type": "decimal(observed)"}}
		}, `columns["amount"].type`,
			`"decimal(observed)" grows with the column's values, and a column of format "hudi" keeps its type: write a decimal that holds all that may come, such as "decimal(38,9)"`},
		{"how changes are written", func(c block) { c["write_mode"] = "merge-on-read" }, "write_mode", `"merge-on-read" is not known; did you mean "merge_on_read"?`},
		{"changes of full reads", func(c block) { c["write_mode"] = "merge_on_read" }, "write_mode",
			`mode "full" replaces the whole table and merges nothing: leave it out, or use mode "incremental"`},
		{"an audit column by another name", func(c block) { c["audit_columns"] = []any{"_lk_op", "_lk_run"} }, "audit_columns[1]", `"_lk_run" is not known: write one of _lk_run_id, _lk_ingested_at, _lk_op, _lk_seq, _lk_source`},
		{"an audit column twice", func(c block) { c["audit_columns"] = []any{"_lk_op", "_lk_op"} }, "audit_columns", `"_lk_op" stands twice`},
		{"deleted rows of full reads", func(c block) { c["deleted_column"] = "gone" }, "deleted_column",
			`mode "full" replaces the whole table, deleted rows included: leave it out, or use mode "incremental"`},
		{"deleted rows in an audit column", func(c block) {
			c["deleted_column"], c["extract"] = "_lk_op", block{"mode": "incremental"}
			c["primary_key"] = []any{"id"}
		}, "deleted_column", `"_lk_op" is not a name for a column of its own: write lower-case letters, digits and underscores, such as "is_deleted"`},
		{"a decimal of too many digits", func(c block) {
			c["columns"] = map[string]any{"amount": map[string]any{"type": "decimal(40,2)"}}
		}, `columns["amount"].type`, `"decimal(40,2)" is out of range: precision is 1 to 38, scale at most the precision`},
		{"a type that is misspelt within", func(c block) {
			c["columns"] = map[string]any{"amount": map[string]any{"type": "decimal(observd)"}}
		}, `columns["amount"].type`, `"decimal(observd)" is not known; did you mean "decimal(observed)"?`},
		{"a misspelt type", func(c block) {
			c["columns"] = map[string]any{"amount": map[string]any{"type": "strng"}}
		}, `columns["amount"].type`, `"strng" is not known; did you mean "string"?`},
		{"a column's name in capitals", func(c block) {
			c["columns"] = map[string]any{"amount": map[string]any{"name": "Amount"}}
		}, `columns["amount"].name`, `"Amount" is not a name Athena reads unquoted: write lower-case letters, digits and underscores, such as "amount"`},
		{"a column that says nothing", func(c block) {
			c["columns"] = map[string]any{"amount": map[string]any{"skip": false}}
		}, `columns["amount"]`, `it says nothing: write a type, a name or both, or skip = true, or leave the column out`},
		{"a key that is skipped", func(c block) {
			c["columns"] = map[string]any{"id": map[string]any{"skip": true}}
			c["primary_key"] = []any{"id"}
		}, `columns["id"].skip`, `primary_key[0] names the column, which has to be read for that: leave out skip, or name another column there`},
		{"a filter by what is skipped", func(c block) {
			c["columns"] = map[string]any{"state": map[string]any{"skip": true}}
			c["filter"] = []any{map[string]any{"column": "state", "op": "=", "value": "paid"}}
		}, `columns["state"].skip`, `filter[0].column names the column, which has to be read for that: leave out skip, or name another column there`},
		{"a skipped column's type", func(c block) {
			c["columns"] = map[string]any{"note": map[string]any{"skip": true, "type": "string"}}
		}, `columns["note"]`, `it is skipped, so that it has neither a name nor a type in the lake: leave out skip, or name and type`},
		{"the op of a filter", func(c block) {
			c["filter"] = []any{map[string]any{"column": "deleted", "op": "==", "value": "false"}}
		}, "filter[0].op", `"==" is not known; did you mean "="?`},
		{"the list of a filter", func(c block) {
			c["filter"] = []any{map[string]any{"column": "state", "op": "in", "value": "paid,,new"}}
		}, "filter[0].value", `a value of the list is empty: write values with commas between them, such as "paid, shipped"; the empty text is ""`},
		{"reconciliation all the time", func(c block) { c["reconcile"] = block{"every": "10m"} }, "reconcile.every",
			`"10m" is out of range: write "1h" to "366d"`},
		{"reload", func(c block) { c["reload"] = strings.Repeat("again ", 50) }, "reload",
			`it is longer than 256 bytes or holds control characters: any short text does, such as a date`},
	})
}

// hudi makes the table one of Hudi.
func (c block) hudi() block {
	c.in("target")["format"], c["primary_key"] = "hudi", []any{"id"}
	return c
}
