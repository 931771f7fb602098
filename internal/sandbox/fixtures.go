package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Database is an empty database of a test's own, on the sandbox's PostgreSQL server.
type Database struct {
	Name string
	// ConnString is its address for the superuser, with TLS and verification of the server.
	ConnString string
}

// NewDatabase creates a database and drops it when the test ends.
func (sb *Sandbox) NewDatabase(tb testing.TB) Database {
	tb.Helper()
	sb.require(tb, Postgres)
	server := sb.Postgres()
	name := sb.NewName(tb)
	if err := server.CreateDatabase(tb.Context(), name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.DropDatabase(context.Background(), name); err != nil {
			tb.Error(err)
		}
	})
	return Database{Name: name, ConnString: server.ConnString(name)}
}

// NewBucket creates an S3 bucket and removes it with all its objects when the test ends.
func (sb *Sandbox) NewBucket(tb testing.TB) string {
	tb.Helper()
	sb.require(tb, S3)
	client := s3.NewFromConfig(sb.AWSConfig())
	name := sb.NewName(tb)
	if err := createBucket(tb.Context(), client, name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := removeBucket(context.Background(), client, name); err != nil {
			tb.Error(err)
		}
	})
	return name
}

// NewName returns a name that no other test has: lower-case letters, digits and hyphens, at most 40 characters, fit for
// buckets, tables, databases, jobs and secrets.
func (sb *Sandbox) NewName(tb testing.TB) string {
	tb.Helper()
	const readable, unique = 24, 12
	words := strings.FieldsFunc(strings.ToLower(tb.Name()), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	name := strings.Join(words, "-")
	if len(name) > readable {
		name = strings.TrimRight(name[:readable], "-")
	}
	return "t-" + name + "-" + strings.ToLower(rand.Text()[:unique])
}

func (sb *Sandbox) require(tb testing.TB, parts ...Part) {
	tb.Helper()
	if err := sb.Need(tb.Context(), parts...); err != nil {
		tb.Fatal(err)
	}
}

func createBucket(ctx context.Context, client *s3.Client, name string) error {
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket:                    aws.String(name),
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: Region},
	})
	if err != nil {
		return fmt.Errorf("creating bucket %s: %w", name, err)
	}
	return nil
}

// removeBucket removes a bucket with its objects and unfinished uploads. One that is gone already is no error.
func removeBucket(ctx context.Context, client *s3.Client, name string) error {
	err := errors.Join(abortUploads(ctx, client, name), deleteObjects(ctx, client, name))
	if _, deleteErr := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(name)}); deleteErr != nil {
		err = errors.Join(err, deleteErr)
	}
	var gone *types.NoSuchBucket
	if err == nil || errors.As(err, &gone) {
		return nil
	}
	return fmt.Errorf("removing bucket %s: %w", name, err)
}

func deleteObjects(ctx context.Context, client *s3.Client, bucket string) error {
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		if len(page.Contents) == 0 {
			continue
		}
		objects := make([]types.ObjectIdentifier, 0, len(page.Contents))
		for _, object := range page.Contents {
			objects = append(objects, types.ObjectIdentifier{Key: object.Key})
		}
		result, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: aws.String(bucket),
			Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return err
		}
		for _, failed := range result.Errors {
			return fmt.Errorf("deleting %s: %s", aws.ToString(failed.Key), aws.ToString(failed.Message))
		}
	}
	return nil
}

func abortUploads(ctx context.Context, client *s3.Client, bucket string) error {
	pages := s3.NewListMultipartUploadsPaginator(client, &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, upload := range page.Uploads {
			_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
				Bucket: aws.String(bucket), Key: upload.Key, UploadId: upload.UploadId,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
