package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// MaxDiscovery bounds the encoded size of a discovery in bytes.
	MaxDiscovery = 64 << 20
	// MaxDiscoveredTables bounds the tables of one.
	MaxDiscoveredTables = 20_000
	// maxDiscoveredColumns is above what PostgreSQL gives a table (1,600) or a view (1,664).
	maxDiscoveredColumns = 2000
	// maxProblems is how many problems of a discovery are told.
	maxProblems = 20
)

// The kinds of tables.
const (
	KindOrdinary     = "table"
	KindPartitioned  = "partitioned_table"
	KindView         = "view"
	KindMaterialized = "materialized_view"
	KindForeign      = "foreign_table"
)

// TableKinds are all kinds of tables.
var TableKinds = []string{KindOrdinary, KindPartitioned, KindView, KindMaterialized, KindForeign}

// Discovery is what a database holds: its tables with their columns and keys, and how each may be landed. The engine
// writes it where Terraform cannot reach the database. It holds what the catalogues say, no row and no secret.
type Discovery struct {
	V int `json:"v"`
	// Connection is the name of the connection that the database was reached by, "" when it was reached by a URL.
	Connection string `json:"connection,omitempty"`
	Engine     string `json:"engine"`
	Database   string `json:"database"`
	// TakenAt is the database's own time when it was looked at.
	TakenAt time.Time `json:"taken_at"`
	// InRecovery says that the server is a replica.
	InRecovery bool `json:"in_recovery"`
	// Include and Exclude are the patterns that chose the tables.
	Include []string `json:"include"`
	Exclude []string `json:"exclude"`
	// Tables are in the order of schema and name, by their bytes.
	Tables []DiscoveredTable `json:"tables"`
}

// DiscoveredTable is a table, or what is read like one.
type DiscoveredTable struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
	// Kind is one of TableKinds.
	Kind    string `json:"kind"`
	Comment string `json:"comment,omitempty"`
	// EstimatedRows and Bytes are the planner's estimates, partitions included, indexes not; nil is unknown.
	EstimatedRows *int64   `json:"estimated_rows,omitempty"`
	Bytes         *int64   `json:"bytes,omitempty"`
	PrimaryKey    []string `json:"primary_key"`
	// UniqueKeys are other columns that identify a row: unique together, none of them NULL.
	UniqueKeys [][]string `json:"unique_keys"`
	// Cursors are columns that hold a time in every row and that an index begins with.
	Cursors   []string           `json:"cursors"`
	Columns   []DiscoveredColumn `json:"columns"`
	Suggested Suggestion         `json:"suggested"`
	// Problem says why a run would fail with what is suggested, and what to do; "" when nothing is known of.
	Problem string `json:"problem,omitempty"`
}

// DiscoveredColumn is a column at the source and in the lake.
type DiscoveredColumn struct {
	Name string `json:"name"`
	// Type is the type as the source writes it.
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
	// Generated says that the source computes it from others.
	Generated bool   `json:"generated"`
	Comment   string `json:"comment,omitempty"`
	// LakeType and TargetName are the column's in the lake where nothing is declared.
	LakeType   string `json:"lake_type"`
	TargetName string `json:"target_name"`
	// Warning says what may be unexpected of the column's values in the lake.
	Warning string `json:"warning,omitempty"`
}

// Suggestion is how a table may be configured.
type Suggestion struct {
	// Name is for the source table: see SuggestName.
	Name string `json:"name"`
	// TargetTable is for the catalogue: see SuggestTarget.
	TargetTable string           `json:"target_table"`
	Extract     SuggestedExtract `json:"extract"`
	StorageMode string           `json:"storage_mode"`
	PrimaryKey  []string         `json:"primary_key"`
	// Reason is a sentence that says why.
	Reason string `json:"reason"`
}

// SuggestedExtract is what of Extract can be suggested from the catalogues: no horizon that a catalogue vouches for
// needs a cursor.
type SuggestedExtract struct {
	Mode    string `json:"mode"`
	Horizon string `json:"horizon,omitempty"`
}

// DecodeDiscovery reads a discovery strictly.
func DecodeDiscovery(data []byte) (*Discovery, error) {
	d := &Discovery{}
	if err := decodeUpTo(MaxDiscovery, data, KindDiscovery, d); err != nil {
		return nil, err
	}
	return d, nil
}

// Encode writes the document in its lowest version; one that is not valid is refused.
func (d Discovery) Encode() ([]byte, error) {
	d.Tables = slices.Clone(d.Tables) // which Normalize changes
	d.Normalize()
	d.V = 1
	data, err := encodeUpTo(MaxDiscovery, &d)
	var invalid *InvalidError
	if err != nil && !errors.As(err, &invalid) {
		return nil, fmt.Errorf("%w: narrow include, such as to one schema (\"sales.*\"), or exclude some tables", err)
	}
	return data, err
}

func (d *Discovery) header() (Kind, string, int) { return KindDiscovery, d.Connection, d.V }

// Normalize gives lists that are absent their empty form.
func (d *Discovery) Normalize() {
	d.Include, d.Exclude = present(d.Include), present(d.Exclude)
	d.Tables = present(d.Tables)
	for i := range d.Tables {
		t := &d.Tables[i]
		t.PrimaryKey, t.UniqueKeys, t.Cursors, t.Columns = present(t.PrimaryKey), present(t.UniqueKeys), present(t.Cursors), present(t.Columns)
		t.Suggested.PrimaryKey = present(t.Suggested.PrimaryKey)
	}
}

func present[E any](list []E) []E {
	if list == nil {
		return []E{}
	}
	return list
}

// Validate returns what is wrong with the document, the first problems of many.
func (d *Discovery) Validate() Problems {
	var ps Problems
	if d.Connection != "" {
		if wrong := checkThingName(d.Connection); wrong != "" {
			ps.add(At("connection"), "%s", wrong)
		}
	}
	if _, known := DefaultPorts[d.Engine]; !known {
		ps.add(At("engine"), "%s", notOneOf(d.Engine, slices.Sorted(maps.Keys(DefaultPorts))))
	}
	if d.Database == "" || len(d.Database) > 128 {
		ps.add(At("database"), "%q is not the name of a database: write 1 to 128 characters", d.Database)
	}
	if d.TakenAt.IsZero() {
		ps.add(At("taken_at"), "it is missing: write when the database was looked at")
	}
	if _, wrong := Select(d.Include, d.Exclude); len(wrong) > 0 {
		ps = append(ps, wrong...)
	}
	if len(d.Tables) > MaxDiscoveredTables {
		ps.add(At("tables"), "%s", tooManyTables(len(d.Tables)))
	}
	for i := range d.Tables {
		if len(ps) >= maxProblems {
			break
		}
		t := &d.Tables[i]
		t.validate(&ps, At("tables", i))
		if i > 0 && compareTables(&d.Tables[i-1], t) >= 0 {
			ps.add(At("tables", i), "%q.%q does not come behind %q.%q: tables stand once, in the order of schema and name", t.Schema, t.Table, d.Tables[i-1].Schema, d.Tables[i-1].Table)
		}
	}
	return ps[:min(len(ps), maxProblems)]
}

// compareTables is the order of tables in a discovery.
func compareTables(a, b *DiscoveredTable) int {
	if c := strings.Compare(a.Schema, b.Schema); c != 0 {
		return c
	}
	return strings.Compare(a.Table, b.Table)
}

// tooManyTables says that a selection is too wide.
func tooManyTables(n int) string {
	return fmt.Sprintf("%d tables are meant, and at most %d fit into one discovery: narrow include, such as to one schema (\"sales.*\"), or exclude some", n, MaxDiscoveredTables)
}

// CheckTableCount is an error where more tables are meant than one discovery holds.
func CheckTableCount(n int) error {
	if n > MaxDiscoveredTables {
		return fmt.Errorf("%s", tooManyTables(n))
	}
	return nil
}

func (t *DiscoveredTable) validate(ps *Problems, at Path) {
	checkIdentifier(ps, at.With("schema"), t.Schema, "schema")
	checkIdentifier(ps, at.With("table"), t.Table, "table")
	if !slices.Contains(TableKinds, t.Kind) {
		ps.add(at.With("kind"), "%s", notOneOf(t.Kind, TableKinds))
	}
	for _, estimate := range []struct {
		name  string
		value *int64
	}{{"estimated_rows", t.EstimatedRows}, {"bytes", t.Bytes}} {
		if estimate.value != nil && *estimate.value < 0 {
			ps.add(at.With(estimate.name), "%d is below 0: leave it out where it is not known", *estimate.value)
		}
	}
	if len(t.Columns) > maxDiscoveredColumns {
		ps.add(at.With("columns"), "it has %d columns; at most %d are read", len(t.Columns), maxDiscoveredColumns)
		return
	}
	names := map[string]bool{}
	for i, c := range t.Columns {
		checkIdentifier(ps, at.With("columns", i, "name"), c.Name, "column")
		if names[c.Name] {
			ps.add(at.With("columns", i, "name"), "%q stands twice", c.Name)
		}
		names[c.Name] = true
		if c.TargetName == "" {
			ps.add(at.With("columns", i, "target_name"), "it is missing")
		}
		if wrong := checkColumnType(c.LakeType); wrong != "" {
			ps.add(at.With("columns", i, "lake_type"), "%s", wrong)
		}
	}
	keys := append([][]string{t.PrimaryKey, t.Suggested.PrimaryKey, t.Cursors}, t.UniqueKeys...)
	for _, key := range keys {
		for _, name := range key {
			if !names[name] {
				ps.add(at, "a key or cursor of it names %q, which is none of its columns", name)
			}
		}
	}
	t.Suggested.validate(ps, at.With("suggested"))
}

func (s *Suggestion) validate(ps *Problems, at Path) {
	if !tableName.MatchString(s.Name) {
		ps.add(at.With("name"), "%q is not a name for a source table", s.Name)
	}
	if !catalogueName.MatchString(s.TargetTable) {
		ps.add(at.With("target_table"), "%q is not a name Athena reads unquoted", s.TargetTable)
	}
	if !slices.Contains(Modes, s.Extract.Mode) {
		ps.add(at.With("extract", "mode"), "%s", notOneOf(s.Extract.Mode, Modes))
	}
	if s.Extract.Horizon != "" && !slices.Contains(Horizons, s.Extract.Horizon) {
		ps.add(at.With("extract", "horizon"), "%s", notOneOf(s.Extract.Horizon, Horizons))
	}
	if !slices.Contains(StorageModes, s.StorageMode) {
		ps.add(at.With("storage_mode"), "%s", notOneOf(s.StorageMode, StorageModes))
	}
}
