package hive_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	gluesdk "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
)

// Over Glue's own wire each answer to a writing call is lost once, and the table goes on.
func TestOnGlue(t *testing.T) {
	t.Parallel()
	for _, historical := range []bool{false, true} {
		sb := sandbox.ForTest(t, sandbox.Glue)
		own := sb.NewGlue(t, nil)
		endpoints := sb.Endpoints()
		endpoints.Glue = own.URL()
		client := awsclient.New(sb.AWSConfigFor(endpoints), awsclient.Options{}).Glue
		database := strings.ReplaceAll(sb.NewName(t), "-", "_")
		if _, err := client.CreateDatabase(t.Context(), &gluesdk.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(database)}}); err != nil {
			t.Fatal(err)
		}
		l := newLake(t, historical)
		l.options.Database, l.options.Catalog = database, catalog.NewGlue(client, awsclient.Unknown, awsclient.Throttled)
		lose := func(operations ...string) {
			for _, operation := range operations {
				own.Inject(glue.Fault{Operation: operation, Kind: glue.LostResponse})
			}
		}
		source := ids(text(2, "note"))
		lose("CreateTable", "CreatePartition")
		l.land(source, 1, 2)
		lose("UpdateTable", "CreatePartition")
		source = ids(text(2, "note"), text(3, "more"))
		done := l.land(l.evolve(l.head(), source, schema.Whole), 3)
		h := l.head()
		want := map[bool]int64{false: 1, true: 3}[historical]
		if h.Rows != want || h.Commit != done.Commit || h.Checkpoint.Attempt != "a2" {
			t.Errorf("historical: %t: the head is %+v", historical, h)
		}
		l.options.Since = hive.Batch(done.Commit)
		if h = l.head(); h.Commit != done.Commit {
			t.Errorf("since batch %d the head is %s", l.options.Since, h.Commit)
		}
		files, err := l.table().Files(t.Context(), h)
		l.must(err)
		if len(files) != map[bool]int{false: 1, true: 2}[historical] {
			t.Errorf("historical: %t: %d files", historical, len(files))
		}
	}
}
