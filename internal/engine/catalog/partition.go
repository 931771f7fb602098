package catalog

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// Partition is a partition of an entry: where the files with some values of the partition keys are, and what is in them.
type Partition struct {
	// Values are those of the entry's partition keys, in their order. They are the partition's identity.
	Values     []string
	Parameters map[string]string
	Location   string
	// Columns are those of the partition's own files; Partitions leaves them out.
	Columns                   []Column
	InputFormat, OutputFormat string
	SerDe                     string
	SerDeParameters           map[string]string
}

// AtLeast selects partitions by the value of a key whose type is of whole numbers.
type AtLeast struct {
	Key   string
	Value int64
}

// Partitioned is what a catalogue does with the partitions of its entries. CreatePartition goes out once, and its
// errors are the named ones, as Catalog's. An entry that is not there is ErrNotFound everywhere.
type Partitioned interface {
	// Partition reads a partition, or is ErrNotFound.
	Partition(ctx context.Context, database, table string, values []string) (*Partition, error)
	// Partitions yields an entry's partitions in no order, without their columns; all of them, or those that from selects. It
	// ends with the first error.
	Partitions(ctx context.Context, database, table string, from *AtLeast) iter.Seq2[*Partition, error]
	// CreatePartition makes a partition: ErrExists, ErrNotFound (the entry), ErrThrottled or ErrUnknown when it did not.
	CreatePartition(ctx context.Context, database, table string, p *Partition) error
}

// Partition implements Partitioned.
func (g *Glue) Partition(ctx context.Context, database, table string, values []string) (*Partition, error) {
	out, err := g.api.GetPartition(ctx, &glue.GetPartitionInput{DatabaseName: aws.String(database), TableName: aws.String(table), PartitionValues: values})
	if err != nil {
		return nil, g.wrap(partitionText("reading", database, table, values), err)
	}
	return partitionOf(out.Partition), nil
}

// Partitions implements Partitioned.
func (g *Glue) Partitions(ctx context.Context, database, table string, from *AtLeast) iter.Seq2[*Partition, error] {
	in := &glue.GetPartitionsInput{DatabaseName: aws.String(database), TableName: aws.String(table), ExcludeColumnSchema: aws.Bool(true)}
	if from != nil {
		in.Expression = aws.String(fmt.Sprintf("%s >= %d", from.Key, from.Value))
	}
	return func(yield func(*Partition, error) bool) {
		for pages := glue.NewGetPartitionsPaginator(g.api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, g.wrap(fmt.Sprintf("listing the partitions of the Glue table %s.%s", database, table), err))
				return
			}
			for i := range page.Partitions {
				if !yield(partitionOf(&page.Partitions[i]), nil) {
					return
				}
			}
		}
	}
}

// CreatePartition implements Partitioned.
func (g *Glue) CreatePartition(ctx context.Context, database, table string, p *Partition) error {
	_, err := g.api.CreatePartition(ctx, &glue.CreatePartitionInput{DatabaseName: aws.String(database), TableName: aws.String(table), PartitionInput: p.input()}, once)
	return g.wrap(partitionText("creating", database, table, p.Values), err)
}

func partitionText(verb, database, table string, values []string) string {
	return fmt.Sprintf("%s the partition %v of the Glue table %s.%s", verb, values, database, table)
}

func (p *Partition) input() *types.PartitionInput {
	return &types.PartitionInput{
		Values: p.Values, Parameters: p.Parameters,
		StorageDescriptor: descriptor(p.Location, p.Columns, p.InputFormat, p.OutputFormat, p.SerDe, p.SerDeParameters),
	}
}

func partitionOf(in *types.Partition) *Partition {
	p := &Partition{Values: in.Values, Parameters: in.Parameters}
	if sd := in.StorageDescriptor; sd != nil {
		p.Location, p.Columns = aws.ToString(sd.Location), fromGlue(sd.Columns)
		p.InputFormat, p.OutputFormat = aws.ToString(sd.InputFormat), aws.ToString(sd.OutputFormat)
		if sd.SerdeInfo != nil {
			p.SerDe, p.SerDeParameters = aws.ToString(sd.SerdeInfo.SerializationLibrary), sd.SerdeInfo.Parameters
		}
	}
	return p
}

// descriptor is the form in which Glue keeps where the files of a table or partition are and how they are read.
func descriptor(location string, columns []Column, input, output, serDe string, parameters map[string]string) *types.StorageDescriptor {
	sd := &types.StorageDescriptor{Location: aws.String(location), Columns: toGlue(columns)}
	if input != "" {
		sd.InputFormat, sd.OutputFormat = aws.String(input), aws.String(output)
	}
	if serDe != "" {
		sd.SerdeInfo = &types.SerDeInfo{SerializationLibrary: aws.String(serDe), Parameters: parameters}
	}
	return sd
}
