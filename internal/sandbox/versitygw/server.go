// Package versitygw runs a throw-away S3 server: versitygw over a directory of its own, on a loopback port,
// with a random pair of keys. It verifies signatures and checksums as AWS does.
package versitygw

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

const (
	host = "127.0.0.1"
	// DefaultRegion is the server's region when Options.Region is empty.
	DefaultRegion = "eu-west-1"

	readyLimit = 60 * time.Second
)

// Options configure a Server.
type Options struct {
	// Program is the path of versitygw.
	Program string
	// Region is the one that requests must be signed for; empty means DefaultRegion.
	Region string
	// Versioning lets buckets turn versioning on; without it they answer 501 to that.
	Versioning bool
}

// Server is a running S3 server.
type Server struct {
	options   Options
	accessKey string
	secretKey string
	health    string
	port      int
	scratch   *process.Scratch

	mu    sync.Mutex
	child *process.Process
}

// Start starts a server without buckets on a free port.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Region == "" {
		options.Region = DefaultRegion
	}
	scratch, err := process.NewScratch("s3")
	if err != nil {
		return nil, err
	}
	s := &Server{
		options:   options,
		accessKey: "AKIA" + rand.Text()[:16],
		secretKey: rand.Text() + rand.Text()[:14],
		// Nobody else answers this path: whoever does on our port is this server.
		health:  "/health-" + rand.Text(),
		scratch: scratch,
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the S3 server: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	for _, directory := range []string{s.objects(), s.metadata(), s.versions()} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			return err
		}
	}
	return process.OnFreePort(ctx, func(port int) error {
		s.port = port
		return s.launch(ctx)
	})
}

// The metadata of objects lies beside them, since not every file system has extended attributes.
func (s *Server) objects() string  { return filepath.Join(s.scratch.Path(), "objects") }
func (s *Server) metadata() string { return filepath.Join(s.scratch.Path(), "metadata") }
func (s *Server) versions() string { return filepath.Join(s.scratch.Path(), "versions") }

func (s *Server) launch(ctx context.Context) error {
	arguments := []string{
		"--port", net.JoinHostPort(host, strconv.Itoa(s.port)), "--region", s.options.Region,
		"--health", s.health, "--quiet", "--keep-alive", "posix", "--sidecar", s.metadata(),
	}
	if s.options.Versioning {
		arguments = append(arguments, "--versioning-dir", s.versions())
	}
	child, err := process.Start(process.Command{
		Name: "versitygw",
		Path: s.options.Program,
		Args: append(arguments, s.objects()),
		Dir:  s.scratch.Path(),
		Env:  []string{"ROOT_ACCESS_KEY_ID=" + s.accessKey, "ROOT_SECRET_ACCESS_KEY=" + s.secretKey, "HOME=" + s.scratch.Path()},
	})
	if err != nil {
		return err
	}
	if err := child.Ready(ctx, readyLimit, s.probe); err != nil {
		return errors.Join(err, child.Kill())
	}
	s.mu.Lock()
	s.child = child
	s.mu.Unlock()
	return nil
}

func (s *Server) probe(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint()+s.health, nil)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("its health is %s", response.Status)
	}
	return nil
}

// Stop ends the server and removes its objects. It may be called more than once.
func (s *Server) Stop() error {
	return errors.Join(s.Kill(), s.scratch.Close())
}

// Kill ends the server at once. Its objects stay: Restart serves them again, Stop removes them. There is no gentler
// end: asked to terminate, the server waits for connections that clients keep open, and what it has acknowledged
// is in files either way.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return nil
	}
	child := s.child
	s.child = nil
	return child.Kill()
}

// Restart starts the server again on the same port, keys and objects, after ending it where it runs.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("restarting the S3 server on port %d: %w", s.port, err)
	}
	return nil
}

// Endpoint is the server's address. Buckets are in the path.
func (s *Server) Endpoint() string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(s.port))
}

// Region is the server's region.
func (s *Server) Region() string { return s.options.Region }

// AccessKey is the access key id of the server's owner.
func (s *Server) AccessKey() string { return s.accessKey }

// SecretKey is the secret access key of the server's owner.
func (s *Server) SecretKey() string { return s.secretKey }
