package sourceschema

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Schema implements datasource.DataSource.
func (*DataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tables of a connection's database, with columns, keys and estimates, and how each may be landed: made for `for_each`. " +
			"It reads the catalogues of the database where Terraform can reach it, otherwise a document that `lakeland-engine discover` wrote beside the database. It reads no row.",
		Attributes: map[string]schema.Attribute{
			"tracking": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the tracking that the connection belongs to.",
			},
			"connection_name": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the connection. One that the same apply is about to make will do.",
			},
			"include": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Patterns of the tables that are wanted, `SCHEMA.TABLE` each; `[\"*.*\"]` by default. `*` is any run of characters, `?` any one, `\\` takes the next one as it is; case counts. A pattern to which no table answers is a warning.",
			},
			"exclude": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Patterns of tables to leave out of these; none by default.",
			},
			"document": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Where to read a document instead of the database: its address in S3, which ends with `.json`, or the artifacts location that `lakeland-engine discover --to` was given. The database itself by default.",
			},
			"database": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Name of the database.",
			},
			"taken_at": schema.StringAttribute{
				Computed: true, MarkdownDescription: "The database's own time when it was looked at, in RFC 3339. Without `document` it is another in each plan.",
			},
			"in_recovery": schema.BoolAttribute{
				Computed: true, MarkdownDescription: "Whether the server is a replica.",
			},
			"tables": schema.MapNestedAttribute{
				Computed: true, NestedObject: schema.NestedAttributeObject{Attributes: table()},
				MarkdownDescription: "The tables, by `SCHEMA.TABLE`; a dot or `\\` in a schema's name has a `\\` before it. Partitions are not among them: their parent is the table. Neither are the system's tables, those of extensions and temporary ones. At most 20,000.",
			},
		},
	}
}

func text(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func flag(description string) schema.BoolAttribute {
	return schema.BoolAttribute{Computed: true, MarkdownDescription: description}
}

func names(description string) schema.ListAttribute {
	return schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

func table() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"schema":         text("Name of the schema, as it is."),
		"table":          text("Name of the table, as it is."),
		"kind":           text("`table`, `partitioned_table`, `view`, `materialized_view` or `foreign_table`."),
		"comment":        text("The table's comment at the source; null where it has none."),
		"estimated_rows": schema.Int64Attribute{Computed: true, MarkdownDescription: "The planner's estimate of rows, partitions included; null where the table was never analyzed."},
		"bytes":          schema.Int64Attribute{Computed: true, MarkdownDescription: "The planner's estimate of bytes on disk, partitions included, indexes not; null where the table was never analyzed."},
		"primary_key":    names("Columns of the primary key, in its order; empty where there is none."),
		"unique_keys": schema.ListAttribute{
			Computed: true, ElementType: types.ListType{ElemType: types.StringType},
			MarkdownDescription: "Other keys: columns that are unique together, none of them NULL.",
		},
		"cursors": names("Columns that hold a time in every row and that an index begins with: what `extract.cursor` could be, if the application keeps them."),
		"columns": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The columns, in their order.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"name":        text("Name at the source, as it is."),
				"type":        text("Type, as the source writes it."),
				"nullable":    flag("Whether the column may hold NULL."),
				"generated":   flag("Whether the source computes it from others."),
				"comment":     text("The column's comment at the source; null where it has none."),
				"lake_type":   text("Type in the lake where `columns` of `lakeland_source_table` declares none."),
				"target_name": text("Name in the lake where `columns` declares none."),
				"warning":     text("What may be unexpected of the values in the lake, such as numbers that land as text; null where nothing is."),
			}},
		},
		"suggested": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "How the table may be landed. What is suggested depends on the table alone: it does not change when others come or go.",
			Attributes: map[string]schema.Attribute{
				"name":         text("A `name` for `lakeland_source_table`: `SCHEMA.TABLE`, or where it has other characters one with underscores for these and a digest of the exact names."),
				"target_table": text("A `target.table`: `TABLE` for the schema `public`, `SCHEMA__TABLE` for others; where a name is not made of lower-case letters, digits and single underscores between them, one that is, and a digest of the exact names. No two tables share one."),
				"extract": schema.SingleNestedAttribute{
					Computed: true, MarkdownDescription: "An `extract`.",
					Attributes: map[string]schema.Attribute{
						"mode":    text("`incremental` where runs can find changes and a key finds the old rows, else `full`."),
						"horizon": text("`xmin` with `incremental`, null with `full`."),
					},
				},
				"storage_mode": text("`current_snapshot`."),
				"primary_key":  names("A `primary_key`: the table's own, or the unique key of the fewest columns; empty where rows have none."),
				"reason":       text("Why, in a sentence."),
			},
		},
		"problem": text("Why a run would fail with what is suggested, and what to do; null where nothing is known of."),
	}
}
