package lifecycle

import (
	"context"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/cenkalti/backoff/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// roleVisible is how long a role that was just made may be unknown to IAM's readers.
const roleVisible = 5 * time.Second

// glueTrust is the statement that lets Glue assume a role.
const glueTrust = `{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}`

// LookForRole looks whether a role exists and lets Glue assume it. Many who deploy may not read roles, nor can those
// of other accounts be read: these are passed over, and Glue decides.
func (b *Base) LookForRole(ctx context.Context, at spec.Path, roleARN string) *Finding {
	parsed, err := arn.Parse(roleARN)
	if err != nil || parsed.AccountID != b.Session.AccountID {
		return nil
	}
	name := path.Base(parsed.Resource)
	out, err := backoff.Retry(ctx, func() (*iam.GetRoleOutput, error) {
		out, err := b.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)}, func(o *iam.Options) { o.RetryMaxAttempts = lookAttempts })
		if err != nil && !awsclient.IsCode(err, "NoSuchEntity") {
			return nil, backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithMaxElapsedTime(roleVisible))
	switch {
	case awsclient.IsCode(err, "NoSuchEntity"):
		return missing(at, "there is no role %q in the account %s: create it first, or correct the name", name, parsed.AccountID)
	case err != nil:
		return nil
	case aws.ToString(out.Role.Arn) != roleARN:
		return wrong(at, "the role %q has the ARN %q, not %q: take it from the role's resource, path included", name, aws.ToString(out.Role.Arn), roleARN)
	case !trustsGlue(aws.ToString(out.Role.AssumeRolePolicyDocument)):
		return wrong(at, "Glue may not assume the role %q: add the statement %s to its trust policy (assume_role_policy)", name, glueTrust)
	}
	return nil
}

// oneOrMany is a JSON value that a policy may write alone or in a list.
type oneOrMany[T any] []T

func (m *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		return json.Unmarshal(data, (*[]T)(m))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*m = oneOrMany[T]{one}
	return nil
}

type trustStatement struct {
	Effect    string
	Action    oneOrMany[string]
	NotAction json.RawMessage
	Principal json.RawMessage
}

// trustsGlue reports whether a trust policy, as IAM returns it, lets Glue assume the role. One that cannot be read is
// left to Glue.
func trustsGlue(document string) bool {
	if plain, err := url.PathUnescape(document); err == nil {
		document = plain
	}
	var policy struct{ Statement oneOrMany[trustStatement] }
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return true
	}
	return slices.ContainsFunc(policy.Statement, func(s trustStatement) bool {
		return s.Effect == "Allow" && s.namesGlue() && (s.NotAction != nil || slices.ContainsFunc(s.Action, func(action string) bool {
			return slices.Contains([]string{"*", "sts:*", "sts:assumerole", "sts:assume*"}, strings.ToLower(action))
		}))
	})
}

func (s trustStatement) namesGlue() bool {
	var all string
	if json.Unmarshal(s.Principal, &all) == nil {
		return all == "*"
	}
	var named struct{ Service oneOrMany[string] }
	if err := json.Unmarshal(s.Principal, &named); err != nil {
		return s.Principal == nil // NotPrincipal
	}
	return slices.ContainsFunc(named.Service, func(service string) bool {
		return service == "*" || strings.HasPrefix(service, "glue.amazonaws.com")
	})
}
