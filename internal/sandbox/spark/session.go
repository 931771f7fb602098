// Package spark runs one Spark session over an S3 server, with Iceberg over a Glue catalogue, or with Hudi: an engine that
// is not Lakeland's, which reads tables and changes them. Iceberg's catalogue is called lake, so a table is
// lake.database.table; tables of Hudi are known by their folders.
package spark

import (
	"bufio"
	"context"
	_ "embed" // of session.py
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

//go:embed session.py
var program string

const (
	readyLimit = 2 * time.Minute
	stopGrace  = 20 * time.Second
	// Memory is the heap that the session's Java may take.
	Memory = "1g"
)

// Options configure a Session.
type Options struct {
	Installation toolchain.Spark
	// Glue and S3 are the addresses of the services.
	Glue, S3 string
	Region   string
	// AccessKey and SecretKey are for both.
	AccessKey, SecretKey string
}

// Session is a running Spark session. It takes one statement at a time; callers wait for each other.
type Session struct {
	child   *process.Process
	scratch *process.Scratch
	input   *os.File
	answers *bufio.Reader

	mu     sync.Mutex // held during a statement
	broken error

	stop    sync.Once
	stopped error
}

// Start starts a session and waits until it takes statements.
func Start(ctx context.Context, options Options) (*Session, error) {
	scratch, err := process.NewScratch("spark")
	if err != nil {
		return nil, err
	}
	s := &Session{scratch: scratch}
	if err := s.launch(options); err != nil {
		return nil, errors.Join(fmt.Errorf("starting Spark: %w", err), s.Stop())
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if _, err := s.answer(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting Spark: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Session) launch(options Options) error {
	settings, err := json.Marshal(s.settings(options))
	if err != nil {
		return err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	out, in := io.Pipe()
	s.input, s.answers = writer, bufio.NewReaderSize(out, 1<<20)
	s.child, err = process.Start(process.Command{
		Name: "Spark", Path: options.Installation.Python, Args: []string{"-I", "-c", program, string(settings)}, Dir: s.scratch.Path(),
		Env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + s.scratch.Path(), "TMPDIR=" + s.scratch.Path(), "JAVA_HOME=" + options.Installation.JavaHome,
			"LC_ALL=C.UTF-8", "SPARK_LOCAL_IP=127.0.0.1", "SPARK_LOCAL_HOSTNAME=localhost", "PYTHONDONTWRITEBYTECODE=1", "PYSPARK_PYTHON=" + options.Installation.Python,
			"AWS_ACCESS_KEY_ID=" + options.AccessKey, "AWS_SECRET_ACCESS_KEY=" + options.SecretKey, "AWS_REGION=" + options.Region,
			"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		},
		Input: reader, Answers: in,
	})
	if err != nil {
		return errors.Join(err, reader.Close())
	}
	go func() {
		<-s.child.Done()
		_ = in.CloseWithError(errors.Join(io.EOF, s.child.Err()))
	}()
	return reader.Close()
}

// Execute runs a statement to its end.
func (s *Session) Execute(ctx context.Context, statement string) error {
	_, err := s.ask(ctx, statement, map[string]any{"sql": statement, "rows": false})
	return err
}

// Query runs a query and returns what it finds in the plain form.
func (s *Session) Query(ctx context.Context, query string) (*readback.Table, error) {
	return s.ask(ctx, query, map[string]any{"sql": query, "rows": true})
}

// Read reads a table, named database.table.
func (s *Session) Read(ctx context.Context, table string) (*readback.Table, error) {
	return s.Query(ctx, "SELECT * FROM lake."+table)
}

// Write is where the rows of a query go: a folder that some format's writer knows, with that writer's options.
type Write struct {
	Format  string            `json:"format"`
	Mode    string            `json:"mode"`
	Path    string            `json:"path"`
	Options map[string]string `json:"options"`
}

// Write writes what a query finds.
func (s *Session) Write(ctx context.Context, query string, to Write) error {
	_, err := s.ask(ctx, query, map[string]any{"sql": query, "rows": false, "write": to})
	return err
}

func (s *Session) ask(ctx context.Context, statement string, what map[string]any) (*readback.Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	request, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	if _, err := s.input.Write(append(request, '\n')); err != nil {
		return nil, errors.Join(fmt.Errorf("asking Spark: %w", err), s.child.Err())
	}
	table, err := s.answer(ctx)
	if err != nil {
		return nil, fmt.Errorf("Spark, %.200s: %w", statement, err) //nolint:staticcheck // a name
	}
	return table, nil
}

// answer waits for the session's next answer. Without one the session is of no use any more and is ended.
func (s *Session) answer(ctx context.Context) (*readback.Table, error) {
	type reply struct {
		readback.Table
		Error string `json:"error"`
	}
	replies := make(chan reply, 1)
	failed := make(chan error, 1)
	go func() {
		line, err := s.answers.ReadBytes('\n')
		var r reply
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err != nil {
			failed <- err
			return
		}
		replies <- r
	}()
	select {
	case r := <-replies:
		if r.Error != "" {
			return nil, errors.New(strings.TrimSpace(r.Error))
		}
		return &r.Table, nil
	case err := <-failed:
		s.broken = fmt.Errorf("its session is gone: %w", err)
	case <-ctx.Done():
		s.broken = fmt.Errorf("its session was ended: %w", context.Cause(ctx))
	}
	return nil, errors.Join(s.broken, s.child.Kill())
}

// Stop ends the session and removes its files. It may be called more than once.
func (s *Session) Stop() error {
	s.stop.Do(func() {
		var errs []error
		if s.child != nil {
			errs = append(errs, s.input.Close()) // its program ends with its input
			timer := time.NewTimer(stopGrace)
			defer timer.Stop()
			select {
			case <-s.child.Done():
			case <-timer.C:
				errs = append(errs, errors.New("Spark did not end with its input and was killed"), s.child.Kill()) //nolint:staticcheck // a name
			}
		}
		s.stopped = errors.Join(append(errs, s.scratch.Close())...)
	})
	return s.stopped
}
