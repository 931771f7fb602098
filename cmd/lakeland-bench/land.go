package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func landCommand() *cobra.Command {
	var in place
	var name string
	var unitBytes int64
	c := &cobra.Command{
		Use: "land --lake DIR --table NAME", Short: "Land a table of libpq's database in a lake, cut into units as a run cuts it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := in.open(nil)
			if err != nil {
				return err
			}
			return l.land(c.Context(), spec.DatabaseSource{Schema: "public", Table: name}, unitBytes)
		},
	}
	in.flags(c)
	c.Flags().StringVar(&name, "table", "", "name of the table, in the schema public")
	c.Flags().Int64Var(&unitBytes, "unit-bytes", 0, "about how many bytes of the table at its source go into one file; 0 is what runs take")
	return c
}

func (l *lake) land(ctx context.Context, source spec.DatabaseSource, unitBytes int64) error {
	config, err := pgconn.ParseConfig("")
	if err != nil {
		return fmt.Errorf("reading libpq's variables: %w", err)
	}
	connection := spec.Connection{Name: "bench", Engine: "postgresql", Host: config.Host, Port: int(config.Port), Database: config.Database, TLS: spec.TLS{Mode: postgres.Plaintext}}
	login := postgres.Credentials{Username: config.User, Password: config.Password}
	head, err := l.target.Head(ctx)
	if err != nil {
		return err
	}
	var change table.Change
	attempt := ulid.Make().String()
	prefix, suffix := l.target.DataKeys(head, attempt, "land")
	secrets := func(context.Context, string) (postgres.Credentials, error) { return login, nil }
	open := func(string) (store.Store, error) { return l.store, nil }
	e := run.Extraction{
		Connection: connection, Source: source, Readers: 2, UnitBytes: unitBytes, Secrets: secrets, Stores: open,
		Output: run.Output{KeyPrefix: prefix, KeySuffix: suffix, FileBytes: fileBytes},
		Plan: func(read schema.Table) (_ schema.Table, err error) {
			change.Schema, err = l.target.Prepare(head, read)
			return change.Schema, err
		},
		Executor: &run.Local{Worker: &run.Worker{Stores: open, Secrets: secrets, Version: version}, Parallel: runtime.GOMAXPROCS(0)},
	}
	results, err := e.Run(ctx)
	if err != nil {
		return err
	}
	change.Checkpoint = checkpoint(change.Schema, head, attempt)
	for _, r := range results {
		change.Add = append(change.Add, r.Files...)
	}
	_, err = l.target.Commit(ctx, head, change)
	return err
}
