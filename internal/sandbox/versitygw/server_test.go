package versitygw

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

func startServer(t *testing.T, options Options) *Server {
	t.Helper()
	tools, err := toolchain.New(toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if options.Program, err = tools.Versitygw(t.Context()); err != nil {
		t.Fatal(err)
	}
	server, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func client(server *Server, secret string) *s3.Client {
	return s3.New(s3.Options{
		Region:                     server.Region(),
		BaseEndpoint:               aws.String(server.Endpoint()),
		Credentials:                credentials.NewStaticCredentialsProvider(server.AccessKey(), secret, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
}

func makeBucket(t *testing.T, client *s3.Client) {
	t.Helper()
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String("lake"),
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: DefaultRegion},
	}); err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, client *s3.Client, key, body string, change func(*s3.PutObjectInput)) error {
	input := &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String(key), Body: strings.NewReader(body)}
	if change != nil {
		change(input)
	}
	_, err := client.PutObject(ctx, input)
	return err
}

func ifAbsent(input *s3.PutObjectInput) { input.IfNoneMatch = aws.String("*") }

func get(t *testing.T, client *s3.Client, key string) string {
	t.Helper()
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = object.Body.Close() }()
	content, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func isCode(err error, code string) bool {
	var apiError smithy.APIError
	return errors.As(err, &apiError) && apiError.ErrorCode() == code
}

func TestConditionalPut(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{})
	client := client(server, server.SecretKey())
	makeBucket(t, client)
	if err := put(t.Context(), client, "head", "one", ifAbsent); err != nil {
		t.Fatal(err)
	}
	err := put(t.Context(), client, "head", "two", ifAbsent)
	var response interface{ HTTPStatusCode() int }
	if !isCode(err, "PreconditionFailed") || !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusPreconditionFailed {
		t.Errorf("the second put if absent: %v", err)
	}
	if got := get(t, client, "head"); got != "one" {
		t.Errorf("the object is %q", got)
	}

	var won atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			switch err := put(t.Context(), client, "race", "me", ifAbsent); {
			case err == nil:
				won.Add(1)
			case !isCode(err, "PreconditionFailed"):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 concurrent puts if absent succeeded", won.Load())
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{})
	owner := client(server, server.SecretKey())
	makeBucket(t, owner)
	if err := put(t.Context(), client(server, "wrong"), "key", "x", nil); !isCode(err, "SignatureDoesNotMatch") {
		t.Errorf("a wrong secret: %v", err)
	}
	err := put(t.Context(), owner, "key", "x", func(input *s3.PutObjectInput) {
		input.ChecksumSHA256 = aws.String(strings.Repeat("A", 43) + "=")
	})
	if !isCode(err, "BadDigest") && !isCode(err, "InvalidRequest") && !isCode(err, "XAmzContentChecksumMismatch") {
		t.Errorf("a wrong checksum: %v", err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Endpoint()+"/lake/key", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("without a signature: %s, %v", answer.Status, err)
	}
}

func TestRestartKeepsObjects(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{})
	client := client(server, server.SecretKey())
	makeBucket(t, client)
	withMetadata := func(input *s3.PutObjectInput) { input.Metadata = map[string]string{"x": "y"} }
	if err := put(t.Context(), client, "a/b", "kept", withMetadata); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := get(t, client, "a/b"); got != "kept" {
			t.Errorf("the object is %q", got)
		}
	}
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("a/b")})
	if err != nil || head.Metadata["x"] != "y" {
		t.Errorf("the metadata is %v, %v", head, err)
	}
}

func TestVersioning(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{Versioning: true})
	client := client(server, server.SecretKey())
	makeBucket(t, client)
	if _, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String("lake"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"one", "two"} {
		if err := put(t.Context(), client, "key", body, nil); err != nil {
			t.Fatal(err)
		}
	}
	versions, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("lake")})
	if err != nil || len(versions.Versions) != 2 {
		t.Errorf("%+v, %v", versions, err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	first, second := startServer(t, Options{}), startServer(t, Options{Region: "eu-central-1"})
	if first.Endpoint() == second.Endpoint() || first.AccessKey() == second.AccessKey() || first.SecretKey() == second.SecretKey() {
		t.Error("two servers share an address or keys")
	}
	child := first.child
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-child.Done():
	default:
		t.Error("it still runs")
	}
	if _, err := os.Stat(first.scratch.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
	if err := first.Stop(); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
	if _, err := client(second, second.SecretKey()).ListBuckets(t.Context(), &s3.ListBucketsInput{}); err != nil {
		t.Errorf("the other server: %v", err)
	}
}

func TestStartFailureSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Program: "/bin/false"})
	if err == nil || !strings.Contains(err.Error(), "starting the S3 server: versitygw ended before it was ready (exit status 1)") {
		t.Errorf("got %v", err)
	}
}
