package catalog

import (
	"context"
	"fmt"
	"strconv"
	"sync"
)

// Memory is a catalogue in memory, for tests of what stands on one.
type Memory struct {
	mu        sync.Mutex
	databases map[string]map[string]*Table
	version   int
	// Before, when set, is asked before each Create and Update; an error it returns is the call's, which then
	// has no effect. After is asked behind them; its error is the call's, which has taken effect.
	Before, After func(call string, t *Table) error
}

// NewMemory makes a catalogue with empty databases.
func NewMemory(databases ...string) *Memory {
	m := &Memory{databases: map[string]map[string]*Table{}}
	for _, name := range databases {
		m.databases[name] = map[string]*Table{}
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
	t := m.databases[database][name]
	if t == nil {
		return nil, fmt.Errorf("the table %s.%s: %w", database, name, ErrNotFound)
	}
	return clone(t), nil
}

// Create implements Catalog.
func (m *Memory) Create(_ context.Context, t *Table) error {
	return m.write("create", t, func(old *Table) error {
		if old != nil {
			return ErrExists
		}
		return nil
	})
}

// Update implements Catalog.
func (m *Memory) Update(_ context.Context, t *Table) error {
	return m.write("update", t, func(old *Table) error {
		switch {
		case old == nil:
			return ErrNotFound
		case old.Version != t.Version:
			return ErrConflict
		default:
			return nil
		}
	})
}

func (m *Memory) write(call string, t *Table, check func(old *Table) error) error {
	if m.Before != nil {
		if err := m.Before(call, t); err != nil {
			return err
		}
	}
	if err := m.apply(call, t, check); err != nil {
		return err
	}
	if m.After != nil {
		return m.After(call, t)
	}
	return nil
}

func (m *Memory) apply(call string, t *Table, check func(old *Table) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.databases[t.Database] == nil {
		return fmt.Errorf("%s %s.%s: the database: %w", call, t.Database, t.Name, ErrNotFound)
	}
	if err := check(m.databases[t.Database][t.Name]); err != nil {
		return fmt.Errorf("%s %s.%s: %w", call, t.Database, t.Name, err)
	}
	m.version++
	stored := clone(t)
	stored.Version = strconv.Itoa(m.version)
	m.databases[t.Database][t.Name] = stored
	return nil
}

// Drop removes an entry, as somebody else might.
func (m *Memory) Drop(database, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.databases[database], name)
}

func clone(t *Table) *Table {
	c := *t
	c.Parameters = cloneMap(t.Parameters)
	c.SerDeParameters = cloneMap(t.SerDeParameters)
	c.Columns = append([]Column(nil), t.Columns...)
	c.PartitionKeys = append([]Column(nil), t.PartitionKeys...)
	return &c
}

func cloneMap(m map[string]string) map[string]string {
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
