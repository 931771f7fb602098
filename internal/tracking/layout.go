// Package tracking is where provider and engine meet: four DynamoDB tables that hold what was configured, which
// run holds which table, how far each table has come, which source files there are, and what each run did.
//
// The provider alone writes the configuration; the engine alone writes the rest. Keys and names of this layout
// never change; every item carries the version of its form in the attribute v.
package tracking

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// LayoutVersion is the version of keys and items that this build knows.
const LayoutVersion = 1

// ExpiryAttribute holds the second after which DynamoDB may delete an item. It is for garbage only: deletion
// comes late, by days at times, so nothing is ever judged by an item's absence through expiry.
const ExpiryAttribute = "expires_at"

// The suffixes of a tracking's tables.
const (
	ConfigTable = "config"
	StateTable  = "state"
	FilesTable  = "files"
	RunsTable   = "runs"
)

const (
	cadenceIndex = "by_cadence"
	pendingIndex = "pending"
)

// TableName is the DynamoDB name of one of a tracking's tables.
func TableName(tracking, table string) string { return tracking + "-" + table }

// Definition is the fixed shape of one of a tracking's tables.
type Definition struct {
	Name string
	// Partition and Sort are the names of the key's attributes, all of them strings.
	Partition, Sort string
	Index           *IndexDefinition
	// Expires says that items of this table may be garbage, so that time to live is switched on.
	Expires bool
}

// IndexDefinition is a global secondary index; only items that carry its partition attribute are in it.
type IndexDefinition struct {
	Name, Partition, Sort string
}

// Definitions are the tables of a tracking, in the order in which they are made.
func Definitions(tracking string) []Definition {
	return []Definition{
		{Name: TableName(tracking, ConfigTable), Partition: "kind", Sort: "name", Index: &IndexDefinition{cadenceIndex, "cadence", "name"}},
		{Name: TableName(tracking, StateTable), Partition: "pk", Sort: "sk", Expires: true},
		{Name: TableName(tracking, FilesTable), Partition: "table", Sort: "file_id", Index: &IndexDefinition{pendingIndex, "pending", "landed_at"}, Expires: true},
		{Name: TableName(tracking, RunsTable), Partition: "table", Sort: "run_id", Expires: true},
	}
}

// CreateInput is the call that makes the table, on demand and without encryption, protection or tags.
func (d Definition) CreateInput() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:            aws.String(d.Name),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            keySchema(d.Partition, d.Sort),
		AttributeDefinitions: []types.AttributeDefinition{text(d.Partition), text(d.Sort)},
	}
	if d.Index != nil {
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
			IndexName: aws.String(d.Index.Name), KeySchema: keySchema(d.Index.Partition, d.Index.Sort),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}}
		for _, name := range []string{d.Index.Partition, d.Index.Sort} {
			if name != d.Partition && name != d.Sort {
				in.AttributeDefinitions = append(in.AttributeDefinitions, text(name))
			}
		}
	}
	return in
}

// Key describes the key of the table, such as "pk, sk".
func (d Definition) Key() string { return d.Partition + ", " + d.Sort }

// IndexKey describes the index of the table, such as "by_cadence (cadence, name)", or is "none".
func (d Definition) IndexKey() string {
	if d.Index == nil {
		return "none"
	}
	return d.Index.Name + " (" + d.Index.Partition + ", " + d.Index.Sort + ")"
}

// KeyOf describes the key of an existing table as Key does.
func KeyOf(t *types.TableDescription) string { return describeKeys(t.KeySchema) }

// IndexesOf describes the indexes of an existing table as IndexKey does.
func IndexesOf(t *types.TableDescription) string {
	var all []string
	for _, index := range t.GlobalSecondaryIndexes {
		all = append(all, aws.ToString(index.IndexName)+" ("+describeKeys(index.KeySchema)+")")
	}
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// IndexUpdates are the calls, in their order, that bring the indexes of an existing table to the definition. AWS
// takes one change of an index at a time.
func (d Definition) IndexUpdates(t *types.TableDescription) []*dynamodb.UpdateTableInput {
	var updates []*dynamodb.UpdateTableInput
	there := false
	for _, index := range t.GlobalSecondaryIndexes {
		if d.Index != nil && aws.ToString(index.IndexName) == d.Index.Name && d.IndexKey() == d.Index.Name+" ("+describeKeys(index.KeySchema)+")" {
			there = true
			continue
		}
		updates = append(updates, &dynamodb.UpdateTableInput{
			TableName:                   aws.String(d.Name),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: index.IndexName}}},
		})
	}
	if d.Index == nil || there {
		return updates
	}
	whole := d.CreateInput()
	index := whole.GlobalSecondaryIndexes[0]
	return append(updates, &dynamodb.UpdateTableInput{
		TableName: aws.String(d.Name), AttributeDefinitions: whole.AttributeDefinitions,
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: index.IndexName, KeySchema: index.KeySchema, Projection: index.Projection,
		}}},
	})
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

func describeKeys(schema []types.KeySchemaElement) string {
	names := make([]string, len(schema))
	for i, element := range schema {
		names[i] = aws.ToString(element.AttributeName)
	}
	return strings.Join(names, ", ")
}

func text(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
}
