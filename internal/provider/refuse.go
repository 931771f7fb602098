package provider

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
	basediag "github.com/hashicorp/aws-sdk-go-base/v2/diag"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
)

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// refuse adds an error at an attribute of the provider's block.
func refuse(diags *diag.Diagnostics, at path.Path, format string, args ...any) {
	diags.AddAttributeError(at, configuring, at.String()+": "+fmt.Sprintf(format, args...))
}

// judge reports what is wrong with the provider's block by itself.
func (c *configuration) judge(diags *diag.Diagnostics) {
	switch {
	case c.AccessKey != "" && c.SecretKey == "":
		refuse(diags, path.Root("secret_key"), "it is missing beside access_key: write both, or neither")
	case c.AccessKey == "" && (c.SecretKey != "" || c.Token != ""):
		refuse(diags, path.Root("access_key"), "it is missing beside secret_key or token: write all of them, or none")
	}
	if c.MaxRetries < 0 {
		refuse(diags, path.Root("max_retries"), "%d is out of range: write 1 or more", c.MaxRetries)
	}
	if c.CustomCABundle != "" {
		if _, err := os.Stat(c.CustomCABundle); err != nil {
			refuse(diags, path.Root("custom_ca_bundle"), "the file %q cannot be read (%s): write the path of a PEM file", c.CustomCABundle, errors.Unwrap(err))
		}
	}
	for name, ids := range map[string][]string{"allowed_account_ids": c.AllowedAccountIDs, "forbidden_account_ids": c.ForbiddenAccountIDs} {
		for i, id := range ids {
			if !accountID.MatchString(id) {
				refuse(diags, path.Root(name).AtListIndex(i), "%q is not the id of an account: write its 12 digits as text, such as \"123456789012\"", id)
			}
		}
	}
	for i, block := range c.Endpoints {
		for _, service := range slices.Sorted(maps.Keys(block)) {
			if u, err := url.Parse(block[service]); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				refuse(diags, path.Root("endpoints").AtListIndex(i).AtName(service), "%q is not the address of an endpoint: write it with its scheme, such as \"https://vpce-1234.%s.eu-west-1.vpce.amazonaws.com\"", block[service], service)
			}
		}
	}
}

// checkAccount refuses the accounts that the block refuses.
func (c *configuration) checkAccount(account string, diags *diag.Diagnostics) {
	if len(c.AllowedAccountIDs) > 0 && !slices.Contains(c.AllowedAccountIDs, account) {
		refuse(diags, path.Root("allowed_account_ids"), "the credentials belong to the account %q, which is not among %q: use credentials of one of these, or add it", account, c.AllowedAccountIDs)
	}
	if slices.Contains(c.ForbiddenAccountIDs, account) {
		refuse(diags, path.Root("forbidden_account_ids"), "the credentials belong to the account %q, which is forbidden: use credentials of another", account)
	}
}

// report hands on the diagnostics of aws-sdk-go-base in the form of ours, and says whether there were errors.
func (c *configuration) report(diags *diag.Diagnostics, from basediag.Diagnostics) bool {
	for _, d := range from {
		at, detail := c.explain(d)
		switch {
		case d.Severity() != basediag.SeverityError:
			diags.AddWarning(configuring, detail)
		case len(at.Steps()) == 0:
			diags.AddError(configuring, detail)
		default:
			refuse(diags, at, "%s", detail)
		}
	}
	return from.HasError()
}

// explain says what a diagnostic means, at which attribute, and what to do.
func (c *configuration) explain(d basediag.Diagnostic) (at path.Path, detail string) {
	var err error
	if with, ok := d.(basediag.DiagnosticWithErr); ok {
		err = with.Err()
	}
	var noProfile config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &noProfile):
		if c.Profile != "" {
			at = path.Root("profile")
		}
		return at, fmt.Sprintf("there is no profile %q in the shared configuration: correct the name, or add it with `aws configure --profile %[1]s`", noProfile.Profile)
	case awsbase.IsCannotAssumeRoleError(d):
		for i, role := range c.AssumeRole {
			if strings.Contains(d.Detail(), "("+role.RoleARN+")") {
				at = path.Root("assume_role").AtListIndex(i).AtName("role_arn")
				detail = fmt.Sprintf("the role %q cannot be assumed", role.RoleARN)
			}
		}
		return at, detail + fmt.Sprintf(" (%s): its trust policy must name the caller, the caller needs sts:AssumeRole on it, and external_id must be the one it demands", err)
	case awsbase.IsNoValidCredentialSourcesError(d):
		return at, fmt.Sprintf("no credentials were found: write profile, or access_key and secret_key, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where AWS gives a role. The last source asked said: %s", err)
	case awsclient.IsCode(err, "ExpiredToken", "ExpiredTokenException", "RequestExpired"):
		return at, fmt.Sprintf("the credentials have expired (%s): fetch new ones, such as with `aws sso login`, and run again", err)
	case awsclient.Denied(err):
		return at, fmt.Sprintf("AWS does not accept the credentials (%s): check access key, secret key and token", err)
	}
	return at, strings.TrimSpace(d.Summary() + "\n\n" + d.Detail())
}
