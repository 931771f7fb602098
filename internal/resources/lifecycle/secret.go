package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// loginForm is what a secret holds. No message ever holds more of a secret than the names of its keys.
const loginForm = `{"username": "...", "password": "..."}`

// LookForSecret looks whether a secret is there, without its value. One that may not be looked at is passed over.
func (b *Base) LookForSecret(ctx context.Context, at spec.Path, secretARN string) *Finding {
	parsed, err := arn.Parse(secretARN)
	if err != nil {
		return nil // judged with the document
	}
	if parsed.Region != b.Session.Region {
		return wrong(at, "the secret lies in %s, and runs read it in %s: replicate it there, and write the replica's ARN", parsed.Region, b.Session.Region)
	}
	out, err := b.Session.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(secretARN)}, func(o *secretsmanager.Options) { o.RetryMaxAttempts = lookAttempts })
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		return missing(at, "there is no secret %q: create it first, with the value %s", secretARN, loginForm)
	case err == nil && out.DeletedDate != nil:
		return wrong(at, "the secret %q is scheduled for deletion: restore it, or use another", secretARN)
	}
	return nil
}

// ReadSecret looks whether a secret is there and holds a login. Many who deploy may not read values: then only what
// is known without the value is judged. A secret without a value yet is a warning, for the resource that
// gives it one is not the one that a connection refers to.
func (b *Base) ReadSecret(ctx context.Context, diags *diag.Diagnostics, summary string, at spec.Path, secretARN string) *Finding {
	if f := b.LookForSecret(ctx, at, secretARN); f != nil {
		return f
	}
	out, err := b.Session.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(secretARN)}, func(o *secretsmanager.Options) {
		o.RetryMaxAttempts = lookAttempts
		o.APIOptions = append(o.APIOptions, unlogged)
	})
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		diags.AddAttributeWarning(AttributePath(at), summary, fmt.Sprintf("%s: the secret %q has no value yet, and runs fail until it has one: store %s", at, secretARN, loginForm))
		return nil
	case err != nil:
		return nil
	}
	return judgeLogin(at, secretARN, out.SecretString)
}

// ReadLogin reads username and password from a secret. They are kept in memory alone.
func (b *Base) ReadLogin(ctx context.Context, secretARN string) (username, password string, err error) {
	out, err := b.Session.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(secretARN)}, func(o *secretsmanager.Options) {
		o.APIOptions = append(o.APIOptions, unlogged)
	})
	if err != nil {
		return "", "", fmt.Errorf("reading the secret %q: %w", secretARN, err)
	}
	if f := judgeLogin(nil, secretARN, out.SecretString); f != nil {
		return "", "", errors.New(f.Message)
	}
	var held struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &held); err != nil {
		return "", "", fmt.Errorf("the value of the secret %q is not a JSON object of texts: store %s", secretARN, loginForm) // never with err, which may quote the value
	}
	return held.Username, held.Password, nil
}

func judgeLogin(at spec.Path, secretARN string, value *string) *Finding {
	var held map[string]json.RawMessage
	if err := json.Unmarshal([]byte(aws.ToString(value)), &held); err != nil || held == nil {
		return wrong(at, "the value of the secret %q is not a JSON object: store %s", secretARN, loginForm) // never with err, which may quote the value
	}
	var lacking []string
	for _, key := range []string{"username", "password"} {
		var text string
		if err := json.Unmarshal(held[key], &text); err != nil || text == "" {
			lacking = append(lacking, `"`+key+`"`)
		}
	}
	if len(lacking) > 0 {
		return wrong(at, "the value of the secret %q has no text at %s: store %s", secretARN, strings.Join(lacking, " and "), loginForm)
	}
	return nil
}

// unlogged takes the logging of replies out of a call: the reply holds a secret.
func unlogged(s *middleware.Stack) error {
	if _, logs := s.Deserialize.Get("TF_AWS_RequestResponseLogger"); logs {
		_, err := s.Deserialize.Remove("TF_AWS_RequestResponseLogger")
		return err
	}
	return nil
}
