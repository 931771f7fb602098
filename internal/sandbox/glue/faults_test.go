package glue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"
)

// impatient makes the SDK retry without waiting.
func impatient(attempts int) func(*awsglue.Options) {
	return func(o *awsglue.Options) {
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = attempts
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
}

// TestLostResponse: the effect is there, the caller knows nothing.
func TestLostResponse(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	client := withDatabase(t, s)
	createTable(t, client, icebergInput("orders", "m0"))
	s.Inject(Fault{Operation: "UpdateTable", Kind: LostResponse})
	commit := &awsglue.UpdateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("orders", "m1"), VersionId: aws.String("0")}
	_, err := client.UpdateTable(t.Context(), commit)
	var api smithy.APIError
	if err == nil || errors.As(err, &api) {
		t.Fatalf("want a broken connection, not %v", err)
	}
	diff(t, "effect", "m1", getTable(t, client, "orders").Parameters["metadata_location"])

	// A retry of the SDK collides with its own first try.
	s.Inject(Fault{Operation: "UpdateTable", Kind: LostResponse})
	commit.VersionId = aws.String("1")
	_, err = clientOf(s, impatient(3)).UpdateTable(t.Context(), commit)
	wantCode(t, err, codeConcurrentModification, "")
	diff(t, "version", "2", *getTable(t, client, "orders").VersionId)

	// What was refused is lost too.
	s.Inject(Fault{Operation: "GetTable", Kind: LostResponse})
	if _, err := client.GetTable(t.Context(), &awsglue.GetTableInput{DatabaseName: aws.String("raw"), Name: aws.String("none")}); err == nil || errors.As(err, &api) {
		t.Errorf("want a broken connection, not %v", err)
	}
	last := s.Calls()[len(s.Calls())-1]
	diff(t, "record", []any{"GetTable", 0, codeEntityNotFound, LostResponse}, []any{last.Operation, last.Status, last.Code, last.Fault})
}

// TestFaultsWithoutEffect: the answers, by value, and that nothing happened.
func TestFaultsWithoutEffect(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	client := withDatabase(t, s)
	for kind, fault := range map[string]struct {
		Fault
		code, text string
		status     int
	}{
		"throttle": {Fault{Kind: Throttle}, codeThrottling, "Rate exceeded", 400},
		"conflict": {Fault{Kind: Conflict}, codeConcurrentModification, "concurrent modification", 400},
		"internal": {Fault{Kind: InternalError}, codeInternalService, "internal service error", 500},
		"error":    {Fault{Kind: Error, Code: "ExpiredTokenException", Status: 403, Message: "too old"}, "ExpiredTokenException", "too old", 403},
		"bad":      {Fault{Kind: Error, Code: "OperationTimeoutException"}, "OperationTimeoutException", "", 400},
	} {
		fault.Operation = "CreateTable"
		s.Inject(fault.Fault)
		_, err := client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("orders", "m")})
		if errorCode(err) != fault.code {
			t.Errorf("%s: %v", kind, err)
		}
		last := s.Calls()[len(s.Calls())-1]
		diff(t, kind, []any{fault.status, fault.code, fault.Kind}, []any{last.Status, last.Code, last.Fault})
		_, err = client.GetTable(t.Context(), &awsglue.GetTableInput{DatabaseName: aws.String("raw"), Name: aws.String("orders")})
		wantCode(t, err, codeEntityNotFound, "")
	}
	// With the SDK's retries, throttling and internal errors pass unnoticed.
	s.Inject(Fault{Operation: "CreateTable", Kind: Throttle, Count: 2})
	s.Inject(Fault{Operation: "CreateTable", Kind: InternalError})
	_, err := clientOf(s, impatient(4)).CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String("raw"), TableInput: icebergInput("orders", "m")})
	wantCode(t, err, "", "")
	diff(t, "created", "0", *getTable(t, client, "orders").VersionId)
}

// TestFaultCounting: which calls a fault meets.
func TestFaultCounting(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults []Fault
		want   string // by call: t throttled, c conflict, . undisturbed
	}{
		"once":         {[]Fault{{Operation: "GetJobs", Kind: Throttle}}, "t....."},
		"twice":        {[]Fault{{Operation: "GetJobs", Kind: Throttle, Count: 2}}, "tt...."},
		"third":        {[]Fault{{Operation: "GetJobs", Kind: Throttle, Skip: 2}}, "..t..."},
		"from third":   {[]Fault{{Operation: "GetJobs", Kind: Throttle, Skip: 2, Count: Always}}, "..tttt"},
		"any":          {[]Fault{{Operation: "*", Kind: Throttle}}, "t....."},
		"another":      {[]Fault{{Operation: "GetJob", Kind: Throttle, Count: Always}}, "......"},
		"in turn":      {[]Fault{{Operation: "GetJobs", Kind: Throttle}, {Operation: "*", Kind: Conflict, Count: 2}}, "tcc..."},
		"side by side": {[]Fault{{Operation: "GetJobs", Kind: Throttle, Skip: 1}, {Operation: "GetJobs", Kind: Conflict}}, "ct...."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, Options{})
			for _, f := range test.faults {
				s.Inject(f)
			}
			client, got := clientOf(s), ""
			for range test.want {
				_, err := client.GetJobs(t.Context(), &awsglue.GetJobsInput{})
				got += map[string]string{"": ".", codeThrottling: "t", codeConcurrentModification: "c"}[errorCode(err)]
			}
			diff(t, "calls", test.want, got)
			s.ClearFaults()
			_, err := client.GetJobs(t.Context(), &awsglue.GetJobsInput{})
			wantCode(t, err, "", "")
		})
	}
}

// TestDelay: a delayed call takes effect, unless its caller or the server goes away first.
func TestDelay(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 10)
	s := startServer(t, Options{Account: func(string) string {
		arrived <- struct{}{}
		return DefaultAccount
	}})
	client := clientOf(s)
	s.Inject(Fault{Operation: "CreateDatabase", Kind: Delay, Delay: 20 * time.Millisecond})
	create := func(ctx context.Context, name string) error {
		return second(client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name}}))
	}
	before := time.Now()
	wantCode(t, create(t.Context(), "slow"), "", "")
	if took := time.Since(before); took < 20*time.Millisecond {
		t.Errorf("took %v", took)
	}
	s.Inject(Fault{Operation: "CreateDatabase", Kind: Delay, Delay: time.Hour, Count: Always})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := create(ctx, "given-up"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want a deadline, not %v", err)
	}
	done := make(chan error)
	go func() { done <- create(context.WithoutCancel(t.Context()), "closed") }()
	for range 3 { // the two calls before, and this one
		<-arrived
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("a call survived Close")
	}
}

// TestCalls: the record of calls, and its bound.
func TestCalls(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	s := startServer(t, Options{Clock: clock, CallHistory: 3})
	client := clientOf(s)
	_, err := client.GetJob(t.Context(), &awsglue.GetJobInput{JobName: aws.String("none")})
	wantCode(t, err, codeEntityNotFound, "")
	clock.Advance(time.Hour)
	post(t, s, "GetJobs", `{`, func(r *http.Request) { r.Header.Del("Authorization") })
	diff(t, "calls", []Call{
		{Operation: "GetJob", Time: epoch, Account: DefaultAccount, Region: testRegion, Request: []byte(`{"JobName":"none"}`), Status: 400, Code: codeEntityNotFound},
		{Operation: "GetJobs", Time: epoch.Add(time.Hour), Request: []byte(`{`), Status: 403, Code: codeMissingToken},
	}, s.Calls())
	for i := range 20 {
		_, err := client.ListJobs(t.Context(), &awsglue.ListJobsInput{MaxResults: aws.Int32(int32(i + 1))})
		wantCode(t, err, "", "")
	}
	var got []string
	for _, c := range s.Calls() {
		var body struct{ MaxResults int }
		if err := json.Unmarshal(c.Request, &body); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(c.Operation, body.MaxResults, c.Status, c.Code))
	}
	diff(t, "the latest", []string{"ListJobs18 200", "ListJobs19 200", "ListJobs20 200"}, got)
	for kind, want := range map[FaultKind]string{LostResponse: "lost response", Throttle: "throttle", Conflict: "conflict",
		InternalError: "internal error", Error: "error", Delay: "delay", 0: ""} {
		diff(t, "kind", want, kind.String())
	}
}
