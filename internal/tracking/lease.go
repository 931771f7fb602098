package tracking

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"
)

// DefaultLease is how long a lease holds without a heartbeat: how long a killed run delays the next one.
const DefaultLease = time.Minute

// MinLease is the shortest lease: dates count whole seconds, so a third of a shorter one says nothing.
const MinLease = 6 * time.Second

// Fence orders the holders of a lease: a later acquisition has a higher one, and every write of state is
// conditional on it. Epoch grows with every failover to another Region, N with every acquisition.
type Fence struct {
	Epoch int64 `json:"epoch" dynamodbav:"epoch"`
	N     int64 `json:"n" dynamodbav:"n"`
}

// Less reports whether f is older than other.
func (f Fence) Less(other Fence) bool {
	return f.Epoch < other.Epoch || f.Epoch == other.Epoch && f.N < other.N
}

func (f Fence) String() string { return fmt.Sprintf("%d.%d", f.Epoch, f.N) }

// Lease is the right to run one table, until it is released or lost. It renews itself.
type Lease struct {
	store   *Store
	table   string
	run     string
	attempt string
	fence   Fence
	length  time.Duration
	// taken is the lease item as it was when the lease was taken.
	taken Item

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   sync.WaitGroup
}

// HeldError says that another run holds the lease.
type HeldError struct {
	Table string
	// Run is the holder; Until is when its lease ends if it is not renewed, by the tracking's clock.
	Run   string
	Until time.Time
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("the table %q is held by run %s until %s, or longer while that run lives", e.Table, e.Run, e.Until.UTC().Format(time.RFC3339))
}

// ErrLeaseLost is the cause of a lease's context ending because another run took the table over, or because
// renewing failed for the whole length of the lease.
var ErrLeaseLost = errors.New("the lease was lost: another run may have taken the table over; nothing more is written by this one")

func stateKey(pk, sk string) Item { return Item{"pk": str(pk), "sk": str(sk)} }

func leaseKey(table string) Item { return stateKey("table#"+table, "lease") }

// Acquire takes the lease of a table for a run, or returns a HeldError. CheckLayout must have been called. The
// lease renews itself every third of its length until Release.
func (s *Store) Acquire(ctx context.Context, table, run string, length time.Duration) (*Lease, error) {
	if length < MinLease {
		return nil, fmt.Errorf("acquiring the lease of %q: %s is shorter than %s", table, length, MinLease)
	}
	l := &Lease{store: s, table: table, run: run, attempt: ulid.Make().String(), length: length}
	err := s.decide(ctx, func() error {
		now := s.clock.Now()
		if now.IsZero() {
			return errors.New("the tracking's clock is not set: its layout was not read")
		}
		out, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: s.table(StateTable), Key: leaseKey(table),
			ConditionExpression: aws.String("attribute_not_exists(pk) OR lease_until < :now"),
			// The holder before is kept in the item, so that it is known also when the answer is lost.
			UpdateExpression: aws.String("SET before_run = if_not_exists(run_id, :nobody), before_acquired = if_not_exists(acquired_at, :never), before_until = if_not_exists(lease_until, :never), " +
				"v = :v, run_id = :run, attempt = :attempt, epoch = :epoch, acquired_at = :now, lease_until = :until ADD n :one"),
			ExpressionAttributeValues: Item{
				":nobody": str(""), ":never": num(0),
				":v": num(LayoutVersion), ":run": str(run), ":attempt": str(l.attempt), ":epoch": num(int64(0)), ":one": num(1),
				":now": num(now.UnixMilli()), ":until": num(now.Add(length + Slack).UnixMilli()),
			},
			ReturnValues:                        types.ReturnValueAllNew,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}, once)
		if err == nil {
			l.taken = out.Attributes
		}
		return err
	}, func() (bool, error) {
		item, err := s.get(ctx, StateTable, leaseKey(table))
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		l.taken = item
		return err == nil && getString(item, "attempt") == l.attempt, err
	})
	var held *types.ConditionalCheckFailedException
	if errors.As(err, &held) {
		return nil, &HeldError{Table: table, Run: getString(held.Item, "run_id"), Until: time.UnixMilli(getInt(held.Item, "lease_until"))}
	}
	if err != nil {
		return nil, fmt.Errorf("acquiring the lease of %q: %w", table, err)
	}
	l.fence = Fence{Epoch: getInt(l.taken, "epoch"), N: getInt(l.taken, "n")}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.done.Add(1)
	go l.heartbeat()
	return l, nil
}

// Fence is the lease's place in the order of holders.
func (l *Lease) Fence() Fence { return l.fence }

// Context ends when the lease is released or lost (ErrLeaseLost is then its cause), or with its parent. What a
// run does, it does under this context.
func (l *Lease) Context() context.Context { return l.ctx }

// Dead names the run that held the lease before and never released it, with the time it had acquired it; or "".
func (l *Lease) Dead() (run string, since time.Time) {
	if getInt(l.taken, "before_until") == 0 {
		return "", time.Time{}
	}
	return getString(l.taken, "before_run"), time.UnixMilli(getInt(l.taken, "before_acquired"))
}

// holds is the condition that only the holder meets.
const holds = "attempt = :attempt AND n = :n AND epoch = :epoch"

func (l *Lease) holder() Item {
	return Item{":attempt": str(l.attempt), ":n": num(l.fence.N), ":epoch": num(l.fence.Epoch)}
}

func (l *Lease) heartbeat() {
	defer l.done.Done()
	until := time.Now().Add(l.length)
	for pause := l.length / 3; ; {
		timer := time.NewTimer(pause)
		select {
		case <-l.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		started := time.Now()
		err := l.renew()
		switch {
		case err == nil:
			until, pause = started.Add(l.length), l.length/3
		case lostCondition(err):
			l.cancel(ErrLeaseLost)
			return
		case !time.Now().Before(until):
			l.cancel(fmt.Errorf("%w (renewing it failed until it had run out: %w)", ErrLeaseLost, err))
			return
		default:
			pause = min(l.length/12, max(time.Until(until), 0))
		}
	}
}

// renew writes a later end under the fence. It may be repeated freely: the same holder meets the condition.
func (l *Lease) renew() error {
	ctx, cancel := context.WithTimeout(l.ctx, l.length/3)
	defer cancel()
	values := l.holder()
	values[":until"] = num(l.store.clock.Now().Add(l.length + Slack).UnixMilli())
	_, err := l.store.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: l.store.table(StateTable), Key: leaseKey(l.table),
		ConditionExpression: aws.String(holds), UpdateExpression: aws.String("SET lease_until = :until"),
		ExpressionAttributeValues: values,
	}, once)
	return err
}

// Release gives the lease back, so that the next run need not wait. A lease that was lost is left alone.
func (l *Lease) Release(ctx context.Context) error {
	l.cancel(nil)
	l.done.Wait()
	values := l.holder()
	values[":none"] = num(0)
	err := l.store.decide(ctx, func() error {
		_, err := l.store.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: l.store.table(StateTable), Key: leaseKey(l.table),
			ConditionExpression: aws.String(holds), UpdateExpression: aws.String("SET lease_until = :none"),
			ExpressionAttributeValues: values,
		}, once)
		return err
	}, func() (bool, error) {
		item, err := l.store.get(ctx, StateTable, leaseKey(l.table))
		if errors.Is(err, ErrNotFound) {
			return true, nil
		}
		return err == nil && (getString(item, "attempt") != l.attempt || getInt(item, "lease_until") == 0), err
	})
	if err != nil {
		return fmt.Errorf("releasing the lease of %q: %w", l.table, err)
	}
	return nil
}
