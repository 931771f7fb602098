package tracking

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cenkalti/backoff/v5"
	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Table reads a source table; ErrNotFound when it is not configured.
func (s *Store) Table(ctx context.Context, name string) (*spec.Table, error) {
	document, err := s.document(ctx, spec.KindTable, name)
	if err != nil {
		return nil, err
	}
	return spec.DecodeTable(document)
}

// TableNames lists the enabled source tables of a cadence in the order of their names. A table configured less
// than a second ago may be missing: the index follows its table.
func (s *Store) TableNames(ctx context.Context, cadence string) ([]string, error) {
	var names []string
	err := s.query(ctx, &dynamodb.QueryInput{
		TableName: s.table(ConfigTable), IndexName: aws.String(cadenceIndex),
		KeyConditionExpression: aws.String("cadence = :cadence"),
		FilterExpression:       aws.String("enabled = :true"),
		ProjectionExpression:   aws.String("#name"), ExpressionAttributeNames: map[string]string{"#name": "name"},
		ExpressionAttributeValues: Item{":cadence": str(cadence), ":true": boolean(true)},
	}, func(item Item) error {
		names = append(names, getString(item, "name"))
		return nil
	})
	slices.Sort(names)
	return names, err
}

// CreateTable stores a new source table together with its ownership of location and catalogue entry, in one
// transaction: ExistsError, OwnedError or MissingError (its cadence) when it cannot be.
func (s *Store) CreateTable(ctx context.Context, t *spec.Table, catalogue string) error {
	document, err := t.Encode()
	if err != nil {
		return err
	}
	if err := s.CheckNesting(ctx, t); err != nil {
		return err
	}
	attempt := ulid.Make().String()
	return s.write(ctx, spec.KindTable, t.Name, attempt, []reference{{spec.KindCadence, t.Cadence}}, &types.Put{
		TableName: s.table(ConfigTable), Item: tableItem(t, document, attempt),
		ConditionExpression: aws.String(free), ExpressionAttributeValues: Item{":document": str(string(document))},
	}, s.ownership(t, catalogue)...)
}

// UpdateTable replaces the document of a source table that exists, and its ownership of the target where that was
// lost; the target must be the one it was created with. Moving a table to another cadence is this one write.
func (s *Store) UpdateTable(ctx context.Context, t *spec.Table, catalogue string) error {
	document, err := t.Encode()
	if err != nil {
		return err
	}
	attempt := ulid.Make().String()
	return s.write(ctx, spec.KindTable, t.Name, attempt, []reference{{spec.KindCadence, t.Cadence}}, &types.Put{
		TableName: s.table(ConfigTable), Item: tableItem(t, document, attempt),
		ConditionExpression: aws.String("attribute_exists(kind) AND " + notNewer), ExpressionAttributeValues: supported(),
	}, s.ownership(t, catalogue)...)
}

// ownership is the part of a transaction that makes a source table the owner of its target.
func (s *Store) ownership(t *spec.Table, catalogue string) []types.TransactWriteItem {
	var own []types.TransactWriteItem
	for _, target := range targets(t, catalogue) {
		item := configKey(kindTarget, target)
		item["v"], item["owner"] = num(LayoutVersion), str(t.Name)
		own = append(own, types.TransactWriteItem{Put: &types.Put{
			TableName: s.table(ConfigTable), Item: item,
			ConditionExpression:       aws.String("attribute_not_exists(kind) OR #owner = :name"),
			ExpressionAttributeNames:  map[string]string{"#owner": "owner"},
			ExpressionAttributeValues: Item{":name": str(t.Name)},
		}})
	}
	return own
}

var errUnprocessed = errors.New("DynamoDB left a part of the request undone")

// Owners names the source tables that own a table's location and its catalogue entry, "" where none does.
func (s *Store) Owners(ctx context.Context, t *spec.Table, catalogue string) (location, entry string, err error) {
	names := targets(t, catalogue)
	wanted := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, name := range names {
		wanted.Keys = append(wanted.Keys, configKey(kindTarget, name))
	}
	owners := map[string]string{}
	left := map[string]types.KeysAndAttributes{*s.table(ConfigTable): wanted}
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		out, err := s.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: left})
		if err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		for _, items := range out.Responses {
			for _, item := range items {
				owners[getString(item, "name")] = getString(item, "owner")
			}
		}
		if left = out.UnprocessedKeys; len(left) > 0 {
			return struct{}{}, errUnprocessed
		}
		return struct{}{}, nil
	}, backoff.WithMaxTries(8))
	if err != nil {
		return "", "", fmt.Errorf("reading who owns the target of %q: %w", t.Name, err)
	}
	return owners[names[0]], owners[names[1]], nil
}

// DeleteTable removes a source table's configuration and its ownership of the target. State, history,
// catalogue entry and data stay. One that is gone is no error.
func (s *Store) DeleteTable(ctx context.Context, t *spec.Table, catalogue string) error {
	items := []types.TransactWriteItem{{Delete: &types.Delete{TableName: s.table(ConfigTable), Key: configKey(spec.KindTable, t.Name)}}}
	for _, target := range targets(t, catalogue) {
		items = append(items, types.TransactWriteItem{Delete: &types.Delete{
			TableName: s.table(ConfigTable), Key: configKey(kindTarget, target),
			ConditionExpression:       aws.String("attribute_not_exists(kind) OR #owner = :name"),
			ExpressionAttributeNames:  map[string]string{"#owner": "owner"},
			ExpressionAttributeValues: Item{":name": str(t.Name)},
		}})
	}
	err := s.decide(ctx, func() error {
		_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}, once)
		return err
	}, func() (bool, error) {
		_, err := s.get(ctx, ConfigTable, configKey(spec.KindTable, t.Name))
		if errors.Is(err, ErrNotFound) {
			return true, nil
		}
		return false, err
	})
	var gone *types.ResourceNotFoundException
	if err == nil || errors.As(err, &gone) {
		return nil
	}
	return fmt.Errorf("removing the source table %q of tracking %q: %w", t.Name, s.tracking, err)
}

// CheckNesting refuses a table whose location lies inside another table's, or has another's inside it.
func (s *Store) CheckNesting(ctx context.Context, t *spec.Table) error {
	location, err := spec.ParseLocation(t.Target.Location)
	if err != nil {
		return err
	}
	var clash *OwnedError
	inside := func(item Item) error {
		if owner := getString(item, "owner"); owner != t.Name && clash == nil {
			clash = &OwnedError{Target: getString(item, "name"), Owner: owner}
		}
		return nil
	}
	if err := s.query(ctx, &dynamodb.QueryInput{
		TableName: s.table(ConfigTable), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("kind = :kind AND begins_with(#name, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#name": "name"},
		ExpressionAttributeValues: Item{":kind": str(string(kindTarget)), ":prefix": str(location.String())},
	}, inside); err != nil {
		return err
	}
	for _, above := range location.Above() {
		item, err := s.get(ctx, ConfigTable, configKey(kindTarget, above.String()))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking for tables around %s: %w", location, err)
		}
		if err := inside(item); err != nil {
			return err
		}
	}
	if clash != nil {
		return clash
	}
	return nil
}

// Owner names the source table that owns a location, or "" when none does.
func (s *Store) Owner(ctx context.Context, location string) (string, error) {
	item, err := s.get(ctx, ConfigTable, configKey(kindTarget, location))
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for the owner of %s: %w", location, err)
	}
	return getString(item, "owner"), nil
}

func tableItem(t *spec.Table, document []byte, attempt string) Item {
	item := documentItem(spec.KindTable, t.Name, spec.Version, document, attempt)
	item["cadence"], item["enabled"] = str(t.Cadence), boolean(t.Enabled)
	return item
}

// targets are the names under which a table's target is owned: its location in normal form, and its catalogue
// entry "<account>.<database>.<table>".
func targets(t *spec.Table, catalogue string) []string {
	location := t.Target.Location
	if parsed, err := spec.ParseLocation(location); err == nil {
		location = parsed.String()
	}
	return []string{location, catalogue + "." + t.Target.Database + "." + t.Target.Table}
}

// ownedBy says whose target a refused part of a transaction wanted.
func (s *Store) ownedBy(ctx context.Context, refused types.TransactWriteItem) error {
	target := getString(refused.Put.Item, "name")
	owner, err := s.Owner(ctx, target)
	if err != nil {
		return err
	}
	return &OwnedError{Target: target, Owner: owner}
}
