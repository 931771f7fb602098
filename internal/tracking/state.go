package tracking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Position is the tracker's word on how far a table has come. It counts only while Commit is the table's
// newest commit that carries a checkpoint; otherwise the checkpoint wins.
type Position struct {
	Commit string
	// Position stands there as in the commit: a long one by the key and SHA-256 of its object.
	Position json.RawMessage
	Fence    Fence
}

// Summary is the short state of a table, for status and for packing.
type Summary struct {
	State       RunState  `dynamodbav:"state"`
	RunID       string    `dynamodbav:"run_id"`
	Horizon     string    `dynamodbav:"horizon,omitempty"`
	LastSuccess time.Time `dynamodbav:"last_success,omitempty"`
	// Failures counts the failed runs since the last success.
	Failures int    `dynamodbav:"failures"`
	Error    string `dynamodbav:"error,omitempty"`
	Rows     int64  `dynamodbav:"rows"`
	// Seconds is the smoothed length of a run.
	Seconds float64 `dynamodbav:"seconds"`
	// Reconciled is when source and lake were last compared, Reconcile how that ended, ReconcileWhy by what or why.
	Reconciled   time.Time `dynamodbav:"reconciled,omitempty"`
	Reconcile    string    `dynamodbav:"reconcile,omitempty"`
	ReconcileWhy string    `dynamodbav:"reconcile_why,omitempty"`
}

// RunState is how a run ended.
type RunState string

// The ends of a run. A run is recorded as died by the one that takes its table over.
const (
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunDied      RunState = "died"
)

// Run is the history of one run of one table. Times are UTC; counts are rows unless said otherwise.
type Run struct {
	Table         string             `dynamodbav:"table"`
	RunID         string             `dynamodbav:"run_id"`
	V             int                `dynamodbav:"v"`
	Cadence       string             `dynamodbav:"cadence"`
	State         RunState           `dynamodbav:"state"`
	StartedAt     time.Time          `dynamodbav:"started_at"`
	EndedAt       time.Time          `dynamodbav:"ended_at"`
	Horizon       string             `dynamodbav:"horizon,omitempty"`
	From          string             `dynamodbav:"from,omitempty"`
	To            string             `dynamodbav:"to,omitempty"`
	Seen          int64              `dynamodbav:"seen"`
	Inserted      int64              `dynamodbav:"inserted"`
	Updated       int64              `dynamodbav:"updated"`
	Deleted       int64              `dynamodbav:"deleted"`
	Net           int64              `dynamodbav:"net"`
	BytesRead     int64              `dynamodbav:"bytes_read"`
	BytesWritten  int64              `dynamodbav:"bytes_written"`
	SourceRows    int64              `dynamodbav:"source_rows"`
	Reconcile     string             `dynamodbav:"reconcile,omitempty"`
	ReconcileWhy  string             `dynamodbav:"reconcile_why,omitempty"`
	Seconds       map[string]float64 `dynamodbav:"seconds,omitempty"`
	DPUSeconds    float64            `dynamodbav:"dpu_seconds"`
	EngineVersion string             `dynamodbav:"engine_version,omitempty"`
	Fence         Fence              `dynamodbav:"fence"`
	Commit        string             `dynamodbav:"commit,omitempty"`
	Error         string             `dynamodbav:"error,omitempty"`
	// LongestTransaction is the age in seconds of the oldest transaction that was open at the source when the run took its
	// snapshot; nil where the horizon does not ask, or the server does not tell.
	LongestTransaction *float64 `dynamodbav:"longest_transaction,omitempty"`
	// Notes are sentences about what the run met and did not fail for.
	Notes []string `dynamodbav:"notes,omitempty"`
	// ExpiresAt is the second of Unix time after which the record may go; 0 keeps it.
	ExpiresAt int64 `dynamodbav:"expires_at,omitempty"`
}

func tableKey(table, sk string) Item { return stateKey("table#"+table, sk) }

// Position reads the tracker's position of a table; nil when there is none.
func (s *Store) Position(ctx context.Context, table string) (*Position, error) {
	item, err := s.get(ctx, StateTable, tableKey(table, "position"))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the position of %q: %w", table, err)
	}
	return &Position{
		Commit: getString(item, "commit"), Position: json.RawMessage(getString(item, "position")),
		Fence: Fence{Epoch: getInt(item, "epoch"), N: getInt(item, "n")},
	}, nil
}

// Summary reads the short state of a table; the zero Summary when it has not run.
func (s *Store) Summary(ctx context.Context, table string) (Summary, error) {
	var summary Summary
	item, err := s.get(ctx, StateTable, tableKey(table, "summary"))
	if errors.Is(err, ErrNotFound) {
		return summary, nil
	}
	if err == nil {
		err = attributevalue.UnmarshalMap(item, &summary)
	}
	if err != nil {
		return summary, fmt.Errorf("reading the summary of %q: %w", table, err)
	}
	return summary, nil
}

// Runs lists the history of a table, newest first, at most limit of them.
func (s *Store) Runs(ctx context.Context, table string, limit int) ([]Run, error) {
	out, err := s.api.Query(ctx, &dynamodb.QueryInput{
		TableName: s.table(RunsTable), KeyConditionExpression: aws.String("#table = :table"),
		ExpressionAttributeNames: map[string]string{"#table": "table"}, ExpressionAttributeValues: Item{":table": str(table)},
		ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(min(limit, 1000))), ConsistentRead: aws.Bool(true),
	})
	var runs []Run
	if err == nil {
		err = attributevalue.UnmarshalListOfMaps(out.Items, &runs)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the history of %q: %w", table, err)
	}
	return runs, nil
}

// Record is what a run leaves behind.
type Record struct {
	// Position is written when it is not nil.
	Position *Position
	Summary  Summary
	Run      Run
}

// Record writes position, summary and history in one transaction that holds only under the lease's fence;
// ErrLeaseLost when another run has taken over.
func (l *Lease) Record(ctx context.Context, r Record) error {
	s := l.store
	summary, err := attributevalue.MarshalMap(r.Summary)
	if err != nil {
		return fmt.Errorf("recording the run of %q: %w", l.table, err)
	}
	for name, value := range tableKey(l.table, "summary") {
		summary[name] = value
	}
	summary["v"], summary["attempt"] = num(LayoutVersion), str(l.attempt)
	r.Run.Table, r.Run.V, r.Run.Fence = l.table, LayoutVersion, l.fence
	run, err := attributevalue.MarshalMap(r.Run)
	if err != nil {
		return fmt.Errorf("recording the run of %q: %w", l.table, err)
	}
	items := []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{TableName: s.table(StateTable), Key: leaseKey(l.table), ConditionExpression: aws.String(holds), ExpressionAttributeValues: l.holder()}},
		{Put: &types.Put{TableName: s.table(StateTable), Item: summary}},
		{Put: &types.Put{TableName: s.table(RunsTable), Item: run}},
	}
	if r.Position != nil {
		position := tableKey(l.table, "position")
		position["v"], position["commit"], position["position"] = num(LayoutVersion), str(r.Position.Commit), str(string(r.Position.Position))
		position["epoch"], position["n"] = num(l.fence.Epoch), num(l.fence.N)
		items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: s.table(StateTable), Item: position}})
	}
	err = s.decide(ctx, func() error {
		_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}, once)
		return err
	}, func() (bool, error) {
		written, err := s.Runs(ctx, l.table, 20)
		for _, w := range written {
			if w.RunID == r.Run.RunID && w.State == r.Run.State && w.Fence == l.fence {
				return true, nil
			}
		}
		return false, err
	})
	switch {
	case lostCondition(err):
		return fmt.Errorf("recording the run of %q: %w", l.table, ErrLeaseLost)
	case err != nil:
		return fmt.Errorf("recording the run of %q: %w", l.table, err)
	default:
		return nil
	}
}

// RecordOutside writes history alone, for a run that holds no lease: one that failed before it had it, or that
// lost it, or that died and is recorded by its successor. A record of the same run is not overwritten.
func (s *Store) RecordOutside(ctx context.Context, r Run) error {
	r.V = LayoutVersion
	item, err := attributevalue.MarshalMap(r)
	if err == nil {
		_, err = s.api.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: s.table(RunsTable), Item: item, ConditionExpression: aws.String("attribute_not_exists(run_id)"),
		})
	}
	if err != nil && !lostCondition(err) {
		return fmt.Errorf("recording the run of %q: %w", r.Table, err)
	}
	return nil
}
