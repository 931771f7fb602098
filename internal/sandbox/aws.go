package sandbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// notStarted is the address of a part that was not started: calls fail there and show its name. It keeps every call from
// reaching AWS.
const notStarted = "http://127.0.0.1:1/the-sandbox-did-not-start-"

// Endpoints are the addresses of the AWS services.
type Endpoints struct {
	Glue string
	S3   string
	// Default is the address of all other services.
	Default string
}

// Endpoints are the addresses of the AWS services. Those of parts that were not started refuse connections.
func (sb *Sandbox) Endpoints() Endpoints {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	endpoints := Endpoints{Glue: notStarted + "glue", S3: notStarted + "s3", Default: notStarted + "moto"}
	if sb.s3 != nil {
		endpoints.S3 = sb.s3.Endpoint()
	}
	if sb.moto != nil {
		endpoints.Default = sb.moto.Endpoint()
	}
	if sb.glue != nil {
		endpoints.Glue = sb.glue.URL()
	}
	return endpoints
}

// Credentials are the keys for all AWS services of the sandbox: those that own the S3 server. The other parts take any.
func (sb *Sandbox) Credentials() (accessKey, secretKey string) {
	if s3 := sb.S3(); s3 != nil {
		return s3.AccessKey(), s3.SecretKey()
	}
	return "AKIASANDBOX000000000", "sandbox"
}

// Env are the variables (NAME=value) by which programs find the sandbox's AWS instead of the real one: endpoints, keys, Region,
// and no configuration files.
func (sb *Sandbox) Env() []string { return sb.EnvFor(sb.Endpoints()) }

// EnvFor is Env with other endpoints, such as those with a Glue of a test's own.
func (sb *Sandbox) EnvFor(endpoints Endpoints) []string {
	access, secret := sb.Credentials()
	return []string{
		"AWS_ENDPOINT_URL=" + endpoints.Default,
		"AWS_ENDPOINT_URL_S3=" + endpoints.S3,
		"AWS_ENDPOINT_URL_GLUE=" + endpoints.Glue,
		"AWS_ACCESS_KEY_ID=" + access,
		"AWS_SECRET_ACCESS_KEY=" + secret,
		"AWS_REGION=" + Region,
		"AWS_DEFAULT_REGION=" + Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// ProviderBlockFor is the provider block of a Terraform configuration that finds these endpoints, with more lines where given.
func (sb *Sandbox) ProviderBlockFor(endpoints Endpoints, more ...string) string {
	access, secret := sb.Credentials()
	services := []struct{ name, address string }{
		{"glue", endpoints.Glue},
		{"s3", endpoints.S3},
		{"dynamodb", endpoints.Default},
		{"sts", endpoints.Default},
		{"secretsmanager", endpoints.Default},
		{"iam", endpoints.Default},
	}
	var text strings.Builder
	fmt.Fprintf(&text, "provider \"lakeland\" {\n  region     = %q\n  access_key = %q\n  secret_key = %q\n", Region, access, secret)
	for _, line := range more {
		fmt.Fprintf(&text, "  %s\n", line)
	}
	text.WriteString("\n  endpoints {\n")
	for _, service := range services {
		fmt.Fprintf(&text, "    %-14s = %q\n", service.name, service.address)
	}
	text.WriteString("  }\n}\n")
	return text.String()
}

// AWSConfig is the configuration of AWS clients of the sandbox. It is made of the parts that have started by now.
func (sb *Sandbox) AWSConfig() aws.Config { return sb.AWSConfigFor(sb.Endpoints()) }

// AWSConfigFor is AWSConfig with other endpoints, such as those with a Glue of a test's own.
func (sb *Sandbox) AWSConfigFor(endpoints Endpoints) aws.Config {
	access, secret := sb.Credentials()
	return aws.Config{
		Region:        Region,
		Credentials:   credentials.NewStaticCredentialsProvider(access, secret, ""),
		BaseEndpoint:  aws.String(endpoints.Default),
		ConfigSources: []any{endpoints},
		// What loading the default configuration sets; clients of a bare configuration send no checksums.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}

// GetServiceBaseEndpoint gives a service's address to the AWS SDK, which looks for this method in its configuration's sources.
func (e Endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	switch strings.ToLower(sdkID) {
	case "glue":
		return e.Glue, true, nil
	case "s3":
		return e.S3, true, nil
	default:
		return e.Default, true, nil
	}
}
