package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// drift edits trigger and script behind Terraform's back, and shows that the plan sees it and apply mends it.
func (d *demo) drift(ctx context.Context, _ string) error {
	d.say("behind Terraform's back: another schedule for the trigger, another line in the job's script")
	if err := d.edit(ctx); err != nil {
		return err
	}
	d.say("plan sees both, down to the script's bytes")
	out, err := d.core.run(ctx, "plan", "-no-color", "-input=false")
	if err != nil {
		return err
	}
	for _, leaf := range []string{`~ "script"`, `~ "trigger.schedule"`, "Plan:"} {
		if !strings.Contains(out, leaf) {
			return fmt.Errorf("the plan does not show %s:\n%s", leaf, out)
		}
		d.quote(out, leaf)
	}
	d.say("apply mends both, and the next plan is empty")
	if out, err = d.core.run(ctx, "apply", "-no-color", "-input=false", "-auto-approve"); err != nil {
		return err
	}
	d.quote(out, "Apply complete!")
	out, err = d.core.run(ctx, "plan", "-no-color", "-input=false", "-detailed-exitcode")
	d.quote(out, "No changes.")
	return err
}

// edit is what somebody does in the consoles of Glue and S3.
func (d *demo) edit(ctx context.Context) error {
	config := d.sb.AWSConfig()
	glue, objects := awsglue.NewFromConfig(config), s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	name := aws.String("lakeland-demo-ten-minutes")
	job, err := glue.GetJob(ctx, &awsglue.GetJobInput{JobName: name})
	if err != nil {
		return fmt.Errorf("looking at the job: %w", err)
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(aws.ToString(job.Job.Command.ScriptLocation), "s3://"), "/")
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("print('quick fix')\n")}); err != nil {
		return fmt.Errorf("overwriting the script: %w", err)
	}
	before, err := glue.GetTrigger(ctx, &awsglue.GetTriggerInput{Name: name})
	if err != nil {
		return fmt.Errorf("looking at the trigger: %w", err)
	}
	if _, err := glue.StopTrigger(ctx, &awsglue.StopTriggerInput{Name: name}); err != nil {
		return fmt.Errorf("stopping the trigger: %w", err)
	}
	if err := settled(ctx, glue, name); err != nil {
		return err
	}
	update := &gluetypes.TriggerUpdate{Description: before.Trigger.Description, Schedule: aws.String("cron(0 3 * * ? *)"), Actions: before.Trigger.Actions}
	if _, err := glue.UpdateTrigger(ctx, &awsglue.UpdateTriggerInput{Name: name, TriggerUpdate: update}); err != nil {
		return fmt.Errorf("changing the trigger: %w", err)
	}
	if err := settled(ctx, glue, name); err != nil {
		return err
	}
	if _, err := glue.StartTrigger(ctx, &awsglue.StartTriggerInput{Name: name}); err != nil {
		return fmt.Errorf("starting the trigger: %w", err)
	}
	return settled(ctx, glue, name)
}

// settled waits until a trigger is in a state that lasts.
func settled(ctx context.Context, glue *awsglue.Client, name *string) error {
	for {
		out, err := glue.GetTrigger(ctx, &awsglue.GetTriggerInput{Name: name})
		if err != nil {
			return fmt.Errorf("waiting for the trigger: %w", err)
		}
		if state := out.Trigger.State; state == gluetypes.TriggerStateActivated || state == gluetypes.TriggerStateDeactivated {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
