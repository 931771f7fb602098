package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

var (
	integer = schema.Type{ID: schema.Int}
	long    = schema.Type{ID: schema.Long}
	single  = schema.Type{ID: schema.Float}
	double  = schema.Type{ID: schema.Double}
	str     = schema.Type{ID: schema.String}
)

func dec(p, s int) schema.Type { return schema.Type{ID: schema.Decimal, Precision: p, Scale: s} }

// col is a column of the lake with a field id, or of the source with 0. A name of two parts is the target's, then
// the source's; one that ends in "!" is required.
func col(id, number int, name string, typ schema.Type) schema.Column {
	name, required := strings.CutSuffix(name, "!")
	target, source, two := strings.Cut(name, "/")
	if !two {
		source = target
	}
	return schema.Column{Name: target, Type: typ, FieldID: id, Required: required, Source: &schema.SourceColumn{Name: source, Number: number, Type: "pg " + typ.String()}}
}

func filled(c schema.Column, by string) schema.Column {
	c.Source.Default = by
	return c
}

func spelt(c schema.Column, typ string) schema.Column {
	c.Source.Type = typ
	return c
}

// The decisions on what a source's columns may do, one by one: columns as name:type:id, with "!" where required,
// and the steps; or the error.
func TestEvolve(t *testing.T) {
	t.Parallel()
	gone := schema.Column{Name: "old", Type: str, FieldID: 4}
	lake := schema.Table{Identity: "16385", Origin: "here", Columns: []schema.Column{col(1, 1, "id!", integer), col(2, 2, "note", str), col(3, 3, "amount", dec(8, 2)), gone}}
	id, note, amount := col(0, 1, "id!", integer), col(0, 2, "note", str), col(0, 3, "amount", dec(8, 2))
	const tail = " old:string:4"
	const whole = "id!:int:1 note:string:2 amount:decimal(8,2):3" + tail
	both := []schema.Landing{schema.Changed, schema.Whole}
	for _, tc := range []struct {
		name     string
		identity string
		source   []schema.Column
		landings []schema.Landing
		want     string
		steps    string
	}{
		{"nothing changed", "16385", []schema.Column{id, note, amount}, both, whole, ""},
		{"nothing changed, afresh", "16385", []schema.Column{id, note, amount}, []schema.Landing{schema.Afresh}, "id!:int:1 note:string:2 amount:decimal(8,2):3", ""},
		{"added in the middle", "16385", []schema.Column{id, col(0, 4, "more", str), note, amount}, both, "id!:int:1 more:string:0 note:string:2 amount:decimal(8,2):3" + tail, "added more string"},
		{"added and required", "16385", []schema.Column{id, note, amount, col(0, 4, "more!", str)}, []schema.Landing{schema.Whole}, "id!:int:1 note:string:2 amount:decimal(8,2):3 more:string:0" + tail, "added more string"},
		{"added and required, old rows stay", "16385", []schema.Column{id, note, amount, col(0, 4, "more!", str)}, []schema.Landing{schema.Changed}, `column "more" was added with values`, ""},
		{"added with a default", "16385", []schema.Column{id, note, amount, filled(col(0, 4, "more", str), "'x'::text")}, []schema.Landing{schema.Whole}, "id!:int:1 note:string:2 amount:decimal(8,2):3 more:string:0" + tail, "added more string"},
		{"added with a default, old rows stay", "16385", []schema.Column{id, note, amount, filled(col(0, 4, "more", str), "'x'::text")}, []schema.Landing{schema.Changed}, `column "more" was added with values for rows that were there (its default is "'x'::text"), and those that were landed do not have them: set reload to a new value`, ""},
		{"a default on a known column", "16385", []schema.Column{id, filled(col(0, 2, "note", str), "'x'::text"), amount}, both, whole, ""},
		{"added with a default, afresh", "16385", []schema.Column{id, note, amount, filled(col(0, 4, "more!", str), "now()")}, []schema.Landing{schema.Afresh}, "id!:int:1 note:string:2 amount:decimal(8,2):3 more!:string:0", ""},
		{"renamed", "16385", []schema.Column{id, col(0, 2, "remark", str), amount}, both, "id!:int:1 remark:string:2 amount:decimal(8,2):3" + tail, "renamed remark note remark"},
		{"renamed by the configuration", "16385", []schema.Column{id, col(0, 2, "remark/note", str), amount}, both, "id!:int:1 remark:string:2 amount:decimal(8,2):3" + tail, "renamed remark note remark"},
		{"names swapped", "16385", []schema.Column{col(0, 1, "note!", integer), col(0, 2, "id", str), amount}, both, "note!:int:1 id:string:2 amount:decimal(8,2):3" + tail, "renamed note id note, renamed id note id"},
		{"renamed and widened", "16385", []schema.Column{col(0, 1, "key!", long), note, amount}, both, "key!:long:1 note:string:2 amount:decimal(8,2):3" + tail, "renamed key id key, widened key int long"},
		{"reordered", "16385", []schema.Column{amount, note, id}, both, "amount:decimal(8,2):3 note:string:2 id!:int:1" + tail, ""},
		{"dropped", "16385", []schema.Column{id, amount}, both, "id!:int:1 amount:decimal(8,2):3 note:string:2" + tail, "dropped note string"},
		{"a required one dropped", "16385", []schema.Column{note, amount}, both, "note:string:2 amount:decimal(8,2):3 id:int:1" + tail, "dropped id int"},
		{"dropped, afresh", "16385", []schema.Column{id, amount}, []schema.Landing{schema.Afresh}, "id!:int:1 amount:decimal(8,2):3", ""},
		{"widened", "16385", []schema.Column{col(0, 1, "id!", long), note, col(0, 3, "amount", dec(20, 2))}, both, "id!:long:1 note:string:2 amount:decimal(20,2):3" + tail, "widened id int long, widened amount decimal(8,2) decimal(20,2)"},
		{"other type, same in the lake", "16385", []schema.Column{id, spelt(col(0, 2, "note", str), "jsonb"), amount}, both, whole, "retyped note pg string jsonb"},
		{"NULL allowed", "16385", []schema.Column{col(0, 1, "id", integer), note, amount}, both, "id:int:1 note:string:2 amount:decimal(8,2):3" + tail, "loosened id"},
		{"NULL forbidden", "16385", []schema.Column{id, col(0, 2, "note!", str), amount}, both, whole, ""},
		{"narrowed", "16385", []schema.Column{id, note, col(0, 3, "amount", dec(7, 2))}, both, `column "amount" was pg decimal(8,2) (decimal(8,2)) and is pg decimal(7,2) (decimal(7,2)) now, which old rows cannot follow: change it back, or set reload`, ""},
		{"rescaled", "16385", []schema.Column{id, note, col(0, 3, "amount", dec(9, 3))}, both, "set reload to a new value", ""},
		{"retyped, afresh", "16385", []schema.Column{col(0, 1, "id!", str), note}, []schema.Landing{schema.Afresh}, "id!:string:0 note:string:2", ""},
		{"dropped and added under its name", "16385", []schema.Column{id, col(0, 4, "note", str), amount}, both, `the lake keeps a column "note" that the source dropped, or that was skipped, and the source has a column "note" to land under that name: set reload to a new value`, ""},
		{"a column under the name of one that only the lake has", "16385", []schema.Column{id, note, amount, col(0, 9, "old", str)}, both, `the lake keeps a column "old" that the source dropped`, ""},
		{"recreated alike, old rows stay", "16999", []schema.Column{id, note, amount}, []schema.Landing{schema.Changed}, `dropped and created anew since it was last landed (it was "16385", it is "16999"): set reload`, ""},
		{"recreated alike", "16999", []schema.Column{col(0, 3, "amount", dec(9, 2)), col(0, 1, "note", str), col(0, 2, "id!", integer)}, []schema.Landing{schema.Whole}, "amount:decimal(9,2):3 note:string:2 id!:int:1" + tail, "recreated 16385 16999, widened amount decimal(8,2) decimal(9,2)"},
		{"recreated with a new column", "16999", []schema.Column{id, note, amount, col(0, 4, "more", str)}, []schema.Landing{schema.Whole}, `and its column "more" is new: set reload`, ""},
		{"recreated without a column", "16999", []schema.Column{id, note}, []schema.Landing{schema.Whole}, `and its column "amount" is gone: set reload`, ""},
		{"recreated with another type", "16999", []schema.Column{id, note, col(0, 3, "amount", str)}, []schema.Landing{schema.Whole}, `column "amount" was pg decimal(8,2)`, ""},
		{"another table", "16999@there", []schema.Column{id, note, amount}, both, `is another than the one that was landed, which was elsewhere or had another name (it was "16385", it is "16999"): set reload`, ""},
		{"another table of an unknown place", "16999@", []schema.Column{id, note, amount}, both, "is another than the one that was landed", ""},
		{"another table, afresh", "16999@there", []schema.Column{id}, []schema.Landing{schema.Afresh}, "id!:int:0", ""},
		{"the same table elsewhere", "16385@there", []schema.Column{id, note, amount}, both, whole, ""},
		{"recreated, afresh", "16999", []schema.Column{id}, []schema.Landing{schema.Afresh}, "id!:int:0", ""},
	} {
		for _, landing := range tc.landings {
			t.Run(fmt.Sprintf("%s/%d", tc.name, landing), func(t *testing.T) {
				t.Parallel()
				identity, origin, elsewhere := strings.Cut(tc.identity, "@")
				if !elsewhere {
					origin = "here"
				}
				source := schema.Table{Identity: identity, Origin: origin, Columns: tc.source, Comment: "what it is"}
				got, err := schema.Evolve(lake, source, landing)
				if err != nil {
					if !strings.Contains(err.Error(), tc.want) {
						t.Fatalf("got %v, want %q", err, tc.want)
					}
					return
				}
				var words, steps []string
				for _, c := range got.Table.Columns {
					words = append(words, fmt.Sprintf("%s%s:%s:%d", c.Name, map[bool]string{true: "!"}[c.Required], c.Type, c.FieldID))
				}
				for _, s := range got.Steps {
					steps = append(steps, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", s.Drift, s.Column, s.Was, s.Is)), " "))
				}
				if diff := cmp.Diff(tc.want, strings.Join(words, " ")); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(tc.steps, strings.Join(steps, ", ")); diff != "" {
					t.Error(diff)
				}
				if got.Table.Identity != identity || got.Table.Origin != origin || got.Table.Comment != "what it is" || len(got.Sentences()) != len(got.Steps) {
					t.Errorf("the table is %+v", got.Table)
				}
			})
		}
	}
}

// A column that is skipped stays in the lake as one that was dropped does, and comes back by a reload alone.
func TestEvolveSkips(t *testing.T) {
	t.Parallel()
	lake := schema.Table{Identity: "1", Origin: "here", Columns: []schema.Column{col(1, 1, "id!", integer), col(2, 2, "secret!", str)}}
	source := schema.Table{Identity: "1", Origin: "here", Columns: []schema.Column{col(0, 1, "id!", integer)}, Skipped: []schema.SourceColumn{{Name: "renamed", Number: 2}, {Name: "never", Number: 3}}}
	recreated := source
	recreated.Identity, recreated.Skipped = "2", []schema.SourceColumn{{Name: "secret", Number: 7}}
	for name, tc := range map[string]struct {
		source  schema.Table
		landing schema.Landing
		says    []string
	}{
		"changes":   {source, schema.Changed, []string{`column "secret" is skipped: it stays, with NULLs in all rows written from now on`}},
		"whole":     {source, schema.Whole, []string{`column "secret" is skipped: it stays, with NULLs in all rows written from now on`}},
		"recreated": {recreated, schema.Whole, []string{`the source table was dropped and created anew (it was 1, it is 2) with the same columns: all its rows are landed anew as ever`, `column "secret" is skipped: it stays, with NULLs in all rows written from now on`}},
	} {
		e, err := schema.Evolve(lake, tc.source, tc.landing)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.says, e.Sentences()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if c := e.Table.Columns[len(e.Table.Columns)-1]; len(e.Table.Columns) != 2 || c.Name != "secret" || c.FieldID != 2 || c.Source != nil || c.Required {
			t.Errorf("%s: the columns are %+v", name, e.Table.Columns)
		}
		again, err := schema.Evolve(e.Table, tc.source, tc.landing)
		if err != nil || len(again.Steps) > 0 || len(again.Table.Columns) != 2 || len(again.Table.Skipped) > 0 {
			t.Errorf("%s, again: %+v, %v", name, again, err)
		}
		back := tc.source
		back.Columns, back.Skipped = append([]schema.Column{col(0, 2, "secret", str)}, back.Columns...), nil
		if _, err := schema.Evolve(e.Table, back, tc.landing); err == nil || !strings.Contains(err.Error(), `the lake keeps a column "secret" that the source dropped, or that was skipped, and the source has a column "secret" to land under that name: set reload to a new value to land the table afresh`) {
			t.Errorf("%s: no longer skipped: %v", name, err)
		}
		if afresh, err := schema.Evolve(e.Table, back, schema.Afresh); err != nil || len(afresh.Table.Columns) != 2 || afresh.Table.Columns[0].FieldID != 0 {
			t.Errorf("%s: no longer skipped, afresh: %+v, %v", name, afresh, err)
		}
	}
}

// A decision leaves what it was given as it was.
func TestEvolveIsPure(t *testing.T) {
	t.Parallel()
	lake := schema.Table{Identity: "1", Columns: []schema.Column{col(1, 1, "a!", single), col(2, 2, "b", str), {Name: "c", Type: str, FieldID: 3}}}
	source := schema.Table{Identity: "1", Columns: []schema.Column{col(0, 1, "a", double), col(0, 5, "d!", str)}}
	before := []schema.Table{{Identity: "1", Columns: append([]schema.Column(nil), lake.Columns...)}, {Identity: "1", Columns: append([]schema.Column(nil), source.Columns...)}}
	if _, err := schema.Evolve(lake, source, schema.Whole); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, []schema.Table{lake, source}); diff != "" {
		t.Error(diff)
	}
}

func TestNameTargets(t *testing.T) {
	t.Parallel()
	columns := []schema.Column{{Source: &schema.SourceColumn{Name: "A b"}}, {Name: "chosen", Source: &schema.SourceColumn{Name: "a_b"}}, {Source: &schema.SourceColumn{Name: `Größe"; DROP`}}}
	if err := schema.NameTargets(columns); err != nil || columns[0].Name != "a_b" || columns[1].Name != "chosen" || columns[2].Name != "größe___drop" {
		t.Errorf("%v: %+v", err, columns)
	}
	columns[1].Name, columns[2].Name = "", "x"
	columns[0].Name = ""
	if err := schema.NameTargets(columns); err == nil || !strings.Contains(err.Error(), `the columns "A b" and "a_b" would both be "a_b" in the lake: give one of them another name, such as columns = { "a_b" = { name = "a_b_2" } }`) {
		t.Error(err)
	}
}
