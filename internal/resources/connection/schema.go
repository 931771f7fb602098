package connection

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// effects are what changes do.
var effects = lifecycle.Effects{
	"tracking":        lifecycle.Replace,
	"name":            lifecycle.Replace,
	"engine":          lifecycle.OneValue,
	"host":            lifecycle.RefusedUntilReload,
	"port":            lifecycle.RefusedUntilReload,
	"database":        lifecycle.RefusedUntilReload,
	"secret_arn":      lifecycle.InPlaceAtNextRun,
	"tls":             lifecycle.InPlaceAtNextRun,
	"max_connections": lifecycle.InPlaceAtNextRun,
	"network":         lifecycle.InPlaceAtNextRun,
	"tags":            lifecycle.InPlace,
}

// Schema implements resource.Resource.
func (*Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version: 1,
		MarkdownDescription: "A source database: where it is and how to reach it, as a document for the engine and as a Glue connection. " +
			"Credentials are only ever referred to: the engine reads them from Secrets Manager at the start of each run, so rotating them needs no apply.",
		Attributes: effects.Describe(map[string]schema.Attribute{
			"tracking": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the tracking that the connection belongs to.",
			},
			"name": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the connection in its tracking: 1 to 63 lower-case letters, digits and hyphens, a letter first.",
			},
			"engine": schema.StringAttribute{
				Required: true, MarkdownDescription: "Kind of database: `postgresql`. (`mysql`, `mariadb`, `oracle` and `sqlserver` are known and not supported yet.)",
			},
			"host": schema.StringAttribute{
				Required: true, MarkdownDescription: "Host name or address of the database, without scheme, port or path.",
			},
			"port": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "Port of the database, 1 to 65535; the engine's own by default, which is 5432 for PostgreSQL.",
			},
			"database": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the database, 1 to 128 characters.",
			},
			"secret_arn": schema.StringAttribute{
				Required: true, MarkdownDescription: "ARN of a secret in Secrets Manager: a JSON object with `username` and `password`. Other fields, such as those that RDS writes, are left alone. A new password in the same secret needs no apply.",
			},
			"tls": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "How the connection is secured; `{ mode = \"verify-full\" }` by default. There is no connection without TLS.",
				Attributes: map[string]schema.Attribute{
					"mode": schema.StringAttribute{
						Optional: true, MarkdownDescription: "`verify-full` (default) checks the server's certificate and name, `verify-ca` the certificate alone, `require` encrypts without knowing to whom.",
					},
					"ca": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Certificates (PEM) that the server's must descend from, such as `file(\"rds-eu-west-1.pem\")`; the system's roots by default. At most 200,000 bytes; not with `require`.",
					},
				},
			},
			"max_connections": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(spec.DefaultMaxConnections),
				MarkdownDescription: "How many connections to the database a run may hold open, 1 to 100; 4 by default.",
			},
			"network": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Where in a VPC jobs run that use the connection; outside any VPC by default. The connections of one cadence that have a network share it.",
				Attributes: map[string]schema.Attribute{
					"subnet_id": schema.StringAttribute{
						Required: true, MarkdownDescription: "Id of the subnet; it reaches the database, S3, DynamoDB, Glue and Secrets Manager.",
					},
					"security_group_ids": schema.ListAttribute{
						Required: true, ElementType: types.StringType,
						MarkdownDescription: "Ids of security groups, 1 to 50; one of them must admit all traffic from itself, which Glue demands.",
					},
					"availability_zone": schema.StringAttribute{
						Optional: true, MarkdownDescription: "The subnet's availability zone; Glue finds it by default.",
					},
				},
			},
			"tags": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Tags of the Glue connection, beside the provider's `default_tags`; none by default.",
			},
			"tags_all": schema.MapAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "All tags of the Glue connection, the provider's `default_tags` included.",
			},
			"id": schema.StringAttribute{
				Computed: true, MarkdownDescription: "`<tracking>/<name>`.",
			},
			"glue_connection": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Name of the Glue connection.",
			},
			"deployed": lifecycle.DeployedAttribute("the connection: its document and its Glue connection"),
		}),
	}
}
