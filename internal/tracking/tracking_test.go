package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// faulty is DynamoDB whose answers can be lost after a call took effect.
type faulty struct {
	*dynamodb.Client
	// lose is asked behind each writing call by its name.
	lose func(call string) bool
	// fail is asked in front of each writing call; before is told of it.
	fail   func(call string) bool
	before func(call string)
}

var errRefused = errors.New("the call was refused")

var errLost = fmt.Errorf("reading the answer: %w", io.ErrUnexpectedEOF)

func through[In, Out any](ctx context.Context, f *faulty, call string, in In, send func(context.Context, In, ...func(*dynamodb.Options)) (*Out, error), o []func(*dynamodb.Options)) (*Out, error) {
	if f.before != nil {
		f.before(call)
	}
	if f.fail != nil && f.fail(call) {
		return nil, errRefused
	}
	out, err := send(ctx, in, o...)
	if f.lose != nil && f.lose(call) {
		return nil, errLost
	}
	return out, err
}

func (f *faulty) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return through(ctx, f, "PutItem", in, f.Client.PutItem, o)
}

func (f *faulty) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return through(ctx, f, "UpdateItem", in, f.Client.UpdateItem, o)
}

func (f *faulty) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return through(ctx, f, "DeleteItem", in, f.Client.DeleteItem, o)
}

// remove takes an item out of the configuration by hand.
func (f *faulty) remove(t *testing.T, s *tracking.Store, kind, name string) {
	t.Helper()
	_, err := f.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String(tracking.TableName(s.Tracking(), tracking.ConfigTable)),
		Key:       tracking.Item{"kind": &types.AttributeValueMemberS{Value: kind}, "name": &types.AttributeValueMemberS{Value: name}},
	})
	must(t, err)
}

func (f *faulty) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return through(ctx, f, "TransactWriteItems", in, f.Client.TransactWriteItems, o)
}

// once answers true the first time it is asked of a call.
func once(call string) func(string) bool {
	var asked atomic.Bool
	return func(c string) bool { return c == call && asked.CompareAndSwap(false, true) }
}

// newStore makes the tables of a tracking of its own, and a store over them.
func newStore(t *testing.T) (*tracking.Store, *faulty) {
	t.Helper()
	sb := sandbox.ForTest(t, sandbox.Moto)
	clock := &tracking.Clock{}
	client := awsclient.New(sb.AWSConfig(), awsclient.Options{OnDate: clock.Observe}).DynamoDB
	name := strings.ReplaceAll(sb.NewName(t), "-", "_")
	for _, d := range tracking.Definitions(name) {
		if _, err := client.CreateTable(t.Context(), d.CreateInput()); err != nil {
			t.Fatal(err)
		}
	}
	f := &faulty{Client: client}
	s := tracking.New(f, name, clock, tracking.ErrorClasses{Unknown: func(err error) bool { return errors.Is(err, errLost) || awsclient.Unknown(err) }, Throttled: awsclient.Throttled})
	if err := s.WriteLayout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckLayout(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, f
}

func connection(name string) *spec.Connection {
	return &spec.Connection{Name: name, Engine: "postgresql", Host: "shop.example.internal", Database: "shop", SecretARN: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-db-AbCdEf"}
}

func cadence(name string, connections ...string) *spec.Cadence {
	return &spec.Cadence{Name: name, RoleARN: "arn:aws:iam::123456789012:role/engine", Artifacts: spec.Artifacts{Location: "s3://acme-artifacts/"}, Connections: connections, Enabled: true}
}

func table(name, cadence, location, entry string) *spec.Table {
	return &spec.Table{
		Name: name, Cadence: cadence, Enabled: true,
		Source: spec.Source{Database: &spec.DatabaseSource{Connection: "db", Schema: "public", Table: name}},
		Target: spec.Target{Location: location, Database: "raw", Table: entry},
	}
}

const account = "123456789012"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestConfigurationLifecycle(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()

	var missing *tracking.MissingError
	if err := s.CreateCadence(ctx, cadence("hourly", "db")); !errors.As(err, &missing) || missing.Name != "db" {
		t.Errorf("a cadence over a connection that is not there: %v", err)
	}
	must(t, s.CreateConnection(ctx, connection("db")))
	must(t, s.CreateCadence(ctx, cadence("hourly", "db")))
	var exists *tracking.ExistsError
	must(t, s.Finish(ctx, spec.KindCadence, "hourly"))
	must(t, s.CreateCadence(ctx, cadence("hourly", "db"))) // the same to the letter: an apply that was interrupted at its end
	must(t, s.Finish(ctx, spec.KindCadence, "hourly"))
	other := cadence("hourly", "db")
	other.BatchSize = 9
	if err := s.CreateCadence(ctx, other); !errors.As(err, &exists) || exists.ID != s.Tracking()+"/hourly" {
		t.Errorf("another cadence of that name: %v", err)
	}
	if err := s.CreateTable(ctx, table("a", "daily", "s3://lake/a/", "a"), account); !errors.As(err, &missing) || missing.Name != "daily" {
		t.Errorf("a table of a cadence that is not there: %v", err)
	}
	must(t, s.CreateTable(ctx, table("a", "hourly", "s3://lake/a/", "a"), account))
	disabled := table("b", "hourly", "s3://lake/b/", "b")
	disabled.Enabled = false
	must(t, s.CreateTable(ctx, disabled, account))
	names, err := s.TableNames(ctx, "hourly")
	must(t, err)
	if diff := cmp.Diff([]string{"a"}, names); diff != "" {
		t.Errorf("enabled tables: %s", diff)
	}

	read, err := s.Table(ctx, "a")
	must(t, err)
	want := table("a", "hourly", "s3://lake/a/", "a")
	want.V = 1
	want.Normalize()
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("the table reads back differently: %s", diff)
	}

	var inUse *tracking.InUseError
	if err := s.DeleteConnection(ctx, "db"); !errors.As(err, &inUse) || inUse.By[0] != `the cadence "hourly"` {
		t.Errorf("deleting a connection in use: %v", err)
	}
	if err := s.DeleteCadence(ctx, "hourly"); !errors.As(err, &inUse) || len(inUse.By) != 2 {
		t.Errorf("deleting a cadence in use: %v", err)
	}
	must(t, s.CreateTable(ctx, table("c", "hourly", "s3://lake/c/", "c"), account)) // a refused deletion leaves no mark
	for _, name := range []string{"a", "b", "c"} {
		doc, err := s.Table(ctx, name)
		must(t, err)
		must(t, s.DeleteTable(ctx, doc, account))
		must(t, s.DeleteTable(ctx, doc, account))
	}
	must(t, s.DeleteCadence(ctx, "hourly"))
	must(t, s.DeleteCadence(ctx, "hourly"))
	must(t, s.DeleteConnection(ctx, "db"))
	if users, err := s.InUse(ctx); err != nil || len(users) != 0 {
		t.Errorf("left behind: %v, %v", users, err)
	}
	if _, err := s.Table(ctx, "a"); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("a deleted table reads as %v", err)
	}
}

func TestTargetsHaveOneOwner(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	must(t, s.CreateCadence(ctx, cadence("hourly", "db")))
	must(t, s.CreateTable(ctx, table("first", "hourly", "s3://lake/raw/orders/", "orders"), account))
	for _, tc := range []struct {
		name  string
		table *spec.Table
	}{
		{"the same location", table("second", "hourly", "s3://lake/raw/orders", "other")},
		{"the same catalogue entry", table("second", "hourly", "s3://lake/raw/other/", "orders")},
		{"inside another's location", table("second", "hourly", "s3://lake/raw/orders/inner/", "other")},
		{"around another's location", table("second", "hourly", "s3://lake/raw/", "other")},
	} {
		var owned *tracking.OwnedError
		if err := s.CreateTable(ctx, tc.table, account); !errors.As(err, &owned) || owned.Owner != "first" {
			t.Errorf("%s: %v", tc.name, err)
		}
		if _, err := s.Table(ctx, "second"); !errors.Is(err, tracking.ErrNotFound) {
			t.Errorf("%s: something was written: %v", tc.name, err)
		}
	}
	must(t, s.CreateTable(ctx, table("second", "hourly", "s3://lake/raw/orders2/", "orders2"), account))
	first, err := s.Table(ctx, "first")
	must(t, err)
	must(t, s.DeleteTable(ctx, first, account))
	must(t, s.CreateTable(ctx, table("third", "hourly", "s3://lake/raw/orders/", "orders"), account))
}

// Eight applies at once: one of them owns the target, all others are told who.
func TestOwnershipRace(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	must(t, s.CreateCadence(ctx, cadence("hourly", "db")))
	var winners atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := s.CreateTable(ctx, table(fmt.Sprintf("t%d", i), "hourly", "s3://lake/one/", "one"), account)
			var owned *tracking.OwnedError
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.As(err, &owned):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d tables own the target", winners.Load())
	}
}

// A write whose answer was lost is recognised as one's own, not as another's.
func TestConfigurationAfterLostAnswers(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	f.lose = once("TransactWriteItems")
	must(t, s.CreateConnection(ctx, connection("db")))
	f.lose = once("TransactWriteItems")
	must(t, s.CreateCadence(ctx, cadence("hourly", "db")))
	f.lose = once("TransactWriteItems")
	doc := table("a", "hourly", "s3://lake/a/", "a")
	must(t, s.CreateTable(ctx, doc, account))
	f.lose = once("TransactWriteItems")
	doc.Enabled = false
	must(t, s.UpdateTable(ctx, doc, account))
	f.lose = once("TransactWriteItems")
	must(t, s.DeleteTable(ctx, doc, account))
	if owner, err := s.Owner(ctx, "s3://lake/a/"); owner != "" || err != nil {
		t.Errorf("the target still belongs to %q, %v", owner, err)
	}
}

func TestNewerItemsAreNeverOverwritten(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	if _, err := f.UpdateItem(ctx, raise(tracking.TableName(s.Tracking(), tracking.ConfigTable), "connection", "db")); err != nil {
		t.Fatal(err)
	}
	var newer *spec.NewerError
	if err := s.UpdateConnection(ctx, connection("db")); !errors.As(err, &newer) || newer.Name != "db" || newer.Version != 9 {
		t.Errorf("got %v", err)
	}
}

func TestLayoutOfAnotherVersionIsRefusedByName(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	if _, err := f.UpdateItem(t.Context(), raise(tracking.TableName(s.Tracking(), tracking.ConfigTable), "layout", "layout")); err != nil {
		t.Fatal(err)
	}
	var layout *tracking.LayoutError
	if err := s.CheckLayout(t.Context()); !errors.As(err, &layout) || layout.Version != 9 {
		t.Errorf("got %v", err)
	}
	if err := s.WriteLayout(t.Context()); !errors.As(err, &layout) {
		t.Errorf("writing over it: %v", err)
	}
	absent := tracking.New(f, "absent", s.Clock(), tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
	if err := absent.CheckLayout(t.Context()); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("a tracking that is not there: %v", err)
	}
}

func TestLeaseExcludesAndPassesOn(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	first, err := s.Acquire(ctx, "orders", "run-1", tracking.MinLease)
	must(t, err)
	var held *tracking.HeldError
	if _, err := s.Acquire(ctx, "orders", "run-2", tracking.MinLease); !errors.As(err, &held) || held.Run != "run-1" || held.Until.Before(s.Clock().Now()) {
		t.Fatalf("a second holder: %v", err)
	}
	if other, err := s.Acquire(ctx, "customers", "run-2", tracking.MinLease); err != nil {
		t.Errorf("another table's lease: %v", err)
	} else {
		must(t, other.Release(ctx))
	}
	must(t, first.Release(ctx))
	second, err := s.Acquire(ctx, "orders", "run-2", tracking.MinLease)
	must(t, err)
	defer func() { _ = second.Release(ctx) }()
	if !first.Fence().Less(second.Fence()) {
		t.Errorf("the fence went from %s to %s", first.Fence(), second.Fence())
	}
	if run, _ := second.Dead(); run != "" {
		t.Errorf("a released lease counts as run %s having died", run)
	}
	if err := first.Record(ctx, tracking.Record{Run: tracking.Run{RunID: "run-1"}}); !errors.Is(err, tracking.ErrLeaseLost) {
		t.Errorf("the old holder could write state: %v", err)
	}
	if err := first.Release(ctx); err != nil {
		t.Errorf("releasing twice: %v", err)
	}
	if _, err := s.Acquire(ctx, "orders", "run-3", tracking.MinLease); !errors.As(err, &held) {
		t.Errorf("the old holder's release freed the new holder's lease: %v", err)
	}
}

func TestLeaseRace(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	var winners atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			lease, err := s.Acquire(ctx, "orders", fmt.Sprintf("run-%d", i), tracking.MinLease)
			var held *tracking.HeldError
			switch {
			case err == nil:
				winners.Add(1)
				t.Cleanup(func() { _ = lease.Release(context.WithoutCancel(ctx)) })
			case !errors.As(err, &held):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d runs hold the lease", winners.Load())
	}
}

// A lease whose holder stopped renewing passes to the next run once it has ended by the servers' clock, with
// the name of the run that died; the old holder learns of it.
func TestLeaseOfDeadRunIsTakenOver(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	renewing, stop := context.WithCancel(ctx)
	first, err := s.Acquire(renewing, "orders", "run-1", tracking.MinLease)
	must(t, err)
	stop() // the heartbeat ends, as it does when the process is killed
	deadline := time.Now().Add(30 * time.Second)
	for {
		second, err := s.Acquire(ctx, "orders", "run-2", tracking.MinLease)
		var held *tracking.HeldError
		if errors.As(err, &held) && time.Now().Before(deadline) {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		must(t, err)
		defer func() { _ = second.Release(ctx) }()
		if run, since := second.Dead(); run != "run-1" || since.IsZero() {
			t.Errorf("the dead run is %q since %s", run, since)
		}
		if !first.Fence().Less(second.Fence()) {
			t.Errorf("the fence went from %s to %s", first.Fence(), second.Fence())
		}
		return
	}
}

func TestLeaseAfterLostAnswer(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	f.lose = once("UpdateItem")
	lease, err := s.Acquire(ctx, "orders", "run-1", tracking.MinLease)
	must(t, err)
	f.lose = once("TransactWriteItems")
	must(t, lease.Record(ctx, tracking.Record{
		Position: &tracking.Position{Commit: "c1", Position: []byte(`{"xmin":7}`)},
		Summary:  tracking.Summary{State: tracking.RunSucceeded, RunID: "run-1", Rows: 12},
		Run:      tracking.Run{RunID: "run-1", State: tracking.RunSucceeded, Seen: 12},
	}))
	f.lose = nil
	must(t, lease.Release(ctx))
	position, err := s.Position(ctx, "orders")
	must(t, err)
	if position.Commit != "c1" || string(position.Position) != `{"xmin":7}` || position.Fence != lease.Fence() {
		t.Errorf("position: %+v", position)
	}
	summary, err := s.Summary(ctx, "orders")
	must(t, err)
	if summary.Rows != 12 || summary.State != tracking.RunSucceeded {
		t.Errorf("summary: %+v", summary)
	}
	runs, err := s.Runs(ctx, "orders", 10)
	must(t, err)
	if len(runs) != 1 || runs[0].Seen != 12 || runs[0].Fence != lease.Fence() {
		t.Errorf("history: %+v", runs)
	}
}

func TestHistoryIsNotOverwrittenFromOutside(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	lease, err := s.Acquire(ctx, "orders", "run-1", tracking.MinLease)
	must(t, err)
	must(t, lease.Record(ctx, tracking.Record{Run: tracking.Run{RunID: "run-1", State: tracking.RunSucceeded}}))
	must(t, lease.Release(ctx))
	must(t, s.RecordOutside(ctx, tracking.Run{Table: "orders", RunID: "run-1", State: tracking.RunDied}))
	must(t, s.RecordOutside(ctx, tracking.Run{Table: "orders", RunID: "run-2", State: tracking.RunFailed, Error: "no lease"}))
	runs, err := s.Runs(ctx, "orders", 10)
	must(t, err)
	if len(runs) != 2 || runs[0].RunID != "run-2" || runs[1].State != tracking.RunSucceeded {
		t.Errorf("history: %+v", runs)
	}
}
