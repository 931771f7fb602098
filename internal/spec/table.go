package spec

import "encoding/json"

// Defaults of a source table.
const (
	DefaultFormat       = "iceberg"
	DefaultMode         = "full"
	DefaultStorageMode  = "current_snapshot"
	DefaultReconcileHow = "count"
)

// The words a source table's document may use.
var (
	Formats       = []string{"iceberg", "hudi", "parquet"}
	Modes         = []string{"full", "incremental"}
	Horizons      = []string{"xmin", "transactions", "lookback"}
	StorageModes  = []string{"current_snapshot", "historical"}
	WriteModes    = []string{"copy_on_write", "merge_on_read"}
	ReconcileHows = []string{"count", "keys"}
	FileFormats   = []string{"json", "csv", "xml"}
	FilterOps     = []string{"=", "!=", "<", "<=", ">", ">=", "in", "is_null", "is_not_null"}
)

// AuditColumns are the columns that the engine can add to a table; their meaning is the engine's.
var AuditColumns = []string{"_lk_run_id", "_lk_ingested_at", "_lk_op", "_lk_seq", "_lk_source"}

// Table is one source table: where it comes from, what is read, where it lands.
type Table struct {
	V    int    `json:"v"`
	Name string `json:"name"`
	// Cadence is the name of the cadence, within the same tracking.
	Cadence     string            `json:"cadence"`
	Source      Source            `json:"source"`
	Extract     Extract           `json:"extract"`
	Target      Target            `json:"target"`
	StorageMode string            `json:"storage_mode"`
	PrimaryKey  []string          `json:"primary_key,omitempty"`
	PartitionBy []string          `json:"partition_by,omitempty"`
	Columns     map[string]Column `json:"columns,omitempty"`
	Filter      []Predicate       `json:"filter,omitempty"`
	Ordering    string            `json:"ordering,omitempty"`
	// WriteMode says how changes reach stored rows; "" is "copy_on_write".
	WriteMode string `json:"write_mode,omitempty"`
	// AuditColumns are the columns, out of AuditColumns, that say of each row where it came from.
	AuditColumns []string `json:"audit_columns,omitempty"`
	// DeletedColumn is the column that says of each row whether the source has deleted it; "" removes such rows.
	DeletedColumn string     `json:"deleted_column,omitempty"`
	Reconcile     *Reconcile `json:"reconcile,omitempty"`
	Reload        string     `json:"reload,omitempty"`
	Adopt         bool       `json:"adopt,omitempty"`
	Enabled       bool       `json:"enabled"`
	Freshness     *Freshness `json:"freshness,omitempty"`
}

// Source is exactly one of its fields.
type Source struct {
	Database *DatabaseSource `json:"database,omitempty"`
	DMS      *DMSSource      `json:"dms,omitempty"`
	Files    *FilesSource    `json:"files,omitempty"`
}

// DatabaseSource is a table or view read straight from a database. Names are exact, case included.
type DatabaseSource struct {
	Connection string `json:"connection"`
	Schema     string `json:"schema"`
	Table      string `json:"table"`
}

// DMSSource is a table in the files that AWS DMS wrote below a location.
type DMSSource struct {
	Location string `json:"location"`
	Schema   string `json:"schema"`
	Table    string `json:"table"`
}

// FilesSource is a folder of event files.
type FilesSource struct {
	Location string `json:"location"`
	Format   string `json:"format"`
}

// Extract says what each run reads.
type Extract struct {
	Mode    string `json:"mode"`
	Horizon string `json:"horizon,omitempty"`
	Cursor  string `json:"cursor,omitempty"`
	// Lookback is a duration for cursors that are times, a whole number for others.
	Lookback       string `json:"lookback,omitempty"`
	CursorTimeZone string `json:"cursor_time_zone,omitempty"`
}

// Target is where a table lands: its folder, and its entry in the Glue catalogue.
type Target struct {
	Location string `json:"location"`
	Database string `json:"database"`
	Table    string `json:"table"`
	Format   string `json:"format"`
}

// ObservedDecimal is the type of a column that becomes a decimal of as many digits as its values have.
const ObservedDecimal = "decimal(observed)"

// Column overrides what is derived from the source for one column.
type Column struct {
	// Name is the column's in the lake.
	Name string `json:"name,omitempty"`
	// Type is the column's in the lake, such as "decimal(12,2)", or ObservedDecimal.
	Type string `json:"type,omitempty"`
	// Skip leaves the column out: it is never read.
	Skip bool `json:"skip,omitempty"`
}

// Predicate is one condition of a filter; all must hold. Value is absent for is_null and is_not_null, and a
// comma-separated list for in: see Values.
type Predicate struct {
	Column string `json:"column"`
	Op     string `json:"op"`
	Value  string `json:"value,omitempty"`
}

// Reconcile says how often, and how, lake and source are compared.
type Reconcile struct {
	Every string `json:"every"`
	How   string `json:"how"`
}

// Freshness says how old a table's last success may become before it is reported as stale.
type Freshness struct {
	MaxAge string `json:"max_age"`
}

// DecodeTable reads a source table's document strictly.
func DecodeTable(data []byte) (*Table, error) {
	t := &Table{}
	if err := decode(data, KindTable, t); err != nil {
		return nil, err
	}
	return t, nil
}

// Encode writes the document in its lowest version; a document that is not valid is refused.
func (t Table) Encode() ([]byte, error) {
	t.Normalize()
	t.V = 1
	return encode(&t)
}

// Normal writes the document in the form in which two spellings of one thing are equal, valid or not.
func (t Table) Normal() ([]byte, error) {
	t.Normalize()
	t.V = 1
	return json.Marshal(&t)
}

func (t *Table) header() (Kind, string, int) { return KindTable, t.Name, t.V }

// Normalize gives absent fields their defaults, and texts with several spellings their one form.
func (t *Table) Normalize() {
	if t.Extract.Mode == "" {
		t.Extract.Mode = DefaultMode
	}
	if t.Target.Format == "" {
		t.Target.Format = DefaultFormat
	}
	if t.StorageMode == "" {
		t.StorageMode = DefaultStorageMode
	}
	t.Target.Location = normalLocation(t.Target.Location)
	if d := t.Source.DMS; d != nil {
		t.Source.DMS = &DMSSource{Location: normalLocation(d.Location), Schema: d.Schema, Table: d.Table}
	}
	if f := t.Source.Files; f != nil {
		t.Source.Files = &FilesSource{Location: normalLocation(f.Location), Format: f.Format}
	}
	if t.Reconcile != nil && t.Reconcile.How == "" {
		r := *t.Reconcile
		r.How = DefaultReconcileHow
		t.Reconcile = &r
	}
}
