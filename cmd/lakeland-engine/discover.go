package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// discovery is what the command line asks for.
type discovery struct {
	from, tracking, connection, to string
	include, exclude               []string
	json                           bool
}

func discoverCommand() *cobra.Command {
	var d discovery
	c := &cobra.Command{
		Use:   "discover (--from postgresql://USER@HOST/DATABASE | --tracking NAME --connection NAME)",
		Short: "List the tables of a database, and how each may be landed",
		Long: `Reads from the catalogues of a PostgreSQL database which tables there are, with columns, keys and estimates, and
suggests how each may be landed. It reads no row and takes no lock on a table.

The database is that of a connection in the tracking, with the login of its secret, or that of a URL: see
"lakeland-engine extract --help" for URLs, passwords and TLS. A URL beside --tracking and --connection is another way
to the same database, such as a tunnel.

--include and --exclude take patterns, SCHEMA.TABLE each, and may be repeated: "*" is any run of characters, "?" any
one, and "\" takes the next one as it is, such as a dot of a schema's name. Case counts. All tables are included by
default; those of the system and of extensions never are, nor are partitions: their parent is the table.

On a terminal a table is shown, elsewhere or with --json the document. --to writes the document for the data source
lakeland_source_schema, for where Terraform cannot reach the database: into a file (its name ends with .json), or
below a folder or artifacts location as discovery/TRACKING/CONNECTION.json, where the data source looks for it.`,
		Example: `  lakeland-engine discover --from postgresql://postgres@localhost/shop
  lakeland-engine discover --tracking shop --connection shop-db --include 'public.*' --exclude '*.*_old'
  lakeland-engine discover --tracking shop --connection shop-db --to s3://acme-artifacts/lakeland/
  PGPASSWORD=... lakeland-engine discover --from 'postgresql://reader@localhost:6000/shop?sslmode=require' \
    --tracking shop --connection shop-db --to s3://acme-artifacts/lakeland/
  lakeland-engine discover --from postgresql://postgres@localhost/shop --json | jq -r '.tables[] | select(.problem) | .table'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&d.from, "from", "", "URL of the database, without a password")
	c.Flags().StringVar(&d.tracking, "tracking", "", "name of the tracking")
	c.Flags().StringVar(&d.connection, "connection", "", "name of the connection")
	c.Flags().StringArrayVar(&d.include, "include", nil, "pattern of tables to include; may be repeated (default *.*)")
	c.Flags().StringArrayVar(&d.exclude, "exclude", nil, "pattern of tables to leave out; may be repeated")
	c.Flags().StringVar(&d.to, "to", "", "file, folder or artifacts location for the document")
	c.Flags().BoolVar(&d.json, "json", false, "write the document to standard output")
	return c
}

func (d *discovery) run(ctx context.Context, out, beside io.Writer) error {
	meant, err := d.check()
	if err != nil {
		return err
	}
	var aws *clients
	var clock *tracking.Clock
	if d.from == "" || strings.HasPrefix(d.to, "s3://") {
		if aws, clock, err = connect(ctx); err != nil {
			return err
		}
	}
	connection, secrets, err := d.source(ctx, aws, clock)
	if err != nil {
		return err
	}
	found, err := run.Discover(ctx, connection, secrets, meant)
	if err != nil {
		return err
	}
	data, err := found.Encode()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(beside, nil))
	for _, i := range meant.Idle(found.Tables) {
		log.Warn("no table answers to a pattern", "include", meant.Include[i])
	}
	if d.to != "" {
		address, err := d.write(ctx, aws, data)
		if err != nil {
			return err
		}
		log.Info("discovery written", "to", address, "tables", len(found.Tables), "bytes", len(data))
	}
	switch {
	case d.json || d.to == "" && !isTerminal(out):
		if _, err := out.Write(append(data, '\n')); err != nil {
			return fmt.Errorf("writing the discovery: %w", err)
		}
		return nil
	case d.to == "":
		return showTables(out, found)
	default:
		return nil
	}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// check finds what is wrong with the command line before anything is reached.
func (d *discovery) check() (*spec.Selection, error) {
	meant, problems := spec.Select(d.include, d.exclude)
	if len(problems) > 0 {
		return nil, misuse{fmt.Errorf("--%s", problems[0])}
	}
	named := d.tracking != "" && d.connection != ""
	if named {
		if wrong := spec.CheckTrackingName(d.tracking); wrong != "" {
			return nil, misuse{errors.New("--tracking: " + wrong)}
		}
		if wrong := spec.CheckConnectionName(d.connection); wrong != "" {
			return nil, misuse{errors.New("--connection: " + wrong)}
		}
	}
	switch {
	case !named && (d.tracking != "" || d.connection != ""):
		return nil, misuse{errors.New("--tracking and --connection belong together: write both, or --from alone")}
	case !named && d.from == "":
		return nil, misuse{errors.New("it is not said which database: write --tracking and --connection, or --from")}
	case !named && d.to != "" && !strings.HasSuffix(d.to, ".json"):
		return nil, misuse{fmt.Errorf("--to: below %q the document is named by tracking and connection: write --tracking and --connection too, or a name that ends with .json", d.to)}
	}
	if strings.HasPrefix(d.to, "s3://") {
		if _, err := spec.DiscoveryAt(d.to, d.tracking, d.connection); err != nil {
			return nil, misuse{fmt.Errorf("--to: %w", err)}
		}
	}
	return meant, nil
}

// source is the database to look at, and what logs into it.
func (d *discovery) source(ctx context.Context, aws *clients, clock *tracking.Clock) (*spec.Connection, run.Secrets, error) {
	if d.from == "" {
		connection, err := aws.tracking(d.tracking, clock).Connection(ctx, d.connection)
		if err != nil {
			return nil, nil, err
		}
		return connection, run.SecretsManager(aws.Secrets), nil
	}
	connection, login, err := parseSource(d.from)
	if err != nil {
		return nil, nil, misuse{fmt.Errorf("--from: %w", err)}
	}
	connection.Name = d.connection
	return connection, func(context.Context, string) (postgres.Credentials, error) { return login, nil }, nil
}

// write puts the document where it was asked for and returns its address.
func (d *discovery) write(ctx context.Context, aws *clients, data []byte) (string, error) {
	var into store.Store
	key := spec.DiscoveryKey(d.tracking, d.connection)
	switch {
	case strings.HasPrefix(d.to, "s3://"):
		at, err := spec.DiscoveryAt(d.to, d.tracking, d.connection)
		if err != nil {
			return "", err
		}
		if into, err = aws.open("s3://" + at.Bucket); err != nil {
			return "", err
		}
		key = at.Key
	default:
		folder, err := filepath.Abs(d.to)
		if err != nil {
			return "", misuse{fmt.Errorf("--to: %w", err)}
		}
		if strings.HasSuffix(folder, ".json") {
			folder, key = filepath.Dir(folder), filepath.Base(folder)
		}
		into = store.NewDirectory(folder)
	}
	if _, err := into.Put(ctx, key, data, store.Condition{}); err != nil {
		return "", fmt.Errorf("keeping the discovery: %w", err)
	}
	return into.Address(key), nil
}

// showTables shows a discovery to people, and what keeps tables from being landed below it.
func showTables(out io.Writer, d *spec.Discovery) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "table\tkind\trows\tsize\tcolumns\tkey\tsuggested\t")
	var problems []string
	for i := range d.Tables {
		t := &d.Tables[i]
		name, rows, size := shown(spec.TableKey(t.Schema, t.Table)), "?", "?"
		if t.EstimatedRows != nil {
			rows = humanize.Comma(*t.EstimatedRows)
		}
		if t.Bytes != nil {
			size = humanize.IBytes(uint64(max(*t.Bytes, 0)))
		}
		suggested := strings.TrimSpace(t.Suggested.Extract.Mode + " " + t.Suggested.Extract.Horizon)
		if t.Problem != "" {
			suggested = "see below"
			problems = append(problems, name+": "+shown(t.Problem))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t\n", name, strings.ReplaceAll(t.Kind, "_", " "), rows, size, len(t.Columns), shown(strings.Join(t.Suggested.PrimaryKey, ", ")), suggested)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("showing the tables: %w", err)
	}
	for _, problem := range problems {
		_, _ = fmt.Fprintln(out, "\n"+problem)
	}
	return nil
}

// shown is a name from the database as a terminal may show it.
func shown(name string) string {
	if quoted := strconv.Quote(name); strings.Contains(quoted, `\x`) || strings.Contains(quoted, `\u`) || strings.ContainsAny(name, "\t\n\r\v\a\b\f") {
		return quoted
	}
	return name
}
