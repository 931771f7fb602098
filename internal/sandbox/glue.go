package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// glueServer is a Glue server with the directory of its runs.
type glueServer struct {
	*glue.Server
	scratch *process.Scratch
}

func (g *glueServer) stop() error {
	return errors.Join(g.Close(), g.scratch.Close())
}

func (sb *Sandbox) startGlue(ctx context.Context) error {
	server, err := sb.newGlue(ctx, sb.options.Glue)
	if err != nil {
		return err
	}
	return sb.keep(server.stop, func() { sb.glue = server })
}

// newGlue starts a Glue whose jobs are read from the sandbox's S3, run with its Python, and see its AWS.
func (sb *Sandbox) newGlue(ctx context.Context, adjust func(*glue.Options)) (*glueServer, error) {
	if err := sb.Need(ctx, S3, Moto); err != nil {
		return nil, err
	}
	python, err := sb.tools.Python(ctx)
	if err != nil {
		return nil, err
	}
	scratch, err := process.NewScratch("glue")
	if err != nil {
		return nil, err
	}
	endpoints := sb.Endpoints()
	options := glue.Options{
		Objects: objects{s3.NewFromConfig(sb.AWSConfig())},
		Account: newAccounts(sb).of,
		Python:  python,
		WorkDir: scratch.Path(),
		// What a job gets from its role and its machine on AWS. Runs begin after the server's address is known.
		Environment: func(string) []string { return sb.EnvFor(endpoints) },
	}
	if adjust != nil {
		adjust(&options)
	}
	server, err := glue.New(options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting Glue: %w", err), scratch.Close())
	}
	endpoints.Glue = server.URL()
	return &glueServer{Server: server, scratch: scratch}, nil
}

// Glue is the sandbox's Glue, nil until that part was started.
func (sb *Sandbox) Glue() *glue.Server {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.glue == nil {
		return nil
	}
	return sb.glue.Server
}

// NewGlue starts a Glue of the test's own, for example with a clock that the test moves, and closes it when the
// test ends. It shares S3 and Moto with the rest of the sandbox. With its address in
// Endpoints, AWSConfigFor and EnvFor lead to it.
func (sb *Sandbox) NewGlue(tb testing.TB, adjust func(*glue.Options)) *glue.Server {
	tb.Helper()
	server, err := sb.newGlue(tb.Context(), adjust)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.stop(); err != nil {
			tb.Error(err)
		}
	})
	return server.Server
}

// objects reads job scripts from S3.
type objects struct{ client *s3.Client }

// Open returns the content of an object.
func (o objects) Open(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	object, err := o.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", bucket, key, err)
	}
	return object.Body, nil
}
