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
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	layout "github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// waiting bounds the time in which a table becomes what was asked for.
const waiting = 10 * time.Minute

// claim refuses a tracking that is complete already and differs. Tables without its last mark are left from a
// creation that was interrupted, and are finished.
func (r *Resource) claim(ctx context.Context, diags *diag.Diagnostics, t *spec.Tracking, tags map[string]string) error {
	if !r.Planned.Made(r.TypeName, t.Name) {
		return fmt.Errorf("two blocks of this configuration describe the tracking %q: remove one, or give it another name", t.Name)
	}
	err := r.Tracking(t.Name).CheckLayout(ctx)
	if errors.Is(err, layout.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	there, err := r.look(ctx, t.Name, nil)
	if err != nil {
		return err
	}
	if there.leaves.Differ(leaves(t, tags), "") || !maps.Equal(there.tags, tags) {
		return &layout.ExistsError{Kind: "tracking", Name: t.Name, ID: t.Name}
	}
	diags.AddWarning(lifecycle.Summary("creating", r.TypeName, t.Name), "It was there already, exactly as configured, as after an apply that was interrupted before it could record it. "+
		"This configuration now manages it; if another one does too, remove it from one of them.")
	return nil
}

// finish brings all tables to what the description says, making those that are missing. The mark of the layout
// comes last: what lacks it is not complete.
func (r *Resource) finish(ctx context.Context, t *spec.Tracking, tags map[string]string) error {
	for _, d := range layout.Definitions(t.Name) {
		if err := r.ensure(ctx, d, t, tags); err != nil {
			return err
		}
	}
	return r.Tracking(t.Name).WriteLayout(ctx)
}

// ensure makes a table, or brings one that is there to its definition.
func (r *Resource) ensure(ctx context.Context, d layout.Definition, t *spec.Tracking, tags map[string]string) error {
	table, err := r.create(ctx, d, t, tags)
	if err == nil && layout.KeyOf(table) != d.Key() {
		if err = r.dropImpostor(ctx, d, table); err == nil {
			table, err = r.create(ctx, d, t, tags)
		}
	}
	if err == nil {
		err = r.alignTable(ctx, d, table, t)
	}
	if err == nil {
		err = r.alignTags(ctx, d.Name, aws.ToString(table.TableArn), tags)
	}
	if err == nil {
		err = r.recovery(ctx, d.Name)
	}
	if err == nil {
		err = r.expiry(ctx, d)
	}
	if err == nil {
		err = r.protect(ctx, d.Name, t.DeletionProtection)
	}
	return err
}

// create makes a table that is missing, and returns the one that is then there.
func (r *Resource) create(ctx context.Context, d layout.Definition, t *spec.Tracking, tags map[string]string) (*types.TableDescription, error) {
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
		return nil, fmt.Errorf("creating the DynamoDB table %q: %w", d.Name, err)
	}
	return r.active(ctx, d.Name)
}

// dropImpostor removes an empty table that has our table's name and another key, as somebody made who tried to mend
// a loss by hand. One that holds anything stays.
func (r *Resource) dropImpostor(ctx context.Context, d layout.Definition, table *types.TableDescription) error {
	out, err := r.Session.DynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(d.Name), Limit: aws.Int32(1), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return fmt.Errorf("looking into the DynamoDB table %q: %w", d.Name, err)
	}
	if len(out.Items) > 0 {
		return fmt.Errorf("the DynamoDB table %q has the key %s, not %s, and holds items: it is not one of a tracking's; rename or remove it, or choose another name for the tracking", d.Name, layout.KeyOf(table), d.Key())
	}
	if err := r.protect(ctx, d.Name, false); err != nil {
		return err
	}
	return r.delete(ctx, d.Name)
}

// alignTable changes what a table's own description holds. AWS takes one kind of change at a time.
func (r *Resource) alignTable(ctx context.Context, d layout.Definition, table *types.TableDescription, t *spec.Tracking) error {
	var changes []*dynamodb.UpdateTableInput
	if billing(table) != onDemand {
		changes = append(changes, &dynamodb.UpdateTableInput{TableName: aws.String(d.Name), BillingMode: types.BillingModePayPerRequest})
	}
	if keyOf(table) != t.KMSKeyARN {
		changes = append(changes, &dynamodb.UpdateTableInput{TableName: aws.String(d.Name), SSESpecification: encryption(t.KMSKeyARN)})
	}
	for _, change := range append(changes, d.IndexUpdates(table)...) {
		if _, err := r.Session.DynamoDB.UpdateTable(ctx, change); err != nil {
			return fmt.Errorf("changing the DynamoDB table %q: %w", d.Name, err)
		}
		if _, err := r.active(ctx, d.Name); err != nil {
			return err
		}
	}
	return nil
}

func (r *Resource) alignTags(ctx context.Context, name, arn string, tags map[string]string) error {
	have, err := r.tags(ctx, arn)
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
		if _, err := r.Session.DynamoDB.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: aws.String(arn), TagKeys: gone}); err != nil {
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
		if _, err := r.Session.DynamoDB.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String(arn), Tags: set}); err != nil {
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

// recovery switches on point-in-time recovery.
func (r *Resource) recovery(ctx context.Context, name string) error {
	if on, err := r.recovers(ctx, name); err != nil || on {
		return err
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		_, err := r.Session.DynamoDB.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName: aws.String(name), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
		})
		var early *types.ContinuousBackupsUnavailableException // backups of a new table are still being set up
		if err != nil && !errors.As(err, &early) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(waiting))
	if err != nil {
		return fmt.Errorf("switching on point-in-time recovery of the DynamoDB table %q: %w", name, err)
	}
	return nil
}

func (r *Resource) recovers(ctx context.Context, name string) (bool, error) {
	out, err := r.Session.DynamoDB.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String(name)})
	if err != nil {
		return false, fmt.Errorf("reading the point-in-time recovery of the DynamoDB table %q: %w", name, err)
	}
	backups := out.ContinuousBackupsDescription
	return backups != nil && backups.PointInTimeRecoveryDescription != nil &&
		backups.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled, nil
}

// expiry switches time to live on where items may be garbage, and off elsewhere.
func (r *Resource) expiry(ctx context.Context, d layout.Definition) error {
	have, err := r.expires(ctx, d.Name)
	if err != nil || have == expiryOf(d) {
		return err
	}
	set := func(attribute string, on bool) error {
		_, err := r.Session.DynamoDB.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: aws.String(d.Name), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attribute), Enabled: aws.Bool(on)},
		})
		if err != nil {
			return fmt.Errorf("setting the time to live of the DynamoDB table %q (AWS takes one such change in an hour): %w", d.Name, err)
		}
		return nil
	}
	if have != off {
		if err := set(have, false); err != nil {
			return err
		}
	}
	if !d.Expires {
		return nil
	}
	return set(layout.ExpiryAttribute, true)
}

// expires is the attribute by which items of a table expire, or off.
func (r *Resource) expires(ctx context.Context, name string) (string, error) {
	out, err := r.Session.DynamoDB.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(name)})
	if err != nil {
		return "", fmt.Errorf("reading the time to live of the DynamoDB table %q: %w", name, err)
	}
	if t := out.TimeToLiveDescription; t != nil && (t.TimeToLiveStatus == types.TimeToLiveStatusEnabled || t.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		return aws.ToString(t.AttributeName), nil
	}
	return off, nil
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

// active waits until a table and its indexes are ready for the next change.
func (r *Resource) active(ctx context.Context, name string) (*types.TableDescription, error) {
	table, err := backoff.Retry(ctx, func() (*types.TableDescription, error) {
		out, err := r.Session.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		var early *types.ResourceNotFoundException // a table that was just made may not be visible yet
		switch {
		case errors.As(err, &early):
			return nil, err
		case err != nil:
			return nil, backoff.Permanent(err)
		case out.Table.TableStatus != types.TableStatusActive:
			return nil, fmt.Errorf("it is still %s", out.Table.TableStatus)
		}
		for _, index := range out.Table.GlobalSecondaryIndexes {
			if index.IndexStatus != types.IndexStatusActive {
				return nil, fmt.Errorf("its index %q is still %s", aws.ToString(index.IndexName), index.IndexStatus)
			}
		}
		return out.Table, nil
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 500 * time.Millisecond, RandomizationFactor: 0.2, Multiplier: 1.5, MaxInterval: 5 * time.Second}), backoff.WithMaxElapsedTime(waiting))
	if err != nil {
		return nil, fmt.Errorf("waiting for the DynamoDB table %q: %w", name, err)
	}
	return table, nil
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
		if err := r.delete(ctx, d.Name); err != nil {
			return err
		}
	}
	return nil
}

// delete deletes a table and waits until it is gone.
func (r *Resource) delete(ctx context.Context, name string) error {
	_, err := r.Session.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
	var gone *types.ResourceNotFoundException
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting the DynamoDB table %q: %w", name, err)
	}
	err = dynamodb.NewTableNotExistsWaiter(r.Session.DynamoDB, func(o *dynamodb.TableNotExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, 5*time.Second
	}).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)}, waiting)
	if err != nil {
		return fmt.Errorf("waiting until the DynamoDB table %q is gone: %w", name, err)
	}
	return nil
}
