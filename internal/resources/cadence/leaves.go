package cadence

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
)

// Prefixes of leaves.
const (
	jobPart     = "job"
	triggerPart = "trigger"
	arguments   = ".arguments."
)

// leaves are those of a cadence as it should be.
func (d *deployment) leaves(allTags map[string]string) lifecycle.Leaves {
	out := lifecycle.Leaves{"document": lifecycle.Present, "engine": d.engine.SHA256, "script": sum(d.script)}
	d.job.describe(out)
	d.trigger.describe(out)
	if d.trigger != nil {
		out.Tags(triggerPart, allTags)
	}
	return out
}

func (j job) describe(out lifecycle.Leaves) {
	set := func(name, value string) { out[jobPart+"."+name] = value }
	out[jobPart] = lifecycle.Present
	set("description", j.Description)
	set("role", j.Role)
	set("command", strings.TrimSpace(j.Command+" "+j.Python))
	set("script_location", j.Script)
	set("dpu", strconv.FormatFloat(j.DPU, 'g', -1, 64))
	set("max_retries", strconv.Itoa(int(j.Retries)))
	set("timeout", strconv.Itoa(int(j.Timeout))+"m")
	set("max_concurrent_runs", strconv.Itoa(int(j.Concurrent)))
	set("connections", strings.Join(j.Connections, ", "))
	set("glue_version", j.GlueVersion)
	for key, value := range j.Arguments {
		set("arguments."+key, value)
	}
	for key := range j.Fixed {
		set("non_overridable_arguments."+key, lifecycle.ByHand)
	}
	// What a Python shell job of ours never has is no leaf, unless somebody set it.
	optional := func(name, value string) {
		if value != "" {
			set(name, value)
		}
	}
	optional("security_configuration", j.Security)
	optional("worker_type", j.WorkerType)
	optional("number_of_workers", j.Workers)
	optional("maintenance_window", j.Maintenance)
	optional("notify_delay_after", j.NotifyAfter)
	if j.Queuing {
		set("run_queuing", "on")
	}
	if j.Flex {
		set("execution_class", string(types.ExecutionClassFlex))
	}
	if j.Source {
		set("source_control", lifecycle.ByHand)
	}
}

// describe is that of no trigger for nil.
func (t *trigger) describe(out lifecycle.Leaves) {
	if t == nil {
		out[triggerPart] = "none"
		return
	}
	set := func(name, value string) { out[triggerPart+"."+name] = value }
	out[triggerPart] = lifecycle.Present
	set("description", t.Description)
	set("type", t.Type)
	set("schedule", t.Schedule)
	set("jobs", strings.Join(t.Jobs, ", "))
	set("state", map[bool]string{true: "activated", false: "deactivated"}[t.On])
	for key := range t.Arguments {
		set("arguments."+key, lifecycle.ByHand)
	}
	if t.Options {
		set("options", lifecycle.ByHand)
	}
}

// jobOf is an existing job as far as it is managed here.
func jobOf(g *types.Job) job {
	j := job{
		Name: aws.ToString(g.Name), Description: aws.ToString(g.Description), Role: aws.ToString(g.Role),
		Arguments: g.DefaultArguments, Fixed: g.NonOverridableArguments,
		DPU: aws.ToFloat64(g.MaxCapacity), Retries: g.MaxRetries, Timeout: aws.ToInt32(g.Timeout), GlueVersion: aws.ToString(g.GlueVersion),
		Queuing: aws.ToBool(g.JobRunQueuingEnabled), Security: aws.ToString(g.SecurityConfiguration), WorkerType: string(g.WorkerType),
		Maintenance: aws.ToString(g.MaintenanceWindow), Flex: g.ExecutionClass == types.ExecutionClassFlex,
		Source: g.SourceControlDetails != nil || len(g.CodeGenConfigurationNodes) > 0,
	}
	if n := aws.ToInt32(g.NumberOfWorkers); n != 0 {
		j.Workers = strconv.Itoa(int(n))
	}
	if p := g.NotificationProperty; p != nil && p.NotifyDelayAfter != nil {
		j.NotifyAfter = strconv.Itoa(int(*p.NotifyDelayAfter)) + "m"
	}
	if c := g.Command; c != nil {
		j.Command, j.Python, j.Script = aws.ToString(c.Name), aws.ToString(c.PythonVersion), aws.ToString(c.ScriptLocation)
	}
	if g.ExecutionProperty != nil {
		j.Concurrent = g.ExecutionProperty.MaxConcurrentRuns
	}
	if g.Connections != nil && len(g.Connections.Connections) > 0 {
		j.Connections = slices.Sorted(slices.Values(g.Connections.Connections))
	}
	return j
}

func triggerOf(g *types.Trigger) *trigger {
	t := &trigger{
		Name: aws.ToString(g.Name), Description: aws.ToString(g.Description), Type: string(g.Type), Schedule: aws.ToString(g.Schedule),
		On:      g.State == types.TriggerStateActivated || g.State == types.TriggerStateActivating,
		Options: g.Predicate != nil || g.EventBatchingCondition != nil,
	}
	for _, action := range g.Actions {
		name := aws.ToString(action.JobName)
		if crawler := aws.ToString(action.CrawlerName); crawler != "" {
			name = "crawler " + crawler
		}
		t.Jobs = append(t.Jobs, name)
		if len(action.Arguments) > 0 {
			t.Arguments = action.Arguments
		}
		t.Options = t.Options || action.Timeout != nil || action.NotificationProperty != nil || aws.ToString(action.SecurityConfiguration) != ""
	}
	return t
}
