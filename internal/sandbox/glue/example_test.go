package glue_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
)

// scripts is an object store that holds one script under every name.
type scripts string

func (s scripts) Open(context.Context, string, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(s))), nil
}

// A schedule fires on a clock that the test moves, and the job's script really runs.
func Example() {
	clock := glue.NewManualClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	server, err := glue.New(glue.Options{Clock: clock, Objects: scripts("import sys; print('hello', *sys.argv[1:])")})
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			log.Print(err)
		}
	}()
	client := awsglue.New(awsglue.Options{
		BaseEndpoint: aws.String(server.URL()),
		Region:       "eu-west-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})

	ctx := context.Background()
	if _, err := client.CreateJob(ctx, &awsglue.CreateJobInput{
		Name:    aws.String("nightly"),
		Role:    aws.String("arn:aws:iam::123456789012:role/engine"),
		Command: &types.JobCommand{Name: aws.String("pythonshell"), ScriptLocation: aws.String("s3://artifacts/nightly.py")},
	}); err != nil {
		log.Print(err)
		return
	}
	if _, err := client.CreateTrigger(ctx, &awsglue.CreateTriggerInput{
		Name:            aws.String("at-ten"),
		Type:            types.TriggerTypeScheduled,
		Schedule:        aws.String("cron(0 10 * * ? *)"),
		Actions:         []types.Action{{JobName: aws.String("nightly"), Arguments: map[string]string{"--cadence": "nightly"}}},
		StartOnCreation: true,
	}); err != nil {
		log.Print(err)
		return
	}

	clock.Advance(2 * time.Hour)
	for _, firing := range server.Firings() {
		run, err := server.WaitRun(ctx, firing.RunID)
		if err != nil {
			log.Print(err)
			return
		}
		stdout, _ := server.RunLog(run.ID)
		fmt.Print(firing.Due.Format("15:04"), " ", run.State, " ", stdout)
	}
	// Output: 10:00 SUCCEEDED hello --cadence nightly
}
