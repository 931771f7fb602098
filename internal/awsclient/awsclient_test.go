package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
)

var static = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")

// serve answers every call the same way and counts them.
func serve(t *testing.T, status int, headers map[string]string, body string) (*httptest.Server, *atomic.Int32, *atomic.Value) {
	t.Helper()
	var calls atomic.Int32
	var path atomic.Value
	path.Store("")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		path.Store(r.URL.Path)
		_, _ = io.Copy(io.Discard, r.Body)
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s, &calls, &path
}

// An endpoint that the environment gives survives where none is configured: assigning an empty one would wipe it.
func TestEndpointOfTheEnvironmentSurvives(t *testing.T) {
	s, calls, path := serve(t, http.StatusOK, nil, `{"Table":{}}`)
	other, otherCalls, _ := serve(t, http.StatusOK, nil, `{}`)
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-west-1"), config.WithCredentialsProvider(static))
	if err != nil {
		t.Fatal(err)
	}
	clients := awsclient.New(cfg, awsclient.Options{Endpoints: map[string]string{"glue": other.URL, "s3": ""}})
	if _, err := clients.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("t")}); err != nil || calls.Load() != 1 {
		t.Errorf("DynamoDB: %v, %d calls", err, calls.Load())
	}
	if _, err := clients.Glue.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String("d"), Name: aws.String("t")}); err != nil || otherCalls.Load() != 1 {
		t.Errorf("Glue, with an endpoint of its own: %v, %d calls", err, otherCalls.Load())
	}
	if _, err := clients.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key")}); err != nil || path.Load() != "/bucket/key" {
		t.Errorf("S3 outside AWS is not addressed by path: %v, %v", path.Load(), err)
	}
}

func TestPathStyleFollowsTheEndpoint(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{"": false, "https://s3.eu-west-1.amazonaws.com": false, "https://vpce-1.s3.eu-west-1.vpce.amazonaws.com": false, "https://s3.cn-north-1.amazonaws.com.cn": false, "http://127.0.0.1:9000": true, "https://minio.example.com": true} {
		if got := awsclient.New(aws.Config{Region: "eu-west-1"}, awsclient.Options{Endpoints: map[string]string{"s3": endpoint}}).PathStyle; got != want {
			t.Errorf("%q: path style %v", endpoint, got)
		}
	}
	if !awsclient.New(aws.Config{}, awsclient.Options{PathStyle: true}).PathStyle {
		t.Error("what was asked for is not done")
	}
}

// A call that keeps failing ends soon.
func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	s, calls, _ := serve(t, http.StatusInternalServerError, nil, `{"__type":"InternalServerError"}`)
	clients := awsclient.New(aws.Config{Region: "eu-west-1", Credentials: static}, awsclient.Options{Endpoints: map[string]string{"dynamodb": s.URL}})
	started := time.Now()
	_, err := clients.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("t")})
	if err == nil || calls.Load() != awsclient.Attempts || time.Since(started) > awsclient.Attempts*awsclient.MaxBackoff {
		t.Errorf("%d calls in %s: %v", calls.Load(), time.Since(started), err)
	}
}

// The dates of DynamoDB's replies are reported, those of failures too.
func TestDatesAreReported(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		s, _, _ := serve(t, status, map[string]string{"Date": at.Format(http.TimeFormat)}, `{"__type":"ValidationException"}`)
		var seen atomic.Value
		clients := awsclient.New(aws.Config{Region: "eu-west-1", Credentials: static}, awsclient.Options{
			Endpoints: map[string]string{"dynamodb": s.URL}, OnDate: func(d time.Time) { seen.Store(d) },
		})
		_, _ = clients.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("t")})
		if got, _ := seen.Load().(time.Time); !got.Equal(at) {
			t.Errorf("status %d: the date is %v", status, got)
		}
	}
}

// What an error means is told from its code or its status, and only an answer that settles nothing is unknown.
func TestClassesOfErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                              string
		status                            int
		code                              string
		notFound, denied, slowed, unknown bool
	}{
		{"absent", 400, "EntityNotFoundException", true, false, false, false},
		{"denied", 400, "AccessDeniedException", false, true, false, false},
		{"expired", 403, "ExpiredTokenException", false, true, false, false},
		{"throttled", 400, "ThrottlingException", false, false, true, false},
		{"conflict", 400, "ConcurrentModificationException", false, false, false, false},
		{"broken", 500, "InternalServiceException", false, false, false, true},
		{"nothing but a status", 503, "", false, false, false, true},
	} {
		s, _, _ := serve(t, tc.status, map[string]string{"Content-Type": "application/x-amz-json-1.1"}, fmt.Sprintf(`{"__type":%q,"Message":"m"}`, tc.code))
		clients := awsclient.New(aws.Config{Region: "eu-west-1", Credentials: static, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}, awsclient.Options{Endpoints: map[string]string{"glue": s.URL}})
		_, err := clients.Glue.GetJob(t.Context(), &glue.GetJobInput{JobName: aws.String("j")})
		if awsclient.NotFound(err) != tc.notFound || awsclient.Denied(err) != tc.denied || awsclient.Throttled(err) != tc.slowed || awsclient.Unknown(err) != tc.unknown || awsclient.Status(err) != tc.status {
			t.Errorf("%s: not found %v, denied %v, throttled %v, unknown %v, status %d: %v", tc.name, awsclient.NotFound(err), awsclient.Denied(err), awsclient.Throttled(err), awsclient.Unknown(err), awsclient.Status(err), err)
		}
	}
	nobody := awsclient.New(aws.Config{Region: "eu-west-1", Credentials: static, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}, awsclient.Options{Endpoints: map[string]string{"glue": "http://127.0.0.1:1"}})
	if _, err := nobody.Glue.GetJob(t.Context(), &glue.GetJobInput{JobName: aws.String("j")}); !awsclient.Unknown(err) || awsclient.NotFound(err) {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := nobody.Glue.GetJob(t.Context(), &glue.GetJobInput{}); awsclient.Unknown(err) {
		t.Errorf("a call that was never sent counts as unknown: %v", err)
	}
	s, _, _ := serve(t, http.StatusOK, map[string]string{"Content-Type": "application/x-amz-json-1.1"}, `{"Name":`)
	cut := awsclient.New(aws.Config{Region: "eu-west-1", Credentials: static, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}, awsclient.Options{Endpoints: map[string]string{"glue": s.URL}})
	if _, err := cut.Glue.CreateJob(t.Context(), &glue.CreateJobInput{Name: aws.String("j"), Role: aws.String("r"), Command: &gluetypes.JobCommand{}}); err == nil || !awsclient.Unknown(err) {
		t.Errorf("an answer that ends in its middle: %v", err)
	}
	if awsclient.Unknown(nil) || awsclient.NotFound(nil) || awsclient.Code(nil) != "" || awsclient.Status(errors.New("x")) != 0 {
		t.Error("no error has a class")
	}
	if !awsclient.Unknown(fmt.Errorf("waiting: %w", context.DeadlineExceeded)) {
		t.Error("a deadline settles nothing")
	}
}

// An answer whose connection breaks in its middle is asked for again.
func TestCutAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s, calls, _ := serve(t, http.StatusOK, map[string]string{"Content-Type": "application/x-amz-json-1.1", "Content-Length": "100"}, `{"Job":`)
	clients := awsclient.New(aws.Config{Region: "eu-west-1", Credentials: static, Retryer: func() aws.Retryer { return awsclient.Retryer(time.Millisecond) }}, awsclient.Options{Endpoints: map[string]string{"glue": s.URL}})
	if _, err := clients.Glue.GetJob(t.Context(), &glue.GetJobInput{JobName: aws.String("j")}); !errors.Is(err, io.ErrUnexpectedEOF) || calls.Load() != awsclient.Attempts {
		t.Errorf("%d calls: %v", calls.Load(), err)
	}
}

func TestSessionNamesThingsInItsPartition(t *testing.T) {
	t.Parallel()
	s := awsclient.Session{Clients: &awsclient.Clients{Region: "cn-north-1"}, AccountID: "123456789012", Partition: "aws-cn", DefaultTags: map[string]string{"a": "1", "b": "1"}}
	if got := s.ARN("glue", "job/x"); got != "arn:aws-cn:glue:cn-north-1:123456789012:job/x" {
		t.Error(got)
	}
	if got := s.AllTags(map[string]string{"b": "2"}); len(got) != 2 || got["a"] != "1" || got["b"] != "2" || s.DefaultTags["b"] != "1" {
		t.Error(got)
	}
	if strings.Contains(fmt.Sprint(s.AllTags(nil)), "nil") {
		t.Error("tags are never nil")
	}
}
