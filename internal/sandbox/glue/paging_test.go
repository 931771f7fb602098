package glue

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"pgregory.net/rapid"
)

// TestPagesConcatenate: whatever the page size and the keys, the pages put together are the list,
// no page is empty but the only one, and none is larger than asked for.
func TestPagesConcatenate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.String(), rapid.ID[string]).Draw(t, "keys")
		slices.Sort(keys)
		size := rapid.IntRange(1, 20).Draw(t, "page size")
		var asked *int32
		if rapid.Bool().Draw(t, "with MaxResults") {
			asked = aws.Int32(rapid.Int32Range(1, 20).Draw(t, "MaxResults"))
		}
		limit := size
		if asked != nil {
			limit = min(size, int(*asked))
		}
		c := &call{server: &Server{opts: Options{PageSize: size}}}
		var got []string
		var token *string
		for pages := 0; ; pages++ {
			items, next, err := page(c, keys, func(k string) string { return k }, token, asked)
			if err != nil {
				t.Fatal(err)
			}
			if pages > len(keys) {
				t.Fatalf("%d keys and no end of pages", len(keys))
			}
			if len(items) > limit || (len(items) == 0 && pages > 0) || (next != nil && len(items) != limit) {
				t.Fatalf("page %d has %d items of at most %d, more: %v", pages, len(items), limit, next != nil)
			}
			got = append(got, items...)
			if token = next; token == nil {
				break
			}
		}
		if !slices.Equal(got, keys) {
			t.Fatalf("pages give %q, want %q", got, keys)
		}
	})
}

// TestPagesSurviveChanges: what comes and goes between two pages makes nothing else be skipped
// or repeated.
func TestPagesSurviveChanges(t *testing.T) {
	t.Parallel()
	c := &call{server: &Server{opts: Options{PageSize: 2}}}
	key := func(k string) string { return k }
	first, token, err := page(c, []string{"b", "d", "f", "h"}, key, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rest, token, err := page(c, []string{"a", "e", "f", "h"}, key, token, aws.Int32(100))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "pages", [][]string{{"b", "d"}, {"e", "f"}}, [][]string{first, rest})
	rest, token, err = page(c, []string{"a"}, key, token, nil)
	if err != nil || token != nil || len(rest) != 0 {
		t.Errorf("%q, %v, %v", rest, token, err)
	}
	_, _, err = page(c, nil, key, aws.String("not base64!"), nil)
	wantCodeOf(t, err, codeInvalidInput)
}

func wantCodeOf(t *testing.T, err error, code string) {
	t.Helper()
	if got := asAPIError(err).code; got != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// TestEveryListIsPaged: each listing operation, one item a page, through the SDK's paginators.
func TestEveryListIsPaged(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.PageSize = 1; o.Objects = nil; o.TriggerTransition.Reads = -1 })
	client, ctx := l.client, t.Context()
	want := []string{"n1", "n2", "n3"}
	for _, name := range want {
		createJob(t, client, shellJob(name))
		in := triggerOf(name, types.TriggerTypeOnDemand)
		in.Actions[0].JobName = aws.String("n1")
		l.createTrigger(t, in)
		createConnection(t, client, networkInput(name), nil)
		_, err := client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name}})
		wantCode(t, err, "", "")
		_, err = client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: aws.String("n1"), TableInput: icebergInput(name, "m")})
		wantCode(t, err, "", "")
		_, err = client.CreatePartition(ctx, &awsglue.CreatePartitionInput{DatabaseName: aws.String("n1"), TableName: aws.String("n1"),
			PartitionInput: &types.PartitionInput{Values: []string{name}}})
		wantCode(t, err, "", "")
	}
	for range 2 {
		_, err := client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: aws.String("n1"), TableInput: icebergInput("n1", "m")})
		wantCode(t, err, "", "")
	}
	var runs []string
	for range 3 {
		id := l.startAgain(t, &awsglue.StartJobRunInput{JobName: aws.String("n1")})
		if _, err := l.WaitRun(ctx, id); err != nil {
			t.Fatal(err)
		}
		runs = append([]string{id}, runs...)
	}
	db, name := aws.String("n1"), aws.String("n1")

	lists := map[string][]string{}
	collect(t, lists, "GetJobs", awsglue.NewGetJobsPaginator(client, &awsglue.GetJobsInput{}),
		func(o *awsglue.GetJobsOutput) []string {
			return namesOf(o.Jobs, func(j types.Job) *string { return j.Name })
		})
	collect(t, lists, "ListJobs", awsglue.NewListJobsPaginator(client, &awsglue.ListJobsInput{}),
		func(o *awsglue.ListJobsOutput) []string { return o.JobNames })
	collect(t, lists, "GetTriggers", awsglue.NewGetTriggersPaginator(client, &awsglue.GetTriggersInput{}),
		func(o *awsglue.GetTriggersOutput) []string {
			return namesOf(o.Triggers, func(tr types.Trigger) *string { return tr.Name })
		})
	collect(t, lists, "ListTriggers", awsglue.NewListTriggersPaginator(client, &awsglue.ListTriggersInput{}),
		func(o *awsglue.ListTriggersOutput) []string { return o.TriggerNames })
	collect(t, lists, "GetConnections", awsglue.NewGetConnectionsPaginator(client, &awsglue.GetConnectionsInput{}),
		func(o *awsglue.GetConnectionsOutput) []string {
			return namesOf(o.ConnectionList, func(c types.Connection) *string { return c.Name })
		})
	collect(t, lists, "GetDatabases", awsglue.NewGetDatabasesPaginator(client, &awsglue.GetDatabasesInput{}),
		func(o *awsglue.GetDatabasesOutput) []string {
			return namesOf(o.DatabaseList, func(d types.Database) *string { return d.Name })
		})
	collect(t, lists, "GetTables", awsglue.NewGetTablesPaginator(client, &awsglue.GetTablesInput{DatabaseName: db}),
		func(o *awsglue.GetTablesOutput) []string {
			return namesOf(o.TableList, func(tb types.Table) *string { return tb.Name })
		})
	collect(t, lists, "GetPartitions", awsglue.NewGetPartitionsPaginator(client, &awsglue.GetPartitionsInput{DatabaseName: db, TableName: name}),
		func(o *awsglue.GetPartitionsOutput) []string {
			return namesOf(o.Partitions, func(p types.Partition) *string { return &p.Values[0] })
		})
	for _, operation := range sortedKeys(lists) {
		diff(t, operation, want, lists[operation])
	}

	collect(t, lists, "GetTableVersions", awsglue.NewGetTableVersionsPaginator(client, &awsglue.GetTableVersionsInput{DatabaseName: db, TableName: name}),
		func(o *awsglue.GetTableVersionsOutput) []string {
			return namesOf(o.TableVersions, func(v types.TableVersion) *string { return v.VersionId })
		})
	diff(t, "GetTableVersions", []string{"2", "1", "0"}, lists["GetTableVersions"])
	collect(t, lists, "GetJobRuns", awsglue.NewGetJobRunsPaginator(client, &awsglue.GetJobRunsInput{JobName: name}),
		func(o *awsglue.GetJobRunsOutput) []string {
			return namesOf(o.JobRuns, func(r types.JobRun) *string { return r.Id })
		})
	diff(t, "GetJobRuns", runs, lists["GetJobRuns"])

	bad := aws.String("%%%")
	for operation, err := range map[string]error{
		"GetJobs":          second(client.GetJobs(ctx, &awsglue.GetJobsInput{NextToken: bad})),
		"ListJobs":         second(client.ListJobs(ctx, &awsglue.ListJobsInput{NextToken: bad})),
		"GetTriggers":      second(client.GetTriggers(ctx, &awsglue.GetTriggersInput{NextToken: bad})),
		"ListTriggers":     second(client.ListTriggers(ctx, &awsglue.ListTriggersInput{NextToken: bad})),
		"GetConnections":   second(client.GetConnections(ctx, &awsglue.GetConnectionsInput{NextToken: bad})),
		"GetDatabases":     second(client.GetDatabases(ctx, &awsglue.GetDatabasesInput{NextToken: bad})),
		"GetTables":        second(client.GetTables(ctx, &awsglue.GetTablesInput{DatabaseName: db, NextToken: bad})),
		"GetPartitions":    second(client.GetPartitions(ctx, &awsglue.GetPartitionsInput{DatabaseName: db, TableName: name, NextToken: bad})),
		"GetTableVersions": second(client.GetTableVersions(ctx, &awsglue.GetTableVersionsInput{DatabaseName: db, TableName: name, NextToken: bad})),
		"GetJobRuns":       second(client.GetJobRuns(ctx, &awsglue.GetJobRunsInput{JobName: name, NextToken: bad})),
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			wantCode(t, err, codeInvalidInput, "Invalid continuation token")
		})
	}
}

// paginator is what the SDK's paginators have in common.
type paginator[O any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, change ...func(*awsglue.Options)) (O, error)
}

// collect reads all pages; each must hold one item.
func collect[O any](t *testing.T, into map[string][]string, operation string, p paginator[O], items func(O) []string) {
	t.Helper()
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		got := items(out)
		if len(got) != 1 {
			t.Errorf("%s: a page of %d", operation, len(got))
		}
		into[operation] = append(into[operation], got...)
	}
}

func namesOf[T any](items []T, name func(T) *string) []string {
	var names []string
	for _, item := range items {
		names = append(names, fmt.Sprint(*name(item)))
	}
	return names
}
