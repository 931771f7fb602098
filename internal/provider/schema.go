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
		endpoints[service] = text("Address of the service's endpoint; `AWS_ENDPOINT_URL_*` of the environment and the profile count too.")
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lands operational databases in an AWS data lake. The configuration has the shape of `hashicorp/aws`.",
		Attributes: map[string]schema.Attribute{
			"region":                   text("AWS Region; `AWS_REGION` or the profile's by default."),
			"profile":                  text("Profile of the shared configuration."),
			"access_key":               text("Access key; better left to the environment, a profile or a role."),
			"secret_key":               secret("Secret key; better left to the environment, a profile or a role."),
			"token":                    secret("Session token."),
			"shared_config_files":      list("Shared configuration files."),
			"shared_credentials_files": list("Shared credentials files."),
			"custom_ca_bundle":         text("File with certificates that AWS's endpoints are checked against."),
			"max_retries":              schema.Int64Attribute{Optional: true, MarkdownDescription: "How often a call is tried; 5 by default, which ends after some ten seconds."},
			"retry_mode":               text("`standard` (default) or `adaptive`."),
			"allowed_account_ids":      list("Accounts that may be changed; any other is refused."),
			"forbidden_account_ids":    list("Accounts that must not be changed."),
			"s3_use_path_style":        flag("Address buckets as part of the path. Implied for an S3 endpoint outside AWS."),
			"use_fips_endpoint":        flag("Use FIPS endpoints."),
			"use_dualstack_endpoint":   flag("Use dual-stack endpoints."),
			"skip_region_validation":   flag("Accept a Region that this release does not know."),
		},
		Blocks: map[string]schema.Block{
			"assume_role": schema.ListNestedBlock{
				MarkdownDescription: "Roles to assume, one after the other.",
				NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
					"role_arn":            schema.StringAttribute{Required: true, MarkdownDescription: "ARN of the role."},
					"session_name":        text("Name of the session."),
					"external_id":         text("External id that the role demands."),
					"duration":            text("Length of the session, such as `1h`."),
					"policy":              text("Policy (JSON) that narrows the session further."),
					"policy_arns":         list("Policies that narrow the session further."),
					"source_identity":     text("Source identity of the session."),
					"tags":                schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "Tags of the session."},
					"transitive_tag_keys": list("Tags that are handed on to further roles."),
				}},
			},
			"default_tags": schema.ListNestedBlock{
				MarkdownDescription: "Tags of everything that this provider makes.",
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
