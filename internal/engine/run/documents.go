package run

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Documents is a Tracker over a folder of documents, for trying a table without a tracking: connections in
// connections/*.json, source tables in tables/*.json. There is no lease beyond this process and no history; the
// checkpoint in the table's own commit, and the commit's compare-and-swap, hold all the same.
type Documents struct {
	connections map[string]*spec.Connection
	tables      map[string]*spec.Table

	mu   sync.Mutex
	held map[string]string
	// Records are what the runs left behind, in order.
	Records []tracking.Run
}

// ReadDocuments reads a folder of documents strictly.
func ReadDocuments(folder string) (*Documents, error) {
	d := &Documents{connections: map[string]*spec.Connection{}, tables: map[string]*spec.Table{}, held: map[string]string{}}
	err := eachDocument(filepath.Join(folder, "connections"), func(data []byte) error {
		c, err := spec.DecodeConnection(data)
		if err == nil {
			d.connections[c.Name] = c
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachDocument(filepath.Join(folder, "tables"), func(data []byte) error {
		t, err := spec.DecodeTable(data)
		if err == nil {
			d.tables[t.Name] = t
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(d.tables) == 0 {
		return nil, fmt.Errorf("reading documents: %s holds no tables/*.json", folder)
	}
	return d, nil
}

func eachDocument(folder string, read func([]byte) error) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return fmt.Errorf("reading documents: %w", err)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Size() > spec.MaxDocument {
			err = fmt.Errorf("it has %d bytes; at most %d are read", info.Size(), spec.MaxDocument)
		}
		var data []byte
		if err == nil {
			data, err = os.ReadFile(path)
		}
		if err == nil {
			err = read(data)
		}
		if err != nil {
			return fmt.Errorf("reading the document %s: %w", path, err)
		}
	}
	return nil
}

// CheckLayout implements Tracker.
func (*Documents) CheckLayout(context.Context) error { return nil }

// Cadence implements Tracker; documents have none.
func (*Documents) Cadence(_ context.Context, name string) (*spec.Cadence, error) {
	return nil, fmt.Errorf("the cadence %q: %w", name, fs.ErrNotExist)
}

// Connection implements Tracker.
func (d *Documents) Connection(_ context.Context, name string) (*spec.Connection, error) {
	if c := d.connections[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("reading the connection %q: no document in connections/ has that name", name)
}

// Table implements Tracker.
func (d *Documents) Table(_ context.Context, name string) (*spec.Table, error) {
	if t := d.tables[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("reading the source table %q: no document in tables/ has that name", name)
}

// TableNames implements Tracker; it lists the tables of all cadences for "".
func (d *Documents) TableNames(_ context.Context, cadence string) ([]string, error) {
	var names []string
	for name, t := range d.tables {
		if t.Enabled && (cadence == "" || t.Cadence == cadence) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// CheckNesting implements Tracker.
func (d *Documents) CheckNesting(_ context.Context, t *spec.Table) error {
	location, err := spec.ParseLocation(t.Target.Location)
	if err != nil {
		return err
	}
	for name, other := range d.tables {
		l, err := spec.ParseLocation(other.Target.Location)
		if err == nil && name != t.Name && (l.Contains(location) || location.Contains(l)) {
			return &tracking.OwnedError{Target: l.String(), Owner: name}
		}
	}
	return nil
}

// Acquire implements Tracker.
func (d *Documents) Acquire(ctx context.Context, table, run string, _ time.Duration) (Lease, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if holder := d.held[table]; holder != "" {
		return nil, &tracking.HeldError{Table: table, Run: holder}
	}
	d.held[table] = run
	return &documentLease{d: d, table: table, ctx: ctx}, nil
}

// Position implements Tracker: there is none, so the checkpoint decides.
func (*Documents) Position(context.Context, string) (*tracking.Position, error) { return nil, nil }

// Summary implements Tracker.
func (*Documents) Summary(context.Context, string) (tracking.Summary, error) {
	return tracking.Summary{}, nil
}

// Load implements Tracker: loads are not remembered.
func (*Documents) Load(context.Context, string) (*tracking.Load, []tracking.LoadUnit, error) {
	return nil, nil, nil
}

// RecordOutside implements Tracker.
func (d *Documents) RecordOutside(_ context.Context, r tracking.Run) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Records = append(d.Records, r)
	return nil
}

type documentLease struct {
	d     *Documents
	table string
	ctx   context.Context
}

func (l *documentLease) Fence() tracking.Fence    { return tracking.Fence{} }
func (l *documentLease) Context() context.Context { return l.ctx }
func (*documentLease) Dead() (string, time.Time)  { return "", time.Time{} }
func (l *documentLease) Release(context.Context) error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	delete(l.d.held, l.table)
	return nil
}

func (l *documentLease) Record(ctx context.Context, r tracking.Record) error {
	r.Run.Table = l.table
	return l.d.RecordOutside(ctx, r.Run)
}
