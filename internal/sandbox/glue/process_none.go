//go:build !unix

package glue

import (
	"context"
	"errors"
)

// runScript refuses: process groups and signals are Unix's.
func (s *Server) runScript(context.Context, *run, string) (int, error) {
	return 0, errors.New("the sandbox runs job scripts on Unix systems only")
}
