package tracking

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cenkalti/backoff/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// API is what is used of the DynamoDB client.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Store reads and writes one tracking. It is safe for concurrent use.
type Store struct {
	api      API
	tracking string
	clock    *Clock
	// unknown reports whether a failed call may have taken effect.
	unknown func(error) bool
	// throttled reports whether a failed call asks to be repeated later.
	throttled func(error) bool
}

// ErrorClasses tells what the errors of the API mean; awsclient has the functions.
type ErrorClasses struct {
	Unknown   func(error) bool
	Throttled func(error) bool
}

// New makes a store over an API whose replies' dates the clock observes.
func New(api API, trackingName string, clock *Clock, classes ErrorClasses) *Store {
	return &Store{api: api, tracking: trackingName, clock: clock, unknown: classes.Unknown, throttled: classes.Throttled}
}

// Tracking is the name of the tracking.
func (s *Store) Tracking() string { return s.tracking }

// Clock is the clock that the store's replies drive.
func (s *Store) Clock() *Clock { return s.clock }

// Item is a stored item.
type Item = map[string]types.AttributeValue

// ErrNotFound says that there is no such item, or no such tracking.
var ErrNotFound = errors.New("it does not exist")

// ExistsError says that something of that name is configured already.
type ExistsError struct {
	Kind spec.Kind
	Name string
	// ID is what an import names it by.
	ID string
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("the %s %q exists already, and differs from this one: choose another name, or bring it under this configuration's care with import { id = %q }", e.Kind, e.Name, e.ID)
}

// OwnedError says that a target belongs to another source table.
type OwnedError struct {
	Target, Owner string
}

func (e *OwnedError) Error() string {
	return fmt.Sprintf("the target %s belongs to the source table %q: two tables never land in one place; choose another location or catalogue table", e.Target, e.Owner)
}

// InUseError says that something cannot be removed while others use it.
type InUseError struct {
	Kind spec.Kind
	Name string
	By   []string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("the %s %q is in use by %s: remove or move these first", e.Kind, e.Name, list(e.By, 10))
}

// MissingError says that something a document refers to is not configured.
type MissingError struct {
	Kind spec.Kind
	Name string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("the %s %q is not configured in this tracking, or is being destroyed: create it first, and refer to it by its attribute so that Terraform keeps the order", e.Kind, e.Name)
}

// LayoutError says that the tracking's tables are of another layout.
type LayoutError struct {
	Tracking string
	Version  int
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("the tracking %q has layout %d and this release knows layout %d: upgrade the provider, and apply the cadence so that its job carries the newer engine", e.Tracking, e.Version, LayoutVersion)
}

func list(words []string, limit int) string {
	out := ""
	for i, word := range words {
		if i == limit {
			return out + fmt.Sprintf(" and %d more", len(words)-limit)
		}
		if i > 0 {
			out += ", "
		}
		out += word
	}
	return out
}

// once sends a call a single time: a retry of the SDK's own could collide with its first try.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// decide makes a call that settles a race. After a failure that may hide success, and after a lost condition,
// it reads back and recognises its own write by mine before it concludes anything. A nil result means that the
// write is in place.
func (s *Store) decide(ctx context.Context, call func() error, mine func() (bool, error)) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := call()
		switch {
		case err == nil:
			return struct{}{}, nil
		case lostCondition(err), s.unknown(err):
			ours, readErr := mine()
			switch {
			case readErr != nil:
				return struct{}{}, fmt.Errorf("%w (and reading back what became of it: %w)", err, readErr)
			case ours:
				return struct{}{}, nil
			case lostCondition(err):
				return struct{}{}, backoff.Permanent(err)
			default:
				return struct{}{}, err
			}
		case s.throttled(err), conflicted(err):
			return struct{}{}, err
		default:
			return struct{}{}, backoff.Permanent(err)
		}
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{
		InitialInterval: 50 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 2 * time.Second,
	}), backoff.WithMaxTries(8))
	return err
}

// lostCondition reports whether a condition was what refused a write.
func lostCondition(err error) bool {
	var single *types.ConditionalCheckFailedException
	if errors.As(err, &single) {
		return true
	}
	for _, reason := range cancellation(err) {
		if aws.ToString(reason.Code) == "ConditionalCheckFailed" {
			return true
		}
	}
	return false
}

// conflicted reports whether a transaction met another one and may be repeated.
func conflicted(err error) bool {
	var single *types.TransactionConflictException
	if errors.As(err, &single) {
		return true
	}
	for _, reason := range cancellation(err) {
		if code := aws.ToString(reason.Code); code == "TransactionConflict" || code == "ThrottlingError" || code == "ProvisionedThroughputExceeded" {
			return true
		}
	}
	return false
}

// cancellation is why each item of a cancelled transaction was refused, in the order of the items.
func cancellation(err error) []types.CancellationReason {
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return cancelled.CancellationReasons
	}
	return nil
}

func (s *Store) table(suffix string) *string { return aws.String(TableName(s.tracking, suffix)) }

// get reads an item consistently; absent items are ErrNotFound.
func (s *Store) get(ctx context.Context, table string, key Item) (Item, error) {
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.table(table), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			return nil, fmt.Errorf("the DynamoDB table %q: %w", *s.table(table), ErrNotFound)
		}
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, ErrNotFound
	}
	return out.Item, nil
}

func str(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func num[T int | int64](value T) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(value), 10)}
}

func boolean(value bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: value} }

func getString(item Item, name string) string {
	if value, ok := item[name].(*types.AttributeValueMemberS); ok {
		return value.Value
	}
	return ""
}

func getInt(item Item, name string) int64 {
	if value, ok := item[name].(*types.AttributeValueMemberN); ok {
		if n, err := strconv.ParseInt(value.Value, 10, 64); err == nil {
			return n
		}
	}
	return 0
}

func getBool(item Item, name string) bool {
	value, ok := item[name].(*types.AttributeValueMemberBOOL)
	return ok && value.Value
}
