package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// GlueTags reads the tags of a Glue resource, such as "job/name" or "trigger/name".
func GlueTags(ctx context.Context, session *awsclient.Session, resource string) (map[string]string, error) {
	out, err := session.Glue.GetTags(ctx, &glue.GetTagsInput{ResourceArn: aws.String(session.ARN("glue", resource))})
	if err != nil {
		return nil, fmt.Errorf("reading the tags of the Glue %s: %w", resource, err)
	}
	if out.Tags == nil {
		return map[string]string{}, nil
	}
	return out.Tags, nil
}

// SetGlueTags brings the tags of a Glue resource to what they should be.
func SetGlueTags(ctx context.Context, session *awsclient.Session, resource string, tags map[string]string) error {
	have, err := GlueTags(ctx, session, resource)
	if err != nil {
		return err
	}
	arn := aws.String(session.ARN("glue", resource))
	var gone []string
	for key := range have {
		if _, keep := tags[key]; !keep {
			gone = append(gone, key)
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		if _, err := session.Glue.UntagResource(ctx, &glue.UntagResourceInput{ResourceArn: arn, TagsToRemove: gone}); err != nil {
			return fmt.Errorf("removing tags of the Glue %s: %w", resource, err)
		}
	}
	changed := map[string]string{}
	for key, value := range tags {
		if old, ok := have[key]; !ok || old != value {
			changed[key] = value
		}
	}
	if len(changed) > 0 {
		if _, err := session.Glue.TagResource(ctx, &glue.TagResourceInput{ResourceArn: arn, TagsToAdd: changed}); err != nil {
			return fmt.Errorf("tagging the Glue %s: %w", resource, err)
		}
	}
	return nil
}

// LookForDatabase looks for a database of the catalogue. One that may not be looked at is passed over.
func (b *Base) LookForDatabase(ctx context.Context, at spec.Path, name string) *Finding {
	_, err := b.Session.Glue.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String(name)}, func(o *glue.Options) { o.RetryMaxAttempts = lookAttempts })
	var gone *types.EntityNotFoundException
	if errors.As(err, &gone) {
		return missing(at, "there is no such Glue database as %q in this account and Region: create it first", name)
	}
	return nil
}
