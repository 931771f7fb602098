package cadence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/payload"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
)

// upload puts engine and script in place. Objects that are there with the right content stay.
func (r *Resource) upload(ctx context.Context, d *deployment) error {
	there, err := r.storedSHA256(ctx, d.bucket, d.engineKey)
	if err != nil {
		return err
	}
	if there != d.engine.SHA256 {
		binary, err := engineBytes(d.engine)
		if err != nil {
			return err
		}
		if err := r.put(ctx, d, d.engineKey, binary, "application/octet-stream"); err != nil {
			return err
		}
	}
	if there, err = r.storedSHA256(ctx, d.bucket, d.scriptKey); err != nil {
		return err
	}
	if there != sum(d.script) {
		return r.put(ctx, d, d.scriptKey, d.script, "text/x-python")
	}
	return nil
}

func engineBytes(info payload.Info) ([]byte, error) {
	reader, err := payload.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	binary, err := io.ReadAll(io.LimitReader(reader, info.Size+1))
	if err == nil && (int64(len(binary)) != info.Size || sum(binary) != info.SHA256) {
		err = errors.New("it is not the one that was embedded: build the provider again")
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking the embedded engine: %w", err)
	}
	return binary, nil
}

// put writes an object whose key holds its digest, with the digest of the whole object stored beside it.
func (r *Resource) put(ctx context.Context, d *deployment, key string, data []byte, contentType string) error {
	digest := sha256.Sum256(data)
	in := &s3.PutObjectInput{
		Bucket: aws.String(d.bucket), Key: aws.String(key), Body: bytes.NewReader(data), ContentType: aws.String(contentType),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(digest[:])),
	}
	if k := d.doc.Artifacts.KMSKeyARN; k != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, aws.String(k), aws.Bool(true)
	}
	if _, err := r.Session.S3.PutObject(ctx, in); err != nil {
		return fmt.Errorf("uploading s3://%s/%s: %w", d.bucket, key, explainBucket(err, d.bucket))
	}
	return nil
}

// storedSHA256 is the digest that S3 stored with an object, in hexadecimal; Missing where there is no object, ByHand
// where it has no digest of the whole of it, which all of ours have.
func (r *Resource) storedSHA256(ctx context.Context, bucket, key string) (string, error) {
	out, err := r.Session.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled})
	if awsclient.NotFound(err) {
		return lifecycle.Missing, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading s3://%s/%s: %w", bucket, key, explainBucket(err, bucket))
	}
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(out.ChecksumSHA256))
	if err != nil || len(raw) == 0 || out.ChecksumType == types.ChecksumTypeComposite {
		return lifecycle.ByHand, nil //nolint:nilerr // a digest that cannot be read is none
	}
	return hex.EncodeToString(raw), nil
}

// explainBucket names the bucket's faults that S3 answers without words.
func explainBucket(err error, bucket string) error {
	switch awsclient.Status(err) {
	case http.StatusMovedPermanently, http.StatusBadRequest:
		if awsclient.Code(err) == "PermanentRedirect" || awsclient.Status(err) == http.StatusMovedPermanently {
			return fmt.Errorf("%w: the bucket %q lies in another Region: use one in the provider's", err, bucket)
		}
	case http.StatusForbidden:
		return fmt.Errorf("%w: the provider's credentials may not use the bucket %q (s3:GetObject, s3:PutObject), or its key", err, bucket)
	case http.StatusNotFound:
		return fmt.Errorf("%w: there is no bucket %q: create it first", err, bucket)
	}
	return err
}
