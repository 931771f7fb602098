package interop_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// hudiVersions are the releases of Hudi that Spark has.
var hudiVersions = []string{toolchain.HudiVersion, toolchain.HudiNextVersion}

// arranged is what a reader of Hudi found, with the columns in the order that is wanted, for readers put those of partitions last, and
// without those that Hudi keeps for itself. All others stay, wanted or not.
func arranged(want, got *readback.Table) *readback.Table {
	var order []int
	for _, w := range want.Columns {
		if at := slices.IndexFunc(got.Columns, func(c [2]string) bool { return strings.EqualFold(c[0], w[0]) }); at >= 0 {
			order = append(order, at)
		}
	}
	for i, c := range got.Columns {
		if !slices.Contains(order, i) && !strings.HasPrefix(c[0], "_hoodie_") {
			order = append(order, i)
		}
	}
	out := &readback.Table{Count: got.Count, Rows: make([][]*string, len(got.Rows))}
	for _, i := range order {
		out.Columns = append(out.Columns, got.Columns[i])
	}
	for n, row := range got.Rows {
		for _, i := range order {
			out.Rows[n] = append(out.Rows[n], row[i])
		}
	}
	return out
}

// lightHudi are the readers of Hudi that look behind every step.
func (x *stage) lightHudi(chosen form) []reading {
	address := "s3://" + x.bucket + "/raw/t/"
	readings := []reading{{"DuckDB from the files", func(ctx context.Context) (*readback.Table, error) {
		python, err := x.sb.Python(ctx)
		if err != nil {
			return nil, err
		}
		return first(readback.Reader{Python: python, Env: x.sb.Env()}.HudiFiles(ctx, address))
	}}}
	if chosen > short {
		readings = append(readings, reading{"hudi-rs", func(ctx context.Context) (*readback.Table, error) {
			python, err := x.heavy.python()
			if err != nil {
				return nil, err
			}
			return first(readback.Reader{Python: python, Env: x.sb.Env()}.Hudi(ctx, address))
		}})
	}
	return readings
}

// othersHudi are Trino, by the catalogue unless that shows something else, and Spark with each version of Hudi, by the table's folder.
func (x *stage) othersHudi(uncatalogued bool) func(filters []string) []reading {
	return func(filters []string) []reading {
		var readings []reading
		if !uncatalogued {
			readings = append(readings, reading{"Trino", func(ctx context.Context) (*readback.Table, error) {
				return x.heavy.trino.Query(ctx, filtered("hudi."+x.database+".t", filters))
			}})
		}
		for _, version := range hudiVersions {
			readings = append(readings, reading{"Spark with Hudi " + version, func(ctx context.Context) (*readback.Table, error) {
				return x.bySparkHudi(ctx, version, nil, filters)
			}})
		}
		return readings
	}
}

// folder is the table's, as Spark's ways to S3 know it.
func (x *stage) folder() string { return "s3a://" + x.bucket + "/raw/t" }

// bySparkHudi has Spark read the table's folder, with options of Hudi's.
func (x *stage) bySparkHudi(ctx context.Context, version string, options map[string]string, filters []string) (*readback.Table, error) {
	h := x.heavy.hudi[version]
	view := "v_" + x.database
	if err := h.Execute(ctx, x.viewed(view, options)); err != nil {
		return nil, err
	}
	return h.Query(ctx, filtered(view, filters))
}

// viewed is the statement that makes a view of the table as it is now.
func (x *stage) viewed(view string, options map[string]string) string {
	list := "path '" + x.folder() + "'"
	for name, value := range options {
		list += fmt.Sprintf(", `%s` '%s'", name, value)
	}
	return "CREATE OR REPLACE TEMPORARY VIEW " + view + " USING hudi OPTIONS (" + list + ")"
}

// objects are the names of all that lies below the table's folder.
func (x *stage) objects() []string {
	x.t.Helper()
	var out []string
	pages := s3.NewListObjectsV2Paginator(x.clients.S3, &s3.ListObjectsV2Input{Bucket: aws.String(x.bucket), Prefix: aws.String("raw/t/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(x.t.Context())
		x.must(err)
		for _, object := range page.Contents {
			out = append(out, strings.TrimPrefix(*object.Key, "raw/t/"))
		}
	}
	slices.Sort(out)
	return out
}

// instants are those of the table's completed commits, in their order, but for the one that a table of ours begins with.
func (x *stage) instants() []string {
	x.t.Helper()
	var out []string
	for _, name := range x.objects() {
		instant, action, _ := strings.Cut(strings.TrimPrefix(name, ".hoodie/"), ".")
		if strings.HasPrefix(name, ".hoodie/2") && (action == "commit" || action == "replacecommit") {
			out = append(out, instant)
		}
	}
	return out
}
