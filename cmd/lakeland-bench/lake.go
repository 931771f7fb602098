package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
)

// tablePrefix is the table's folder in a lake.
const tablePrefix = "table/"

// lake is a folder with one table, and the catalogue that has its entry.
type lake struct {
	folder string
	store  store.Store
	target table.Table
	// clocked is the store where it has a clock of its own.
	clocked *clocked
}

// place is where a lake lies, and of what format its table is.
type place struct{ folder, format string }

func (p *place) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.folder, "lake", "", "folder of the lake (required)")
	c.Flags().StringVar(&p.format, "format", "iceberg", "the table's: iceberg or hudi")
	_ = c.MarkFlagRequired("lake")
}

// open opens the lake, and makes its folder where there is none. now is the commits' clock; nil is the machine's.
func (p *place) open(now func() time.Time) (*lake, error) {
	folder, err := filepath.Abs(p.folder)
	if err != nil {
		return nil, fmt.Errorf("--lake: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the lake: %w", err)
	}
	l := &lake{folder: folder, store: store.NewDirectory(folder)}
	if now != nil {
		l.clocked = &clocked{Store: l.store, now: now, written: map[string]time.Time{}}
		l.store = l.clocked
	}
	catalogue := fileCatalogue{path: filepath.Join(folder, "catalogue.json")}
	switch p.format {
	case "iceberg":
		l.target = iceberg.New(iceberg.Options{Store: l.store, Catalog: catalogue, Prefix: tablePrefix, Database: "bench", Name: "table", Version: version, Now: now})
	case "hudi":
		l.target = hudi.New(hudi.Options{Store: l.store, Catalog: catalogue, Prefix: tablePrefix, Database: "bench", Name: "table", Version: version, Now: now})
	default:
		return nil, fmt.Errorf("--format: there is no %q", p.format)
	}
	return l, nil
}

// checkpoint is what a commit of the table carries.
func checkpoint(s schema.Table, before *table.Head, id string) table.Checkpoint {
	c := table.Checkpoint{
		V: table.CheckpointVersion, Table: "table", ExtractHash: "bench", Horizon: "xmin", From: json.RawMessage("null"), ReadFrom: json.RawMessage("null"),
		To: json.RawMessage(fmt.Sprintf("%q", id)), RunID: id, Attempt: id, Fence: table.Fence{Epoch: 1, N: 1}, SchemaHash: s.Hash(),
	}
	if before.Checkpoint != nil {
		c.From = before.Checkpoint.To
	}
	return c
}

// answer prints what a command has come to, as JSON.
func answer(c *cobra.Command, what any) error {
	if err := json.NewEncoder(c.OutOrStdout()).Encode(what); err != nil {
		return fmt.Errorf("printing the outcome: %w", err)
	}
	return nil
}

// listed are the paths of a table's files.
type listed struct {
	Files   []string `json:"files"`
	Deletes []string `json:"deletes"`
}

// path is where an object lies.
func (l *lake) path(key string) string { return filepath.Join(l.folder, filepath.FromSlash(key)) }

func filesCommand() *cobra.Command {
	var in place
	c := &cobra.Command{
		Use: "files --lake DIR", Short: "List the paths of the table's data files, and of the files of positions of deleted rows", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := in.open(nil)
			if err != nil {
				return err
			}
			head, err := l.target.Head(c.Context())
			if err != nil {
				return err
			}
			stored, err := l.target.Files(c.Context(), head)
			if err != nil {
				return err
			}
			out := listed{Files: make([]string, len(stored))}
			for i, f := range stored {
				out.Files[i] = l.path(f.Key)
				for _, d := range f.Deletes {
					if path := l.path(d.Key); !slices.Contains(out.Deletes, path) {
						out.Deletes = append(out.Deletes, path)
					}
				}
			}
			return answer(c, out)
		},
	}
	in.flags(c)
	return c
}

// clocked is a store whose objects are as old as they are by a clock, and which takes a time to answer.
type clocked struct {
	store.Store
	now func() time.Time
	// answers is how long each request takes beside what it does; it is set while nothing else is done.
	answers time.Duration
	mu      sync.Mutex
	written map[string]time.Time
}

// perRequest is how many objects a request of S3 lists or deletes at the most.
const perRequest = 1000

// Get implements store.Store.
func (c *clocked) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	time.Sleep(c.answers)
	return c.Store.Get(ctx, key, offset, length) //nolint:wrapcheck // the very store
}

// Head implements store.Store.
func (c *clocked) Head(ctx context.Context, key string) (store.Object, error) {
	time.Sleep(c.answers)
	return c.Store.Head(ctx, key) //nolint:wrapcheck // the very store
}

// Delete implements store.Store.
func (c *clocked) Delete(ctx context.Context, keys ...string) error {
	for range slices.Chunk(keys, perRequest) {
		time.Sleep(c.answers)
	}
	return c.Store.Delete(ctx, keys...) //nolint:wrapcheck // the very store
}

// Put implements store.Store.
func (c *clocked) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	c.write(key)
	return c.Store.Put(ctx, key, data, when) //nolint:wrapcheck // the very store
}

// Create implements store.Store.
func (c *clocked) Create(ctx context.Context, key string) (store.Writer, error) {
	c.write(key)
	return c.Store.Create(ctx, key) //nolint:wrapcheck // the very store
}

// List implements store.Store.
func (c *clocked) List(ctx context.Context, prefix, after string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		time.Sleep(c.answers)
		listed := 0
		for object, err := range c.Store.List(ctx, prefix, after) {
			if listed++; listed%perRequest == 0 {
				time.Sleep(c.answers)
			}
			c.mu.Lock()
			object.Modified = c.written[object.Key]
			c.mu.Unlock()
			if !yield(object, err) {
				return
			}
		}
	}
}

func (c *clocked) write(key string) {
	time.Sleep(c.answers)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[key] = c.now()
}
