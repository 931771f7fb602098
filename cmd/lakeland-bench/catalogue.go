package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
)

// fileCatalogue is a catalogue of one table in a file, in Glue's place. One process at a time uses it.
type fileCatalogue struct {
	catalog.Partitioned // which an Iceberg table has no use for
	path                string
}

// Database implements catalog.Catalog: every database is there.
func (fileCatalogue) Database(context.Context, string) error { return nil }

// Get implements catalog.Catalog.
func (f fileCatalogue) Get(context.Context, string, string) (*catalog.Table, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	t := &catalog.Table{}
	if err := json.Unmarshal(data, t); err != nil {
		return nil, fmt.Errorf("reading the catalogue %s: %w", f.path, err)
	}
	return t, nil
}

// Create implements catalog.Catalog.
func (f fileCatalogue) Create(ctx context.Context, t *catalog.Table) error {
	if _, err := f.Get(ctx, t.Database, t.Name); !errors.Is(err, catalog.ErrNotFound) {
		return errors.Join(err, catalog.ErrExists)
	}
	return f.write(t, 1)
}

// Update implements catalog.Catalog.
func (f fileCatalogue) Update(ctx context.Context, t *catalog.Table) error {
	current, err := f.Get(ctx, t.Database, t.Name)
	if err != nil {
		return err
	}
	if current.Version != t.Version {
		return catalog.ErrConflict
	}
	before, err := strconv.Atoi(current.Version)
	if err != nil {
		return fmt.Errorf("reading the catalogue %s: %w", f.path, err)
	}
	return f.write(t, before+1)
}

func (f fileCatalogue) write(t *catalog.Table, version int) error {
	stored := *t
	stored.Version = strconv.Itoa(version)
	data, err := json.Marshal(&stored)
	if err != nil {
		return fmt.Errorf("writing the catalogue: %w", err)
	}
	next := f.path + ".next"
	if err := os.WriteFile(next, data, 0o644); err != nil {
		return fmt.Errorf("writing the catalogue: %w", err)
	}
	if err := os.Rename(next, f.path); err != nil {
		return fmt.Errorf("writing the catalogue: %w", err)
	}
	return nil
}
