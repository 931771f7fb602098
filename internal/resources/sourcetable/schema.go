package sourcetable

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func required(text string) schema.StringAttribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: text}
}

func optional(text string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: text}
}

// effects are what changes do. The tracking is computed from the cadence.
var effects = lifecycle.Effects{
	"name":                     lifecycle.Replace,
	"cadence":                  lifecycle.InPlaceWithinTracking,
	"source.database":          lifecycle.RefusedUntilReload,
	"source.dms":               lifecycle.Refused,
	"source.files":             lifecycle.Refused,
	"extract.mode":             lifecycle.InPlaceOrReload,
	"extract.horizon":          lifecycle.InPlaceOrReload,
	"extract.cursor":           lifecycle.InPlaceOrReload,
	"extract.lookback":         lifecycle.InPlaceAtNextRun,
	"extract.cursor_time_zone": lifecycle.InPlaceOrReload,
	"target.location":          lifecycle.Replace,
	"target.database":          lifecycle.Replace,
	"target.table":             lifecycle.Replace,
	"target.format":            lifecycle.Replace,
	"storage_mode":             lifecycle.InPlaceOrReload,
	"write_mode":               lifecycle.InPlaceAtNextRun,
	"audit_columns":            lifecycle.InPlaceAtNextRun,
	"deleted_column":           lifecycle.InPlaceAtNextRun,
	"primary_key":              lifecycle.InPlaceOrReload,
	"partition_by":             lifecycle.InPlaceOrReload,
	"columns":                  lifecycle.InPlaceOrReload,
	"filter":                   lifecycle.InPlaceOrReload,
	"ordering":                 lifecycle.InPlaceOrReload,
	"reconcile":                lifecycle.InPlaceAtNextRun,
	"reload":                   lifecycle.InPlaceWithReload,
	"adopt":                    lifecycle.InPlaceAtNextRun,
	"enabled":                  lifecycle.InPlaceAtNextRun,
	"freshness":                lifecycle.Refused,
	"tracking":                 lifecycle.Replace,
}

// Schema implements resource.Resource.
func (*Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version: 1,
		MarkdownDescription: "One table of a source: where it comes from, what each run reads, and where it lands. " +
			"It is configuration only: the cadence's next run picks it up. Destroying it leaves state, history, catalogue entry and data; creating it again on the same target goes on where it stopped.",
		Attributes: effects.Describe(map[string]schema.Attribute{
			"name":    required("Name of the source table, unique in its tracking and stable: 1 to 255 letters, digits and `. _ - $ /`, such as `shop.orders`."),
			"cadence": required("Id of the cadence that runs the table, `<tracking>/<cadence>`. Moving a table to another cadence of the same tracking loses nothing."),
			"source": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "Where the table comes from: exactly one of `database`, `dms` and `files`; this release has `database`.",
				Attributes: map[string]schema.Attribute{
					"database": schema.SingleNestedAttribute{
						Optional: true, MarkdownDescription: "A table or view, read straight from a database. Names are exact, case included.",
						Attributes: map[string]schema.Attribute{
							"connection": required("Name of the connection, in the same tracking."),
							"schema":     required("Schema of the table."),
							"table":      required("Name of the table or view."),
						},
					},
					"dms": schema.SingleNestedAttribute{
						Optional: true, MarkdownDescription: "A table in files that AWS DMS wrote to S3.",
						Attributes: map[string]schema.Attribute{
							"location": required("Folder that the DMS endpoint writes to."),
							"schema":   required("Schema of the table, as DMS names it."),
							"table":    required("Name of the table, as DMS names it."),
						},
					},
					"files": schema.SingleNestedAttribute{
						Optional: true, MarkdownDescription: "A folder of event files in S3.",
						Attributes: map[string]schema.Attribute{
							"location": required("Folder of the files."),
							"format":   required("`json`, `csv` or `xml`."),
						},
					},
				},
			},
			"extract": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "What each run reads; `{ mode = \"full\" }` by default.",
				Attributes: map[string]schema.Attribute{
					"mode":             optional("`full` (default): each run replaces the whole table. `incremental`: each run merges by key what has changed since the one before; the first one lands the whole table. What each finds and misses stands in [docs/modes.md](https://github.com/lakeland/terraform-provider-lakeland/blob/main/docs/modes.md)."),
					"horizon":          optional("What an incremental table promises to see: `xmin`, `transactions` or `lookback`. `xmin` is the default on PostgreSQL without a cursor; otherwise it must be named."),
					"cursor":           optional("Column that grows with every change: of a time, a date, whole numbers or text."),
					"lookback":         optional("How far back each run reads again: a duration such as `5m` for a time, a whole number for others."),
					"cursor_time_zone": optional("Time zone of a cursor without one, such as `Europe/Berlin`."),
				},
			},
			"target": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "Where the table lands. No two source tables share a target, nor does one lie inside another.",
				Attributes: map[string]schema.Attribute{
					"location": required("Folder of the table's files, such as `s3://acme-lake/raw/orders/`."),
					"database": required("Glue database of the table's entry in the catalogue. It must exist."),
					"table":    required("Name of the table's entry in the catalogue: lower-case letters, digits and underscores."),
					"format":   optional("`iceberg` (default); `hudi`: copy on write, table version 6, named by `primary_key`; or `parquet`: plain files that `mode = \"full\"` replaces by moving the catalogue entry to a new folder, and to which `storage_mode = \"historical\"` adds a batch as a partition `_lk_batch`. What each is good for stands in the guide on storage."),
				},
			},
			"storage_mode": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(spec.DefaultStorageMode),
				MarkdownDescription: "`current_snapshot` (default): one row per key, as the source has it. `historical`: one row per key and value of `ordering`, so that each version that a run has met stays; a version met again replaces itself. A reload reads all again and removes nothing.",
			},
			"primary_key": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Columns that identify a row, by their names at the source; by default those of its primary key. `mode = \"incremental\"` merges by them: two rows of one key, or a key without a value, fail the run. Iceberg keeps them as the table's identifier fields where all of them are `NOT NULL` and none is floating. Hudi has them as the record key of every row, so they must be named, be whole numbers, texts, dates, decimals or booleans, and stay those that the table was made with.",
			},
			"partition_by": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Partitions of the table, by columns' names at the source: a column by itself, `year(c)`, `month(c)`, `day(c)`, `hour(c)`, `bucket(16, c)` or `truncate(10, c)`; none by default, for Iceberg prunes files by their bounds. Few rows per partition make many small files. In Hudi partitions are columns by themselves, of the types that keys have, and stay those that the table was made with. Not for `parquet`.",
			},
			"columns": schema.MapNestedAttribute{
				Optional: true, MarkdownDescription: "Overrides by column, by its name at the source: each says a type, a name or both, or that the column is skipped; none by default. A new name renames the column; a new type widens it, and where old rows cannot follow runs fail until `reload` changes.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name": optional("Name in the lake: lower-case letters, digits and underscores. By default the source's in lower case, with underscores for all other characters."),
					"type": optional("Type in the lake, by default what the source's type becomes: `boolean`, `int`, `long`, `float`, `double`, `decimal(p,s)`, `date`, `timestamp`, `timestamptz`, `string` or `binary`, where it holds the column's values exactly. `decimal(observed)`, for `numeric`, is a decimal of as many digits as the values have, at which each run looks."),
					"skip": schema.BoolAttribute{
						Optional: true, MarkdownDescription: "Leave the column out, with neither name nor type: it is never read, so the connection's role needs no right to. `false` by default. Not for columns that `primary_key`, `cursor`, `ordering`, `partition_by` or `filter` names. One that was landed before stays in the lake, with NULLs in all rows written from then on, until `reload` changes; one that is no longer skipped is landed when `reload` changes.",
					},
				}},
			},
			"filter": schema.ListNestedAttribute{
				Optional: true, MarkdownDescription: "Conditions that rows must meet, all of them; none by default. They are evaluated by the source, as its own comparisons of the column are. A row for which a condition is unknown, as every comparison with NULL is, is not read.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"column": required("Column, by its name at the source."),
					"op":     required("`=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `is_null` or `is_not_null`."),
					"value":  optional("Value to compare with, as the source writes values of the column's type; for `in` a list with commas, in which a value may stand in double quotes, such as `paid, \"a, b\"`. It is never read as anything but a value."),
				}},
			},
			"ordering":   optional("Column that says which of two versions of a row is newer, by its name at the source; none by default. With `storage_mode = \"current_snapshot\"` it decides among rows of one key that one run reads. With `storage_mode = \"historical\"` it is needed, may hold no NULL, and is part of the table's key. A table of Hudi is made with it as its precombine field, by which Spark orders what it writes, and has no other later; one that is made without has none."),
			"write_mode": optional("How changes reach stored rows of an Iceberg table. `copy_on_write` (default): files that hold a changed row are written anew, so that reading costs nothing more. `merge_on_read`: changed rows are marked as deleted and written to new files, which writes in proportion to the change, and readers pay; files with many such rows are written anew as they come up."),
			"audit_columns": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Columns to add that say of each row where it came from: `_lk_run_id`, `_lk_ingested_at` (when the run that wrote it began), `_lk_op` (`I` inserted, `U` updated, `D` deleted), `_lk_seq` (orders the source's snapshots) and `_lk_source` (connection and table); none by default. A row that is read again as it was keeps its own. Rows that were landed before have NULL.",
			},
			"deleted_column": optional("Name of a boolean column to add that says whether the source has deleted the row; by default such rows are removed. No horizon of a database sees deletions yet: it is `false` until one does."),
			"reconcile": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "How often, and how, lake and source are compared, in the snapshot of a run; never by default. The outcome stands in the table of runs: `equal`, `differs` (by what) or `not comparable` (why).",
				Attributes: map[string]schema.Attribute{
					"every": required("How often, `1h` to `366d`."),
					"how":   optional("`count` (default): the number of rows. (`keys` is not supported yet.)"),
				},
			},
			"reload": optional("Any text of at most 256 bytes, such as a date; none by default. A new value has the next run land the table afresh, also where its columns changed in ways that old rows cannot follow."),
			"adopt": schema.BoolAttribute{
				Optional: true, MarkdownDescription: "Take over an Iceberg or Hudi table that another source table landed, or another engine made, at this location: the next run replaces its rows, in one commit, and its history stays. Where the other source table read the very same rows and columns, runs go on at its position. `false` by default. (Plain Parquet is not adopted.)",
			},
			"enabled": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether runs include the table; `true` by default.",
			},
			"freshness": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "How old the last success may become before it is reported; without bounds by default.",
				Attributes: map[string]schema.Attribute{
					"max_age": required("Longest age, `5m` to `366d`."),
				},
			},
			"id": schema.StringAttribute{
				Computed: true, MarkdownDescription: "`<tracking>/<name>`.",
			},
			"tracking": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Name of the tracking, from `cadence`.",
			},
			"deployed": lifecycle.DeployedAttribute("the source table: its document, the index by which its cadence finds it, and its ownership of location and catalogue entry"),
		}),
	}
}
