package hive_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// What others have made of an entry is noticed before anything is planned on it.
func TestForeignChangesAreRefused(t *testing.T) {
	t.Parallel()
	type edit func(l *lake, e *catalog.Table)
	for name, tc := range map[string]struct {
		edit edit
		says string
	}{
		"the location":    {func(_ *lake, e *catalog.Table) { e.Location = "s3://elsewhere/" }, "set the location back"},
		"a column":        {func(_ *lake, e *catalog.Table) { e.Columns[0].Type = "string" }, "(id string), and (id bigint) were landed"},
		"another column":  {func(_ *lake, e *catalog.Table) { e.Columns = append(e.Columns, catalog.Column{Name: "x", Type: "int"}) }, "somebody changed them"},
		"the SerDe":       {func(_ *lake, e *catalog.Table) { e.SerDe = "org.openx.data.jsonserde.JsonSerDe" }, "choose another name"},
		"the kind":        {func(_ *lake, e *catalog.Table) { e.Parameters["table_type"] = "ICEBERG" }, `table_type "ICEBERG"`},
		"a view":          {func(_ *lake, e *catalog.Table) { e.Type = "VIRTUAL_VIEW" }, "VIRTUAL_VIEW"},
		"our parameter":   {func(_ *lake, e *catalog.Table) { delete(e.Parameters, "lakeland.table") }, "was not landed by lakeland"},
		"the other kind":  {func(l *lake, _ *catalog.Table) { l.options.Historical = !l.options.Historical }, "set storage_mode back"},
		"the other place": {func(l *lake, _ *catalog.Table) { l.options.Prefix = "lake/others/" }, "lies at"},
	} {
		for _, historical := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l := newLake(t, historical)
				l.land(ids(), 1)
				e := l.entry()
				tc.edit(l, e)
				update(t, l.catalog, e)
				if _, err := l.table().Head(t.Context()); !errors.Is(err, table.ErrForeign) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// What others put beside what is ours stays, but for numbers about files that are replaced.
func TestForeignParametersStay(t *testing.T) {
	t.Parallel()
	l := newLake(t, false)
	l.land(ids(), 1)
	e := l.entry()
	e.Parameters["owner"], e.Parameters["numRows"], e.Parameters["COLUMN_STATS_ACCURATE"], e.Description = "sales", "1", "true", "theirs"
	update(t, l.catalog, e)
	before := l.head()
	if before.Commit != "a1" {
		t.Errorf("the commit is %s", before.Commit)
	}
	l.land(ids(), 2, 3)
	e = l.entry()
	if e.Parameters["owner"] != "sales" || e.Parameters["numRows"] != "" || e.Parameters["COLUMN_STATS_ACCURATE"] != "" || e.Description != "theirs" {
		t.Errorf("the entry is %+v", e)
	}
}

func TestForeignPartitionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit func(l *lake, p *catalog.Partition) error
		says string
	}{
		"one added": {func(l *lake, p *catalog.Partition) error {
			p.Values, p.Parameters = []string{"7"}, nil
			return l.catalog.CreatePartition(l.t.Context(), "raw", "orders", p)
		}, "[7], which lakeland did not land: drop that partition"},
		"one moved": {func(l *lake, p *catalog.Partition) error {
			p.Location = "s3://elsewhere/"
			return l.catalog.UpdatePartition(l.t.Context(), "raw", "orders", p)
		}, "set the partition's location back"},
		"one of another form": {func(l *lake, p *catalog.Partition) error {
			p.Values = []string{"01"}
			return l.catalog.CreatePartition(l.t.Context(), "raw", "orders", p)
		}, "[01], which lakeland did not land"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, true)
			l.land(ids(), 1)
			p, err := l.catalog.Partition(t.Context(), "raw", "orders", []string{"1"})
			l.must(err)
			l.must(tc.edit(l, p))
			if _, err := l.table().Head(t.Context()); !errors.Is(err, table.ErrForeign) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A document of a newer release, or one that is damaged, is refused by name.
func TestDamagedParameters(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{`{"v":2}`: "apply the cadence", `{`: "is damaged", `{"object":"lake/orders/metadata/no.json","sha256":"00"}`: "which is an object"} {
		l := newLake(t, false)
		l.land(ids(), 1)
		e := l.entry()
		e.Parameters["lakeland.table"] = text
		update(t, l.catalog, e)
		if _, err := l.table().Head(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	l := newLake(t, false)
	l.land(ids(), 1)
	old := l.entry().Parameters["lakeland.checkpoint"]
	l.land(ids(), 2)
	e := l.entry()
	e.Parameters["lakeland.checkpoint"] = old
	update(t, l.catalog, e)
	if _, err := l.table().Head(t.Context()); err == nil || !strings.Contains(err.Error(), `of the attempt "a1", and the files are of "a2"`) {
		t.Errorf("an older checkpoint: %v", err)
	}
}
