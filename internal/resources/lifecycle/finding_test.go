package lifecycle

import (
	"net/url"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// A trust policy may be written in many ways; what cannot be judged is left to Glue.
func TestTrustsGlue(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]bool{
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                        true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","glue.amazonaws.com"]},"Action":["sts:TagSession","sts:assumerole"]}}`: true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com.cn"},"Action":"sts:*"}]}`:                                              true,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}`:                                                                                  true,
		`{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}`:                                               true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"NotAction":"sts:TagSession"}]}`:                                     true,
		`not a policy`: true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                         false,
		`{"Statement":[{"Effect":"Deny","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                                                         false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:TagSession"}]}`:                                                        false,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`:                                                false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"*"},{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithSAML"}]}`: false,
		`{"Statement":[]}`: false,
	} {
		if got := trustsGlue(url.PathEscape(policy)); got != want {
			t.Errorf("%s: %v", policy, got)
		}
	}
}

// No message about a secret holds a part of its value.
func TestLoginsAreJudgedWithoutBeingQuoted(t *testing.T) {
	t.Parallel()
	at := spec.At("secret_arn")
	for value, want := range map[string]string{
		`{"username":"ada","password":"p","host":"h"}`: "",
		`"hunter2"`:              `secret_arn: the value of the secret "s" is not a JSON object: store {"username": "...", "password": "..."}`,
		`null`:                   `secret_arn: the value of the secret "s" is not a JSON object: store {"username": "...", "password": "..."}`,
		`{"username":"hunter2`:   `secret_arn: the value of the secret "s" is not a JSON object: store {"username": "...", "password": "..."}`,
		`{"password":"hunter2"}`: `secret_arn: the value of the secret "s" has no text at "username": store {"username": "...", "password": "..."}`,
	} {
		got := ""
		if f := judgeLogin(at, "s", &value); f != nil {
			got = f.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestRefusalsHaveTheirAttribute(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"cadence":         &tracking.MissingError{Kind: spec.KindCadence, Name: "c"},
		"connections":     &tracking.MissingError{Kind: spec.KindConnection, Name: "c"},
		"name":            &tracking.ExistsError{Kind: spec.KindTable, Name: "t"},
		"target.location": &tracking.OwnedError{Target: "s3://acme-lake/x/", Owner: "t"},
		"target.table":    &tracking.OwnedError{Target: "123456789012.raw.orders", Owner: "t"},
		"":                &tracking.InUseError{Kind: spec.KindCadence, Name: "c"},
	} {
		if got := attributeOf(err).String(); got != want {
			t.Errorf("%v stands at %q", err, got)
		}
	}
}
