package run_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// put puts an object into the bucket.
func (l *lake) put(key, content string) {
	l.t.Helper()
	_, err := l.clients.S3.PutObject(l.t.Context(), &s3.PutObjectInput{Bucket: aws.String(l.bucket), Key: aws.String(key), Body: strings.NewReader(content)})
	l.must(err)
}

// A table is not made where the files of another lie, whatever the catalogue knows of that: the run says what lies there and
// what to do, and writes nothing. What a first run of its own left that died is no hindrance, and neither is an empty folder.
func TestAnotherTableAtTheLocation(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*spec.Table){
		"iceberg": func(s *spec.Table) { s.Extract.Mode, s.PrimaryKey = "incremental", []string{"id"} },
		"parquet": func(s *spec.Table) { s.Target.Format = "parquet" },
		"batches": func(s *spec.Table) { kept("parquet")(s); s.PrimaryKey = []string{"id"} },
		"hudi":    hudiFormat(incremental),
	}
	for name, edit := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, n int NOT NULL)`, `INSERT INTO goods VALUES (1, 1)`)
			at := func(name, folder string) *spec.Table {
				doc := l.source(name)
				edit(doc)
				doc.Source.Database.Table, doc.Target.Location = "goods", "s3://"+l.bucket+"/"+folder+"/"
				l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
				return doc
			}
			refused := func(doc *spec.Table, folder string, texts ...string) {
				t.Helper()
				before := l.objects(folder)
				out := l.runner().Table(t.Context(), doc.Name)
				if !errors.Is(out.Err, table.ErrForeign) {
					t.Errorf("%s: %v", folder, out.Err)
					return
				}
				for _, text := range texts {
					if !strings.Contains(out.Err.Error(), text) {
						t.Errorf("%s: the error lacks %q: %v", folder, text, out.Err)
					}
				}
				if after := l.objects(folder); !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))) {
					t.Errorf("%s: there were %d objects, and are %d", folder, len(before), len(after))
				}
				if _, err := l.runner().Catalog.Get(t.Context(), l.database, doc.Target.Table); !errors.Is(err, catalog.ErrNotFound) {
					t.Errorf("%s: an entry was made: %v", folder, err)
				}
			}
			for i, tc := range [][]string{
				{"metadata/00003-9c12d441-03fe-4693-9a96-a0705ddf69c1.metadata.json", "an Iceberg table", "set adopt = true"},
				{"metadata/v3.metadata.json", "an Iceberg table", "choose another location"},
				{".hoodie/hoodie.properties", "a Hudi table", "choose another location"},
				{".hoodie/20260101000000000.commit", "a Hudi table", "choose another location"},
				{"_delta_log/00000000000000000000.json", "a Delta Lake table", "choose another location"},
				{"part-00000-9c12d441-03fe-4693-9a96-a0705ddf69c1.snappy.parquet", "files that lakeland did not write (part-00000-", "move them away"},
				{"data/00000-0-9c12d441-03fe-4693-9a96-a0705ddf69c1-00001.parquet", "files that lakeland did not write", "choose another location"},
			} {
				folder, theirs := "other"+string(rune('a'+i)), "theirs"
				if name == "hudi" && strings.HasPrefix(tc[0], ".hoodie/") {
					if strings.HasSuffix(tc[0], "commit") {
						continue // without properties that is no table
					}
					theirs = "hoodie.table.name=t\nhoodie.table.type=COPY_ON_WRITE\nhoodie.table.version=6\nhoodie.timeline.layout.version=1\nhoodie.table.recordkey.fields=id\n"
				}
				l.put(folder+"/"+tc[0], theirs)
				refused(at(folder, folder), folder+"/", append(tc[1:], "s3://"+l.bucket+"/"+folder+"/")...)
			}
			l.put("empty/", "")
			l.put("empty/data_$folder$", "")
			l.must(l.runner().Table(t.Context(), at("empty", "empty").Name).Err)

			// Another of ours, whose entry has another name: in another tracking, or since this one's was made.
			first := at("first", "same")
			l.must(l.runner().Table(t.Context(), first.Name).Err)
			l.must(l.tracking.DeleteTable(t.Context(), first, sandbox.Account))
			second := at("second", "same")
			if name != "parquet" { // of which nothing but the entry tells whose it is
				says := `the source table "shop.first" was landed in`
				if name == "hudi" { // which its folder tells, without an entry
					says = `was landed by the source table "shop.first"`
				}
				refused(second, "same/", says, "set adopt = true")
			}
			l.must(l.tracking.DeleteTable(t.Context(), second, sandbox.Account))
			_, err := l.clients.Glue.DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(l.database), Name: aws.String("first")})
			l.must(err)
			again := at("first", "same")
			l.must(l.runner().Table(t.Context(), again.Name).Err)
		})
	}
}
