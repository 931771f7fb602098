package glue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// withTable creates a table with partition keys (_lk_batch bigint, region string).
func withTable(t *testing.T, s *Server) *awsglue.Client {
	t.Helper()
	client := withDatabase(t, s)
	createTable(t, client, &types.TableInput{Name: aws.String("orders"), PartitionKeys: []types.Column{
		{Name: aws.String("_lk_batch"), Type: aws.String("bigint")}, {Name: aws.String("region"), Type: aws.String("string")},
	}})
	return client
}

func partitionIn(values ...string) types.PartitionInput {
	return types.PartitionInput{
		Values: values, Parameters: map[string]string{"lakeland.checkpoint": "{}"}, LastAccessTime: aws.Time(epoch),
		LastAnalyzedTime: aws.Time(epoch),
		StorageDescriptor: &types.StorageDescriptor{
			Location: aws.String("s3://lake/" + strings.Join(values, "/")),
			Columns:  []types.Column{{Name: aws.String("id"), Type: aws.String("bigint")}},
		},
	}
}

var inOrders = struct{ DatabaseName, TableName *string }{aws.String("raw"), aws.String("orders")}

func addPartition(t *testing.T, client *awsglue.Client, values ...string) {
	t.Helper()
	in := partitionIn(values...)
	_, err := client.CreatePartition(t.Context(), &awsglue.CreatePartitionInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, PartitionInput: &in})
	wantCode(t, err, "", "")
}

// partitionValuesOf runs GetPartitions and returns the partitions' values.
func partitionValuesOf(t *testing.T, client *awsglue.Client, expression string) []string {
	t.Helper()
	in := &awsglue.GetPartitionsInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, Expression: &expression}
	out := []string{}
	for _, p := range must[*awsglue.GetPartitionsOutput](t)(client.GetPartitions(t.Context(), in)).Partitions {
		out = append(out, strings.Join(p.Values, "/"))
	}
	return out
}

// TestPartitionLife: create, read, replace, delete.
func TestPartitionLife(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	client := withTable(t, startServer(t, Options{Clock: clock}))
	ctx := t.Context()
	addPartition(t, client, "1", "eu")
	get := func(values ...string) (*awsglue.GetPartitionOutput, error) {
		return client.GetPartition(ctx, &awsglue.GetPartitionInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, PartitionValues: values})
	}
	in := partitionIn("1", "eu")
	want := &types.Partition{Values: in.Values, Parameters: in.Parameters, LastAccessTime: in.LastAccessTime, LastAnalyzedTime: in.LastAnalyzedTime,
		StorageDescriptor: in.StorageDescriptor, DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName,
		CreationTime: aws.Time(epoch), CatalogId: aws.String(DefaultAccount)}
	diff(t, "partition", want, must[*awsglue.GetPartitionOutput](t)(get("1", "eu")).Partition, ignoreCatalogInternals())
	_, err := client.CreatePartition(ctx, &awsglue.CreatePartitionInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, PartitionInput: &in})
	wantCode(t, err, codeAlreadyExists, "Partition already exists.")

	clock.Advance(time.Hour)
	update := func(input types.PartitionInput, values ...string) error {
		return second(client.UpdatePartition(ctx, &awsglue.UpdatePartitionInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName,
			PartitionValueList: values, PartitionInput: &input}))
	}
	wantCode(t, update(types.PartitionInput{Parameters: map[string]string{"a": "b"}}, "1", "eu"), "", "")
	diff(t, "replaced", &types.Partition{Values: in.Values, Parameters: map[string]string{"a": "b"}, DatabaseName: inOrders.DatabaseName,
		TableName: inOrders.TableName, CreationTime: aws.Time(epoch), CatalogId: aws.String(DefaultAccount)},
		must[*awsglue.GetPartitionOutput](t)(get("1", "eu")).Partition, ignoreCatalogInternals())
	wantCode(t, update(partitionIn("2", "eu"), "1", "eu"), codeInvalidInput, "values of a partition cannot be changed")
	wantCode(t, update(partitionIn("9", "eu"), "9", "eu"), codeEntityNotFound, "Cannot find partition.")

	wantCode(t, second(get("1", "us")), codeEntityNotFound, "Cannot find partition.")
	wantCode(t, second(get("1")), codeInvalidInput, "number of partition keys do not match")
	remove := func(values ...string) error {
		return second(client.DeletePartition(ctx, &awsglue.DeletePartitionInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, PartitionValues: values}))
	}
	wantCode(t, remove("1", "eu"), "", "")
	wantCode(t, remove("1", "eu"), codeEntityNotFound, "Cannot find partition.")
	wantCode(t, second(client.GetPartitions(ctx, &awsglue.GetPartitionsInput{DatabaseName: aws.String("raw"), TableName: aws.String("none")})),
		codeEntityNotFound, "Table none not found.")

	// Values that could be confused when they are put together.
	addPartition(t, client, `3","x`, "eu")
	addPartition(t, client, "3", `x","eu`)
	diff(t, "odd values", 2, len(partitionValuesOf(t, client, "")))
	// An update of the table keeps its partitions; a new table has none.
	_, err = client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("orders", "m")})
	wantCode(t, err, "", "")
	diff(t, "after UpdateTable", 2, len(partitionValuesOf(t, client, "")))
	wantCode(t, second(client.DeleteTable(ctx, &awsglue.DeleteTableInput{DatabaseName: aws.String("raw"), Name: aws.String("orders")})), "", "")
	createTable(t, client, icebergInput("orders", "m"))
	diff(t, "of a new table", 0, len(partitionValuesOf(t, client, "")))
}

// TestPartitionBatches: errors belong to their entries, the rest happens.
func TestPartitionBatches(t *testing.T) {
	t.Parallel()
	client := withTable(t, startServer(t, Options{}))
	ctx := t.Context()
	addPartition(t, client, "1", "eu")
	created := must[*awsglue.BatchCreatePartitionOutput](t)(client.BatchCreatePartition(ctx, &awsglue.BatchCreatePartitionInput{
		DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName,
		PartitionInputList: []types.PartitionInput{partitionIn("1", "eu"), partitionIn("2", "eu"), partitionIn("2", "eu"), partitionIn("3")},
	}))
	show := func(errors []types.PartitionError) []string {
		out := []string{}
		for _, e := range errors {
			out = append(out, strings.Join(e.PartitionValues, "/")+" "+*e.ErrorDetail.ErrorCode)
		}
		return out
	}
	diff(t, "errors", []string{"1/eu AlreadyExistsException", "2/eu AlreadyExistsException", "3 InvalidInputException"}, show(created.Errors))
	diff(t, "partitions", []string{"1/eu", "2/eu"}, partitionValuesOf(t, client, ""))

	list := func(values ...string) types.PartitionValueList { return types.PartitionValueList{Values: values} }
	got := must[*awsglue.BatchGetPartitionOutput](t)(client.BatchGetPartition(ctx, &awsglue.BatchGetPartitionInput{
		DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, PartitionsToGet: []types.PartitionValueList{list("2", "eu"), list("7", "eu"), list("1", "eu")}}))
	diff(t, "got", []string{"2", "1"}, []string{got.Partitions[0].Values[0], got.Partitions[1].Values[0]})
	diff(t, "unprocessed", 0, len(got.UnprocessedKeys))
	_, err := client.BatchGetPartition(ctx, &awsglue.BatchGetPartitionInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName,
		PartitionsToGet: []types.PartitionValueList{list("2")}})
	wantCode(t, err, codeInvalidInput, "number of partition keys")

	deleted := must[*awsglue.BatchDeletePartitionOutput](t)(client.BatchDeletePartition(ctx, &awsglue.BatchDeletePartitionInput{
		DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, PartitionsToDelete: []types.PartitionValueList{list("2", "eu"), list("7", "eu")}}))
	diff(t, "errors", []string{"7/eu EntityNotFoundException"}, show(deleted.Errors))
	diff(t, "left", []string{"1/eu"}, partitionValuesOf(t, client, ""))
}

// TestPartitionExpressions: which partitions an expression selects, and what is refused.
func TestPartitionExpressions(t *testing.T) {
	t.Parallel()
	client := withTable(t, startServer(t, Options{}))
	for i := 1; i <= 12; i++ {
		region := "eu"
		if i%2 == 0 {
			region = "us"
		}
		addPartition(t, client, fmt.Sprint(i), region)
	}
	addPartition(t, client, "__HIVE_DEFAULT_PARTITION__", "it's")
	for expression, want := range map[string][]string{
		"_lk_batch > 10":                      {"11/eu", "12/us"},
		"_lk_batch>10":                        {"11/eu", "12/us"},
		"  _LK_BATCH >= 12  ":                 {"12/us"},
		"_lk_batch = 3":                       {"3/eu"},
		"_lk_batch = '3'":                     {"3/eu"},
		"_lk_batch = 3.0":                     {"3/eu"},
		"_lk_batch < 2":                       {"1/eu"},
		"_lk_batch <= 1 AND region = 'eu'":    {"1/eu"},
		"_lk_batch > 8 and region <> 'us'":    {"11/eu", "9/eu"},
		"_lk_batch > 8 AND region != 'us'":    {"11/eu", "9/eu"},
		"_lk_batch > 9 AND _lk_batch < 11":    {"10/us"},
		"\"_lk_batch\" = 4 AND `region`>'eu'": {"4/us"},
		"region = 'it''s'":                    {"__HIVE_DEFAULT_PARTITION__/it's"},
		"_lk_batch > 99999999999999999999999": {},
		"_lk_batch > -1 AND _lk_batch < +2":   {"1/eu"},
		"_lk_batch > 11 OR region > 'it'":     {"10/us", "12/us", "2/us", "4/us", "6/us", "8/us", "__HIVE_DEFAULT_PARTITION__/it's"},
		"((region = 'eu')) AND ((_lk_batch > 8) AND (_lk_batch < 11))": {"9/eu"},
		"((_lk_batch = 1) OR (_lk_batch >= 12))":                       {"1/eu", "12/us"},
		"_lk_batch = 1 OR _lk_batch > 2 AND _lk_batch < 4":             {"1/eu", "3/eu"},
		"(region in ('it''s', 'x' ))":                                  {"__HIVE_DEFAULT_PARTITION__/it's"},
		"_lk_batch IN (1, 2)":                                          {"1/eu", "2/us"},
		"region >= 'it' AND region < 'it~'":                            {"__HIVE_DEFAULT_PARTITION__/it's"},
		"region > 'eu' AND region <= 'it''s' ":                         {"__HIVE_DEFAULT_PARTITION__/it's"},
	} {
		diff(t, expression, want, partitionValuesOf(t, client, expression))
	}
	for expression, text := range map[string]string{
		"_lk_batch BETWEEN 1 AND 2":        "Unsupported expression",
		"region LIKE 'e%'":                 "Unsupported expression",
		"NOT region = 'eu'":                "Unsupported expression",
		"region IS NULL":                   "Unsupported expression",
		"_lk_batch > 1 AND":                "Unsupported expression",
		"_lk_batch > 1 _lk_batch < 2":      "Unsupported expression",
		"_lk_batch > 1; DROP TABLE orders": "Unsupported expression",
		"_lk_batch > region":               "Unsupported expression",
		"(_lk_batch > 1":                   "Unsupported expression",
		"_lk_batch > 1)":                   "Unsupported expression",
		"_lk_batch IN ()":                  "Unsupported expression",
		"_lk_batch IN (1 2)":               "Unsupported expression",
		"_lk_batch OR 1":                   "Unsupported expression",
		"()":                               "Unsupported expression",
		strings.Repeat("(", 200) + "_lk_batch = 1" + strings.Repeat(")", 200): "Unsupported expression",
		"5 < _lk_batch":     "Unsupported expression",
		"region = 'eu":      "Unsupported expression",
		"other = 1":         "other is not a partition key",
		"_lk_batch = 'one'": "is a number, 'one' is none",
		"region = 1":        "write the literal 1 in quotes",
	} {
		_, err := client.GetPartitions(t.Context(), &awsglue.GetPartitionsInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, Expression: aws.String(expression)})
		if errorCode(err) != codeInvalidInput || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %q", expression, err, text)
		}
	}
}

// TestGetPartitionsOptions: without columns, and by segments.
func TestGetPartitionsOptions(t *testing.T) {
	t.Parallel()
	client := withTable(t, startServer(t, Options{}))
	ctx := t.Context()
	addPartition(t, client, "1", "eu")
	in := &awsglue.GetPartitionsInput{DatabaseName: inOrders.DatabaseName, TableName: inOrders.TableName, ExcludeColumnSchema: aws.Bool(true)}
	p := must[*awsglue.GetPartitionsOutput](t)(client.GetPartitions(ctx, in)).Partitions[0]
	diff(t, "without columns", []any{0, "s3://lake/1/eu"}, []any{len(p.StorageDescriptor.Columns), *p.StorageDescriptor.Location})
	in.ExcludeColumnSchema = nil
	p = must[*awsglue.GetPartitionsOutput](t)(client.GetPartitions(ctx, in)).Partitions[0]
	diff(t, "with columns", 1, len(p.StorageDescriptor.Columns))
	met := map[string]int{}
	for batch := 2; batch <= 20; batch++ {
		addPartition(t, client, fmt.Sprint(batch), "eu")
	}
	for number := range int32(3) {
		in.Segment = &types.Segment{SegmentNumber: number, TotalSegments: aws.Int32(3)}
		found := must[*awsglue.GetPartitionsOutput](t)(client.GetPartitions(ctx, in)).Partitions
		if len(found) == 20 {
			t.Errorf("segment %d is all there is", number)
		}
		for _, p := range found {
			met[p.Values[0]]++
		}
	}
	for batch, times := range met {
		if times != 1 {
			t.Errorf("%d segments have partition %s", times, batch)
		}
	}
	diff(t, "partitions of all segments", 20, len(met))
}

// FuzzPartitionFilter: no expression and no value makes the filter panic.
func FuzzPartitionFilter(f *testing.F) {
	f.Add("_lk_batch > 5 AND region = 'eu'", "7", "eu")
	f.Add("region = 'it''s'", "__HIVE_DEFAULT_PARTITION__", "it's")
	f.Add("_lk_batch >= 1e9", "", "")
	f.Add("((region IN ('eu', 'us')) OR _lk_batch = 1) AND _lk_batch < 2", "1", "us")
	f.Fuzz(func(t *testing.T, expression, batch, region string) {
		keys := []column{{Name: "_lk_batch", Type: aws.String("bigint")}, {Name: "region", Type: aws.String("string")}}
		filter, err := parsePartitionFilter(expression, keys)
		if err != nil {
			if asAPIError(err).code != codeInvalidInput {
				t.Errorf("%q: %v", expression, err)
			}
			return
		}
		filter.matches([]string{batch, region})
		filter.matches([]string{batch})
	})
}
