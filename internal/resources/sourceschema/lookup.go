package sourceschema

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

const (
	// connectTimeout bounds the opening of a session: where Terraform cannot reach the database, a plan says so soon.
	connectTimeout = 10 * time.Second
	// readTimeout bounds the reading of the catalogues.
	readTimeout = 2 * time.Minute
)

// fromDatabase looks at the database of a connection: of the one that this process has planned, or else of the one that
// the tracking holds.
func (d *DataSource) fromDatabase(ctx context.Context, wanted *spec.SourceSchema, meant *spec.Selection) (*spec.Discovery, error) {
	c, err := d.connection(ctx, wanted)
	if err != nil {
		return nil, err
	}
	username, password, err := d.ReadLogin(ctx, c.SecretARN)
	if err != nil {
		return nil, at("connection_name", fmt.Errorf("%w\n\n%s", err, elsewhere(wanted)))
	}
	opening, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	snapshot, err := postgres.Begin(opening, c, postgres.Credentials{Username: username, Password: password})
	switch {
	case postgres.AuthenticationFailed(err):
		return nil, at("connection_name", err)
	case err != nil:
		return nil, at("connection_name", fmt.Errorf("%w\n\nRuns connect from the connection's network, Terraform from where it runs, which need not reach the database. %s", err, elsewhere(wanted)))
	}
	defer snapshot.Close(ctx)
	reading, cancelReading := context.WithTimeout(ctx, readTimeout)
	defer cancelReading()
	found, err := snapshot.Discover(reading, c, meant)
	if err != nil {
		return nil, at("connection_name", err)
	}
	return found, nil
}

// elsewhere says how to do without a way to the database.
func elsewhere(wanted *spec.SourceSchema) string {
	return fmt.Sprintf("Where Terraform cannot look at the database itself, run `lakeland-engine discover --tracking %s --connection %s --to s3://<artifacts location>/` on a machine that can, "+
		"and set document = \"s3://<artifacts location>/\" here.", wanted.Tracking, wanted.Connection)
}

func (d *DataSource) connection(ctx context.Context, wanted *spec.SourceSchema) (*spec.Connection, error) {
	c, planned := d.Planned.PlannedConnection(spec.CadenceID(wanted.Tracking, wanted.Connection))
	if planned && c == nil {
		return nil, refuse("connection_name", "parts of the connection %q are not known before it is applied: apply it first, or set document", wanted.Connection)
	}
	if !planned {
		var err error
		c, err = d.Tracking(wanted.Tracking).Connection(ctx, wanted.Connection)
		if errors.Is(err, tracking.ErrNotFound) {
			if layout := d.Tracking(wanted.Tracking).CheckLayout(ctx); errors.Is(layout, tracking.ErrNotFound) {
				return nil, refuse("tracking", "there is no tracking %q in this account and Region: refer to it by its resource's attribute, so that Terraform keeps the order", wanted.Tracking)
			}
			return nil, refuse("connection_name", "there is no connection %q in the tracking %q: refer to it by its resource's attribute, so that Terraform keeps the order", wanted.Connection, wanted.Tracking)
		}
		var invalid *spec.InvalidError
		if errors.As(err, &invalid) {
			return nil, refuse("connection_name", "%s: apply it again", invalid) // its paths are the connection's, not this data source's
		}
		if err != nil {
			return nil, at("connection_name", err)
		}
	}
	for _, p := range c.Unsupported() {
		return nil, refuse("connection_name", "its %s", p)
	}
	return c, nil
}

// fromDocument reads what the engine wrote.
func (d *DataSource) fromDocument(ctx context.Context, wanted *spec.SourceSchema) (*spec.Discovery, error) {
	object, err := spec.DiscoveryAt(wanted.Document, wanted.Tracking, wanted.Connection)
	if err != nil {
		return nil, refuse("document", "%s", err)
	}
	data, err := d.fetch(ctx, object)
	switch {
	case awsclient.NotFound(err):
		return nil, refuse("document", "there is nothing at %s: write it with `lakeland-engine discover --tracking %s --connection %s --to %s` on a machine that reaches the database", object, wanted.Tracking, wanted.Connection, object)
	case err != nil:
		return nil, at("document", fmt.Errorf("reading the document %s: %w", object, err))
	}
	found, err := spec.DecodeDiscovery(data)
	var newer *spec.NewerError
	switch {
	case errors.As(err, &newer):
		return nil, refuse("document", "%s was written by a newer engine (its version is %d, this release reads up to %d): use the provider of that release, or write it again with this one's engine", object, newer.Version, spec.Version)
	case err != nil:
		return nil, refuse("document", "%s is no discovery: %s: write it again with lakeland-engine discover", object, err)
	case found.Connection != "" && found.Connection != wanted.Connection:
		return nil, refuse("document", "%s is of the connection %q, and %q is wanted", object, found.Connection, wanted.Connection)
	}
	return found, nil
}

func (d *DataSource) fetch(ctx context.Context, object spec.DiscoveryObject) ([]byte, error) {
	out, err := d.Session.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(object.Bucket), Key: aws.String(object.Key)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Body.Close() }()
	return io.ReadAll(io.LimitReader(out.Body, spec.MaxDiscovery+1))
}

// at says which attribute an error is about.
func at(attribute string, err error) error {
	return &lifecycle.AtError{Path: spec.At(attribute), Err: err}
}

// refuse is an error at an attribute.
func refuse(attribute, format string, args ...any) error {
	return at(attribute, fmt.Errorf(format, args...))
}
