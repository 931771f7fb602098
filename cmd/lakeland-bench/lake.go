package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
)

// tablePrefix is the table's folder in a lake.
const tablePrefix = "table/"

// lake is a folder with one Iceberg table, and the catalogue that names its metadata.
type lake struct {
	folder string
	store  store.Store
	target table.Table
}

// openLake opens a folder, which it makes where there is none. now is the commits' clock; nil is the machine's.
func openLake(folder string, now func() time.Time) (*lake, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("--lake: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the lake: %w", err)
	}
	l := &lake{folder: folder, store: store.NewDirectory(folder)}
	l.target = iceberg.New(iceberg.Options{
		Store: l.store, Catalog: fileCatalogue{path: filepath.Join(folder, "catalogue.json")}, Prefix: tablePrefix, Database: "bench", Name: "table", Version: version, Now: now,
	})
	return l, nil
}

// checkpoint is what a commit of the table carries.
func checkpoint(s schema.Table, before *table.Head) table.Checkpoint {
	id := ulid.Make().String()
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
	var folder string
	c := &cobra.Command{
		Use: "files --lake DIR", Short: "List the paths of the table's data files, and of the files of positions of deleted rows", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := openLake(folder, nil)
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
	lakeFlag(c, &folder)
	return c
}

func lakeFlag(c *cobra.Command, folder *string) {
	c.Flags().StringVar(folder, "lake", "", "folder of the lake (required)")
	_ = c.MarkFlagRequired("lake")
}
