package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	sandboxglue "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
)

// script is a job that uses S3, another service and Glue by what its environment says alone.
const script = `
import sys, boto3
bucket = sys.argv[sys.argv.index("--bucket") + 1]
account = boto3.client("sts").get_caller_identity()["Account"]
jobs = [job["Name"] for job in boto3.client("glue").get_jobs()["Jobs"]]
assert any(sys.argv[sys.argv.index("--job") + 1] == job for job in jobs), jobs
boto3.client("s3").put_object(Bucket=bucket, Key="result", Body=account.encode())
`

// runJob runs the script as a job and returns the run and what the script left.
func runJob(t *testing.T, sb *sandbox.Sandbox, config aws.Config) (*gluetypes.JobRun, string) {
	t.Helper()
	ctx, bucket, name := t.Context(), sb.NewBucket(t), sb.NewName(t)
	objects, jobs := s3.NewFromConfig(config), glue.NewFromConfig(config)
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("job.py"), Body: strings.NewReader(script),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := jobs.CreateJob(ctx, &glue.CreateJobInput{
		Name: aws.String(name), Role: aws.String("arn:aws:iam::123456789012:role/engine"), MaxCapacity: aws.Float64(0.0625),
		Command: &gluetypes.JobCommand{
			Name: aws.String("pythonshell"), PythonVersion: aws.String("3.9"), ScriptLocation: aws.String("s3://" + bucket + "/job.py"),
		},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := jobs.DeleteJob(context.Background(), &glue.DeleteJobInput{JobName: aws.String(name)}); err != nil {
			t.Error(err)
		}
	})
	started, err := jobs.StartJobRun(ctx, &glue.StartJobRunInput{
		JobName: aws.String(name), Arguments: map[string]string{"--bucket": bucket, "--job": name},
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		run, err := jobs.GetJobRun(ctx, &glue.GetJobRunInput{JobName: aws.String(name), RunId: started.JobRunId})
		if err != nil {
			t.Fatal(err)
		}
		switch run.JobRun.JobRunState {
		case gluetypes.JobRunStateStarting, gluetypes.JobRunStateRunning, gluetypes.JobRunStateWaiting:
			if time.Now().After(deadline) {
				t.Fatalf("the run is still %s", run.JobRun.JobRunState)
			}
		case gluetypes.JobRunStateSucceeded:
			return run.JobRun, content(t, objects, bucket, "result")
		default:
			t.Fatalf("the run is %s: %s", run.JobRun.JobRunState, aws.ToString(run.JobRun.ErrorMessage))
		}
	}
}

func TestGlueRunsJobs(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Glue)
	if run, result := runJob(t, sb, sb.AWSConfig()); result != sandbox.Account {
		t.Errorf("the run %s left %q", aws.ToString(run.Id), result)
	}
}

func TestGlueOfATestsOwn(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.S3, sandbox.Moto)
	began := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	server := sb.NewGlue(t, func(options *sandboxglue.Options) { options.Clock = sandboxglue.NewManualClock(began) })
	endpoints := sb.Endpoints()
	endpoints.Glue = server.URL()
	run, result := runJob(t, sb, sb.AWSConfigFor(endpoints))
	if result != sandbox.Account || !aws.ToTime(run.StartedOn).Equal(began) {
		t.Errorf("the run began at %v and left %q", run.StartedOn, result)
	}
}

func TestGlueKnowsAssumedAccounts(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Glue)
	config := sb.AWSConfig()
	assumed, err := sts.NewFromConfig(config).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::999988887777:role/deploy"), RoleSessionName: aws.String("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	name := aws.String(sb.NewName(t))
	input := &gluetypes.DatabaseInput{Name: name}
	own := glue.NewFromConfig(config)
	if _, err := own.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: input}); err != nil {
		t.Fatal(err)
	}
	keys := assumed.Credentials
	config.Credentials = credentials.NewStaticCredentialsProvider(*keys.AccessKeyId, *keys.SecretAccessKey, *keys.SessionToken)
	var missing *gluetypes.EntityNotFoundException
	if _, err := glue.NewFromConfig(config).GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: name}); !errors.As(err, &missing) {
		t.Errorf("another account sees the database: %v", err)
	}
	found, err := own.GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: name})
	if err != nil || aws.ToString(found.Database.CatalogId) != sandbox.Account {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestPartsThatDidNotStart(t *testing.T) {
	t.Parallel()
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Parts: []sandbox.Part{}})
	if err != nil {
		t.Fatal(err)
	}
	if sb.Postgres() != nil || sb.S3() != nil || sb.Moto() != nil || sb.Glue() != nil {
		t.Error("a part runs that was not asked for")
	}
	_, err = dynamodb.NewFromConfig(sb.AWSConfig(), func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }).
		ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err == nil || !strings.Contains(err.Error(), "the-sandbox-did-not-start-moto") {
		t.Errorf("got %v", err)
	}
	if err := sb.Need(t.Context(), sandbox.Part(17)); err == nil || !strings.Contains(err.Error(), "Part(17)") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(sb.Close(), sb.Close()); err != nil {
		t.Error(err)
	}
	if err := sb.Need(t.Context(), sandbox.S3); err == nil || !strings.Contains(err.Error(), "the sandbox is closed") {
		t.Errorf("after it was closed: %v", err)
	}
}

// A part's start that fails may be tried again, and the others that started are stopped.
func TestStartThatFails(t *testing.T) {
	t.Setenv("LAKELAND_PYTHON", "/nonexistent/python3")
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Parts: []sandbox.Part{sandbox.S3, sandbox.Moto}})
	if sb != nil || err == nil || !strings.Contains(err.Error(), "starting the sandbox's moto: LAKELAND_PYTHON=/nonexistent/python3") {
		t.Errorf("%v, %v", sb, err)
	}
	sb, err = sandbox.Start(t.Context(), sandbox.Options{Parts: []sandbox.Part{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Need(t.Context(), sandbox.Moto); err == nil {
		t.Error("moto started")
	}
	t.Setenv("LAKELAND_PYTHON", "")
	if err := errors.Join(sb.Need(t.Context(), sandbox.Moto, sandbox.Moto), sb.Close()); err != nil {
		t.Error(err)
	}
}

func TestEnvReachesPrograms(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Glue)
	bucket := sb.NewBucket(t)
	python, err := sb.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python, "-I", "-c", `
import boto3
print([b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"]].count("`+bucket+`"))
print(boto3.client("sts").get_caller_identity()["Account"])
boto3.client("glue").get_databases()`)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, sb.Env()...)
	output, err := command.CombinedOutput()
	if want := fmt.Sprintf("1\n%s\n", sandbox.Account); err != nil || string(output) != want {
		t.Errorf("%v: %s", err, output)
	}
}
