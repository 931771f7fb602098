package tracking

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cenkalti/backoff/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	layout "github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// waiting bounds the time in which a table becomes what was asked for.
const waiting = 10 * time.Minute

// refuseExisting refuses a tracking that is complete already. Tables without its last mark are left over from a
// creation that was interrupted, and are finished.
func (r *Resource) refuseExisting(ctx context.Context, name string) error {
	err := r.Tracking(name).CheckLayout(ctx)
	if err == nil {
		return &layout.ExistsError{Kind: "tracking", Name: name}
	}
	if errors.Is(err, layout.ErrNotFound) {
		return nil
	}
	return err
}

// finish brings all tables to what the description says, making those that are missing. Protection comes last:
// tables that are not complete stay easy to remove.
func (r *Resource) finish(ctx context.Context, t *spec.Tracking, tags map[string]string) error {
	for _, d := range layout.Definitions(t.Name) {
		if err := r.ensure(ctx, d, t, tags); err != nil {
			return err
		}
	}
	if err := r.Tracking(t.Name).WriteLayout(ctx); err != nil {
		return err
	}
	for _, d := range layout.Definitions(t.Name) {
		if err := r.protect(ctx, d.Name, t.DeletionProtection); err != nil {
			return err
		}
	}
	return nil
}

func (r *Resource) ensure(ctx context.Context, d layout.Definition, t *spec.Tracking, tags map[string]string) error {
	in := d.CreateInput()
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	if t.KMSKeyARN != "" {
		in.SSESpecification = encryption(t.KMSKeyARN)
	}
	_, err := r.Session.DynamoDB.CreateTable(ctx, in)
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("creating the DynamoDB table %q: %w", d.Name, err)
	}
	table, waitErr := r.active(ctx, d.Name)
	if waitErr != nil {
		return waitErr
	}
	if err != nil {
		if wrong := d.Differs(table); wrong != "" {
			return fmt.Errorf("the DynamoDB table %q exists and is not one of a tracking: %s: choose another name for the tracking", d.Name, wrong)
		}
		if err := r.align(ctx, d.Name, table, t, tags); err != nil {
			return err
		}
	}
	return r.recovery(ctx, d)
}

// align changes encryption and tags of a table that was there.
func (r *Resource) align(ctx context.Context, name string, table *types.TableDescription, t *spec.Tracking, tags map[string]string) error {
	if keyOf(table) != t.KMSKeyARN {
		_, err := r.Session.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(name), SSESpecification: encryption(t.KMSKeyARN)})
		if err != nil {
			return fmt.Errorf("changing the encryption of the DynamoDB table %q: %w", name, err)
		}
		if _, err := r.active(ctx, name); err != nil {
			return err
		}
	}
	arn := table.TableArn
	have, err := r.tags(ctx, aws.ToString(arn))
	if err != nil {
		return err
	}
	var gone []string
	for key := range have {
		if _, keep := tags[key]; !keep {
			gone = append(gone, key)
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		if _, err := r.Session.DynamoDB.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: gone}); err != nil {
			return fmt.Errorf("removing tags of the DynamoDB table %q: %w", name, err)
		}
	}
	var set []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if value, ok := have[key]; !ok || value != tags[key] {
			set = append(set, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
		}
	}
	if len(set) > 0 {
		if _, err := r.Session.DynamoDB.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: arn, Tags: set}); err != nil {
			return fmt.Errorf("tagging the DynamoDB table %q: %w", name, err)
		}
	}
	return nil
}

func encryption(key string) *types.SSESpecification {
	if key == "" {
		return &types.SSESpecification{Enabled: aws.Bool(false)}
	}
	return &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: aws.String(key)}
}

func keyOf(table *types.TableDescription) string {
	if s := table.SSEDescription; s != nil && (s.Status == types.SSEStatusEnabled || s.Status == types.SSEStatusUpdating || s.Status == types.SSEStatusEnabling) {
		return aws.ToString(s.KMSMasterKeyArn)
	}
	return ""
}

// recovery switches on point-in-time recovery, and time to live where items may be garbage.
func (r *Resource) recovery(ctx context.Context, d layout.Definition) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		_, err := r.Session.DynamoDB.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName: aws.String(d.Name), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
		})
		var early *types.ContinuousBackupsUnavailableException // backups of a new table are still being set up
		if err != nil && !errors.As(err, &early) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(waiting))
	if err != nil {
		return fmt.Errorf("switching on point-in-time recovery of the DynamoDB table %q: %w", d.Name, err)
	}
	if !d.Expires {
		return nil
	}
	out, err := r.Session.DynamoDB.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(d.Name)})
	if err == nil && out.TimeToLiveDescription != nil {
		if s := out.TimeToLiveDescription.TimeToLiveStatus; s == types.TimeToLiveStatusEnabled || s == types.TimeToLiveStatusEnabling {
			return nil
		}
	}
	if err == nil {
		_, err = r.Session.DynamoDB.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: aws.String(d.Name), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(layout.ExpiryAttribute), Enabled: aws.Bool(true)},
		})
	}
	if err != nil {
		return fmt.Errorf("switching on time to live of the DynamoDB table %q: %w", d.Name, err)
	}
	return nil
}

func (r *Resource) protect(ctx context.Context, name string, on bool) error {
	table, err := r.active(ctx, name)
	if err != nil || aws.ToBool(table.DeletionProtectionEnabled) == on {
		return err
	}
	if _, err := r.Session.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(name), DeletionProtectionEnabled: aws.Bool(on)}); err != nil {
		return fmt.Errorf("setting the deletion protection of the DynamoDB table %q: %w", name, err)
	}
	_, err = r.active(ctx, name)
	return err
}

func (r *Resource) active(ctx context.Context, name string) (*types.TableDescription, error) {
	out, err := dynamodb.NewTableExistsWaiter(r.Session.DynamoDB, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, 5*time.Second
	}).WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)}, waiting)
	if err != nil {
		return nil, fmt.Errorf("waiting for the DynamoDB table %q: %w", name, err)
	}
	return out.Table, nil
}

// dropUnused deletes the tables of a tracking that has neither cadences nor connections left.
func (r *Resource) dropUnused(ctx context.Context, name string) error {
	users, err := r.Tracking(name).InUse(ctx)
	if err != nil {
		return fmt.Errorf("looking for what uses the tracking %q: %w", name, err)
	}
	if len(users) > 0 {
		return &layout.InUseError{Kind: "tracking", Name: name, By: users}
	}
	return r.drop(ctx, name)
}

// drop deletes the tables and waits until they are gone.
func (r *Resource) drop(ctx context.Context, name string) error {
	definitions := layout.Definitions(name)
	slices.Reverse(definitions)
	for _, d := range definitions {
		out, err := r.Session.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(d.Name)})
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the DynamoDB table %q: %w", d.Name, err)
		}
		if aws.ToBool(out.Table.DeletionProtectionEnabled) {
			return fmt.Errorf("the DynamoDB table %q is protected from deletion: set deletion_protection = false and apply, then destroy", d.Name)
		}
	}
	for _, d := range definitions {
		_, err := r.Session.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(d.Name)})
		var gone *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("deleting the DynamoDB table %q: %w", d.Name, err)
		}
		err = dynamodb.NewTableNotExistsWaiter(r.Session.DynamoDB, func(o *dynamodb.TableNotExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Second, 5*time.Second
		}).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(d.Name)}, waiting)
		if err != nil {
			return fmt.Errorf("waiting until the DynamoDB table %q is gone: %w", d.Name, err)
		}
	}
	return nil
}

// actual is what is there of a tracking.
type actual struct {
	arns      map[string]string
	tags      map[string]string
	protected bool
	key       string
}

func (r *Resource) look(ctx context.Context, name string) (*actual, error) {
	a := &actual{arns: map[string]string{}, tags: map[string]string{}, protected: true}
	for _, suffix := range []string{layout.ConfigTable, layout.StateTable, layout.FilesTable, layout.RunsTable} {
		out, err := r.Session.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(layout.TableName(name, suffix))})
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the DynamoDB table %q: %w", layout.TableName(name, suffix), err)
		}
		a.arns[suffix] = aws.ToString(out.Table.TableArn)
		a.protected = a.protected && aws.ToBool(out.Table.DeletionProtectionEnabled)
		if suffix == layout.ConfigTable {
			a.key = keyOf(out.Table)
			if a.tags, err = r.tags(ctx, aws.ToString(out.Table.TableArn)); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func (r *Resource) tags(ctx context.Context, arn string) (map[string]string, error) {
	tags := map[string]string{}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String(arn)}
	for {
		out, err := r.Session.DynamoDB.ListTagsOfResource(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("reading the tags of %s: %w", arn, err)
		}
		for _, tag := range out.Tags {
			tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		if out.NextToken == nil {
			return tags, nil
		}
		in.NextToken = out.NextToken
	}
}
