// Package parquet writes batches to Parquet files: pages are encoded here, column by column, straight from vectors;
// footers, headers and run lengths are parquet-go's.
//
// Physical types follow the Iceberg specification ("Appendix A: Format-specific Requirements, Parquet"):
// decimals are INT32 up to 9 digits, INT64 up to 18, otherwise the shortest FIXED_LEN_BYTE_ARRAY. A table of the layout
// schema.LayoutHudi is spelled otherwise.
package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// elements are the file's schema: the root and a leaf per column. Every column carries its field id, where the layout has
// such.
func elements(t *schema.Table) ([]format.SchemaElement, error) {
	out := []format.SchemaElement{{Name: "table", NumChildren: thrift.New(int32(len(t.Columns)))}}
	names := make(map[string]bool, len(t.Columns))
	for _, c := range t.Columns {
		if names[c.Name] {
			return nil, fmt.Errorf("column %q stands twice", c.Name)
		}
		names[c.Name] = true
		e, err := leaf(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		e.Name, e.RepetitionType = c.Name, thrift.New(format.Optional)
		if t.Layout == schema.LayoutHudi {
			respell(&e, c.Type)
		} else {
			e.FieldID = int32(c.FieldID)
			if c.Required {
				e.RepetitionType = thrift.New(format.Required)
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// respell gives a leaf the form of schema.LayoutHudi.
func respell(e *format.SchemaElement, t schema.Type) {
	switch t.ID {
	case schema.Decimal:
		e.Type, e.TypeLength = thrift.New(format.FixedLenByteArray), thrift.New(int32(decimalBytes(t.Precision)))
	case schema.Timestamp:
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: new(format.MicroSeconds)}}
	}
}

// DecimalBytes is the length of decimals of a precision where they are stored in bytes of fixed length.
func DecimalBytes(precision int) int { return decimalBytes(precision) }

// leaf is how a type is stored and annotated (Parquet format, "Logical Types"): the older annotation beside the newer
// one where there is one.
func leaf(t schema.Type) (format.SchemaElement, error) {
	physical := func(p format.Type) format.SchemaElement { return format.SchemaElement{Type: thrift.New(p)} }
	annotated := func(p format.Type, converted deprecated.ConvertedType, logical format.LogicalTypeValue) format.SchemaElement {
		return format.SchemaElement{Type: thrift.New(p), ConvertedType: thrift.New(converted), LogicalType: format.LogicalType{Value: logical}}
	}
	micros := format.TimeUnit{Value: new(format.MicroSeconds)}
	switch t.ID {
	case schema.Boolean:
		return physical(format.Boolean), nil
	case schema.Int:
		return physical(format.Int32), nil
	case schema.Long:
		return physical(format.Int64), nil
	case schema.Float:
		return physical(format.Float), nil
	case schema.Double:
		return physical(format.Double), nil
	case schema.Date:
		return annotated(format.Int32, deprecated.Date, new(format.DateType)), nil
	case schema.Timestamp:
		e := physical(format.Int64) // the older annotation is for instants alone
		e.LogicalType.Value = &format.TimestampType{Unit: micros}
		return e, nil
	case schema.TimestampTZ:
		return annotated(format.Int64, deprecated.TimestampMicros, &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}), nil
	case schema.String:
		return annotated(format.ByteArray, deprecated.UTF8, new(format.StringType)), nil
	case schema.Binary:
		return physical(format.ByteArray), nil
	case schema.Decimal:
		e := annotated(format.FixedLenByteArray, deprecated.Decimal, &format.DecimalType{Scale: int32(t.Scale), Precision: int32(t.Precision)})
		e.Scale, e.Precision = thrift.New(int32(t.Scale)), thrift.New(int32(t.Precision))
		switch {
		case t.Precision <= 9:
			e.Type = thrift.New(format.Int32)
		case t.Precision <= 18:
			e.Type = thrift.New(format.Int64)
		default:
			e.TypeLength = thrift.New(int32(decimalBytes(t.Precision)))
		}
		return e, nil
	default:
		return format.SchemaElement{}, fmt.Errorf("the type %s has no Parquet form", t)
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
