package cadence

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// actual is what is out there of a cadence.
type actual struct {
	leaves lifecycle.Leaves
	// tags are the job's; nil where there is no job.
	tags map[string]string
	// script is where the job finds its script, "" where there is no job.
	script string
}

// place is where a cadence's parts are.
type place struct {
	tracking, name string
	// script is the script's address as the state knows it, "" after an import.
	script string
	// stored is the cadence's document, nil where it cannot be read.
	stored *spec.Cadence
	// known are the leaves of the state.
	known lifecycle.Leaves
}

// look reads what is out there.
func (r *Resource) look(ctx context.Context, at place) (*actual, error) {
	a := &actual{leaves: lifecycle.Leaves{}}
	physical := spec.PhysicalName(at.tracking, at.name)
	out, err := r.Session.Glue.GetJob(ctx, &glue.GetJobInput{JobName: aws.String(physical)})
	var gone *types.EntityNotFoundException
	switch {
	case errors.As(err, &gone):
		a.leaves.Gone(jobPart, at.known)
	case err != nil:
		return nil, fmt.Errorf("reading the Glue job %q: %w", physical, err)
	default:
		j := jobOf(out.Job)
		j.describe(a.leaves)
		a.script = j.Script
		if a.tags, err = lifecycle.GlueTags(ctx, r.Session, "job/"+physical); err != nil {
			return nil, err
		}
	}
	if err := r.lookTrigger(ctx, a, physical, at.known); err != nil {
		return nil, err
	}
	// Arguments and descriptions are free texts: what somebody else wrote there is not repeated.
	want := lifecycle.Leaves{
		jobPart + arguments + "--tracking": at.tracking, jobPart + arguments + "--cadence": at.name,
		jobPart + ".description": description(at.tracking, at.name), triggerPart + ".description": description(at.tracking, at.name),
	}
	for _, prefix := range []string{jobPart + arguments, jobPart + ".description", triggerPart + ".description"} {
		a.leaves.Conceal(prefix, want)
	}
	return a, r.lookArtifacts(ctx, a, at)
}

func (r *Resource) lookTrigger(ctx context.Context, a *actual, physical string, known lifecycle.Leaves) error {
	t, err := r.settledTrigger(ctx, physical)
	if err != nil {
		return err
	}
	if t == nil {
		if expected := known[triggerPart]; expected == "" || expected == "none" {
			a.leaves[triggerPart] = "none"
		} else {
			a.leaves.Gone(triggerPart, known)
		}
		return nil
	}
	t.describe(a.leaves)
	all, err := lifecycle.GlueTags(ctx, r.Session, "trigger/"+physical)
	a.leaves.Tags(triggerPart, all)
	return err
}

// lookArtifacts compares engine and script by the digests that S3 keeps with them.
func (r *Resource) lookArtifacts(ctx context.Context, a *actual, at place) error {
	script := at.script
	if script == "" {
		script = a.script
	}
	if at.stored == nil {
		a.leaves["engine"], a.leaves["script"] = at.known["engine"], at.known["script"]
		return nil
	}
	location, err := spec.ParseLocation(at.stored.Artifacts.Location)
	if err != nil {
		return err
	}
	keys := map[string]string{"engine": location.Prefix + "engine/" + at.stored.Engine.SHA256 + "/lakeland-engine"}
	if key, ok := strings.CutPrefix(script, "s3://"+location.Bucket+"/"); ok {
		keys["script"] = key
	}
	for _, part := range []string{"engine", "script"} {
		a.leaves[part] = lifecycle.Missing
		if keys[part] == "" {
			continue
		}
		if a.leaves[part], err = r.storedSHA256(ctx, location.Bucket, keys[part]); err != nil {
			return err
		}
	}
	return nil
}
