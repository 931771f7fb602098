package provider_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// trackingEdits are those of the tracking's tables. The table of the configuration is not deleted here: everything
// else goes with it.
func trackingEdits() []edit {
	var out []edit
	for _, suffix := range []string{tracking.ConfigTable, tracking.StateTable, tracking.FilesTable, tracking.RunsTable} {
		out = append(out, tableEdits(suffix)...)
	}
	return append(out,
		edit{"layout", trackingType, "the mark of the layout is gone", leaf("layout"), func(w *world) { w.removeItem("layout", "layout") }},
		edit{"runs", trackingType, "an empty table with another key in its place", []string{`deployed["runs.key"]`}, func(w *world) { w.replaceByImpostor("runs") }},
		edit{"files", trackingType, "the index is gone", leaf("files.index"), func(w *world) {
			_, err := w.clients.DynamoDB.UpdateTable(w.ctx(), &dynamodb.UpdateTableInput{TableName: w.table("files"), GlobalSecondaryIndexUpdates: []dynamodbtypes.GlobalSecondaryIndexUpdate{
				{Delete: &dynamodbtypes.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("pending")}},
			}})
			w.must(err)
		}},
	)
}

func (w *world) table(suffix string) *string { return aws.String(tracking.TableName(w.name, suffix)) }

func (w *world) tableARN(suffix string) *string {
	return aws.String("arn:aws:dynamodb:eu-west-1:123456789012:table/" + *w.table(suffix))
}

func tableEdits(suffix string) []edit {
	of := func(name string, leaves []string, do func(*world) error) edit {
		return edit{suffix + " " + name, trackingType, suffix + ": " + name, leaves, func(w *world) { w.must(do(w)) }}
	}
	tag := func(key string) []string {
		if suffix == tracking.ConfigTable {
			return []string{`tags_all["` + key + `"]`}
		}
		return leaf(suffix + ".tags." + key)
	}
	out := []edit{
		of("point-in-time recovery is off", leaf(suffix+".point_in_time_recovery"), func(w *world) error {
			_, err := w.clients.DynamoDB.UpdateContinuousBackups(w.ctx(), &dynamodb.UpdateContinuousBackupsInput{TableName: w.table(suffix), PointInTimeRecoverySpecification: &dynamodbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)}})
			return err
		}),
		of("the deletion protection is turned", leaf(suffix+".deletion_protection"), func(w *world) error {
			out, err := w.clients.DynamoDB.DescribeTable(w.ctx(), &dynamodb.DescribeTableInput{TableName: w.table(suffix)})
			w.must(err)
			_, err = w.clients.DynamoDB.UpdateTable(w.ctx(), &dynamodb.UpdateTableInput{TableName: w.table(suffix), DeletionProtectionEnabled: aws.Bool(!aws.ToBool(out.Table.DeletionProtectionEnabled))})
			return err
		}),
		of("provisioned", leaf(suffix+".billing"), func(w *world) error {
			_, err := w.clients.DynamoDB.UpdateTable(w.ctx(), &dynamodb.UpdateTableInput{
				TableName: w.table(suffix), BillingMode: dynamodbtypes.BillingModeProvisioned,
				ProvisionedThroughput: &dynamodbtypes.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)},
			})
			return err
		}),
		of("encryption", leaf(suffix+".encryption"), func(w *world) error {
			_, err := w.clients.DynamoDB.UpdateTable(w.ctx(), &dynamodb.UpdateTableInput{TableName: w.table(suffix), SSESpecification: &dynamodbtypes.SSESpecification{
				Enabled: aws.Bool(true), SSEType: dynamodbtypes.SSETypeKms, KMSMasterKeyId: aws.String("arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"),
			}})
			return err
		}),
		of("a tag is gone", tag("team"), func(w *world) error {
			_, err := w.clients.DynamoDB.UntagResource(w.ctx(), &dynamodb.UntagResourceInput{ResourceArn: w.tableARN(suffix), TagKeys: []string{"team"}})
			return err
		}),
		of("a foreign tag", tag("colour"), func(w *world) error {
			_, err := w.clients.DynamoDB.TagResource(w.ctx(), &dynamodb.TagResourceInput{ResourceArn: w.tableARN(suffix), Tags: []dynamodbtypes.Tag{{Key: aws.String("colour"), Value: aws.String("red")}}})
			return err
		}),
	}
	if suffix == tracking.ConfigTable {
		return out
	}
	return append(out,
		of("time to live is off", leaf(suffix+".time_to_live"), func(w *world) error {
			_, err := w.clients.DynamoDB.UpdateTimeToLive(w.ctx(), &dynamodb.UpdateTimeToLiveInput{TableName: w.table(suffix), TimeToLiveSpecification: &dynamodbtypes.TimeToLiveSpecification{AttributeName: aws.String(tracking.ExpiryAttribute), Enabled: aws.Bool(false)}})
			return err
		}),
		edit{suffix, trackingType, suffix + " is gone", leaf(suffix), func(w *world) { w.dropTable(suffix) }},
	)
}

func (w *world) dropTable(suffix string) {
	_, err := w.clients.DynamoDB.UpdateTable(w.ctx(), &dynamodb.UpdateTableInput{TableName: w.table(suffix), DeletionProtectionEnabled: aws.Bool(false)})
	w.must(err)
	_, err = w.clients.DynamoDB.DeleteTable(w.ctx(), &dynamodb.DeleteTableInput{TableName: w.table(suffix)})
	w.must(err)
}

// replaceByImpostor puts a table of another key where one of the tracking's was, alike in everything else.
func (w *world) replaceByImpostor(suffix string) {
	d := tracking.Definitions(w.name)[3]
	described, err := w.clients.DynamoDB.DescribeTable(w.ctx(), &dynamodb.DescribeTableInput{TableName: w.table(suffix)})
	w.must(err)
	w.dropTable(suffix)
	d.Partition, d.Sort = "mine", "other"
	in := d.CreateInput()
	in.DeletionProtectionEnabled = described.Table.DeletionProtectionEnabled
	in.Tags = []dynamodbtypes.Tag{{Key: aws.String("team"), Value: aws.String("lake")}}
	_, err = w.clients.DynamoDB.CreateTable(w.ctx(), in)
	w.must(err)
	_, err = w.clients.DynamoDB.UpdateContinuousBackups(w.ctx(), &dynamodb.UpdateContinuousBackupsInput{TableName: w.table(suffix), PointInTimeRecoverySpecification: &dynamodbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
	w.must(err)
	_, err = w.clients.DynamoDB.UpdateTimeToLive(w.ctx(), &dynamodb.UpdateTimeToLiveInput{TableName: w.table(suffix), TimeToLiveSpecification: &dynamodbtypes.TimeToLiveSpecification{AttributeName: aws.String(tracking.ExpiryAttribute), Enabled: aws.Bool(true)}})
	w.must(err)
}
