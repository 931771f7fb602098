package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

const (
	// xidsPerSegment is how many transactions a file of pg_xact tells of, in segmentBytes (src/backend/access/transam/clog.c).
	xidsPerSegment = 1 << 20
	segmentBytes   = 256 << 10
)

// SetNextXID shuts the server down, has its next transaction be the one given, and starts it again. Transactions that it
// skips count as aborted. It takes an installation with pg_resetwal; the archives of Maven have none.
func (s *Server) SetNextXID(ctx context.Context, xid uint32) error {
	err := s.whileDown(ctx, func() error {
		segment := filepath.Join(s.layout.data(), "pg_xact", fmt.Sprintf("%04X", xid/xidsPerSegment))
		if _, err := os.Stat(segment); errors.Is(err, fs.ErrNotExist) {
			if err := writePrivate(segment, make([]byte, segmentBytes), s.credential); err != nil {
				return err
			}
		}
		return process.Run(ctx, process.Command{
			Name: "pg_resetwal", Path: filepath.Join(s.installation, "bin", "pg_resetwal"),
			Args: []string{"-x", strconv.FormatUint(uint64(xid), 10), s.layout.data()},
			Dir:  s.layout.directory, Env: serverEnvironment, Credential: s.credential,
		})
	})
	if err != nil {
		return fmt.Errorf("setting the next transaction of PostgreSQL to %d: %w", xid, err)
	}
	return nil
}
