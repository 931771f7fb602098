package schema_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

func decimal(precision, scale int) schema.Type {
	return schema.Type{ID: schema.Decimal, Precision: precision, Scale: scale}
}

func plain(id schema.ID) schema.Type { return schema.Type{ID: id} }

func integers(t schema.Type, values ...int64) *column.Vector {
	v := column.NewVector(t.Kind(), 0)
	for _, value := range values {
		switch t.Kind() {
		case column.Int32:
			v.Int32s = append(v.Int32s, int32(value))
		case column.Int64:
			v.Int64s = append(v.Int64s, value)
		default:
			v.Wides = append(v.Wides, column.WideOf(value))
		}
		v.Append()
	}
	return v
}

func texts(values ...string) *column.Vector {
	v := column.NewVector(column.Bytes, 0)
	for _, value := range values {
		v.Data = append(v.Data, value...)
		v.Append()
	}
	return v
}

func values(t *testing.T, f schema.PartitionField, typ schema.Type, v *column.Vector) *column.Vector {
	t.Helper()
	result, err := f.Of(typ)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Values(typ, v, column.NewVector(result.Kind(), 0))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The hashes that the specification gives ("Appendix B"), by way of as many buckets as there are numbers.
func TestBucketsOfTheSpecification(t *testing.T) {
	t.Parallel()
	f := schema.PartitionField{Column: "c", Transform: schema.Bucket, Width: math.MaxInt32}
	for _, tc := range []struct {
		typ    schema.Type
		values *column.Vector
		hash   int32
	}{
		{plain(schema.Int), integers(plain(schema.Int), 34), 2017239379},
		{plain(schema.Long), integers(plain(schema.Long), 34), 2017239379},
		{decimal(9, 2), integers(decimal(9, 2), 1420), -500754589},
		{decimal(38, 2), integers(decimal(38, 2), 1420), -500754589},
		{plain(schema.Date), integers(plain(schema.Date), 17486), -653330422},
		{plain(schema.Timestamp), integers(plain(schema.Timestamp), 1510871468000000), -2047944441},
		{plain(schema.TimestampTZ), integers(plain(schema.TimestampTZ), 1510871468000001), -1207196810},
		{plain(schema.String), texts("iceberg"), 1210000089},
		{plain(schema.Binary), texts("\x00\x01\x02\x03"), -188683207},
	} {
		if got, want := values(t, f, tc.typ, tc.values).Int32s[0], tc.hash&math.MaxInt32%math.MaxInt32; got != want {
			t.Errorf("%s: %d, want %d", tc.typ, got, want)
		}
	}
}

// The examples of the specification ("Truncate Transform Details"), and times before 1970.
func TestTruncationAndTimes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		field schema.TransformID
		width int
		typ   schema.Type
		in    *column.Vector
		want  *column.Vector
	}{
		{schema.Truncate, 10, plain(schema.Int), integers(plain(schema.Int), 1, -1, 0, -10, -11), integers(plain(schema.Int), 0, -10, 0, -10, -20)},
		{schema.Truncate, 10, plain(schema.Long), integers(plain(schema.Long), 1, -1), integers(plain(schema.Long), 0, -10)},
		{schema.Truncate, 50, decimal(9, 2), integers(decimal(9, 2), 1065, -1065), integers(decimal(9, 2), 1050, -1100)},
		{schema.Truncate, 50, decimal(30, 2), integers(decimal(30, 2), 1065, -1065, 0, -50), integers(decimal(30, 2), 1050, -1100, 0, -50)},
		{schema.Truncate, 3, plain(schema.String), texts("iceberg", "", "äöüß", "a🙂b🙂"), texts("ice", "", "äöü", "a🙂b")},
		{schema.Truncate, 3, plain(schema.Binary), texts("\x01\x02\x03\x04", "\x01"), texts("\x01\x02\x03", "\x01")},
		{schema.Year, 0, plain(schema.Date), integers(plain(schema.Date), 0, -1, -365, -366, 364, 365, 17486, -719162), integers(plain(schema.Int), 0, -1, -1, -2, 0, 1, 47, -1969)},
		{schema.Month, 0, plain(schema.Date), integers(plain(schema.Date), 0, -1, 30, 31, 58, 59, 17486), integers(plain(schema.Int), 0, -1, 0, 1, 1, 2, 574)},
		{schema.Day, 0, plain(schema.Timestamp), integers(plain(schema.Timestamp), 0, -1, 86400000000, 1510871468000000), integers(plain(schema.Date), 0, -1, 1, 17486)},
		{schema.Hour, 0, plain(schema.TimestampTZ), integers(plain(schema.TimestampTZ), 0, -1, 3600000000, 1510871468000000), integers(plain(schema.Int), 0, -1, 1, 419686)},
	} {
		f := schema.PartitionField{Column: "c", Transform: tc.field, Width: tc.width}
		got := values(t, f, tc.typ, tc.in)
		if !slices.Equal(got.Int32s, tc.want.Int32s) || !slices.Equal(got.Int64s, tc.want.Int64s) || !slices.Equal(got.Wides, tc.want.Wides) ||
			!bytes.Equal(got.Data, tc.want.Data) || !slices.Equal(got.Offsets, tc.want.Offsets) {
			t.Errorf("%s of %s: got %+v, want %+v", f, tc.typ, got, tc.want)
		}
	}
}

// Random values are transformed as iceberg-go transforms them.
func TestTransformsAgreeWithIcebergGo(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	runes := []rune("aß🙂\x00zÿ語")
	for _, tc := range []struct {
		typ     schema.Type
		iceberg iceberggo.Type
	}{
		{plain(schema.Int), iceberggo.PrimitiveTypes.Int32}, {plain(schema.Long), iceberggo.PrimitiveTypes.Int64},
		{plain(schema.Date), iceberggo.PrimitiveTypes.Date}, {plain(schema.Timestamp), iceberggo.PrimitiveTypes.Timestamp},
		{plain(schema.TimestampTZ), iceberggo.PrimitiveTypes.TimestampTz}, {plain(schema.String), iceberggo.PrimitiveTypes.String},
		{plain(schema.Binary), iceberggo.PrimitiveTypes.Binary}, {decimal(18, 3), iceberggo.DecimalTypeOf(18, 3)}, {decimal(38, 3), iceberggo.DecimalTypeOf(38, 3)},
	} {
		v := column.NewVector(tc.typ.Kind(), 0)
		var literals []iceberggo.Literal
		for range 2000 {
			number := int64(random.Uint64()) >> random.IntN(64)
			var data []byte
			switch tc.typ.ID {
			case schema.Int:
				number = int64(int32(number))
				v.Int32s = append(v.Int32s, int32(number))
				literals = append(literals, iceberggo.Int32Literal(number))
			case schema.Date:
				number %= 3_000_000
				v.Int32s = append(v.Int32s, int32(number))
				literals = append(literals, iceberggo.DateLiteral(number))
			case schema.Long:
				v.Int64s = append(v.Int64s, number)
				literals = append(literals, iceberggo.Int64Literal(number))
			case schema.Timestamp, schema.TimestampTZ:
				number %= 250_000_000_000_000_000
				v.Int64s = append(v.Int64s, number)
				literals = append(literals, iceberggo.TimestampLiteral(number))
			case schema.Decimal:
				wide := column.WideOf(number)
				if tc.typ.Kind() == column.Int64 {
					v.Int64s = append(v.Int64s, number)
				} else {
					wide.Hi = int64(random.Uint64()) >> (2 + random.IntN(62))
					v.Wides = append(v.Wides, wide)
				}
				n := new(big.Int).Lsh(big.NewInt(wide.Hi), 64)
				n.Add(n, new(big.Int).SetUint64(wide.Lo))
				literal, err := iceberggo.LiteralFromBytes(tc.iceberg, twos(n))
				if err != nil {
					t.Fatal(err)
				}
				literals = append(literals, literal)
			case schema.String:
				for range random.IntN(12) {
					data = append(data, string(runes[random.IntN(len(runes))])...)
				}
				v.Data = append(v.Data, data...)
				literals = append(literals, iceberggo.StringLiteral(data))
			default:
				for range random.IntN(12) {
					data = append(data, byte(random.Uint32()))
				}
				v.Data = append(v.Data, data...)
				literals = append(literals, iceberggo.BinaryLiteral(bytes.Clone(data)))
			}
			v.Append()
		}
		for _, f := range []schema.PartitionField{
			{Transform: schema.Year}, {Transform: schema.Month}, {Transform: schema.Day}, {Transform: schema.Hour},
			{Transform: schema.Bucket, Width: 1}, {Transform: schema.Bucket, Width: 16}, {Transform: schema.Bucket, Width: 999_999},
			{Transform: schema.Truncate, Width: 1}, {Transform: schema.Truncate, Width: 3}, {Transform: schema.Truncate, Width: 999_999},
		} {
			name := string(f.Transform)
			if f.Width > 0 {
				name = fmt.Sprintf("%s[%d]", f.Transform, f.Width)
			}
			theirs, err := iceberggo.ParseTransform(name)
			if err != nil {
				t.Fatal(err)
			}
			result, err := f.Of(tc.typ)
			if (err == nil) != theirs.CanTransform(tc.iceberg) {
				t.Errorf("%s of %s: %v, iceberg-go says %v", f, tc.typ, err, theirs.CanTransform(tc.iceberg))
			}
			if err != nil {
				continue
			}
			got := values(t, f, tc.typ, v)
			for i, literal := range literals {
				want := theirs.Apply(iceberggo.Optional[iceberggo.Literal]{Valid: true, Val: literal}).Val
				if have := literalOf(t, result, got, i); have != want.String() {
					t.Fatalf("%s of %s %s is %s, iceberg-go says %s", f, tc.typ, literal, have, want)
				}
			}
		}
	}
}

// twos is the shortest big-endian two's complement of a number, or one byte more.
func twos(n *big.Int) []byte {
	length := n.BitLen()/8 + 1
	if n.Sign() >= 0 {
		return n.FillBytes(make([]byte, length))
	}
	return new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*length))).FillBytes(make([]byte, length))
}

// literalOf is a value in iceberg-go's spelling.
func literalOf(t *testing.T, typ schema.Type, v *column.Vector, i int) string {
	t.Helper()
	switch typ.ID {
	case schema.Date:
		return iceberggo.DateLiteral(v.Int32s[i]).String()
	case schema.Int:
		return iceberggo.Int32Literal(v.Int32s[i]).String()
	case schema.Long:
		return iceberggo.Int64Literal(v.Int64s[i]).String()
	case schema.String:
		return iceberggo.StringLiteral(v.Bytes(i)).String()
	case schema.Binary:
		return iceberggo.BinaryLiteral(v.Bytes(i)).String()
	}
	n := new(big.Int)
	if v.Kind == column.Int64 {
		n.SetInt64(v.Int64s[i])
	} else {
		n.Lsh(big.NewInt(v.Wides[i].Hi), 64).Add(n, new(big.Int).SetUint64(v.Wides[i].Lo))
	}
	literal, err := iceberggo.LiteralFromBytes(iceberggo.DecimalTypeOf(typ.Precision, typ.Scale), twos(n))
	if err != nil {
		t.Fatal(err)
	}
	return literal.String()
}

// NULL stays NULL under every transform.
func TestTransformsKeepNulls(t *testing.T) {
	t.Parallel()
	v := column.NewVector(column.Bytes, 0)
	v.Data = append(v.Data, "abc"...)
	v.Append()
	v.AppendNull()
	for _, f := range []schema.PartitionField{{Transform: schema.Identity}, {Transform: schema.Bucket, Width: 4}, {Transform: schema.Truncate, Width: 2}} {
		out := values(t, f, plain(schema.String), v)
		if out.Len() != 2 || out.IsNull(0) || !out.IsNull(1) || out.Nulls != 1 {
			t.Errorf("%s: %+v", f, out)
		}
	}
}
