package glue

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func ignoreCatalogInternals() cmp.Option {
	return cmpopts.IgnoreUnexported(types.Database{}, types.Table{}, types.StorageDescriptor{}, types.Column{},
		types.SerDeInfo{}, types.Order{}, types.SkewedInfo{}, types.TableVersion{}, types.Partition{}, types.PartitionValueList{})
}

// withDatabase creates a database and returns the client.
func withDatabase(t *testing.T, s *Server) *awsglue.Client {
	t.Helper()
	client := clientOf(s)
	_, err := client.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("raw")}})
	wantCode(t, err, "", "")
	return client
}

// icebergInput is a table as an Iceberg catalogue writes it.
func icebergInput(name, metadata string) *types.TableInput {
	return &types.TableInput{
		Name:             aws.String(name),
		Description:      aws.String("orders"),
		Owner:            aws.String("lakeland"),
		LastAccessTime:   aws.Time(epoch.Add(1500 * time.Millisecond)),
		LastAnalyzedTime: aws.Time(epoch),
		Retention:        7,
		TableType:        aws.String("EXTERNAL_TABLE"),
		ViewOriginalText: aws.String("v"),
		ViewExpandedText: aws.String("w"),
		Parameters:       map[string]string{"table_type": "ICEBERG", "metadata_location": metadata},
		PartitionKeys:    []types.Column{{Name: aws.String("_lk_batch"), Type: aws.String("bigint"), Comment: aws.String("the batch")}},
		StorageDescriptor: &types.StorageDescriptor{
			Columns:  []types.Column{{Name: aws.String("id"), Type: aws.String("bigint"), Parameters: map[string]string{"iceberg.field.id": "1"}}},
			Location: aws.String("s3://lake/orders"), AdditionalLocations: []string{"s3://lake/more"},
			InputFormat: aws.String("in"), OutputFormat: aws.String("out"),
			Compressed: true, NumberOfBuckets: -1, BucketColumns: []string{"id"},
			SerdeInfo:   &types.SerDeInfo{SerializationLibrary: aws.String("lib"), Parameters: map[string]string{"a": "b"}},
			SortColumns: []types.Order{{Column: aws.String("id"), SortOrder: 1}},
			SkewedInfo:  &types.SkewedInfo{SkewedColumnNames: []string{"id"}},
			Parameters:  map[string]string{}, StoredAsSubDirectories: true,
		},
	}
}

func createTable(t *testing.T, client *awsglue.Client, in *types.TableInput) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String("raw"), TableInput: in})
	wantCode(t, err, "", "")
}

func getTable(t *testing.T, client *awsglue.Client, name string) *types.Table {
	t.Helper()
	return must[*awsglue.GetTableOutput](t)(client.GetTable(t.Context(), &awsglue.GetTableInput{DatabaseName: aws.String("raw"), Name: &name})).Table
}

// TestDatabaseLife: create, fold, replace, delete with the tables.
func TestDatabaseLife(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	client := clientOf(startServer(t, Options{Clock: clock}))
	ctx := t.Context()
	in := &types.DatabaseInput{Name: aws.String("Raw"), Description: aws.String("d"), LocationUri: aws.String("s3://lake/"), Parameters: map[string]string{"a": "b"}}
	_, err := client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: in, Tags: map[string]string{"team": "data"}})
	wantCode(t, err, "", "")
	_, err = client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("raw")}})
	wantCode(t, err, codeAlreadyExists, "Database already exists: raw")
	get := func() *types.Database {
		t.Helper()
		return must[*awsglue.GetDatabaseOutput](t)(client.GetDatabase(ctx, &awsglue.GetDatabaseInput{Name: aws.String("RAW")})).Database
	}
	want := &types.Database{Name: aws.String("raw"), Description: in.Description, LocationUri: in.LocationUri, Parameters: in.Parameters,
		CreateTime: aws.Time(epoch), CatalogId: aws.String(DefaultAccount)}
	diff(t, "database", want, get(), ignoreCatalogInternals())
	tags := must[*awsglue.GetTagsOutput](t)(client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: aws.String("arn:aws:glue:eu-west-1:123456789012:database/raw")}))
	diff(t, "tags", map[string]string{"team": "data"}, tags.Tags)

	clock.Advance(time.Hour)
	_, err = client.UpdateDatabase(ctx, &awsglue.UpdateDatabaseInput{Name: aws.String("raw"), DatabaseInput: &types.DatabaseInput{Name: aws.String("raw"), Description: aws.String("e")}})
	wantCode(t, err, "", "")
	diff(t, "replaced", &types.Database{Name: aws.String("raw"), Description: aws.String("e"), CreateTime: aws.Time(epoch), CatalogId: aws.String(DefaultAccount)}, get(), ignoreCatalogInternals())
	_, err = client.UpdateDatabase(ctx, &awsglue.UpdateDatabaseInput{Name: aws.String("raw"), DatabaseInput: &types.DatabaseInput{Name: aws.String("cooked")}})
	wantCode(t, err, codeInvalidInput, "name of a database cannot be changed")
	for _, input := range []*types.DatabaseInput{
		{Name: aws.String("x"), TargetDatabase: &types.DatabaseIdentifier{}}, {Name: aws.String("x"), FederatedDatabase: &types.FederatedDatabase{}},
	} {
		_, err = client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: input})
		wantCode(t, err, codeInvalidInput, "keeps no federated databases and no resource links")
	}
	_, err = client.GetDatabases(ctx, &awsglue.GetDatabasesInput{ResourceShareType: "ALL"})
	wantCode(t, err, codeInvalidInput, "ResourceShareType")

	createTable(t, client, icebergInput("orders", "m0"))
	listed := must[*awsglue.GetDatabasesOutput](t)(client.GetDatabases(ctx, &awsglue.GetDatabasesInput{}))
	diff(t, "listed", 1, len(listed.DatabaseList))
	_, err = client.DeleteDatabase(ctx, &awsglue.DeleteDatabaseInput{Name: aws.String("raw")})
	wantCode(t, err, "", "")
	for _, err := range []error{
		second(client.GetDatabase(ctx, &awsglue.GetDatabaseInput{Name: aws.String("raw")})),
		second(client.DeleteDatabase(ctx, &awsglue.DeleteDatabaseInput{Name: aws.String("raw")})),
		second(client.UpdateDatabase(ctx, &awsglue.UpdateDatabaseInput{Name: aws.String("raw"), DatabaseInput: in})),
		second(client.GetTable(ctx, &awsglue.GetTableInput{DatabaseName: aws.String("raw"), Name: aws.String("orders")})),
		second(client.GetTables(ctx, &awsglue.GetTablesInput{DatabaseName: aws.String("raw")})),
		second(client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("orders", "m")})),
		second(client.BatchDeleteTable(ctx, &awsglue.BatchDeleteTableInput{DatabaseName: aws.String("raw"), TablesToDelete: []string{"orders"}})),
	} {
		wantCode(t, err, codeEntityNotFound, "Database raw not found.")
	}
	_, err = client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: in})
	wantCode(t, err, "", "")
	tables := must[*awsglue.GetTablesOutput](t)(client.GetTables(ctx, &awsglue.GetTablesInput{DatabaseName: aws.String("raw")}))
	diff(t, "tables of the new database", 0, len(tables.TableList))
}

// second drops the first of two results.
func second[T any](_ T, err error) error { return err }

// tableOf is the table that an input becomes.
func tableOf(in *types.TableInput, version string, updated time.Time) *types.Table {
	return &types.Table{
		Name: in.Name, DatabaseName: aws.String("raw"), Description: in.Description, Owner: in.Owner,
		LastAccessTime: in.LastAccessTime, LastAnalyzedTime: in.LastAnalyzedTime, Retention: in.Retention,
		StorageDescriptor: in.StorageDescriptor, PartitionKeys: in.PartitionKeys, ViewOriginalText: in.ViewOriginalText,
		ViewExpandedText: in.ViewExpandedText, TableType: in.TableType, Parameters: in.Parameters,
		CreateTime: aws.Time(epoch), UpdateTime: aws.Time(updated), CreatedBy: aws.String("arn:aws:iam::123456789012:root"),
		CatalogId: aws.String(DefaultAccount), VersionId: aws.String(version),
	}
}

// TestTableLife: every field comes back; an update replaces all of them and makes a new version.
func TestTableLife(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	client := withDatabase(t, startServer(t, Options{Clock: clock}))
	ctx := t.Context()
	in := icebergInput("orders", "m0")
	createTable(t, client, in)
	diff(t, "created", tableOf(in, "0", epoch), getTable(t, client, "Orders"), ignoreCatalogInternals())
	_, err := client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("ORDERS", "m")})
	wantCode(t, err, codeAlreadyExists, "Table already exists: orders")

	clock.Advance(time.Hour)
	small := &types.TableInput{Name: aws.String("orders"), Parameters: map[string]string{"metadata_location": "m1"}}
	update := func(in *types.TableInput, version *string, skip bool) error {
		_, err := client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: aws.String("raw"), TableInput: in, VersionId: version, SkipArchive: aws.Bool(skip)})
		return err
	}
	wantCode(t, update(small, aws.String("0"), false), "", "")
	diff(t, "replaced", tableOf(small, "1", epoch.Add(time.Hour)), getTable(t, client, "orders"), ignoreCatalogInternals())

	// A version that is not the current one changes nothing; without one the last writer wins.
	for _, stale := range []string{"0", "2", "x"} {
		wantCode(t, update(in, aws.String(stale), false), codeConcurrentModification, "Update table failed due to concurrent modifications.")
	}
	diff(t, "unchanged", tableOf(small, "1", epoch.Add(time.Hour)), getTable(t, client, "orders"), ignoreCatalogInternals())
	wantCode(t, update(in, nil, true), "", "")
	wantCode(t, update(small, aws.String("2"), false), "", "")

	versions := must[*awsglue.GetTableVersionsOutput](t)(client.GetTableVersions(ctx, &awsglue.GetTableVersionsInput{DatabaseName: aws.String("raw"), TableName: aws.String("orders")}))
	var got []string
	for _, v := range versions.TableVersions {
		got = append(got, *v.VersionId+" "+*v.Table.VersionId+" "+v.Table.Parameters["metadata_location"])
	}
	// Version 1 was not archived: the update to 2 skipped that.
	diff(t, "versions, newest first", []string{"3 3 m1", "2 2 m0", "0 0 m0"}, got)
	diff(t, "an archived version is what it was", tableOf(in, "0", epoch), versions.TableVersions[2].Table, ignoreCatalogInternals())

	for name, err := range map[string]error{
		"absent":     update(icebergInput("none", "m"), nil, false),
		"get absent": second(client.GetTable(ctx, &awsglue.GetTableInput{DatabaseName: aws.String("raw"), Name: aws.String("none")})),
		"delete":     second(client.DeleteTable(ctx, &awsglue.DeleteTableInput{DatabaseName: aws.String("raw"), Name: aws.String("none")})),
		"versions":   second(client.GetTableVersions(ctx, &awsglue.GetTableVersionsInput{DatabaseName: aws.String("raw"), TableName: aws.String("none")})),
	} {
		if errorCode(err) != codeEntityNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = client.DeleteTable(ctx, &awsglue.DeleteTableInput{DatabaseName: aws.String("raw"), Name: aws.String("orders")})
	wantCode(t, err, "", "")
	createTable(t, client, in)
	diff(t, "a new table begins anew", "0", *getTable(t, client, "orders").VersionId)
}

// TestTableVersions: reading and deleting single versions.
func TestTableVersions(t *testing.T) {
	t.Parallel()
	client := withDatabase(t, startServer(t, Options{}))
	ctx := t.Context()
	db, name := aws.String("raw"), aws.String("orders")
	createTable(t, client, icebergInput("orders", "m0"))
	for i := 1; i <= 4; i++ {
		_, err := client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: db, TableInput: icebergInput("orders", fmt.Sprint("m", i))})
		wantCode(t, err, "", "")
	}
	get := func(version *string) (*awsglue.GetTableVersionOutput, error) {
		return client.GetTableVersion(ctx, &awsglue.GetTableVersionInput{DatabaseName: db, TableName: name, VersionId: version})
	}
	diff(t, "by id", "m2", must[*awsglue.GetTableVersionOutput](t)(get(aws.String("2"))).TableVersion.Table.Parameters["metadata_location"])
	diff(t, "current", "4", *must[*awsglue.GetTableVersionOutput](t)(get(nil)).TableVersion.VersionId)
	wantCode(t, second(get(aws.String("9"))), codeEntityNotFound, "Version 9 of table orders not found.")

	remove := func(version string) error {
		return second(client.DeleteTableVersion(ctx, &awsglue.DeleteTableVersionInput{DatabaseName: db, TableName: name, VersionId: &version}))
	}
	wantCode(t, remove("2"), "", "")
	wantCode(t, remove("2"), codeEntityNotFound, "Version 2 of table orders not found.")
	wantCode(t, remove("4"), codeInvalidInput, "Version 4 is the current version")
	batch := must[*awsglue.BatchDeleteTableVersionOutput](t)(client.BatchDeleteTableVersion(ctx, &awsglue.BatchDeleteTableVersionInput{
		DatabaseName: db, TableName: name, VersionIds: []string{"0", "2", "4"}}))
	got := map[string]string{}
	for _, e := range batch.Errors {
		got[*e.VersionId] = *e.TableName + " " + *e.ErrorDetail.ErrorCode
	}
	diff(t, "errors", map[string]string{"2": "orders " + codeEntityNotFound, "4": "orders " + codeInvalidInput}, got)
	_, err := client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: db, TableInput: icebergInput("orders", "m5")})
	wantCode(t, err, "", "")
	var left []string
	for _, v := range must[*awsglue.GetTableVersionsOutput](t)(client.GetTableVersions(ctx, &awsglue.GetTableVersionsInput{DatabaseName: db, TableName: name})).TableVersions {
		left = append(left, *v.VersionId)
	}
	diff(t, "left", []string{"5", "4", "3", "1"}, left)
	_, err = client.BatchDeleteTableVersion(ctx, &awsglue.BatchDeleteTableVersionInput{DatabaseName: db, TableName: aws.String("none"), VersionIds: []string{"0"}})
	wantCode(t, err, codeEntityNotFound, "")
}

// TestGetTables: the expression, attributes, and deletion of many.
func TestGetTables(t *testing.T) {
	t.Parallel()
	client := withDatabase(t, startServer(t, Options{}))
	ctx := t.Context()
	db := aws.String("raw")
	for _, name := range []string{"orders", "order_lines", "customers"} {
		createTable(t, client, icebergInput(name, "m"))
	}
	find := func(in *awsglue.GetTablesInput) []types.Table {
		t.Helper()
		in.DatabaseName = db
		return must[*awsglue.GetTablesOutput](t)(client.GetTables(ctx, in)).TableList
	}
	names := func(expression *string) []string {
		out := []string{}
		for _, table := range find(&awsglue.GetTablesInput{Expression: expression}) {
			out = append(out, *table.Name)
		}
		return out
	}
	diff(t, "all", []string{"customers", "order_lines", "orders"}, names(nil))
	diff(t, "empty expression", 3, len(names(aws.String(""))))
	diff(t, "prefix", []string{"order_lines", "orders"}, names(aws.String("order.*")))
	diff(t, "the whole name must match", []string{}, names(aws.String("order")))
	diff(t, "alternatives", []string{"customers", "orders"}, names(aws.String("orders|customers")))
	_, err := client.GetTables(ctx, &awsglue.GetTablesInput{DatabaseName: db, Expression: aws.String("*orders")})
	wantCode(t, err, codeInvalidInput, "Invalid expression *orders")

	only := find(&awsglue.GetTablesInput{Expression: aws.String("orders"), AttributesToGet: []types.TableAttributes{"NAME", "TABLE_TYPE"}})
	diff(t, "attributes", []types.Table{{Name: aws.String("orders"), TableType: aws.String("EXTERNAL_TABLE")}}, only, ignoreCatalogInternals())
	got := must[*awsglue.GetTableOutput](t)(client.GetTable(ctx, &awsglue.GetTableInput{DatabaseName: db, Name: aws.String("orders"), AttributesToGet: []types.TableAttributes{"NAME"}}))
	diff(t, "attributes", &types.Table{Name: aws.String("orders")}, got.Table, ignoreCatalogInternals())
	_, err = client.GetTables(ctx, &awsglue.GetTablesInput{DatabaseName: db, AttributesToGet: []types.TableAttributes{"TABLE_TYPE"}})
	wantCode(t, err, codeInvalidInput, "must include NAME")

	batch := must[*awsglue.BatchDeleteTableOutput](t)(client.BatchDeleteTable(ctx, &awsglue.BatchDeleteTableInput{DatabaseName: db, TablesToDelete: []string{"orders", "none"}}))
	diff(t, "errors", []string{"none", codeEntityNotFound}, []string{*batch.Errors[0].TableName, *batch.Errors[0].ErrorDetail.ErrorCode})
	diff(t, "left", []string{"customers", "order_lines"}, names(nil))
}

// TestTablesRefused: what the sandbox would lose, it refuses.
func TestTablesRefused(t *testing.T) {
	t.Parallel()
	client := withDatabase(t, startServer(t, Options{}))
	ctx := t.Context()
	db := aws.String("raw")
	createTable(t, client, icebergInput("orders", "m"))
	in := icebergInput("orders", "m")
	view, link := icebergInput("orders", "m"), icebergInput("orders", "m")
	view.ViewDefinition = &types.ViewDefinitionInput{}
	link.TargetTable = &types.TableIdentifier{}
	for text, err := range map[string]error{
		"no OpenTableFormatInput":       second(client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: db, TableInput: in, OpenTableFormatInput: &types.OpenTableFormatInput{}})),
		"no PartitionIndexes":           second(client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: db, TableInput: in, PartitionIndexes: []types.PartitionIndex{{IndexName: aws.String("i"), Keys: []string{"k"}}}})),
		"TableInput cannot be null":     second(client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: db, Name: aws.String("orders")})),
		"multi-dialect views":           second(client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: db, TableInput: view})),
		"resource links":                second(client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: db, TableInput: link})),
		"TableInput.Name orders differ": second(client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: db, Name: aws.String("other"), TableInput: in})),
		"no ViewUpdateAction":           second(client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: db, TableInput: in, ViewUpdateAction: "ADD"})),
		"no transactions":               second(client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: db, TableInput: in, TransactionId: aws.String("1")})),
		"no time travel":                second(client.GetTable(ctx, &awsglue.GetTableInput{DatabaseName: db, Name: aws.String("orders"), QueryAsOfTime: aws.Time(epoch)})),
		"no ResourceShareType":          second(client.GetTables(ctx, &awsglue.GetTablesInput{DatabaseName: db, ResourceShareType: "ALL"})),
	} {
		wantCode(t, err, codeInvalidInput, text)
	}
	diff(t, "still at its first version", "0", *getTable(t, client, "orders").VersionId)
}

// TestRaces: of many that create the same thing, or commit on the same version, one wins.
func TestRaces(t *testing.T) {
	t.Parallel()
	const racers = 20
	s := startServer(t, Options{})
	client := withDatabase(t, s)
	createTable(t, client, icebergInput("orders", "m0"))
	ctx := t.Context()
	for name, race := range map[string]struct {
		enter func(i int) error
		loser string
	}{
		"UpdateTable": {func(i int) error {
			return second(client.UpdateTable(ctx, &awsglue.UpdateTableInput{DatabaseName: aws.String("raw"), VersionId: aws.String("0"),
				TableInput: icebergInput("orders", fmt.Sprint("racer ", i))}))
		}, codeConcurrentModification},
		"CreateTable": {func(i int) error {
			return second(client.CreateTable(ctx, &awsglue.CreateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("contested", fmt.Sprint("racer ", i))}))
		}, codeAlreadyExists},
		"CreatePartition": {func(i int) error {
			return second(client.CreatePartition(ctx, &awsglue.CreatePartitionInput{DatabaseName: aws.String("raw"), TableName: aws.String("orders"),
				PartitionInput: &types.PartitionInput{Values: []string{"1"}, Parameters: map[string]string{"by": fmt.Sprint("racer ", i)}}}))
		}, codeAlreadyExists},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			codes := make([]string, racers)
			var all sync.WaitGroup
			for i := range racers {
				all.Go(func() { codes[i] = errorCode(race.enter(i)) })
			}
			all.Wait()
			winner := -1
			for i, code := range codes {
				switch {
				case code == "" && winner < 0:
					winner = i
				case code != race.loser:
					t.Errorf("racer %d: %q", i, code)
				}
			}
			var got string
			switch name {
			case "UpdateTable":
				table := getTable(t, client, "orders")
				diff(t, "version", "1", *table.VersionId)
				got = table.Parameters["metadata_location"]
			case "CreateTable":
				got = getTable(t, client, "contested").Parameters["metadata_location"]
			case "CreatePartition":
				out := must[*awsglue.GetPartitionOutput](t)(client.GetPartition(ctx, &awsglue.GetPartitionInput{DatabaseName: aws.String("raw"), TableName: aws.String("orders"), PartitionValues: []string{"1"}}))
				got = out.Partition.Parameters["by"]
			}
			diff(t, "what is there is the winner's", fmt.Sprint("racer ", winner), got)
		})
	}
}
