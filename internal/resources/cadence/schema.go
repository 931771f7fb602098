package cadence

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// effects are what changes do.
var effects = lifecycle.Effects{
	"tracking":               lifecycle.Replace,
	"name":                   lifecycle.Replace,
	"schedule":               lifecycle.InPlace,
	"batch_size":             lifecycle.InPlaceAtNextRun,
	"max_concurrent_batches": lifecycle.OneValue,
	"role_arn":               lifecycle.InPlaceAtNextRun,
	"artifacts":              lifecycle.InPlaceAtNextRun,
	"connections":            lifecycle.InPlaceAtNextRun,
	"runtime":                lifecycle.InPlaceAtNextRun,
	"runtime.kind":           lifecycle.OneValue,
	"runtime.worker_type":    lifecycle.Refused,
	"runtime.workers":        lifecycle.Refused,
	"runtime.glue_version":   lifecycle.Refused,
	"notify":                 lifecycle.Refused,
	"enabled":                lifecycle.InPlace,
	"log_retention":          lifecycle.OneValue,
	"tags":                   lifecycle.InPlace,
}

// Schema implements resource.Resource.
func (*Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version: 1,
		MarkdownDescription: "A schedule and the Glue job that runs its source tables: the rendered job script, the engine as the job's payload, the job, and its trigger. " +
			"Creating or changing a cadence never starts a run.",
		Attributes: effects.Describe(map[string]schema.Attribute{
			"tracking": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the tracking that the cadence belongs to.",
			},
			"name": schema.StringAttribute{
				Required: true, MarkdownDescription: "Name of the cadence in its tracking: 1 to 63 lower-case letters, digits and hyphens, a letter first.",
			},
			"schedule": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "When the job runs, in UTC: `cron(0/10 * * * ? *)` as AWS writes it, or `rate(10 minutes)`, which is turned into cron where it divides the hour or day; " +
					"its minute derives from the name, so that cadences do not fire together. At most every 5 minutes. Left out, the job runs on demand only. A trigger that is running is stopped for a change and started again, of which the plan warns.",
			},
			"batch_size": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(spec.DefaultBatchSize),
				MarkdownDescription: "How many tables make a batch, 1 to 1000; 5 by default.",
			},
			"max_concurrent_batches": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(spec.DefaultMaxConcurrentBatches),
				MarkdownDescription: "How many batches run at once; 1 by default. (More are not supported yet.)",
			},
			"role_arn": schema.StringAttribute{
				Required: true, MarkdownDescription: "ARN of the role of the job: it reads the artifacts, the secrets and the tracking, and writes tracking, lake and catalogue.",
			},
			"artifacts": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "Where script and engine are kept. Their names hold their content's SHA-256; none is ever overwritten or deleted.",
				Attributes: map[string]schema.Attribute{
					"location":    schema.StringAttribute{Required: true, MarkdownDescription: "Folder in S3, such as `s3://acme-artifacts/lakeland/`. A new one gets script and engine anew; what lies in the old one stays."},
					"kms_key_arn": schema.StringAttribute{Optional: true, MarkdownDescription: "ARN of the KMS key that encrypts the objects; the bucket's default by default. Objects that are there already keep the key that they were written with."},
				},
			},
			"connections": schema.ListAttribute{
				Required: true, ElementType: types.StringType,
				MarkdownDescription: "Names of the connections that the cadence's tables use. Those that have a network share one.",
			},
			"runtime": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Kind and size of the job; `{ kind = \"pythonshell\", dpu = 0.0625, timeout = \"8h\" }` by default.",
				Attributes: map[string]schema.Attribute{
					"kind":         schema.StringAttribute{Optional: true, MarkdownDescription: "`pythonshell` (default). (`spark` is not supported yet.)"},
					"dpu":          schema.Float64Attribute{Optional: true, MarkdownDescription: "Size of the job in DPU: `0.0625` (1 GB of memory, the default) or `1` (16 GB)."},
					"worker_type":  schema.StringAttribute{Optional: true, MarkdownDescription: "Type of the workers, such as `G.1X`."},
					"workers":      schema.Int64Attribute{Optional: true, MarkdownDescription: "Number of workers, at least 2."},
					"glue_version": schema.StringAttribute{Optional: true, MarkdownDescription: "Version of Glue, such as `5.1`."},
					"timeout":      schema.StringAttribute{Optional: true, MarkdownDescription: "Longest time of a job run in whole minutes, `5m` to `7d`; `8h` by default."},
				},
			},
			"notify": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Which outcomes are published to an SNS topic; none by default.",
				Attributes: map[string]schema.Attribute{
					"topic_arn": schema.StringAttribute{Required: true, MarkdownDescription: "ARN of the topic."},
					"on":        schema.ListAttribute{Required: true, ElementType: types.StringType, MarkdownDescription: "Outcomes: `failed`, `recovered`, `stale`, `schema_changed`, `succeeded`."},
				},
			},
			"enabled": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether the trigger fires and a run does anything; `true` by default.",
			},
			"log_retention": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(spec.DefaultLogRetention),
				MarkdownDescription: "How long logs are kept, `1d` to `3653d`; `30d` by default. (Another value is not supported yet.)",
			},
			"tags": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Tags of job and trigger, beside the provider's `default_tags`; none by default.",
			},
			"tags_all": schema.MapAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "All tags of job and trigger, the provider's `default_tags` included.",
			},
			"id": schema.StringAttribute{
				Computed: true, MarkdownDescription: "`<tracking>/<name>`: what source tables refer to.",
			},
			"job_name": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Name of the Glue job.",
			},
			"trigger_name": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Name of the Glue trigger; null without a schedule.",
			},
			"script_location": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Address of the job script.",
			},
			"engine_version": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Version of the engine that the job runs.",
			},
			"deployed": lifecycle.DeployedAttribute("the cadence: its document, engine, script, job and trigger"),
		}),
	}
}
