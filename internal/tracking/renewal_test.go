package tracking_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// renewals is a DynamoDB that grants a lease and then answers each of its renewals as renew says.
type renewals struct {
	tracking.API
	clock   *tracking.Clock
	granted bool
	renew   func() error
}

func (r *renewals) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	r.clock.Observe(time.Now())
	if !r.granted {
		r.granted = true
		return &dynamodb.UpdateItemOutput{}, nil
	}
	return &dynamodb.UpdateItemOutput{}, r.renew()
}

// leaseUnder takes a lease of a minute whose renewals are answered as renew says, and returns its context.
func leaseUnder(t *testing.T, renew func() error) context.Context {
	t.Helper()
	clock := &tracking.Clock{}
	clock.Observe(time.Now())
	s := tracking.New(&renewals{clock: clock, renew: renew}, "shop", clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
	lease, err := s.Acquire(t.Context(), "orders", "run-1", time.Minute)
	must(t, err)
	return lease.Context()
}

// A lease outlives renewals that fail for a while, and is given up when they have failed for its whole length:
// not later, since another run may have it then.
func TestLeaseWhoseRenewalsFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx := leaseUnder(t, func() error {
			if passed := time.Since(began); passed < time.Minute-time.Second || passed > 2*time.Minute {
				return &types.ProvisionedThroughputExceededException{Message: aws.String("slower")}
			}
			return nil
		})
		time.Sleep(2*time.Minute + time.Second)
		if ctx.Err() != nil {
			t.Fatalf("given up after %s: %v", time.Since(began), context.Cause(ctx))
		}
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, tracking.ErrLeaseLost) || time.Since(began) > 3*time.Minute {
			t.Errorf("given up after %s: %v", time.Since(began), cause)
		}
	})
}

// A holder learns at its next renewal that another run has taken the table over.
func TestLeaseThatAnotherRunTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx := leaseUnder(t, func() error { return &types.ConditionalCheckFailedException{} })
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, tracking.ErrLeaseLost) || time.Since(began) != 20*time.Second {
			t.Errorf("after %s: %v", time.Since(began), cause)
		}
	})
}
