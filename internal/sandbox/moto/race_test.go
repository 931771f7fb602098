package moto

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Of many calls that create one item under a condition, exactly one succeeds, also through UpdateItem.
func TestConditionalCreationHasOneWinner(t *testing.T) {
	t.Parallel()
	_, config := startServerWith(t, "import sys; sys.setswitchinterval(1e-6)\n") // threads take turns at every step
	client := dynamodb.NewFromConfig(config)
	table := aws.String("race")
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 100 {
		var winners atomic.Int32
		var all sync.WaitGroup
		gate := make(chan struct{})
		for range 8 {
			all.Go(func() {
				<-gate
				_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName: table, Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: fmt.Sprint(round)}},
					UpdateExpression: aws.String("SET a = :one, b = :one, c = :one, d = :one ADD n :one"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
				})
				if err == nil {
					winners.Add(1)
				}
			})
		}
		close(gate)
		all.Wait()
		if winners.Load() != 1 {
			t.Errorf("round %d has %d winners", round, winners.Load())
		}
	}
}
