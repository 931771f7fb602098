package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
)

// Memory is a catalogue in memory, for tests of what stands on one.
type Memory struct {
	mu        sync.Mutex
	databases map[string]map[string]*entry
	version   int
	// Before, when set, is asked before each write; an error it returns is the call's, which then has no effect. After is
	// asked behind those that took effect; its error is the call's.
	Before, After func(c Write) error
}

// entry is a table with its partitions by partitionKey, and what it was before, oldest first.
type entry struct {
	table      *Table
	partitions map[string]*Partition
	archive    []*Table
}

// Write is a call that changes a catalogue: "create", "update", "create partition", "update partition" or "delete partition".
type Write struct {
	Call string
	// Table is the entry of the first two calls; of the others it holds database and name alone.
	Table *Table
	// Partition is that of the other calls; for the last it holds values alone.
	Partition *Partition
}

// NewMemory makes a catalogue with empty databases.
func NewMemory(databases ...string) *Memory {
	m := &Memory{databases: map[string]map[string]*entry{}}
	for _, name := range databases {
		m.databases[name] = map[string]*entry{}
	}
	return m
}

// Database implements Catalog.
func (m *Memory) Database(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.databases[name] == nil {
		return fmt.Errorf("the database %q: %w", name, ErrNotFound)
	}
	return nil
}

// Get implements Catalog.
func (m *Memory) Get(_ context.Context, database, name string) (*Table, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.entry(database, name)
	if err != nil {
		return nil, err
	}
	return e.table.clone(), nil
}

func (m *Memory) entry(database, name string) (*entry, error) {
	e := m.databases[database][name]
	if e == nil {
		return nil, fmt.Errorf("the table %s.%s: %w", database, name, ErrNotFound)
	}
	return e, nil
}

// Create implements Catalog.
func (m *Memory) Create(_ context.Context, t *Table) error {
	return m.write(Write{Call: "create", Table: t})
}

// Update implements Catalog.
func (m *Memory) Update(_ context.Context, t *Table) error {
	return m.write(Write{Call: "update", Table: t})
}

// Partition implements Partitioned.
func (m *Memory) Partition(_ context.Context, database, table string, values []string) (*Partition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.entry(database, table)
	if err != nil {
		return nil, err
	}
	p := e.partitions[partitionKey(values)]
	if p == nil {
		return nil, fmt.Errorf("the partition %v of %s.%s: %w", values, database, table, ErrNotFound)
	}
	return p.clone(), nil
}

// Partitions implements Partitioned.
func (m *Memory) Partitions(_ context.Context, database, table string, from *AtLeast) iter.Seq2[*Partition, error] {
	return func(yield func(*Partition, error) bool) {
		found, err := m.selected(database, table, from)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, p := range found {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (m *Memory) selected(database, table string, from *AtLeast) ([]*Partition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.entry(database, table)
	if err != nil {
		return nil, err
	}
	key := -1
	if from != nil {
		key = slices.IndexFunc(e.table.PartitionKeys, func(c Column) bool { return c.Name == from.Key })
		if key < 0 {
			return nil, fmt.Errorf("%s is not a partition key of %s.%s", from.Key, database, table)
		}
	}
	var out []*Partition
	for _, p := range e.partitions {
		if key >= 0 {
			if n, err := strconv.ParseInt(p.Values[key], 10, 64); err != nil || n < from.Value {
				continue
			}
		}
		p = p.clone()
		p.Columns = nil
		out = append(out, p)
	}
	return out, nil
}

// CreatePartition implements Partitioned.
func (m *Memory) CreatePartition(_ context.Context, database, table string, p *Partition) error {
	return m.write(Write{Call: "create partition", Table: &Table{Database: database, Name: table}, Partition: p})
}

// UpdatePartition replaces a partition, as others may.
func (m *Memory) UpdatePartition(_ context.Context, database, table string, p *Partition) error {
	return m.write(Write{Call: "update partition", Table: &Table{Database: database, Name: table}, Partition: p})
}

// DeletePartition removes a partition and none of its files, as others may.
func (m *Memory) DeletePartition(_ context.Context, database, table string, values []string) error {
	return m.write(Write{Call: "delete partition", Table: &Table{Database: database, Name: table}, Partition: &Partition{Values: values}})
}

func (m *Memory) write(c Write) error {
	if m.Before != nil {
		if err := m.Before(c); err != nil {
			return err
		}
	}
	if err := m.Apply(c); err != nil {
		return err
	}
	if m.After != nil {
		return m.After(c)
	}
	return nil
}

// Apply makes a write without asking Before and After, such as one that was held up on its way.
func (m *Memory) Apply(c Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if c.Partition == nil {
		err = m.applyTable(c)
	} else {
		err = m.applyPartition(c)
	}
	if err != nil {
		return fmt.Errorf("%s %s.%s: %w", c.Call, c.Table.Database, c.Table.Name, err)
	}
	return nil
}

func (m *Memory) applyTable(c Write) error {
	database := m.databases[c.Table.Database]
	if database == nil {
		return fmt.Errorf("the database: %w", ErrNotFound)
	}
	e := database[c.Table.Name]
	switch {
	case c.Call == "create" && e != nil:
		return ErrExists
	case c.Call == "create":
		e = &entry{partitions: map[string]*Partition{}}
		database[c.Table.Name] = e
	case e == nil:
		return ErrNotFound
	case e.table.Version != c.Table.Version:
		return ErrConflict
	default:
		e.archive = append(e.archive, e.table)
	}
	m.version++
	e.table = c.Table.clone()
	e.table.Version = strconv.Itoa(m.version)
	return nil
}

func (m *Memory) applyPartition(c Write) error {
	e, err := m.entry(c.Table.Database, c.Table.Name)
	if err != nil {
		return err
	}
	if have, want := len(c.Partition.Values), len(e.table.PartitionKeys); have == 0 || have != want {
		return fmt.Errorf("a partition has %d values for %d keys", have, want)
	}
	key := partitionKey(c.Partition.Values)
	switch exists := e.partitions[key] != nil; {
	case c.Call == "create partition" && exists:
		return ErrExists
	case c.Call != "create partition" && !exists:
		return ErrNotFound
	case c.Call == "delete partition":
		delete(e.partitions, key)
	default:
		e.partitions[key] = c.Partition.clone()
	}
	return nil
}

// Drop removes an entry with its partitions, as somebody else might.
func (m *Memory) Drop(database, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.databases[database], name)
}

// Archive is what an entry was before, oldest first.
func (m *Memory) Archive(database, name string) []*Table {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*Table
	if e := m.databases[database][name]; e != nil {
		for _, t := range e.archive {
			out = append(out, t.clone())
		}
	}
	return out
}

func partitionKey(values []string) string {
	key, err := json.Marshal(values)
	if err != nil {
		return "" // strings always marshal
	}
	return string(key)
}

func (t *Table) clone() *Table {
	c := *t
	c.Parameters = cloneMap(t.Parameters)
	c.SerDeParameters = cloneMap(t.SerDeParameters)
	c.Columns = slices.Clone(t.Columns)
	c.PartitionKeys = slices.Clone(t.PartitionKeys)
	return &c
}

func (p *Partition) clone() *Partition {
	c := *p
	c.Values, c.Columns = slices.Clone(p.Values), slices.Clone(p.Columns)
	c.Parameters, c.SerDeParameters = cloneMap(p.Parameters), cloneMap(p.SerDeParameters)
	return &c
}

func cloneMap(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}
