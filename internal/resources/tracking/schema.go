package tracking

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
)

// effects are what changes do.
var effects = lifecycle.Effects{
	"name":                lifecycle.Replace,
	"replica_regions":     lifecycle.Refused,
	"deletion_protection": lifecycle.InPlace,
	"kms_key_arn":         lifecycle.InPlace,
	"tags":                lifecycle.InPlace,
}

// Schema implements resource.Resource.
func (*Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version: 1,
		MarkdownDescription: "The DynamoDB tables in which provider and engine meet: configuration (`<name>-config`), leases and positions (`<name>-state`), " +
			"source files (`<name>-files`) and history (`<name>-runs`). On demand, with point-in-time recovery. Everything else belongs to one tracking.",
		Attributes: effects.Describe(map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the tracking, unique in account and Region: 1 to 40 lower-case letters, digits and underscores, a letter first.",
			},
			"replica_regions": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Regions that hold replicas of the tables.",
			},
			"deletion_protection": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether the tables refuse to be deleted; `true` by default. To destroy a tracking, set it to `false` and apply first.",
			},
			"kms_key_arn": schema.StringAttribute{
				Optional: true, MarkdownDescription: "ARN of the KMS key that encrypts the tables; DynamoDB's own key by default.",
			},
			"tags": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Tags of the tables, beside the provider's `default_tags`; none by default.",
			},
			"tags_all": schema.MapAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "All tags of the tables, the provider's `default_tags` included.",
			},
			"id": schema.StringAttribute{
				Computed: true, MarkdownDescription: "The name.",
			},
			"table_arns": schema.MapAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "ARNs of the tables by what they hold: `config`, `state`, `files`, `runs`. The engine's role needs them.",
			},
			"deployed": lifecycle.DeployedAttribute("the tracking: its four tables and the mark of their layout"),
		}),
	}
}
