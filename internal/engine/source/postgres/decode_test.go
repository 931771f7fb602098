package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// copyData builds COPY data of rows of fields; a nil field is NULL.
func copyData(rows ...[][]byte) []byte {
	out := append([]byte(signature), 0, 0, 0, 0, 0, 0, 0, 0)
	for _, row := range rows {
		out = binary.BigEndian.AppendUint16(out, uint16(len(row)))
		for _, field := range row {
			if field == nil {
				out = binary.BigEndian.AppendUint32(out, 0xffffffff)
				continue
			}
			out = binary.BigEndian.AppendUint32(out, uint32(len(field)))
			out = append(out, field...)
		}
	}
	return append(out, 0xff, 0xff)
}

// field is one field in memory.
func field(data []byte) fields {
	return fields{append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...), []uint32{4}}
}

func column1(oid uint32, t schema.Type) schema.Column {
	return schema.Column{Name: "c", Type: t, Source: &schema.SourceColumn{Name: "c", OID: oid, Type: t.String()}}
}

// run decodes data that comes in pieces of some size.
func run(columns []schema.Column, data []byte, piece int) (*column.Batch, error) {
	t := schema.Table{Columns: columns}
	all := column.NewBatch(t.Kinds(), 0)
	d, err := newDecoder(columns, all, func(b *column.Batch) (*column.Batch, error) { return b, nil })
	if err != nil {
		return nil, err
	}
	for len(data) > 0 {
		n := min(piece, len(data))
		if _, err := d.Write(data[:n]); err != nil {
			return nil, err
		}
		data = data[n:]
	}
	return all, d.finish()
}

// runTaken decodes data that comes as messages of some size, which share their memory.
func runTaken(columns []schema.Column, data []byte, piece int) (*column.Batch, error) {
	t := schema.Table{Columns: columns}
	all := column.NewBatch(t.Kinds(), 0)
	d, err := newDecoder(columns, all, func(b *column.Batch) (*column.Batch, error) { return b, nil })
	if err != nil {
		return nil, err
	}
	for i, from := 0, 0; from < len(data); i++ {
		to := min(from+piece, len(data))
		if err := d.take(data, from, to); err != nil {
			return nil, err
		}
		if from = to; i%3 == 2 { // the memory of what was taken serves what comes
			if err := d.settle(); err != nil {
				return nil, err
			}
			data, from = bytes.Clone(data[from:]), 0
		}
	}
	if err := d.settle(); err != nil {
		return nil, err
	}
	return all, d.finish()
}

// However the data is cut, the rows are the same.
func TestDecodeInPiecesOfAnySize(t *testing.T) {
	t.Parallel()
	columns := []schema.Column{column1(schema.OIDInt4, schema.Type{ID: schema.Int}), column1(schema.OIDText, schema.Type{ID: schema.String})}
	var rows [][][]byte
	for i := range 50 {
		row := [][]byte{binary.BigEndian.AppendUint32(nil, uint32(i)), []byte(strings.Repeat("x", i))}
		if i%7 == 0 {
			row[i%2] = nil
		}
		rows = append(rows, row)
	}
	data := copyData(rows...)
	for piece := 1; piece < 60; piece++ {
		b, err := run(columns, data, piece)
		if err != nil {
			t.Fatalf("pieces of %d: %v", piece, err)
		}
		if b.Rows() != 50 || b.Columns[0].Int32s[49] != 49 || string(b.Columns[1].Bytes(30)) != strings.Repeat("x", 30) || !b.Columns[0].IsNull(0) || !b.Columns[1].IsNull(7) {
			t.Fatalf("pieces of %d: %d rows", piece, b.Rows())
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	integer := []schema.Column{column1(schema.OIDInt4, schema.Type{ID: schema.Int})}
	good := copyData([][]byte{{0, 0, 0, 1}})
	for _, tc := range []struct {
		name    string
		columns []schema.Column
		data    []byte
		want    string
	}{
		{"no signature", integer, []byte("SELECT 1\n\n\n\n\n\n\n\n\n\n\n"), "does not begin"},
		{"unknown flags", integer, append(append([]byte(signature), 0, 1, 0, 0, 0, 0, 0, 0), good[19:]...), "flags"},
		{"an early end", integer, good[:len(good)-1], "without its trailer"},
		{"an end in a row", integer, good[:len(good)-5], "without its trailer"},
		{"something behind the trailer", integer, append(bytes.Clone(good), 0, 1), "follows its trailer"},
		{"too many fields", integer, copyData([][]byte{{0, 0, 0, 1}, {1}}), "a row of 2 fields where 1"},
		{"a short field", integer, copyData([][]byte{{0, 1}}), "a field of 2 bytes"},
		{"a negative length", integer, append(bytes.Clone(good[:21]), 0xff, 0xff, 0xff, 0xfe), "a field of -2 bytes"},
		{"an infinite date", []schema.Column{column1(schema.OIDDate, schema.Type{ID: schema.Date})}, copyData([][]byte{{0x7f, 0xff, 0xff, 0xff}}), "infinity"},
		{"an infinite timestamp", []schema.Column{column1(schema.OIDTimestampTZ, schema.Type{ID: schema.TimestampTZ})}, copyData([][]byte{{0x80, 0, 0, 0, 0, 0, 0, 0}}), `column "c"`},
		{"text that is not UTF-8", []schema.Column{column1(schema.OIDText, schema.Type{ID: schema.String})}, copyData([][]byte{{0xff}}), "not UTF-8"},
		{"NaN", []schema.Column{column1(schema.OIDNumeric, schema.Type{ID: schema.Decimal, Precision: 5})}, copyData([][]byte{{0, 0, 0, 0, 0xc0, 0, 0, 0}}), "NaN"},
		{"an infinite numeric", []schema.Column{column1(schema.OIDNumeric, schema.Type{ID: schema.Decimal, Precision: 5})}, copyData([][]byte{{0, 0, 0, 0, 0xd0, 0, 0, 0}}), "infinity"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := run(tc.columns, tc.data, len(tc.data)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// wire is a number the way the server sends it: base-10000 digits without zeros at either end.
func wire(unscaled *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(unscaled).String()
	for len(digits) <= scale {
		digits = "0" + digits
	}
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	for len(whole)%4 != 0 {
		whole = "0" + whole
	}
	for len(fraction)%4 != 0 {
		fraction += "0"
	}
	weight := len(whole)/4 - 1
	var groups []uint16
	for all := whole + fraction; len(all) > 0; all = all[4:] {
		var group uint16
		_, _ = fmt.Sscanf(all[:4], "%d", &group)
		groups = append(groups, group)
	}
	for len(groups) > 0 && groups[0] == 0 {
		groups, weight = groups[1:], weight-1
	}
	for len(groups) > 0 && groups[len(groups)-1] == 0 {
		groups = groups[:len(groups)-1]
	}
	if len(groups) == 0 {
		weight = 0
	}
	sign := uint16(positive)
	if unscaled.Sign() < 0 {
		sign = negative
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(groups)))
	out = binary.BigEndian.AppendUint16(out, uint16(int16(weight)))
	out = binary.BigEndian.AppendUint16(out, sign)
	out = binary.BigEndian.AppendUint16(out, uint16(scale))
	for _, group := range groups {
		out = binary.BigEndian.AppendUint16(out, group)
	}
	return out
}

func toBig(v *column.Vector) *big.Int {
	if v.Kind == column.Int64 {
		return big.NewInt(v.Int64s[0])
	}
	b := new(big.Int).Lsh(big.NewInt(v.Wides[0].Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(v.Wides[0].Lo))
}

// Every number of every precision and scale decodes to itself; one that needs more digits is an error.
func TestNumericIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.IntRange(1, 38).Draw(t, "precision")
		scale := rapid.IntRange(0, precision).Draw(t, "scale")
		typ := schema.Type{ID: schema.Decimal, Precision: precision, Scale: scale}
		digits := rapid.StringMatching(fmt.Sprintf(`-?[0-9]{1,%d}`, precision)).Draw(t, "digits")
		if rapid.Bool().Draw(t, "zeros") {
			digits = digits[:max(1+strings.Count(digits, "-"), len(digits)/2)] + strings.Repeat("0", len(digits)-max(1+strings.Count(digits, "-"), len(digits)/2))
		}
		want, ok := new(big.Int).SetString(digits, 10)
		if !ok {
			t.Fatalf("%q", digits)
		}
		v := column.NewVector(typ.Kind(), 1)
		if _, err := numeric(v, typ, field(wire(want, scale))); err != nil {
			t.Fatalf("%s at %s: %v", want, typ, err)
		}
		if got := toBig(v); got.Cmp(want) != 0 {
			t.Fatalf("%s at %s decodes as %s", want, typ, got)
		}
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
		if _, err := numeric(column.NewVector(typ.Kind(), 1), typ, field(wire(limit, scale))); err == nil {
			t.Fatalf("%s fits %s", limit, typ)
		}
		finer := new(big.Int).Add(new(big.Int).Mul(want, big.NewInt(10)), big.NewInt(1))
		if _, err := numeric(column.NewVector(typ.Kind(), 1), typ, field(wire(finer, scale+1))); err == nil {
			t.Fatalf("%s at scale %d was rounded into %s", finer, scale+1, typ)
		}
	})
}

func TestDatesAndTimesCountFrom1970(t *testing.T) {
	t.Parallel()
	day, stamp := schema.Type{ID: schema.Date}, schema.Type{ID: schema.Timestamp}
	for _, tc := range []struct{ wire, want int64 }{{-10957, 0}, {0, 10957}, {-730119, -719162}, {2921939, 2932896}} {
		v := column.NewVector(column.Int32, 1)
		if _, err := date(v, day, field(binary.BigEndian.AppendUint32(nil, uint32(int32(tc.wire))))); err != nil || int64(v.Int32s[0]) != tc.want {
			t.Errorf("date %d: %v, %v", tc.wire, v.Int32s, err)
		}
	}
	v := column.NewVector(column.Int64, 1)
	if _, err := timestamp(v, stamp, field(binary.BigEndian.AppendUint64(nil, uint64(1)))); err != nil || v.Int64s[0] != 946684800000001 {
		t.Errorf("timestamp: %v, %v", v.Int64s, err)
	}
	for _, micros := range []int64{math.MaxInt64 - 5, math.MinInt64 + 5, -63082281600000001, 252455616000000000} {
		if _, err := timestamp(column.NewVector(column.Int64, 1), stamp, field(binary.BigEndian.AppendUint64(nil, uint64(micros)))); err == nil {
			t.Errorf("the timestamp %d, outside of the years 1 to 9999, was accepted", micros)
		}
	}
	for _, days := range []int32{math.MaxInt32 - 5, math.MinInt32 + 5, -730120, 2921940} {
		if _, err := date(column.NewVector(column.Int32, 1), day, field(binary.BigEndian.AppendUint32(nil, uint32(days)))); err == nil {
			t.Errorf("the date %d, outside of the years 1 to 9999, was accepted", days)
		}
	}
}

// shown are a vector's values.
func shown(v *column.Vector) (out []any) {
	for i := range v.Len() {
		switch {
		case v.IsNull(i):
			out = append(out, nil)
		case v.Kind == column.Bool:
			out = append(out, v.Bools[i])
		case v.Kind == column.Int32:
			out = append(out, v.Int32s[i])
		case v.Kind == column.Int64:
			out = append(out, v.Int64s[i])
		case v.Kind == column.Int128:
			out = append(out, v.Wides[i])
		default:
			out = append(out, string(v.Bytes(i)))
		}
	}
	return out
}

// Malformed data is an error or rows, never a panic and never rows that do not add up.
func FuzzDecoder(f *testing.F) {
	columns := []schema.Column{
		column1(schema.OIDInt4, schema.Type{ID: schema.Int}), column1(schema.OIDText, schema.Type{ID: schema.String}),
		column1(schema.OIDNumeric, schema.Type{ID: schema.Decimal, Precision: 38, Scale: 10}), column1(schema.OIDTimestamp, schema.Type{ID: schema.Timestamp}),
		column1(schema.OIDBool, schema.Type{ID: schema.Boolean}),
	}
	f.Add(copyData([][]byte{{0, 0, 0, 1}, []byte("é"), wire(big.NewInt(-12345), 10), {0, 0, 0, 0, 0, 0, 0, 1}, {1}}, [][]byte{nil, nil, nil, nil, nil}), uint8(3))
	f.Add([]byte(signature), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		whole, err := run(columns, data, len(data)+1)
		for _, way := range []func([]schema.Column, []byte, int) (*column.Batch, error){run, runTaken} {
			cut, cutErr := way(columns, data, int(piece)+1)
			if (err == nil) != (cutErr == nil) {
				t.Fatalf("whole: %v, cut: %v", err, cutErr)
			}
			if err != nil {
				return
			}
			for i, v := range whole.Columns {
				if v.Len() != whole.Rows() || cut.Columns[i].Len() != v.Len() || cut.Columns[i].Nulls != v.Nulls {
					t.Fatalf("column %d has %d rows of %d", i, v.Len(), whole.Rows())
				}
				if got, want := fmt.Sprint(shown(cut.Columns[i])), fmt.Sprint(shown(v)); got != want {
					t.Fatalf("column %d: %s, not %s", i, got, want)
				}
			}
		}
	})
}

func TestBatchesEndAndErrorsStop(t *testing.T) {
	t.Parallel()
	columns := []schema.Column{column1(schema.OIDInt4, schema.Type{ID: schema.Int})}
	rows := make([][][]byte, 3*batchRows)
	for i := range rows {
		rows[i] = [][]byte{{0, 0, 0, 1}}
	}
	stop := errors.New("enough")
	emitted := 0
	d, err := newDecoder(columns, column.NewBatch([]column.Kind{column.Int32}, 0), func(b *column.Batch) (*column.Batch, error) {
		if b.Rows() != batchRows {
			t.Errorf("a batch of %d rows", b.Rows())
		}
		if emitted++; emitted == 2 {
			return b, stop
		}
		b.Reset()
		return b, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(copyData(rows...)); !errors.Is(err, stop) || emitted != 2 {
		t.Errorf("%v after %d batches", err, emitted)
	}
}
