package schema_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

var update = flag.Bool("update", false, "write the page of types anew")

const pageHead = `---
# made by ` + "`make docs`" + ` from the engine's own table of types
page_title: "Types"
description: |-
  What every type of PostgreSQL becomes in the lake, what may be declared instead, and what is an error.
---

# Types

Every value lands as it is, or the run fails and names row, column and way out; none is rounded, cut or guessed.
The types of the lake are those that Athena, Spark and Trino all read in Iceberg v2 tables.

A column may be declared to be of another type, where that holds its values exactly, and to have another name:

` + "```terraform" + `
columns = {
  amount  = { type = "decimal(18,4)" }           # numeric without precision: exact, and an error where it has more digits
  expires = { type = "string" }                  # a date that may be infinity
  "Total" = { name = "total_net", type = "long" }
}
` + "```" + `

A ` + "`numeric`" + ` without precision may be a decimal of as many digits as its values have, so that nobody has to know them:

` + "```terraform" + `
columns = {
  amount = { type = "decimal(observed)" }
}
` + "```" + `

Each run looks at the values of the rows that meet ` + "`filter`" + ` in its own snapshot, by one query that has the server read all of them. More
digits before the point widen the column. More of them behind the point than the lake's type has are what rows that were landed
cannot follow: the run fails, says which types, and lands the table afresh when ` + "`reload`" + ` has a new value. The type never narrows but by a
reload. ` + "`NaN`" + `, infinities, and more than 38 digits in all are an error: declare the column as ` + "`string`" + `. A column without any value
is an error as well, until it has one.

A column may also be left out:

` + "```terraform" + `
columns = {
  secret_note = { skip = true }
}
` + "```" + `

Such a column is never read: the connection's role needs ` + "`SELECT`" + ` on the others alone. Where it was granted columns and not the
table, horizon ` + "`xmin`" + ` needs ` + "`GRANT SELECT (xmin, tableoid, ctid)`" + ` beside them, and without ` + "`ctid`" + ` a large table is read in
parts by its key and not by its pages. Columns of the primary key are not left out, nor those that ` + "`cursor`, `ordering`" + `,
` + "`partition_by` or `filter`" + ` names, for the source evaluates a filter on each row.

Domains are what the types below them are. The server writes the forms called text and JSON, in sessions whose settings are
the same everywhere: UTC, ISO dates and intervals, all digits of floating point numbers, an empty search path.

## PostgreSQL

| PostgreSQL | In the lake | May be declared as | In a key | As ordering | Form, and what is an error |
|---|---|---|---|---|---|
`

const pageForms = `
A column is part of a key, or says which of two rows is the newer, only as it stands in the table: in a key, values must land
alike that are equal at the source, and no others; as ` + "`ordering`" + ` they must lie in its order. PostgreSQL writes 1.0 and 1.00,
which are equal, as they came, and so ` + "`numeric`" + ` without precision needs a declared type in both places. A run refuses what does
not fit, and says what to declare. Negative and positive zero are one key, all that is not a number is another and the greatest
value, as PostgreSQL has it. Texts are ordered by their bytes, as ` + "`COLLATE \"C\"`" + ` orders them, and texts under a
nondeterministic collation are no keys, for what is one value to that is several in the lake.

## Formats

| In the lake | Iceberg | Parquet | Glue catalogue | Hudi: Avro in its schema; Parquet |
|---|---|---|---|---|
`

const pageTail = `
NULLs stay NULLs everywhere. An empty text, array or composite is not NULL.

Every type of PostgreSQL lands in Hudi as it does in Iceberg, but for these:

- Hudi has instants alone. A ` + "`timestamp`" + ` lands as the instant that it names in UTC: what readers show in UTC is what the source says.
- Decimals have the fixed length of their precision, as Hudi's own writers spell them; ` + "`decimal(observed)`" + ` is refused, for no column's
  decimal grows there.
- Record keys and partitions are of ` + "`boolean`, `int`, `long`, `decimal(p,s)`, `date` and `string`" + `. Spark itself writes times there in two
  ways, and for floating point numbers and bytes no two writers agree: plan and run refuse them. A time as ` + "`ordering`" + ` of versions, which is
  part of their key, is declared as ` + "`long`" + `.
- A key or part of one is never NULL, and a key of one column never an empty text. A key of several columns holds none of the texts
  ` + "`__null__` and `__empty__`" + `, nor what Hudi writes between its parts.
- NULL and an empty text are one partition. A NULL in a partition of another type than ` + "`string`" + ` is refused: Trino and Athena fail on the whole table.
- Names are what Avro takes: letters, digits and underscores, no digit first. A column whose name is otherwise, such as ` + "`größe`" + `, is
  given one in ` + "`columns`" + `.
- Dates before 1582-10-15 and instants before 1900 are read as they are by all, as the files say that they were written by the proleptic
  calendar. A writer of Spark that rewrites such a file leaves that out, and Spark then needs
  ` + "`spark.sql.parquet.datetimeRebaseModeInRead=CORRECTED`" + ` until the next run rewrites it.

A type that becomes another at the source follows the rules for [columns that change](changes.md): ` + "`int`" + ` widens to
` + "`long`" + `, ` + "`float`" + ` to ` + "`double`" + `, a decimal to more digits at its scale. In Hudi ` + "`int`" + ` widens to ` + "`long`" + ` alone.
`

// use says as which types a line's columns are of some use.
func use(m *schema.Mapping, of func(schema.Option) bool) string {
	var types []string
	for _, o := range m.Options {
		switch {
		case !of(o):
		case o.ID == schema.Decimal:
			types = append(types, "`decimal(p,s)`")
		default:
			types = append(types, "`"+string(o.ID)+"`")
		}
	}
	switch len(types) {
	case 0:
		return "no"
	case len(m.Options):
		return "yes"
	default:
		return "as " + strings.Join(types, ", ")
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, m := range schema.Mappings() {
		var declared []string
		for i, o := range m.Options {
			switch {
			case o.ID == schema.Decimal:
				declared = append(declared, "`decimal(p,s)`")
			case i > 0:
				declared = append(declared, "`"+string(o.ID)+"`")
			}
		}
		key, order := use(m, func(o schema.Option) bool { return o.Tells }), use(m, func(o schema.Option) bool { return o.Orders })
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", m.Name, m.Default(), strings.Join(declared, ", "), key, order, m.Note)
	}
	b.WriteString(pageForms)
	for _, f := range schema.Forms() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | `%s` | `%s`; %s |\n", f.ID, f.Iceberg, f.Parquet, f.Glue, f.Avro, f.Hudi)
	}
	b.WriteString(pageTail)
	return b.String()
}

// The page of types is the table of types.
func TestTypesPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "templates", "guides", "types.md")
	if *update {
		if err := os.WriteFile(path, []byte(page()), 0o644); err != nil { //nolint:gosec // a page that anybody may read
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page(), string(there)); diff != "" {
		t.Errorf("the page is not up to date, run make docs: %s", diff)
	}
}

// The table names no type twice, says of each what it becomes, and leaves no cell that would break the page.
func TestMappingsAreWhole(t *testing.T) {
	t.Parallel()
	var names []string
	ids := map[schema.ID]bool{}
	for _, f := range schema.Forms() {
		ids[f.ID] = true
	}
	for _, m := range schema.Mappings() {
		names = append(names, m.Name)
		if len(m.Options) == 0 || strings.ContainsAny(m.Name+m.Note, "|\n") {
			t.Errorf("the line %q cannot be shown", m.Name)
		}
		var seen []schema.ID
		for _, o := range m.Options {
			if !ids[o.ID] || slices.Contains(seen, o.ID) {
				t.Errorf("%q becomes %s, which has no form or stands twice", m.Name, o.ID)
			}
			seen = append(seen, o.ID)
		}
		if !slices.Contains(seen, schema.String) && seen[0] != schema.Binary {
			t.Errorf("%q cannot be declared as a string, the way out of every error", m.Name)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(schema.Mappings()) {
		t.Errorf("a name stands twice: %q", names)
	}
}
