package lifecycle

import (
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// lookAttempts is how often a look at the account is tried: it only brings an error forward, so it must not hold
// up a plan where the service cannot be reached.
const lookAttempts = 2

// buckets remembers what was found of buckets, so that a thousand tables of one bucket ask once. That one is missing
// is not remembered: it may be made meanwhile.
type buckets struct{ found sync.Map }

// LookForBucket looks for the bucket of a location. A bucket that may not be looked at, or cannot be, is passed over.
func (b *Base) LookForBucket(ctx context.Context, at spec.Path, address string) *Finding {
	location, err := spec.ParseLocation(address)
	if err != nil {
		return nil // judged with the document
	}
	region, known := b.buckets.found.Load(location.Bucket)
	if !known {
		_, err := b.Session.S3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(location.Bucket)}, func(o *s3.Options) { o.RetryMaxAttempts = lookAttempts })
		if awsclient.NotFound(err) {
			return missing(at, "there is no bucket %q: create it first", location.Bucket)
		}
		region = elsewhere(err, b.Session.Region)
		b.buckets.found.Store(location.Bucket, region)
	}
	if region != "" {
		return wrong(at, "the bucket %q lies in %s, and the provider works in %s: use a bucket of %[3]s, or set the provider's region to the bucket's", location.Bucket, region, b.Session.Region)
	}
	return nil
}

// elsewhere is the Region that S3 names for a bucket when it is not ours.
func elsewhere(err error, ours string) string {
	if region := awsclient.Header(err, "X-Amz-Bucket-Region"); region != "" && region != ours {
		return region
	}
	if awsclient.Status(err) == http.StatusMovedPermanently {
		return "another Region"
	}
	return ""
}
