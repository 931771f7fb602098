package lifecycle

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
	"github.com/hashicorp/aws-sdk-go-base/v2/logging"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// everything is a logger at its most talkative.
type everything struct{ lines *strings.Builder }

func (e everything) write(message string, fields []map[string]any) {
	_, _ = fmt.Fprintln(e.lines, message, fields)
}
func (e everything) Warn(_ context.Context, m string, f ...map[string]any)  { e.write(m, f) }
func (e everything) Info(_ context.Context, m string, f ...map[string]any)  { e.write(m, f) }
func (e everything) Debug(_ context.Context, m string, f ...map[string]any) { e.write(m, f) }
func (e everything) Trace(_ context.Context, m string, f ...map[string]any) { e.write(m, f) }
func (everything) IsDebug(context.Context) bool                             { return true }
func (everything) SetField(ctx context.Context, _ string, _ any) context.Context {
	return ctx
}
func (e everything) SubLogger(ctx context.Context, _ string) (context.Context, logging.Logger) {
	return ctx, e
}

// The logging of replies, which shows their bodies, never shows a secret's value.
func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetSecretValue") {
			_, _ = fmt.Fprint(w, `{"SecretString":"{\"username\":\"ada\",\"password\":\"hunter2\"}"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"Description":"the shop's login"}`)
	}))
	t.Cleanup(service.Close)
	log := everything{&strings.Builder{}}
	ctx, config, problems := awsbase.GetAwsConfig(t.Context(), &awsbase.Config{
		Region: "eu-west-1", AccessKey: "AKIDEXAMPLE", SecretKey: "s", SkipCredsValidation: true, MaxRetries: 1, Logger: log,
	})
	if problems.HasError() {
		t.Fatal(problems)
	}
	data := &Data{}
	data.Connect(config, awsclient.Options{Endpoints: map[string]string{"secretsmanager": service.URL}}, "123456789012", "aws", nil)
	b := &Base{Session: data.session}
	var diags diag.Diagnostics
	if f := b.ReadSecret(ctx, &diags, "creating", spec.At("secret_arn"), "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"); f != nil || len(diags) > 0 {
		t.Fatalf("%v, %v", f, diags)
	}
	if got := log.lines.String(); !strings.Contains(got, "the shop's login") || strings.Contains(got, "hunter2") {
		t.Errorf("logged was %s", got)
	}
}
