package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/moto"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/versitygw"
)

// Region is the AWS Region that the sandbox plays.
const Region = "eu-west-1"

// Account is the AWS account that the sandbox plays.
const Account = moto.Account

// Options configure a Sandbox.
type Options struct {
	// Parts are started at once; nil means all. The others start when they are first needed.
	Parts []Part
	// Progress is told what is fetched and built; nil means standard error.
	Progress io.Writer
	// Glue changes the options of the sandbox's Glue, for example its clock; nil leaves them.
	Glue func(*glue.Options)
	// Versioning lets S3 buckets turn versioning on.
	Versioning bool
}

// Sandbox is a set of running parts. Its methods may be called from several goroutines.
type Sandbox struct {
	options Options
	tools   *toolchain.Toolchain

	mu       sync.Mutex // of what follows, not held while a part starts
	closed   bool
	starting [partCount]*start
	postgres *postgres.Server
	s3       *versitygw.Server
	moto     *moto.Server
	glue     *glueServer
	others   map[string]*otherServer
}

// start is the one start of a part.
type start struct {
	done chan struct{}
	err  error
}

var errClosed = errors.New("the sandbox is closed")

// Start starts a sandbox with the parts asked for, all at the same time. Close takes it down.
func Start(ctx context.Context, options Options) (*Sandbox, error) {
	tools, err := toolchain.New(toolchain.Options{Progress: options.Progress})
	if err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	parts := options.Parts
	if parts == nil {
		parts = Parts()
	}
	sb := &Sandbox{options: options, tools: tools}
	if err := sb.Need(ctx, parts...); err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	return sb, nil
}

// Toolchain is where the sandbox's programs come from.
func (sb *Sandbox) Toolchain() *toolchain.Toolchain { return sb.tools }

// Need starts the parts that do not run yet, and waits until all of them do.
func (sb *Sandbox) Need(ctx context.Context, parts ...Part) error {
	errs := make([]error, len(parts))
	var group sync.WaitGroup
	for i, part := range parts {
		group.Go(func() { errs[i] = sb.need(ctx, part) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// need starts a part once. Who comes second waits for the first; a start that failed may be tried again.
func (sb *Sandbox) need(ctx context.Context, part Part) error {
	if part < 0 || part >= partCount {
		return fmt.Errorf("the sandbox has no %v", part)
	}
	sb.mu.Lock()
	if sb.closed {
		sb.mu.Unlock()
		return errClosed
	}
	if running := sb.starting[part]; running != nil {
		sb.mu.Unlock()
		select {
		case <-running.done:
			return running.err
		case <-ctx.Done():
			return fmt.Errorf("waiting for the sandbox's %v: %w", part, ctx.Err())
		}
	}
	mine := &start{done: make(chan struct{})}
	sb.starting[part] = mine
	sb.mu.Unlock()

	if err := sb.start(ctx, part); err != nil {
		mine.err = fmt.Errorf("starting the sandbox's %v: %w", part, err)
		sb.mu.Lock()
		sb.starting[part] = nil
		sb.mu.Unlock()
	}
	close(mine.done)
	return mine.err
}

func (sb *Sandbox) start(ctx context.Context, part Part) error {
	switch part {
	case Postgres:
		return sb.startPostgres(ctx)
	case S3:
		return sb.startS3(ctx)
	case Moto:
		return sb.startMoto(ctx)
	case Glue:
		return sb.startGlue(ctx)
	default:
		return fmt.Errorf("the sandbox cannot start %v", part)
	}
}

func (sb *Sandbox) startPostgres(ctx context.Context) error {
	installation, err := sb.PostgresInstallation(ctx)
	if err != nil {
		return err
	}
	server, err := postgres.Start(ctx, postgres.Options{Installation: installation})
	if err != nil {
		return err
	}
	return sb.keep(server.Stop, func() { sb.postgres = server })
}

func (sb *Sandbox) startS3(ctx context.Context) error {
	program, err := sb.tools.Versitygw(ctx)
	if err != nil {
		return err
	}
	server, err := versitygw.Start(ctx, versitygw.Options{Program: program, Region: Region, Versioning: sb.options.Versioning})
	if err != nil {
		return err
	}
	return sb.keep(server.Stop, func() { sb.s3 = server })
}

func (sb *Sandbox) startMoto(ctx context.Context) error {
	python, err := sb.tools.Python(ctx)
	if err != nil {
		return err
	}
	server, err := moto.Start(ctx, moto.Options{Python: python, Region: Region})
	if err != nil {
		return err
	}
	return sb.keep(server.Stop, func() { sb.moto = server })
}

// keep makes a part that has started the sandbox's, unless that was closed meanwhile.
func (sb *Sandbox) keep(stop func() error, assign func()) error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.closed {
		return errors.Join(errClosed, stop())
	}
	assign()
	return nil
}

// Postgres is the PostgreSQL server, nil until that part was started.
func (sb *Sandbox) Postgres() *postgres.Server {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.postgres
}

// S3 is the S3 server, nil until that part was started.
func (sb *Sandbox) S3() *versitygw.Server {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.s3
}

// Moto is the server of most AWS services, nil until that part was started.
func (sb *Sandbox) Moto() *moto.Server {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.moto
}

// Python is the interpreter of the sandbox's Python environment, which has boto3, DuckDB and PyIceberg. The environment is
// installed where it is missing.
func (sb *Sandbox) Python(ctx context.Context) (string, error) { return sb.tools.Python(ctx) }

// Close stops all parts and removes their files. It may be called more than once.
func (sb *Sandbox) Close() error {
	sb.mu.Lock()
	sb.closed = true
	first, others := sb.glue, []func() error{}
	if sb.moto != nil {
		others = append(others, sb.moto.Stop)
	}
	if sb.s3 != nil {
		others = append(others, sb.s3.Stop)
	}
	if sb.postgres != nil {
		others = append(others, sb.postgres.Stop)
	}
	for _, other := range sb.others {
		if other.server != nil {
			others = append(others, other.server.Stop)
		}
	}
	sb.glue, sb.moto, sb.s3, sb.postgres, sb.others = nil, nil, nil, nil, nil
	sb.mu.Unlock()

	errs := make([]error, len(others)+1)
	if first != nil {
		errs[len(others)] = first.stop() // its jobs use the others
	}
	var group sync.WaitGroup
	for i, stop := range others {
		group.Go(func() { errs[i] = stop() })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the sandbox: %w", err)
	}
	return nil
}
