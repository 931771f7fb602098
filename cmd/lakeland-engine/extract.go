package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// extractFileBytes is the size from which on a file is ended and the next begun.
const extractFileBytes = 512 << 20

func extractCommand() *cobra.Command {
	var from, table, to, profile string
	var readers int
	var dpu float64
	c := &cobra.Command{
		Use:   "extract --from postgresql://USER@HOST/DATABASE --table SCHEMA.TABLE --to DIR|s3://BUCKET/PREFIX/",
		Short: "Read one table into Parquet files, and nothing else",
		Long: `Reads one table of a PostgreSQL database into Parquet files, as a run does, and commits nothing: for trying a
table before it is configured, and for measuring.

--from is a connection URL without a password, which would show in the list of processes: put it into
PGPASSWORD, or into a file named by PGPASSFILE. The other variables of libpq (PGHOST, PGPORT, PGUSER, PGDATABASE)
fill in what the URL leaves out. TLS with the server's name checked (sslmode=verify-full) is what a server
elsewhere gets; sslrootcert=FILE names its authority, sslmode=verify-ca and sslmode=require check less. A server on
this machine is spoken to without TLS unless sslmode says otherwise.

A column of a type that lakeland does not know becomes text, which a warning on standard error says.

With --readers above 1 the table is cut into ranges of its pages, which that many sessions read under one
snapshot; one more session holds the snapshot.`,
		Example: `  lakeland-engine extract --from postgresql://postgres@localhost/shop --table public.orders --to ./orders
  PGPASSWORD=... lakeland-engine extract --from 'postgresql://reader@db.example.com/shop?sslrootcert=rds.pem' \
    --table public.orders --to s3://acme-scratch/orders/ --readers 2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schemaName, tableName, found := strings.Cut(table, ".")
			if !found || schemaName == "" || tableName == "" {
				return misuse{fmt.Errorf("--table: %q is not the name of a table: write SCHEMA.TABLE", table)}
			}
			if readers < 1 || readers > 64 {
				return misuse{fmt.Errorf("--readers: %d is out of range: write 1 to 64", readers)}
			}
			connection, login, err := parseSource(from)
			if err != nil {
				return misuse{fmt.Errorf("--from: %w", err)}
			}
			bucket, prefix, open, err := destination(cmd.Context(), to)
			if err != nil {
				return err
			}
			limitMemory(dpu)
			show, beside := newDisplay(cmd.OutOrStdout()), slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			secrets := func(context.Context, string) (postgres.Credentials, error) { return login, nil }
			e := run.Extraction{
				Connection: *connection, Source: spec.DatabaseSource{Schema: schemaName, Table: tableName}, Readers: readers, Secrets: secrets, Stores: open, Started: show.start, Log: show.log,
				Warned: func(sentence string) { beside.Warn(sentence, "table", table) },
				Output: run.Output{Bucket: bucket, KeyPrefix: prefix, KeySuffix: ".parquet", FileBytes: extractFileBytes},
				Executor: &run.Local{
					Worker:   &run.Worker{Stores: open, Secrets: secrets, Version: version, Progress: show.add},
					Parallel: max(readers, runtime.GOMAXPROCS(0)), Log: show.log,
				},
			}
			return profiled(profile, func() error { return extract(cmd.Context(), &e, show) })
		},
	}
	c.Flags().StringVar(&from, "from", "", "URL of the database, without a password (required)")
	c.Flags().StringVar(&table, "table", "", "name of the table, with its schema (required)")
	c.Flags().StringVar(&to, "to", "", "folder, on this machine or in S3 (required)")
	c.Flags().IntVar(&readers, "readers", 1, "how many sessions read at once")
	c.Flags().Float64Var(&dpu, "dpu", 0, "size of the job to measure for, 0.0625 or 1, which bounds memory and processors; 0 takes what the machine has")
	c.Flags().StringVar(&profile, "cpuprofile", "", "file to write a profile of the processor's time to (for pprof)")
	for _, name := range []string{"from", "table", "to"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

// profiled runs something under the profiler, where there is a file for the profile.
func profiled(path string, do func() error) (err error) {
	if path == "" {
		return do()
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--cpuprofile: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("--cpuprofile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return do()
}

func extract(ctx context.Context, e *run.Extraction, show *display) error {
	started := time.Now()
	results, err := e.Run(ctx)
	out := run.Outcome{Table: e.Source.Schema + "." + e.Source.Table, State: tracking.RunSucceeded, Seconds: time.Since(started).Seconds()}
	files := 0
	for _, r := range results {
		out.Rows += r.Rows
		files += len(r.Files)
		for _, f := range r.Files {
			out.Bytes += f.File.Size
		}
	}
	if err != nil {
		return err
	}
	show.log.Info("table extracted", "table", out.Table, "rows", out.Rows, "bytes", out.Bytes, "files", files, "seconds", out.Seconds)
	show.finish([]run.Outcome{out})
	return nil
}

// parseSource takes a connection URL apart.
func parseSource(from string) (*spec.Connection, postgres.Credentials, error) {
	var none postgres.Credentials
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "postgresql" && u.Scheme != "postgres" {
		return nil, none, errors.New("it is not the URL of a PostgreSQL database: write postgresql://USER@HOST:PORT/DATABASE")
	}
	if _, set := u.User.Password(); set || u.Query().Has("password") {
		return nil, none, errors.New("it holds a password, which the list of processes shows: put it into PGPASSWORD, or into a file named by PGPASSFILE")
	}
	q := u.Query()
	mode, root := q.Get("sslmode"), q.Get("sslrootcert")
	if unknown := slices.DeleteFunc(keysOf(q), func(name string) bool {
		return slices.Contains([]string{"sslmode", "sslrootcert", "host", "port"}, name)
	}); len(unknown) > 0 {
		return nil, none, fmt.Errorf("it sets %s; only sslmode, sslrootcert, host and port can be set here", strings.Join(unknown, ", "))
	}
	q.Del("sslmode")
	q.Del("sslrootcert")
	q.Set("sslmode", "disable") // pgconn only reads the address here
	u.RawQuery = q.Encode()
	config, err := pgconn.ParseConfig(u.String())
	if err != nil {
		return nil, none, fmt.Errorf("reading it: %w", err)
	}
	c := &spec.Connection{Name: "from", Engine: "postgresql", Host: config.Host, Port: int(config.Port), Database: config.Database}
	switch mode {
	case "":
		if c.TLS.Mode = spec.DefaultTLSMode; local(config.Host) && root == "" {
			c.TLS.Mode = postgres.Plaintext
		}
	case "disable":
		c.TLS.Mode = postgres.Plaintext
	case "require", "verify-ca", "verify-full":
		c.TLS.Mode = mode
	default:
		return nil, none, fmt.Errorf("sslmode=%s: write disable, require, verify-ca or verify-full", mode)
	}
	if root != "" {
		ca, err := os.ReadFile(root)
		if err != nil {
			return nil, none, fmt.Errorf("sslrootcert: %w", err)
		}
		c.TLS.CA = string(ca)
	}
	return c, postgres.Credentials{Username: config.User, Password: config.Password}, nil
}

func keysOf(q url.Values) []string {
	var names []string
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// local reports whether a host is this machine, by a socket or an address of its own.
func local(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || host == "localhost" || ip != nil && ip.IsLoopback()
}

// destination opens where the files go: the address of a bucket, the prefix in it, and what opens it.
func destination(ctx context.Context, to string) (bucket, prefix string, open func(string) (store.Store, error), err error) {
	if strings.HasPrefix(to, "s3://") {
		location, err := spec.ParseLocation(to)
		if err != nil {
			return "", "", nil, misuse{fmt.Errorf("--to: %w", err)}
		}
		clients, _, err := connect(ctx)
		if err != nil {
			return "", "", nil, err
		}
		return spec.Location{Bucket: location.Bucket}.String(), location.Prefix, clients.open, nil
	}
	folder, err := filepath.Abs(to)
	if err != nil {
		return "", "", nil, misuse{fmt.Errorf("--to: %w", err)}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", "", nil, fmt.Errorf("making the folder for the files: %w", err)
	}
	return folder, "", func(string) (store.Store, error) { return store.NewDirectory(folder), nil }, nil
}
