// Package parquet writes batches to Parquet files.
//
// Physical types follow the Iceberg specification ("Appendix A: Format-specific Requirements, Parquet"):
// decimals are INT32 up to 9 digits, INT64 up to 18, otherwise the shortest FIXED_LEN_BYTE_ARRAY.
package parquet

import (
	"fmt"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// group is a group of columns in the order given; parquet-go's own sorts them by name.
type group struct {
	parquetgo.Group
	ordered []parquetgo.Field
}

func (g group) Fields() []parquetgo.Field { return g.ordered }

// layout makes the file's schema, with encodings that suit its first rows. Every column carries its field id.
func layout(t *schema.Table, first *column.Batch) (*parquetgo.Schema, error) {
	named := parquetgo.Group{}
	for i, c := range t.Columns {
		node, err := leaf(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		var values *column.Vector
		if first != nil && i < len(first.Columns) {
			values = first.Columns[i]
		}
		node = parquetgo.Encoded(node, encodingOf(c.Type, values))
		if !c.Required {
			node = parquetgo.Optional(node)
		}
		if c.FieldID != 0 {
			node = parquetgo.FieldID(node, c.FieldID)
		}
		if _, twice := named[c.Name]; twice {
			return nil, fmt.Errorf("column %q stands twice", c.Name)
		}
		named[c.Name] = node
	}
	byName := map[string]parquetgo.Field{}
	for _, field := range named.Fields() {
		byName[field.Name()] = field
	}
	g := group{Group: named}
	for _, c := range t.Columns {
		g.ordered = append(g.ordered, byName[c.Name])
	}
	return parquetgo.NewSchema("table", g), nil
}

func leaf(t schema.Type) (parquetgo.Node, error) {
	switch t.ID {
	case schema.Boolean:
		return parquetgo.Leaf(parquetgo.BooleanType), nil
	case schema.Int:
		return parquetgo.Leaf(parquetgo.Int32Type), nil
	case schema.Long:
		return parquetgo.Leaf(parquetgo.Int64Type), nil
	case schema.Float:
		return parquetgo.Leaf(parquetgo.FloatType), nil
	case schema.Double:
		return parquetgo.Leaf(parquetgo.DoubleType), nil
	case schema.Date:
		return parquetgo.Date(), nil
	case schema.Timestamp:
		return parquetgo.TimestampAdjusted(parquetgo.Microsecond, false), nil
	case schema.TimestampTZ:
		return parquetgo.TimestampAdjusted(parquetgo.Microsecond, true), nil
	case schema.String:
		return parquetgo.String(), nil
	case schema.Binary:
		return parquetgo.Leaf(parquetgo.ByteArrayType), nil
	case schema.Decimal:
		return parquetgo.Decimal(t.Scale, t.Precision, decimalStorage(t.Precision)), nil
	default:
		return nil, fmt.Errorf("the type %s has no Parquet form", t)
	}
}

func decimalStorage(precision int) parquetgo.Type {
	switch {
	case precision <= 9:
		return parquetgo.Int32Type
	case precision <= 18:
		return parquetgo.Int64Type
	default:
		return parquetgo.FixedLenByteArrayType(decimalBytes(precision))
	}
}

// decimalBytes is the smallest n for which n bytes in two's complement hold all numbers of the precision.
func decimalBytes(precision int) int {
	for n, most := 1, 2; ; n++ {
		if most >= precision {
			return n
		}
		// 2^(8n-1) has floor((8n-1)*log10(2)) full digits; 643/2136 is log10(2) to more than the digits needed.
		most = (8*(n+1) - 1) * 643 / 2136
	}
}
