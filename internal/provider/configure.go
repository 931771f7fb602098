package provider

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
	"github.com/hashicorp/aws-sdk-go-base/v2/endpoints"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

const configuring = "configuring provider lakeland"

// configuration is the provider's block.
type configuration struct {
	Region                 string   `json:"region"`
	Profile                string   `json:"profile"`
	AccessKey              string   `json:"access_key"`
	SecretKey              string   `json:"secret_key"`
	Token                  string   `json:"token"`
	SharedConfigFiles      []string `json:"shared_config_files"`
	SharedCredentialsFiles []string `json:"shared_credentials_files"`
	CustomCABundle         string   `json:"custom_ca_bundle"`
	MaxRetries             int      `json:"max_retries"`
	RetryMode              string   `json:"retry_mode"`
	AllowedAccountIDs      []string `json:"allowed_account_ids"`
	ForbiddenAccountIDs    []string `json:"forbidden_account_ids"`
	S3UsePathStyle         bool     `json:"s3_use_path_style"`
	UseFIPSEndpoint        bool     `json:"use_fips_endpoint"`
	UseDualStackEndpoint   bool     `json:"use_dualstack_endpoint"`
	SkipRegionValidation   bool     `json:"skip_region_validation"`

	AssumeRole  []assumeRole        `json:"assume_role"`
	DefaultTags []defaultTags       `json:"default_tags"`
	Endpoints   []map[string]string `json:"endpoints"`
}

type assumeRole struct {
	RoleARN           string            `json:"role_arn"`
	SessionName       string            `json:"session_name"`
	ExternalID        string            `json:"external_id"`
	Duration          string            `json:"duration"`
	Policy            string            `json:"policy"`
	PolicyARNs        []string          `json:"policy_arns"`
	SourceIdentity    string            `json:"source_identity"`
	Tags              map[string]string `json:"tags"`
	TransitiveTagKeys []string          `json:"transitive_tag_keys"`
}

type defaultTags struct {
	Tags map[string]string `json:"tags"`
}

func parse(tree lifecycle.Tree) (*configuration, error) {
	c := &configuration{}
	if err := tree.Decode(c); err != nil {
		return nil, fmt.Errorf("reading the provider's configuration: %w", err)
	}
	return c, nil
}

// endpoints are the configured addresses by service.
func (c *configuration) endpoints() map[string]string {
	all := map[string]string{}
	for _, block := range c.Endpoints {
		maps.Copy(all, block)
	}
	return all
}

// base is the configuration in the words of aws-sdk-go-base, which finds credentials the way hashicorp/aws does.
func (c *configuration) base(version string, diags *diag.Diagnostics) *awsbase.Config {
	own := c.endpoints()
	b := &awsbase.Config{
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, Token: c.Token, Profile: c.Profile, Region: c.Region,
		SharedConfigFiles: c.SharedConfigFiles, SharedCredentialsFiles: c.SharedCredentialsFiles, CustomCABundle: c.CustomCABundle,
		IamEndpoint: own["iam"], StsEndpoint: own["sts"], UseFIPSEndpoint: c.UseFIPSEndpoint, UseDualStackEndpoint: c.UseDualStackEndpoint,
		MaxRetries: awsclient.Attempts, MaxBackoff: awsclient.MaxBackoff,
		CallerName: "Lakeland provider", CallerDocumentationURL: "https://registry.terraform.io/providers/lakeland/lakeland/latest/docs",
		UserAgent: awsbase.UserAgentProducts{{Name: "terraform-provider-lakeland", Version: version}},
	}
	c.judge(diags)
	if c.MaxRetries > 0 {
		b.MaxRetries = c.MaxRetries
	}
	if c.RetryMode != "" {
		mode, err := aws.ParseRetryMode(c.RetryMode)
		if err != nil {
			refuse(diags, path.Root("retry_mode"), "%q is not a retry mode: write \"standard\" or \"adaptive\"", c.RetryMode)
		}
		b.RetryMode = mode
	}
	for i, role := range c.AssumeRole {
		b.AssumeRole = append(b.AssumeRole, role.base(i, diags))
	}
	return b
}

func (a assumeRole) base(i int, diags *diag.Diagnostics) awsbase.AssumeRole {
	at := path.Root("assume_role").AtListIndex(i)
	if !regexp.MustCompile(`^arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/.+$`).MatchString(a.RoleARN) {
		refuse(diags, at.AtName("role_arn"), "%q is not the ARN of a role: it has the form \"arn:aws:iam::123456789012:role/deployer\"", a.RoleARN)
	}
	out := awsbase.AssumeRole{
		RoleARN: a.RoleARN, SessionName: a.SessionName, ExternalID: a.ExternalID, Policy: a.Policy, PolicyARNs: a.PolicyARNs,
		SourceIdentity: a.SourceIdentity, Tags: a.Tags, TransitiveTagKeys: a.TransitiveTagKeys,
	}
	if a.Duration != "" {
		d, err := time.ParseDuration(a.Duration)
		if err != nil || d < 15*time.Minute || d > 12*time.Hour {
			refuse(diags, at.AtName("duration"), "%q is not a length of a session: write 15m to 12h", a.Duration)
		}
		out.Duration = d
	}
	return out
}

// connect finds credentials, checks account and Region, and makes the clients.
func (c *configuration) connect(ctx context.Context, version string, data *lifecycle.Data, diags *diag.Diagnostics) {
	base := c.base(version, diags)
	if diags.HasError() {
		return
	}
	// The Region is judged before anything is called in it, credentials before anything else is.
	if region := cmp.Or(c.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")); region != "" {
		if c.checkRegion(region, diags); diags.HasError() {
			return
		}
	}
	base.SkipCredsValidation = true
	ctx, cfg, baseDiags := awsbase.GetAwsConfig(ctx, base)
	if c.report(diags, baseDiags) {
		return
	}
	if c.checkRegion(cfg.Region, diags); diags.HasError() {
		return
	}
	base.SkipCredsValidation = false
	account, partition, baseDiags := awsbase.GetAwsAccountIDAndPartition(ctx, cfg, base)
	if c.report(diags, baseDiags) {
		return
	}
	if c.checkAccount(account, diags); diags.HasError() {
		return
	}
	tags := map[string]string{}
	for _, block := range c.DefaultTags {
		maps.Copy(tags, block.Tags)
	}
	data.Connect(cfg, awsclient.Options{Endpoints: c.endpoints(), PathStyle: c.S3UsePathStyle}, account, partition, tags)
}

// checkRegion refuses a Region that is missing or misspelt: nothing below would, and calls would then fail on a
// host name that does not resolve.
func (c *configuration) checkRegion(region string, diags *diag.Diagnostics) {
	at := path.Root("region")
	if region == "" {
		refuse(diags, at, "no AWS Region is set: write region = \"eu-west-1\", or set AWS_REGION or the profile's region")
		return
	}
	if c.SkipRegionValidation {
		return
	}
	var known []string
	for _, partition := range endpoints.DefaultPartitions() {
		for name := range partition.Regions() {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	if slices.Contains(known, region) {
		return
	}
	near := spec.Nearest(region, known)
	if near != "" {
		near = fmt.Sprintf("did you mean %q? For a newer Region", near)
	} else {
		near = "write one such as \"eu-west-1\"; for a newer Region"
	}
	refuse(diags, at, "%q is not an AWS Region that this release knows: %s set skip_region_validation = true", region, near)
}
