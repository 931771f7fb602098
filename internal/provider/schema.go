package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
)

// Schema implements provider.Provider. Names and shapes are those of hashicorp/aws, so that one set of values
// can feed both.
func (*Provider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description}
	}
	secret := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: description}
	}
	list := func(description string) schema.ListAttribute {
		return schema.ListAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: description}
	}
	flag := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
	}
	endpoints := map[string]schema.Attribute{}
	for _, service := range awsclient.Services {
		endpoints[service] = text("Address of the service's endpoint; AWS's own by default. `AWS_ENDPOINT_URL_*` of the environment and the profile count too.")
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lands operational databases in an AWS data lake. The configuration has the shape of `hashicorp/aws`.",
		Attributes: map[string]schema.Attribute{
			"region":                   text("AWS Region; `AWS_REGION` or the profile's by default."),
			"profile":                  text("Profile of the shared configuration; `AWS_PROFILE`, else `default`, by default."),
			"access_key":               text("Access key; none by default. Better left to the environment, a profile or a role."),
			"secret_key":               secret("Secret key; none by default. Better left to the environment, a profile or a role."),
			"token":                    secret("Session token; none by default."),
			"shared_config_files":      list("Shared configuration files; `AWS_CONFIG_FILE`, else `~/.aws/config`, by default."),
			"shared_credentials_files": list("Shared credentials files; `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`, by default."),
			"custom_ca_bundle":         text("File with certificates (PEM) that AWS's endpoints are checked against; `AWS_CA_BUNDLE`, else the system's, by default."),
			"max_retries":              schema.Int64Attribute{Optional: true, MarkdownDescription: "How often a call is tried; 5 by default, which ends after some ten seconds."},
			"retry_mode":               text("`standard` (default) or `adaptive`."),
			"allowed_account_ids":      list("Accounts that may be changed; any other is refused. All by default."),
			"forbidden_account_ids":    list("Accounts that must not be changed; none by default."),
			"s3_use_path_style":        flag("Address buckets as part of the path; `false` by default. Implied for an S3 endpoint outside AWS."),
			"use_fips_endpoint":        flag("Use FIPS endpoints; `false` by default."),
			"use_dualstack_endpoint":   flag("Use dual-stack endpoints; `false` by default."),
			"skip_region_validation":   flag("Accept a Region that this release does not know; `false` by default."),
		},
		Blocks: map[string]schema.Block{
			"assume_role": schema.ListNestedBlock{
				MarkdownDescription: "Roles to assume, one after the other.",
				NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
					"role_arn":            schema.StringAttribute{Required: true, MarkdownDescription: "ARN of the role."},
					"session_name":        text("Name of the session; one is made up by default."),
					"external_id":         text("External id that the role demands; none by default."),
					"duration":            text("Length of the session, `15m` to `12h`; `15m` by default. It is renewed before it ends."),
					"policy":              text("Policy (JSON) that narrows the session further; none by default."),
					"policy_arns":         list("ARNs of policies that narrow the session further; none by default."),
					"source_identity":     text("Source identity of the session; none by default."),
					"tags":                schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "Tags of the session; none by default."},
					"transitive_tag_keys": list("Keys of tags that are handed on to further roles; none by default."),
				}},
			},
			"default_tags": schema.ListNestedBlock{
				MarkdownDescription: "Tags of everything that this provider makes and AWS lets it tag; none by default. A change is made in place.",
				NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
					"tags": schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "The tags."},
				}},
			},
			"endpoints": schema.ListNestedBlock{
				MarkdownDescription: "Other endpoints than AWS's own.",
				NestedObject:        schema.NestedBlockObject{Attributes: endpoints},
			},
		},
	}
}
