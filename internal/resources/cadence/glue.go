package cadence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/cenkalti/backoff/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
)

const (
	// rolePropagation is how long a role that was just made may be unknown to Glue.
	rolePropagation = 2 * time.Minute
	// settling bounds the time in which a trigger reaches a state that lasts.
	settling = 5 * time.Minute
)

// ensureJob makes the job, or changes it to what it should be. UpdateJob replaces: what is not given is reset.
func (r *Resource) ensureJob(ctx context.Context, j job, tags map[string]string) error {
	_, err := backoff.Retry(ctx, func() (bool, error) {
		created, err := r.writeJob(ctx, j, tags)
		if err != nil && !roleUnknown(err) {
			return false, backoff.Permanent(err)
		}
		return created, err
	}, backoff.WithMaxElapsedTime(rolePropagation))
	if roleUnknown(err) {
		return fmt.Errorf("deploying the Glue job %q: %w: the trust policy of %s must let glue.amazonaws.com call sts:AssumeRole", j.Name, err, j.Role)
	}
	if err != nil {
		return fmt.Errorf("deploying the Glue job %q: %w", j.Name, err)
	}
	return lifecycle.SetGlueTags(ctx, r.Session, "job/"+j.Name, tags)
}

func (r *Resource) writeJob(ctx context.Context, j job, tags map[string]string) (created bool, err error) {
	u := j.update()
	_, err = r.Session.Glue.CreateJob(ctx, &glue.CreateJobInput{
		Name: aws.String(j.Name), Tags: tags, Role: u.Role, Description: u.Description, DefaultArguments: u.DefaultArguments, Command: u.Command,
		MaxCapacity: u.MaxCapacity, MaxRetries: u.MaxRetries, Timeout: u.Timeout, ExecutionProperty: u.ExecutionProperty,
		GlueVersion: u.GlueVersion, Connections: u.Connections,
	})
	var exists *types.AlreadyExistsException
	var mismatch *types.IdempotentParameterMismatchException
	if !errors.As(err, &exists) && !errors.As(err, &mismatch) {
		return err == nil, err
	}
	_, err = r.Session.Glue.UpdateJob(ctx, &glue.UpdateJobInput{JobName: aws.String(j.Name), JobUpdate: u})
	return false, err
}

// roleUnknown reports whether Glue cannot assume the role, which passes for a role that was just made.
func roleUnknown(err error) bool {
	var invalid *types.InvalidInputException
	return errors.As(err, &invalid) && strings.Contains(strings.ToLower(invalid.ErrorMessage()), "assume")
}

// ensureTrigger brings the trigger to what it should be; want is nil where there should be none. Making or
// changing one never fires it.
func (r *Resource) ensureTrigger(ctx context.Context, name string, want *trigger, tags map[string]string) error {
	have, err := r.settledTrigger(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case want == nil && have == nil:
		return nil
	case want == nil:
		return r.dropTrigger(ctx, name)
	case have != nil && have.Type != want.Type:
		// A trigger keeps its type for life; one of our name and another type was put in our trigger's place.
		if err := r.dropTrigger(ctx, name); err != nil {
			return err
		}
		return r.ensureTrigger(ctx, name, want, tags)
	case have == nil:
		_, err := r.Session.Glue.CreateTrigger(ctx, &glue.CreateTriggerInput{
			Name: aws.String(name), Type: types.TriggerType(want.Type), Schedule: aws.String(want.Schedule), Description: aws.String(want.Description),
			Actions: want.actions(), StartOnCreation: want.On, Tags: tags,
		})
		if err != nil {
			return fmt.Errorf("creating the Glue trigger %q: %w", name, err)
		}
		_, err = r.settledTrigger(ctx, name)
		return err
	}
	is, should := lifecycle.Leaves{}, lifecycle.Leaves{}
	have.describe(is)
	want.describe(should)
	if is.Differ(should, "") {
		if err := r.changeTrigger(ctx, have, want, is.Differ(should, "", triggerPart+".state")); err != nil {
			return err
		}
	}
	return lifecycle.SetGlueTags(ctx, r.Session, "trigger/"+name, tags)
}

// changeTrigger stops the trigger where it runs, changes it where more than its state differs, and starts it where
// it should run. When a step fails, a trigger that ran is started again as it was.
//
// AWS takes a start of any trigger that is not running and a stop of one that is, and nothing else.
func (r *Resource) changeTrigger(ctx context.Context, have, want *trigger, definition bool) (err error) {
	name := aws.String(have.Name)
	if have.On && (definition || !want.On) {
		if _, err := r.Session.Glue.StopTrigger(ctx, &glue.StopTriggerInput{Name: name}); err != nil {
			return fmt.Errorf("stopping the Glue trigger %q: %w", have.Name, err)
		}
		defer func() {
			if err != nil {
				_, restart := r.Session.Glue.StartTrigger(context.WithoutCancel(ctx), &glue.StartTriggerInput{Name: name})
				err = errors.Join(err, restart)
			}
		}()
		if _, err := r.settledTrigger(ctx, have.Name); err != nil {
			return err
		}
	}
	if definition {
		_, err = r.Session.Glue.UpdateTrigger(ctx, &glue.UpdateTriggerInput{Name: name, TriggerUpdate: &types.TriggerUpdate{
			Name: name, Description: aws.String(want.Description), Schedule: aws.String(want.Schedule), Actions: want.actions(),
		}})
		if err != nil {
			return fmt.Errorf("changing the Glue trigger %q: %w", have.Name, err)
		}
		if _, err = r.settledTrigger(ctx, have.Name); err != nil {
			return err
		}
	}
	if !want.On {
		return nil
	}
	if _, err = r.Session.Glue.StartTrigger(ctx, &glue.StartTriggerInput{Name: name}); err != nil {
		return fmt.Errorf("starting the Glue trigger %q: %w", have.Name, err)
	}
	_, err = r.settledTrigger(ctx, have.Name)
	return err
}

func (t *trigger) actions() []types.Action {
	actions := make([]types.Action, len(t.Jobs))
	for i, job := range t.Jobs {
		actions[i] = types.Action{JobName: aws.String(job)}
	}
	return actions
}

// settledTrigger waits until a trigger is in a state that lasts and returns it; nil where there is none.
func (r *Resource) settledTrigger(ctx context.Context, name string) (*trigger, error) {
	return backoff.Retry(ctx, func() (*trigger, error) {
		out, err := r.Session.Glue.GetTrigger(ctx, &glue.GetTriggerInput{Name: aws.String(name)})
		var gone *types.EntityNotFoundException
		switch {
		case errors.As(err, &gone):
			return nil, nil
		case err != nil:
			return nil, backoff.Permanent(fmt.Errorf("reading the Glue trigger %q: %w", name, err))
		}
		switch state := out.Trigger.State; state {
		case types.TriggerStateCreated, types.TriggerStateActivated, types.TriggerStateDeactivated:
			return triggerOf(out.Trigger), nil
		default:
			return nil, fmt.Errorf("the Glue trigger %q is still %s", name, state)
		}
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 200 * time.Millisecond, Multiplier: 1.5, MaxInterval: 5 * time.Second}), backoff.WithMaxElapsedTime(settling))
}

func (r *Resource) dropTrigger(ctx context.Context, name string) error {
	if _, err := r.Session.Glue.DeleteTrigger(ctx, &glue.DeleteTriggerInput{Name: aws.String(name)}); err != nil {
		return fmt.Errorf("deleting the Glue trigger %q: %w", name, err)
	}
	_, err := r.settledTrigger(ctx, name)
	return err
}

// withdraw removes trigger and job; what is gone is no error.
func (r *Resource) withdraw(ctx context.Context, name string) error {
	if err := r.dropTrigger(ctx, name); err != nil {
		return err
	}
	if _, err := r.Session.Glue.DeleteJob(ctx, &glue.DeleteJobInput{JobName: aws.String(name)}); err != nil {
		return fmt.Errorf("deleting the Glue job %q: %w", name, err)
	}
	return nil
}
