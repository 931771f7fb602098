package postgres_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// A session that reads ahead, because a write took long, swallows nothing of what is copied over it.
func TestTardyWritesSwallowNothing(t *testing.T) {
	t.Parallel()
	db := sandbox.ForTest(t, sandbox.Postgres).NewDatabase(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	data, err := postgres.CopyAfterTardyWrites(ctx, db.ConnString, `COPY (SELECT i, md5(i::text) FROM generate_series(1, 20000) i) TO STDOUT (FORMAT binary)`)
	if want := 19 + 20000*(2+4+4+4+32) + 2; err != nil || len(data) != want || !bytes.HasPrefix(data, []byte("PGCOPY")) {
		t.Errorf("%d bytes of %d, %v", len(data), want, err)
	}
}
