package tracking

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Load is a load of many units that is under way, or did not end: what the run behind one that crashed knows of it.
// What is large lies in objects beside the table; the items hold their keys and digests, and are small whatever the table.
type Load struct {
	// ID is the load's, the same for all runs that take it up.
	ID string `dynamodbav:"load"`
	// Table is the identity of the lake's table in the names of the load's files, also where there is no table yet.
	Table string `dynamodbav:"table_id"`
	// Run is the one that worked at it last, Tries how many have.
	Run   string `dynamodbav:"run_id"`
	Tries int    `dynamodbav:"tries"`
	// Units is how many it was cut into.
	Units int `dynamodbav:"units"`
	// Key and SHA256 are of the object that holds its plan; "" where no run may take it up, Why saying why.
	Key    string `dynamodbav:"key,omitempty"`
	SHA256 string `dynamodbav:"sha256,omitempty"`
	Why    string `dynamodbav:"why,omitempty"`
}

// LoadUnit is a unit of a load that is complete.
type LoadUnit struct {
	// Load is the load's ID; a unit of another load does not count.
	Load string `dynamodbav:"load"`
	Unit string `dynamodbav:"unit"`
	Rows int64  `dynamodbav:"rows"`
	// Key and SHA256 are of the object that holds its result; "" where it is not kept.
	Key    string `dynamodbav:"key,omitempty"`
	SHA256 string `dynamodbav:"sha256,omitempty"`
}

const (
	// loadItem is the sort key of a load, unitItems begins those of units.
	loadItem  = "unit#load"
	unitItems = "unit#"
	// loadExpiry is how long after they were written the items of a load may go: nobody takes one up that is so old, and
	// one whose items are gone starts again.
	loadExpiry = 7 * 24 * time.Hour
	// mostItems is how many items a transaction may hold (Amazon DynamoDB Developer Guide, "TransactWriteItems").
	mostItems = 100
)

// Load reads the load of a table that did not end, and the units of it that are complete; nil when there is none.
func (s *Store) Load(ctx context.Context, table string) (*Load, []LoadUnit, error) {
	var load *Load
	var units []LoadUnit
	for start := Item(nil); ; {
		out, err := s.api.Query(ctx, &dynamodb.QueryInput{
			TableName: s.table(StateTable), KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :units)"),
			ExpressionAttributeValues: Item{":pk": str("table#" + table), ":units": str(unitItems)},
			ConsistentRead:            aws.Bool(true), ExclusiveStartKey: start,
		})
		for i := 0; err == nil && i < len(out.Items); i++ {
			if getString(out.Items[i], "sk") == loadItem {
				load = &Load{}
				err = attributevalue.UnmarshalMap(out.Items[i], load)
				continue
			}
			var unit LoadUnit
			if err = attributevalue.UnmarshalMap(out.Items[i], &unit); err == nil {
				units = append(units, unit)
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("reading how far the load of %q has come: %w", table, err)
		}
		if start = out.LastEvaluatedKey; len(start) == 0 {
			return load, units, nil
		}
	}
}

// Loading writes that a load is under way, in place of another; ErrLeaseLost when another run has taken over.
func (l *Lease) Loading(ctx context.Context, load Load) error {
	return l.putUnit(ctx, loadItem, load)
}

// Loaded writes that a unit is complete; ErrLeaseLost when another run has taken over.
func (l *Lease) Loaded(ctx context.Context, unit LoadUnit) error {
	return l.putUnit(ctx, unitItems+unit.Unit, unit)
}

func (l *Lease) putUnit(ctx context.Context, sk string, of any) error {
	wrap := func(err error) error {
		return fmt.Errorf("recording %s of the load of %q: %w", strings.TrimPrefix(sk, unitItems), l.table, err)
	}
	item, err := attributevalue.MarshalMap(of)
	if err != nil {
		return wrap(err)
	}
	for name, value := range tableKey(l.table, sk) {
		item[name] = value
	}
	item["v"], item["attempt"] = num(LayoutVersion), str(l.attempt)
	item[ExpiryAttribute] = num(l.store.clock.Now().Add(loadExpiry).Unix())
	err = l.underFence(ctx, []types.TransactWriteItem{{Put: &types.Put{TableName: l.store.table(StateTable), Item: item}}}, func() (bool, error) {
		written, err := l.store.get(ctx, StateTable, tableKey(l.table, sk))
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return err == nil && reflect.DeepEqual(written, item), err
	})
	if err != nil {
		return wrap(err)
	}
	return nil
}

// Unload removes a load and units, by their names; ErrLeaseLost when another run has taken over. What is not there is no
// error.
func (l *Lease) Unload(ctx context.Context, units []string) error {
	keys := []string{loadItem}
	for _, unit := range units {
		keys = append(keys, unitItems+unit)
	}
	for len(keys) > 0 {
		n := min(len(keys), mostItems-1)
		var items []types.TransactWriteItem
		for _, sk := range keys[:n] {
			items = append(items, types.TransactWriteItem{Delete: &types.Delete{TableName: l.store.table(StateTable), Key: tableKey(l.table, sk)}})
		}
		last := keys[n-1]
		if err := l.underFence(ctx, items, func() (bool, error) {
			_, err := l.store.get(ctx, StateTable, tableKey(l.table, last))
			if errors.Is(err, ErrNotFound) {
				return true, nil
			}
			return false, err
		}); err != nil {
			return fmt.Errorf("forgetting the load of %q: %w", l.table, err)
		}
		keys = keys[n:]
	}
	return nil
}

// underFence makes a transaction that holds only while the lease does.
func (l *Lease) underFence(ctx context.Context, items []types.TransactWriteItem, mine func() (bool, error)) error {
	s := l.store
	items = append([]types.TransactWriteItem{{ConditionCheck: &types.ConditionCheck{
		TableName: s.table(StateTable), Key: leaseKey(l.table), ConditionExpression: aws.String(holds), ExpressionAttributeValues: l.holder(),
	}}}, items...)
	err := s.decide(ctx, func() error {
		_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}, once)
		return err
	}, mine)
	if lostCondition(err) {
		return ErrLeaseLost
	}
	return err
}
