package tracking

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	layout "github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// What leaves of a table say.
const (
	onDemand   = "on demand"
	on         = "on"
	off        = "off"
	defaultKey = "default"
)

var suffixes = []string{layout.ConfigTable, layout.StateTable, layout.FilesTable, layout.RunsTable}

// leaves are those of a tracking as it should be. The tags of the first table are the attribute tags_all.
func leaves(t *spec.Tracking, tags map[string]string) lifecycle.Leaves {
	out := lifecycle.Leaves{"layout": lifecycle.Present}
	for i, d := range layout.Definitions(t.Name) {
		part := suffixes[i]
		out[part] = lifecycle.Present
		out[part+".key"] = d.Key()
		out[part+".index"] = d.IndexKey()
		out[part+".billing"] = onDemand
		out[part+".encryption"] = encryptionLeaf(t.KMSKeyARN)
		out[part+".deletion_protection"] = onOff(t.DeletionProtection)
		out[part+".point_in_time_recovery"] = on
		out[part+".time_to_live"] = expiryOf(d)
		if part != layout.ConfigTable {
			out.Tags(part, tags)
		}
	}
	return out
}

func expiryOf(d layout.Definition) string {
	if d.Expires {
		return layout.ExpiryAttribute
	}
	return off
}

func onOff(is bool) string {
	if is {
		return on
	}
	return off
}

func encryptionLeaf(key string) string {
	if key == "" {
		return defaultKey
	}
	return key
}

func billing(table *types.TableDescription) string {
	if b := table.BillingModeSummary; b != nil && b.BillingMode == types.BillingModePayPerRequest {
		return onDemand
	}
	return "provisioned"
}

// actual is what is out there of a tracking.
type actual struct {
	leaves lifecycle.Leaves
	// tags, protected and key are those of the table of the configuration.
	tags      map[string]string
	protected bool
	key       string
	// none is set where no table is left.
	none bool
}

// look reads what is out there. known are the leaves of the state.
func (r *Resource) look(ctx context.Context, name string, known lifecycle.Leaves) (*actual, error) {
	a := &actual{leaves: lifecycle.Leaves{}, none: true}
	for i, d := range layout.Definitions(name) {
		out, err := r.Session.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(d.Name)})
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			a.leaves.Gone(suffixes[i], known)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the DynamoDB table %q: %w", d.Name, err)
		}
		a.none = false
		if err := r.lookTable(ctx, a, suffixes[i], out.Table); err != nil {
			return nil, err
		}
	}
	err := r.Tracking(name).CheckLayout(ctx)
	switch {
	case err == nil:
		a.leaves["layout"] = lifecycle.Present
	case !errors.Is(err, layout.ErrNotFound):
		return nil, err
	case a.leaves[layout.ConfigTable] == lifecycle.Missing:
		a.leaves["layout"] = known["layout"] // the table says it all
	default:
		a.leaves["layout"] = lifecycle.Missing
	}
	return a, nil
}

func (r *Resource) lookTable(ctx context.Context, a *actual, part string, table *types.TableDescription) error {
	name := aws.ToString(table.TableName)
	recovers, err := r.recovers(ctx, name)
	if err != nil {
		return err
	}
	expires, err := r.expires(ctx, name)
	if err != nil {
		return err
	}
	tags, err := r.tags(ctx, aws.ToString(table.TableArn))
	if err != nil {
		return err
	}
	a.leaves[part] = lifecycle.Present
	a.leaves[part+".key"] = layout.KeyOf(table)
	a.leaves[part+".index"] = layout.IndexesOf(table)
	a.leaves[part+".billing"] = billing(table)
	a.leaves[part+".encryption"] = encryptionLeaf(keyOf(table))
	a.leaves[part+".deletion_protection"] = onOff(aws.ToBool(table.DeletionProtectionEnabled))
	a.leaves[part+".point_in_time_recovery"] = onOff(recovers)
	a.leaves[part+".time_to_live"] = expires
	if part == layout.ConfigTable {
		a.tags, a.protected, a.key = tags, aws.ToBool(table.DeletionProtectionEnabled), keyOf(table)
	} else {
		a.leaves.Tags(part, tags)
	}
	return nil
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
