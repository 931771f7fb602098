package glue

import (
	"io"
	"net/http"
	"strings"
	"testing"

	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// TestAuthorizationHeader: what is missing or malformed is refused with 403 before anything else.
func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{Account: func(id string) string {
		if id == "STRANGER" {
			return ""
		}
		return DefaultAccount
	}})
	const rest = ", SignedHeaders=host, Signature=00"
	for name, test := range map[string]struct{ header, code string }{
		"absent":         {"", codeMissingToken},
		"other scheme":   {"Bearer token", codeIncompleteSignature},
		"algorithm only": {"AWS4-HMAC-SHA256", codeIncompleteSignature},
		"no credential":  {"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00", codeIncompleteSignature},
		"no signature":   {"AWS4-HMAC-SHA256 Credential=A/20260302/eu-west-1/glue/aws4_request, SignedHeaders=host", codeIncompleteSignature},
		"no headers":     {"AWS4-HMAC-SHA256 Credential=A/20260302/eu-west-1/glue/aws4_request, Signature=00", codeIncompleteSignature},
		"short scope":    {"AWS4-HMAC-SHA256 Credential=A/20260302/glue/aws4_request" + rest, codeIncompleteSignature},
		"no key":         {"AWS4-HMAC-SHA256 Credential=/20260302/eu-west-1/glue/aws4_request" + rest, codeIncompleteSignature},
		"no terminator":  {"AWS4-HMAC-SHA256 Credential=A/20260302/eu-west-1/glue/aws3_request" + rest, codeIncompleteSignature},
		"no Region":      {"AWS4-HMAC-SHA256 Credential=A/20260302//glue/aws4_request" + rest, codeInvalidSignature},
		"other service":  {"AWS4-HMAC-SHA256 Credential=A/20260302/eu-west-1/s3/aws4_request" + rest, codeInvalidSignature},
		"unknown key":    {"AWS4-HMAC-SHA256 Credential=STRANGER/20260302/eu-west-1/glue/aws4_request" + rest, codeUnrecognizedClient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := post(t, s, "GetJobs", `{}`, func(r *http.Request) {
				r.Header.Del("Authorization")
				if test.header != "" {
					r.Header.Set("Authorization", test.header)
				}
			})
			if status != http.StatusForbidden || !strings.Contains(body, `"__type":"`+test.code+`"`) {
				t.Errorf("status %d, body %s: want 403 %s", status, body, test.code)
			}
		})
	}
}

// TestSignatureVerification: with Options.Secret the SDK's signatures pass, others do not.
func TestSignatureVerification(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{Secret: func(id string) (string, bool) { return testSecret, id == testKey }})
	ctx := t.Context()

	_, err := clientOf(s).GetJobs(ctx, &awsglue.GetJobsInput{})
	wantCode(t, err, "", "")
	_, err = clientOf(s, withCredentials(testKey, testSecret, "a-session-token")).GetJobs(ctx, &awsglue.GetJobsInput{})
	wantCode(t, err, "", "")
	_, err = clientOf(s, withCredentials(testKey, "wrong", "")).GetJobs(ctx, &awsglue.GetJobsInput{})
	wantCode(t, err, codeInvalidSignature, "does not match")
	_, err = clientOf(s, withCredentials("AKIDOTHER", testSecret, "")).GetJobs(ctx, &awsglue.GetJobsInput{})
	wantCode(t, err, codeUnrecognizedClient, "security token")

	// A body that was changed on the way.
	_, err = clientOf(s, func(o *awsglue.Options) { o.HTTPClient = tamperer{} }).GetJob(ctx, &awsglue.GetJobInput{JobName: ptr("a")})
	wantCode(t, err, codeInvalidSignature, "does not match")

	// Another date than the credential's, and none.
	status, body := post(t, s, "GetJobs", `{}`, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260302T000000Z") })
	if status != http.StatusForbidden || !strings.Contains(body, codeInvalidSignature) {
		t.Errorf("status %d, body %s", status, body)
	}
	status, body = post(t, s, "GetJobs", `{}`)
	if status != http.StatusForbidden || !strings.Contains(body, codeIncompleteSignature) {
		t.Errorf("status %d, body %s", status, body)
	}
}

// tamperer sends requests with one letter of the body changed.
type tamperer struct{}

func (tamperer) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	changed := strings.Replace(string(body), `"a"`, `"b"`, 1)
	r.Body = io.NopCloser(strings.NewReader(changed))
	return http.DefaultClient.Do(r)
}

// TestScopesAreApart: an account's Region sees nothing of another account's or Region's state.
func TestScopesAreApart(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{Account: func(id string) string { return id[len(id)-12:] }})
	ctx := t.Context()
	here := clientOf(s, withCredentials("AKID111111111111", "x", ""))
	otherAccount := clientOf(s, withCredentials("AKID222222222222", "x", ""))
	otherRegion := clientOf(s, withCredentials("AKID111111111111", "x", ""), inRegion("eu-central-1"))

	_, err := here.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: ptr("raw")}})
	wantCode(t, err, "", "")
	for name, client := range map[string]*awsglue.Client{"account": otherAccount, "Region": otherRegion} {
		if _, err := client.GetDatabase(ctx, &awsglue.GetDatabaseInput{Name: ptr("raw")}); errorCode(err) != codeEntityNotFound {
			t.Errorf("another %s sees the database: %v", name, err)
		}
	}
	got := must[*awsglue.GetDatabaseOutput](t)(here.GetDatabase(ctx, &awsglue.GetDatabaseInput{Name: ptr("raw")}))
	diff(t, "catalog", "111111111111", deref(got.Database.CatalogId))
	_, err = here.GetDatabase(ctx, &awsglue.GetDatabaseInput{Name: ptr("raw"), CatalogId: ptr("222222222222")})
	wantCode(t, err, codeAccessDenied, "one catalog per account")
	_, err = here.GetDatabase(ctx, &awsglue.GetDatabaseInput{Name: ptr("raw"), CatalogId: ptr("111111111111")})
	wantCode(t, err, "", "")
}

// TestUnknownOperations: whatever the sandbox does not implement is said to be unknown.
func TestUnknownOperations(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	_, err := clientOf(s).CreateWorkflow(t.Context(), &awsglue.CreateWorkflowInput{Name: ptr("w")})
	wantCode(t, err, codeUnknownOperation, "CreateWorkflow")
	for name, change := range map[string]func(*http.Request){
		"no target":       func(r *http.Request) { r.Header.Del("X-Amz-Target") },
		"another service": func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem") },
		"GET":             func(r *http.Request) { r.Method = http.MethodGet },
	} {
		status, body := post(t, s, "GetJobs", `{}`, change)
		if status != http.StatusBadRequest || !strings.Contains(body, codeUnknownOperation) {
			t.Errorf("%s: status %d, body %s", name, status, body)
		}
	}
	status, body := post(t, s, "GetJobs", strings.Repeat(" ", maxBody+1))
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(body, codeRequestTooLarge) {
		t.Errorf("a huge body: status %d, body %s", status, body)
	}
}
