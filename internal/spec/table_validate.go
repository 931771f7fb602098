package spec

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a job's image may have no zone files
)

var (
	// catalogueName follows what Athena accepts for databases, tables and columns without quoting.
	catalogueName = formOf(`^[a-z_][a-z0-9_]{0,127}$`)
	decimalType   = formOf(`^decimal\(([0-9]{1,2}),([0-9]{1,2})\)$`)
)

// columnTypes are the types a column may be declared as, beside decimal(p,s).
var columnTypes = []string{"boolean", "int", "long", "float", "double", "date", "timestamp", "timestamptz", "string", "binary"}

// Validate returns everything wrong with the document that the document alone decides.
func (t *Table) Validate() Problems {
	var ps Problems
	if !tableName.MatchString(t.Name) {
		ps.add(At("name"), "%q is not a name for a source table: write 1 to 255 letters, digits and . _ - $ /, such as \"shop.orders\"", t.Name)
	}
	if wrong := checkThingName(t.Cadence); wrong != "" {
		ps.add(At("cadence"), "%s", wrong)
	}
	t.checkSource(&ps)
	t.checkExtract(&ps)
	t.checkTarget(&ps)
	t.checkStorage(&ps)
	t.checkColumns(&ps)
	t.checkFilter(&ps)
	if t.Reconcile != nil {
		checkDuration(&ps, At("reconcile", "every"), t.Reconcile.Every, time.Hour, 366*24*time.Hour, "\"1h\" to \"366d\"")
		if !slices.Contains(ReconcileHows, t.Reconcile.How) {
			ps.add(At("reconcile", "how"), "%s", notOneOf(t.Reconcile.How, ReconcileHows))
		}
		if t.Reconcile.How == "keys" && len(t.PrimaryKey) == 0 {
			ps.add(At("reconcile", "how"), "\"keys\" compares primary keys: name primary_key")
			ps.needing(At("primary_key"))
		}
	}
	if t.Freshness != nil {
		checkDuration(&ps, At("freshness", "max_age"), t.Freshness.MaxAge, MinInterval, 366*24*time.Hour, "\"5m\" to \"366d\"")
	}
	if len(t.Reload) > 256 || strings.ContainsFunc(t.Reload, isControl) {
		ps.add(At("reload"), "it is longer than 256 bytes or holds control characters: any short text does, such as a date")
	}
	return ps
}

func (t *Table) checkSource(ps *Problems) {
	given := 0
	if d := t.Source.Database; d != nil {
		given++
		at := At("source", "database")
		if wrong := checkThingName(d.Connection); wrong != "" {
			ps.add(at.With("connection"), "%s", wrong)
		}
		checkIdentifier(ps, at.With("schema"), d.Schema, "schema")
		checkIdentifier(ps, at.With("table"), d.Table, "table")
	}
	if d := t.Source.DMS; d != nil {
		given++
		at := At("source", "dms")
		if _, err := ParseLocation(d.Location); err != nil {
			ps.add(at.With("location"), "%s", err)
		}
		checkIdentifier(ps, at.With("schema"), d.Schema, "schema")
		checkIdentifier(ps, at.With("table"), d.Table, "table")
	}
	if f := t.Source.Files; f != nil {
		given++
		at := At("source", "files")
		if _, err := ParseLocation(f.Location); err != nil {
			ps.add(at.With("location"), "%s", err)
		}
		if !slices.Contains(FileFormats, f.Format) {
			ps.add(at.With("format"), "%s", notOneOf(f.Format, FileFormats))
		}
	}
	switch {
	case given == 0:
		ps.add(At("source"), "it names no source: write exactly one of database, dms and files, spelt so: Terraform drops other names inside an object")
	case given > 1:
		ps.add(At("source"), "it names %d sources: write exactly one of database, dms and files", given)
	}
}

func (t *Table) checkExtract(ps *Problems) {
	e, at := t.Extract, At("extract")
	switch e.Mode {
	case "full":
		for _, f := range []struct{ name, value string }{{"horizon", e.Horizon}, {"cursor", e.Cursor}, {"lookback", e.Lookback}, {"cursor_time_zone", e.CursorTimeZone}} {
			if f.value != "" {
				ps.add(at.With(f.name), "it belongs to mode = \"incremental\": leave it out, or change the mode")
				ps.needing(at.With("mode"))
			}
		}
	case "incremental":
		t.checkHorizon(ps)
	default:
		ps.add(at.With("mode"), "%s", notOneOf(e.Mode, Modes))
	}
	if e.CursorTimeZone != "" {
		if _, err := time.LoadLocation(e.CursorTimeZone); err != nil || e.CursorTimeZone == "Local" {
			ps.add(at.With("cursor_time_zone"), "%q is not a time zone: write a name such as \"UTC\" or \"Europe/Berlin\"", e.CursorTimeZone)
		}
	}
}

func (t *Table) checkHorizon(ps *Problems) {
	e, at := t.Extract, At("extract")
	if t.Source.Database == nil {
		if e.Horizon != "" || e.Cursor != "" {
			ps.add(at, "files bring their own order: leave horizon and cursor out")
			ps.needing(At("source"))
		}
		return
	}
	switch {
	case e.Horizon == "" && e.Cursor != "":
		ps.add(at.With("horizon"), "with a cursor it must be named: \"transactions\" where the database's clock sets the cursor inside the transaction, otherwise \"lookback\"")
		ps.needing(at.With("cursor"))
	case e.Horizon == "xmin" && e.Cursor != "":
		ps.add(at.With("cursor"), "horizon \"xmin\" needs none: leave it out")
		ps.needing(at.With("horizon"))
	case (e.Horizon == "transactions" || e.Horizon == "lookback") && e.Cursor == "":
		ps.add(at.With("cursor"), "horizon %q needs the column that grows with every change", e.Horizon)
		ps.needing(at.With("horizon"))
	case e.Horizon != "" && !slices.Contains(Horizons, e.Horizon):
		ps.add(at.With("horizon"), "%s", notOneOf(e.Horizon, Horizons))
	}
	if e.Cursor != "" {
		checkIdentifier(ps, at.With("cursor"), e.Cursor, "column")
	}
	if e.Cursor == "" && e.Horizon != "transactions" && e.Horizon != "lookback" {
		for _, f := range []struct{ name, value string }{{"lookback", e.Lookback}, {"cursor_time_zone", e.CursorTimeZone}} {
			if f.value != "" {
				ps.add(at.With(f.name), "it belongs to a cursor, and horizon \"xmin\" has none: leave it out")
				ps.needing(at.With("horizon"), at.With("cursor"))
			}
		}
	}
	if e.Horizon == "lookback" && e.Lookback == "" {
		ps.add(at.With("lookback"), "it has no default: write how far back each run reads again, such as \"15m\" for a time or \"1000\" for a number")
		ps.needing(at.With("horizon"))
	}
	if n, err := strconv.ParseUint(e.Lookback, 10, 63); err == nil && n > 0 && e.Horizon == "transactions" {
		ps.add(at.With("lookback"), "%q is a number, and the cursor of horizon \"transactions\" is a time: write a duration such as \"5m\"", e.Lookback)
		ps.needing(at.With("horizon"))
	} else if e.Lookback != "" {
		if _, err := strconv.ParseUint(e.Lookback, 10, 63); err != nil {
			if _, err := ParseDuration(e.Lookback); err != nil {
				ps.add(at.With("lookback"), "%q is neither a duration (\"5m\") nor a whole number (\"1000\")", e.Lookback)
			}
		}
	}
}

func (t *Table) checkTarget(ps *Problems) {
	at := At("target")
	if l, err := ParseLocation(t.Target.Location); err != nil {
		ps.add(at.With("location"), "%s", err)
	} else if l.Prefix == "" {
		ps.add(at.With("location"), "%q is a whole bucket: write a folder of its own for the table", t.Target.Location)
	}
	for _, f := range []struct{ name, value string }{{"database", t.Target.Database}, {"table", t.Target.Table}} {
		if !catalogueName.MatchString(f.value) {
			ps.add(at.With(f.name), "%q is not a name Athena reads unquoted: write lower-case letters, digits and underscores, such as %q", f.value, suggest(f.value, '_', 128))
		}
	}
	if !slices.Contains(Formats, t.Target.Format) {
		ps.add(at.With("format"), "%s", notOneOf(t.Target.Format, Formats))
	}
}

func (t *Table) checkColumns(ps *Problems) {
	named := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		at, c := At("columns", Key(name)), t.Columns[name]
		checkIdentifier(ps, at, name, "column")
		if c == (Column{}) {
			ps.add(at, "it says nothing: write a type, a name or both, or skip = true, or leave the column out")
		}
		if c.Skip {
			t.checkSkipped(ps, at, name)
		}
		if wrong := checkColumnType(c.Type); c.Type != "" && wrong != "" {
			ps.add(at.With("type"), "%s", wrong)
		}
		if c.Name == "" {
			continue
		}
		if !catalogueName.MatchString(c.Name) {
			ps.add(at.With("name"), "%q is not a name Athena reads unquoted: write lower-case letters, digits and underscores, such as %q", c.Name, suggest(c.Name, '_', 128))
		}
		if other, taken := named[c.Name]; taken {
			ps.add(at.With("name"), "%q is the name of the column %q already: give each its own", c.Name, other)
		}
		named[c.Name] = name
	}
}

func checkColumnType(name string) string {
	if parts := decimalType.FindStringSubmatch(name); parts != nil {
		precision, _ := strconv.Atoi(parts[1])
		scale, _ := strconv.Atoi(parts[2])
		if precision < 1 || precision > 38 || scale > precision {
			return strconv.Quote(name) + " is out of range: precision is 1 to 38, scale at most the precision"
		}
		return ""
	}
	if name == ObservedDecimal || slices.Contains(columnTypes, name) {
		return ""
	}
	return notOneOf(name, append([]string{"decimal(12,2)", ObservedDecimal}, columnTypes...))
}

// checkIdentifier accepts whatever a database can be made to accept: identifiers are always quoted.
func checkIdentifier(ps *Problems, at Path, name, what string) {
	if name == "" || len(name) > 128 || strings.ContainsRune(name, 0) {
		ps.add(at, "%q is not the name of a %s: write 1 to 128 characters", name, what)
	}
}
