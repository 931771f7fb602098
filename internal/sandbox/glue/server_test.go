package glue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const (
	testRegion = "eu-west-1"
	testKey    = "AKIDSANDBOX"
	testSecret = "sandbox-secret"
	testRole   = "arn:aws:iam::123456789012:role/engine"
)

// epoch is where manual clocks of the tests start: a Monday.
var epoch = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// startServer starts a server that the test's end closes, and checks then that no reply broke
// the model.
func startServer(t *testing.T, opts Options) *Server {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if v := s.Violations(); len(v) > 0 {
			t.Errorf("replies against the model:\n%s", strings.Join(v, "\n"))
		}
	})
	return s
}

// clientOf returns an SDK client without retries.
func clientOf(s *Server, change ...func(*awsglue.Options)) *awsglue.Client {
	opts := awsglue.Options{
		BaseEndpoint: aws.String(s.URL()),
		Region:       testRegion,
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}, nil
		}),
	}
	return awsglue.New(opts, change...)
}

func inRegion(region string) func(*awsglue.Options) {
	return func(o *awsglue.Options) { o.Region = region }
}

func withCredentials(id, secret, token string) func(*awsglue.Options) {
	return func(o *awsglue.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		})
	}
}

// errorCode returns the code of an error that the server answered, "" for nil.
func errorCode(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	default:
		return "no API error: " + err.Error()
	}
}

// wantCode fails the test unless err carries the code and its message the text.
func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	if got := errorCode(err); got != code {
		t.Fatalf("error code %q, want %q: %v", got, code, err)
	}
	if err != nil && !strings.Contains(err.Error(), text) {
		t.Fatalf("message %q does not contain %q", err, text)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

func diff(t *testing.T, what string, want, got any, opts ...cmp.Option) {
	t.Helper()
	if d := cmp.Diff(want, got, opts...); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// memory is an object store in memory.
type memory struct {
	mu      sync.Mutex
	objects map[string]string
	// hold, when set, is waited for before an object is opened.
	hold chan struct{}
}

// put stores what testScript names.
func (m *memory) put(script string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[string]string{}
	}
	m.objects[testScript] = script
}

func (m *memory) Open(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := m.objects["s3://"+bucket+"/"+key]
	if !ok {
		return nil, fmt.Errorf("NoSuchKey: %s in %s", key, bucket)
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

// python returns the real interpreter behind the name python3, past any shim: shims are slow.
var python = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(out)), err
})

func needPython(t *testing.T) string {
	t.Helper()
	path, err := python()
	if err != nil {
		t.Fatalf("these tests run python3: %v", err)
	}
	return path
}

// post sends a raw request with a plausible signature.
func post(t *testing.T, s *Server, operation, body string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AWSGlue."+operation)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20260302/"+testRegion+
		"/glue/aws4_request, SignedHeaders=host, Signature=00")
	for _, f := range change {
		f(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, buf.String()
}
