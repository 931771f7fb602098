// Package awsclient builds the AWS clients that provider and engine share, and knows the few things about them
// that both sides must agree on: which endpoint a service has, how calls are retried, which calls may go out
// only once, and what an error means.
package awsclient

import (
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"
)

// Attempts is how often a call that may be repeated is tried. With the backoff between them a call that keeps
// failing ends after some ten seconds; the SDK's own backoff at 25 attempts takes a minute and a half.
const Attempts = 5

// MaxBackoff bounds the pause between two attempts.
const MaxBackoff = 3 * time.Second

// Services are the names under which endpoints can be configured, in the words of hashicorp/aws.
var Services = []string{"dynamodb", "glue", "iam", "s3", "secretsmanager", "sts"}

// Options says how clients differ from what aws.Config alone decides.
type Options struct {
	// Endpoints maps a service (one of Services) to its address. What is not set here follows
	// AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL and the profile, as in every AWS SDK.
	Endpoints map[string]string
	// PathStyle addresses buckets as part of the path. It is implied for an S3 endpoint outside AWS.
	PathStyle bool
	// OnDate, when set, is called with the Date header of each of DynamoDB's replies, on the goroutine of the
	// call. It must be quick and safe for concurrent use.
	OnDate func(time.Time)
}

// Clients are safe for concurrent use.
type Clients struct {
	Glue     *glue.Client
	S3       *s3.Client
	DynamoDB *dynamodb.Client
	Secrets  *secretsmanager.Client
	Region   string
	// PathStyle says how buckets are addressed, for those who hand the setting on.
	PathStyle bool
}

// New builds the clients. It makes no call.
func New(cfg aws.Config, o Options) *Clients {
	if cfg.Retryer == nil {
		cfg.Retryer = func() aws.Retryer { return Retryer(MaxBackoff) }
	}
	pathStyle := o.PathStyle || outsideAWS(o.endpoint("s3"))
	return &Clients{
		Region:    cfg.Region,
		PathStyle: pathStyle,
		// An endpoint is assigned only where one is configured: a nil BaseEndpoint would wipe what the
		// environment says.
		Glue: glue.NewFromConfig(cfg, func(c *glue.Options) {
			if e := o.Endpoints["glue"]; e != "" {
				c.BaseEndpoint = aws.String(e)
			}
		}),
		S3: s3.NewFromConfig(cfg, func(c *s3.Options) {
			if e := o.Endpoints["s3"]; e != "" {
				c.BaseEndpoint = aws.String(e)
			}
			c.UsePathStyle = pathStyle
		}),
		DynamoDB: dynamodb.NewFromConfig(cfg, func(c *dynamodb.Options) {
			if e := o.Endpoints["dynamodb"]; e != "" {
				c.BaseEndpoint = aws.String(e)
			}
			if o.OnDate != nil {
				c.APIOptions = append(c.APIOptions, func(s *middleware.Stack) error {
					return s.Deserialize.Add(dateReader{o.OnDate}, middleware.After)
				})
			}
		}),
		Secrets: secretsmanager.NewFromConfig(cfg, func(c *secretsmanager.Options) {
			if e := o.Endpoints["secretsmanager"]; e != "" {
				c.BaseEndpoint = aws.String(e)
			}
		}),
	}
}

// Retryer repeats calls as the clients of New do, with pauses of at most backoff. An answer that ends in its
// middle is a connection that broke, which the SDK's own rules do not know.
func Retryer(backoff time.Duration) aws.Retryer {
	return retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts, r.MaxBackoff = Attempts, backoff
		r.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		})}, r.Retryables...)
	})
}

func (o Options) endpoint(service string) string {
	if e := o.Endpoints[service]; e != "" {
		return e
	}
	if e := os.Getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(service)); e != "" {
		return e
	}
	return os.Getenv("AWS_ENDPOINT_URL")
}

func outsideAWS(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if endpoint == "" || err != nil {
		return false
	}
	host := u.Hostname()
	return !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn")
}
