package glue

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// TestTags: adding, replacing and removing tags of every kind of resource.
func TestTags(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.Partition = "aws-cn"; o.TriggerTransition.Reads = -1 }).withJobs(t)
	ctx := t.Context()
	l.createTrigger(t, triggerOf("t", types.TriggerTypeOnDemand))
	createConnection(t, l.client, networkInput("net"), nil)
	withDatabase(t, l.Server)
	for _, resource := range []string{"job/job", "trigger/t", "connection/net", "database/raw"} {
		arn := aws.String("arn:aws-cn:glue:eu-west-1:123456789012:" + resource)
		get := func() map[string]string {
			return must[*awsglue.GetTagsOutput](t)(l.client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: arn})).Tags
		}
		diff(t, "none", 0, len(get()))
		_, err := l.client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: arn, TagsToAdd: map[string]string{"a": "1", "b": "1"}})
		wantCode(t, err, "", "")
		_, err = l.client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: arn, TagsToAdd: map[string]string{"b": "2", "c": ""}})
		wantCode(t, err, "", "")
		diff(t, "added", map[string]string{"a": "1", "b": "2", "c": ""}, get())
		_, err = l.client.UntagResource(ctx, &awsglue.UntagResourceInput{ResourceArn: arn, TagsToRemove: []string{"a", "none"}})
		wantCode(t, err, "", "")
		diff(t, "removed", map[string]string{"b": "2", "c": ""}, get())
	}
}

// TestTagsRefused: foreign and absent resources, reserved keys, too many tags.
func TestTagsRefused(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	client := clientOf(s)
	ctx := t.Context()
	createJob(t, client, shellJob("job"))
	for arn, test := range map[string]struct{ code, text string }{
		"arn:aws:glue:eu-west-1:999999999999:job/job":       {codeEntityNotFound, "is not in partition aws, Region eu-west-1, account 123456789012"},
		"arn:aws:glue:us-east-1:123456789012:job/job":       {codeEntityNotFound, "is not in partition aws, Region eu-west-1"},
		"arn:aws-cn:glue:eu-west-1:123456789012:job/job":    {codeEntityNotFound, "is not in partition aws"},
		"arn:aws:glue:eu-west-1:123456789012:job/none":      {codeEntityNotFound, "Resource not found"},
		"arn:aws:glue:eu-west-1:123456789012:trigger/job":   {codeEntityNotFound, "Resource not found"},
		"arn:aws:glue:eu-west-1:123456789012:table/raw/job": {codeInvalidInput, "not a kind of resource that can be tagged"},
		"arn:aws:s3:::bucket":                               {codeValidation, "resourceArn"},
	} {
		for operation, err := range map[string]error{
			"GetTags":       second(client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: aws.String(arn)})),
			"TagResource":   second(client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: aws.String(arn), TagsToAdd: map[string]string{"a": "b"}})),
			"UntagResource": second(client.UntagResource(ctx, &awsglue.UntagResourceInput{ResourceArn: aws.String(arn), TagsToRemove: []string{"a"}})),
		} {
			t.Run(operation+" "+arn, func(t *testing.T) {
				t.Parallel()
				wantCode(t, err, test.code, test.text)
			})
		}
	}

	arn := aws.String("arn:aws:glue:eu-west-1:123456789012:job/job")
	_, err := client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: arn, TagsToAdd: map[string]string{"AWS:owner": "x"}})
	wantCode(t, err, codeInvalidInput, "reserved prefix")
	tags := map[string]string{}
	for i := range maxTags {
		tags[fmt.Sprint("k", i)] = "v"
	}
	_, err = client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: arn, TagsToAdd: tags})
	wantCode(t, err, "", "")
	_, err = client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: arn, TagsToAdd: map[string]string{"k0": "again"}})
	wantCode(t, err, "", "")
	_, err = client.TagResource(ctx, &awsglue.TagResourceInput{ResourceArn: arn, TagsToAdd: map[string]string{"one more": "v"}})
	wantCode(t, err, codeInvalidInput, "at most 50 tags")
	for name, err := range map[string]error{
		"job":        second(client.CreateJob(ctx, shellJob("reserved", func(in *awsglue.CreateJobInput) { in.Tags = map[string]string{"aws:x": ""} }))),
		"connection": second(client.CreateConnection(ctx, &awsglue.CreateConnectionInput{ConnectionInput: networkInput("n"), Tags: map[string]string{"aws:x": ""}})),
		"database":   second(client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("d")}, Tags: map[string]string{"aws:x": ""}})),
	} {
		if errorCode(err) != codeInvalidInput {
			t.Errorf("%s with a reserved tag: %v", name, err)
		}
	}
}
