package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// GlueAPI is what is used of the Glue client.
type GlueAPI interface {
	GetDatabase(context.Context, *glue.GetDatabaseInput, ...func(*glue.Options)) (*glue.GetDatabaseOutput, error)
	GetTable(context.Context, *glue.GetTableInput, ...func(*glue.Options)) (*glue.GetTableOutput, error)
	CreateTable(context.Context, *glue.CreateTableInput, ...func(*glue.Options)) (*glue.CreateTableOutput, error)
	UpdateTable(context.Context, *glue.UpdateTableInput, ...func(*glue.Options)) (*glue.UpdateTableOutput, error)
	GetPartition(context.Context, *glue.GetPartitionInput, ...func(*glue.Options)) (*glue.GetPartitionOutput, error)
	GetPartitions(context.Context, *glue.GetPartitionsInput, ...func(*glue.Options)) (*glue.GetPartitionsOutput, error)
	CreatePartition(context.Context, *glue.CreatePartitionInput, ...func(*glue.Options)) (*glue.CreatePartitionOutput, error)
}

// Glue is the account's catalogue in one Region.
type Glue struct {
	api GlueAPI
	// unknown reports whether a failed call may have taken effect.
	unknown func(error) bool
	// throttled reports whether a failed call asks to be repeated later.
	throttled func(error) bool
}

// NewGlue uses a client. unknown tells which errors leave the outcome of a call open, throttled which ones ask to
// be called less often; awsclient has the functions.
func NewGlue(api GlueAPI, unknown, throttled func(error) bool) *Glue {
	return &Glue{api: api, unknown: unknown, throttled: throttled}
}

func once(o *glue.Options) { o.Retryer = aws.NopRetryer{} }

// Database implements Catalog.
func (g *Glue) Database(ctx context.Context, name string) error {
	_, err := g.api.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String(name)})
	return g.wrap(fmt.Sprintf("reading the Glue database %q", name), err)
}

// Get implements Catalog.
func (g *Glue) Get(ctx context.Context, database, name string) (*Table, error) {
	out, err := g.api.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(database), Name: aws.String(name)})
	if err != nil {
		return nil, g.wrap(fmt.Sprintf("reading the Glue table %s.%s", database, name), err)
	}
	t := &Table{
		Database: database, Name: name, Description: aws.ToString(out.Table.Description), Type: aws.ToString(out.Table.TableType),
		Parameters: out.Table.Parameters, PartitionKeys: fromGlue(out.Table.PartitionKeys), Version: aws.ToString(out.Table.VersionId),
	}
	if sd := out.Table.StorageDescriptor; sd != nil {
		t.Location, t.Columns = aws.ToString(sd.Location), fromGlue(sd.Columns)
		t.InputFormat, t.OutputFormat = aws.ToString(sd.InputFormat), aws.ToString(sd.OutputFormat)
		if sd.SerdeInfo != nil {
			t.SerDe, t.SerDeParameters = aws.ToString(sd.SerdeInfo.SerializationLibrary), sd.SerdeInfo.Parameters
		}
	}
	return t, nil
}

// Create implements Catalog.
func (g *Glue) Create(ctx context.Context, t *Table) error {
	_, err := g.api.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(t.Database), TableInput: t.input()}, once)
	return g.wrap(fmt.Sprintf("creating the Glue table %s.%s", t.Database, t.Name), err)
}

// Update implements Catalog. Glue replaces the whole entry; what is not in t is gone.
func (g *Glue) Update(ctx context.Context, t *Table) error {
	_, err := g.api.UpdateTable(ctx, &glue.UpdateTableInput{
		DatabaseName: aws.String(t.Database), TableInput: t.input(), VersionId: aws.String(t.Version), SkipArchive: aws.Bool(true),
	}, once)
	return g.wrap(fmt.Sprintf("updating the Glue table %s.%s", t.Database, t.Name), err)
}

func (t *Table) input() *types.TableInput {
	in := &types.TableInput{
		Name: aws.String(t.Name), TableType: aws.String(t.Type), Parameters: t.Parameters, PartitionKeys: toGlue(t.PartitionKeys),
		StorageDescriptor: descriptor(t.Location, t.Columns, t.InputFormat, t.OutputFormat, t.SerDe, t.SerDeParameters),
	}
	if t.Description != "" {
		in.Description = aws.String(t.Description)
	}
	return in
}

func toGlue(columns []Column) []types.Column {
	out := make([]types.Column, len(columns))
	for i, c := range columns {
		out[i] = types.Column{Name: aws.String(c.Name), Type: aws.String(c.Type), Parameters: c.Parameters}
		if c.Comment != "" {
			out[i].Comment = aws.String(c.Comment)
		}
	}
	return out
}

func fromGlue(columns []types.Column) []Column {
	out := make([]Column, len(columns))
	for i, c := range columns {
		out[i] = Column{Name: aws.ToString(c.Name), Type: aws.ToString(c.Type), Comment: aws.ToString(c.Comment), Parameters: c.Parameters}
	}
	return out
}

func (g *Glue) wrap(what string, err error) error {
	var (
		missing  *types.EntityNotFoundException
		exists   *types.AlreadyExistsException
		conflict *types.ConcurrentModificationException
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case errors.As(err, &exists):
		return fmt.Errorf("%s: %w", what, ErrExists)
	case errors.As(err, &conflict):
		return fmt.Errorf("%s: %w", what, ErrConflict)
	case g.throttled(err):
		return fmt.Errorf("%s: %w: %w", what, ErrThrottled, err)
	case g.unknown(err):
		return fmt.Errorf("%s: %w: %w", what, ErrUnknown, err)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}
