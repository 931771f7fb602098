// Package moto runs a throw-away moto server, which stands in for the AWS services other than S3 and Glue.
// Its state is in its memory and gone with it.
package moto

import (
	"context"
	_ "embed" // of serve.py
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// serve is the server's program.
//
//go:embed serve.py
var serve string

// Account is the account that moto's callers are in unless they assumed a role of another.
const Account = "123456789012"

const (
	readyLimit = 90 * time.Second
	stopGrace  = 30 * time.Second
)

// Options configure a Server.
type Options struct {
	// Python is an interpreter that has moto.
	Python string
	// Region is the default region; empty leaves the choice to moto.
	Region string

	// prelude is Python that runs first, in tests.
	prelude string
}

// Server is a running moto server.
type Server struct {
	endpoint string
	child    *process.Process
	stop     sync.Once
	stopped  error
}

// announcement is how the server says which port it was given.
var announcement = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)\s`)

// Start starts a server on a port that the system chooses.
func Start(ctx context.Context, options Options) (*Server, error) {
	variables := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/nonexistent",
		"NO_COLOR=1",
		// Roles attach policies that AWS manages; without this moto does not know them.
		"MOTO_IAM_LOAD_MANAGED_POLICIES=true",
	}
	if options.Region != "" {
		variables = append(variables, "AWS_DEFAULT_REGION="+options.Region)
	}
	child, err := process.Start(process.Command{
		Name: "moto",
		Path: options.Python,
		Args: []string{"-I", "-c", options.prelude + serve, "-H", "127.0.0.1", "-p", "0"},
		Env:  variables,
		// It keeps nothing, and on its own takes its time to forget what it has.
		StopSignal: syscall.SIGKILL,
	})
	if err != nil {
		return nil, err
	}
	s := &Server{child: child}
	if err := child.Ready(ctx, readyLimit, s.probe); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// probe waits for the announcement of the port and then for an answer.
func (s *Server) probe(ctx context.Context) error {
	found := announcement.FindStringSubmatch(s.child.Tail())
	if found == nil {
		return errors.New("it has not said which port it listens on")
	}
	s.endpoint = found[1]
	return s.request(ctx, http.MethodGet, "/moto-api/")
}

// Reset forgets everything that all services hold.
func (s *Server) Reset(ctx context.Context) error {
	if err := s.request(ctx, http.MethodPost, "/moto-api/reset"); err != nil {
		return fmt.Errorf("resetting moto: %w", err)
	}
	return nil
}

func (s *Server) request(ctx context.Context, method, path string) (err error) {
	request, err := http.NewRequestWithContext(ctx, method, s.endpoint+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, response.Status)
	}
	return nil
}

// Endpoint is the server's address, the same for all services.
func (s *Server) Endpoint() string { return s.endpoint }

// Stop ends the server. It may be called more than once.
func (s *Server) Stop() error {
	s.stop.Do(func() { s.stopped = s.child.Stop(stopGrace) })
	return s.stopped
}
