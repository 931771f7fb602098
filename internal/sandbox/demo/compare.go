package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// lakeNames are the tables' names in the catalogue.
func lakeNames() []string {
	names := make([]string, len(tables))
	for i, table := range tables {
		_, name, _ := strings.Cut(table, ".")
		names[i] = glueDatabase + "." + name
	}
	return names
}

// landed is what the engine said of a table in the run's log.
type landed struct {
	Msg, Table string
	Bytes      uint64
	Seconds    float64
}

// compare reads source and lake, the lake with PyIceberg, and compares every value.
func (d *demo) compare(ctx context.Context, _ string) error {
	d.say("read the lake back with PyIceberg and compare every value with the source")
	reader, err := d.reader(ctx)
	if err != nil {
		return err
	}
	lake, err := reader.Iceberg(ctx, lakeNames()...)
	if err != nil {
		return err
	}
	said := d.landed()
	w := tabwriter.NewWriter(d.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "    table\tsource rows\tlake rows\tvalues\tbytes\tseconds\t")
	var wrong []string
	for i, name := range tables {
		schema, table, _ := strings.Cut(name, ".")
		source, err := readback.Postgres(ctx, d.database.ConnString, schema, table)
		if err != nil {
			return err
		}
		verdict := "equal"
		if differences := readback.Differences(source, &lake[i]); len(differences) > 0 {
			verdict = "DIFFER"
			wrong = append(wrong, name+": "+differences[0])
		}
		_, _ = fmt.Fprintf(w, "    %s\t%s\t%s\t%s\t%s\t%.2f\t\n", name, humanize.Comma(source.Count), humanize.Comma(lake[i].Count), verdict,
			humanize.IBytes(said[name].Bytes), said[name].Seconds)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the comparison: %w", err)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("lake and source differ: %s", strings.Join(wrong, "; "))
	}
	return nil
}

func (d *demo) landed() map[string]landed {
	out := map[string]landed{}
	for _, run := range d.sb.Glue().Runs() {
		log, _ := d.sb.Glue().RunLog(run.ID)
		for lines := bufio.NewScanner(strings.NewReader(log)); lines.Scan(); {
			var l landed
			if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "table landed" {
				out[l.Table] = l
			}
		}
	}
	return out
}

// lookAround says where everything is and waits.
func (d *demo) lookAround(ctx context.Context) {
	_, _ = fmt.Fprintf(d.Out, `
Everything stays up. To look around, in another shell:

  cd %s
  set -a; . %s; set +a     # endpoints, keys, variables
  %s plan                  # the deployed configuration
  psql %q

The lake is s3://%s at %s (path style), the catalogue is Glue at %s, everything else of AWS at %s.
To stop it and remove all of it: Ctrl-C here.
`, d.core.folder, d.environmentFile(), d.core.binary, d.database.ConnString, lakeBucket, d.sb.Endpoints().S3, d.sb.Endpoints().Glue, d.sb.Endpoints().Default)
	<-ctx.Done()
}
