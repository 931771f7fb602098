package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// decoded is the one value that a decoder makes of some bytes, in a form that can be compared; ok is false for an
// error. A vector that does not hold exactly one value fails the test.
func decoded(t *testing.T, do decode, typ schema.Type, data []byte) (value string, ok bool) {
	t.Helper()
	v := column.NewVector(typ.Kind(), 1)
	before := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
	f := fields{bytes.Clone(before), []uint32{4}}
	if _, err := do(v, typ, f); err != nil {
		return "", false
	}
	if !bytes.Equal(before, f.buf) {
		t.Fatalf("the data was changed from %x to %x", before, data)
	}
	if v.Len() != 1 || v.Nulls != 0 || v.IsNull(0) {
		t.Fatalf("%x became %d rows with %d NULLs", data, v.Len(), v.Nulls)
	}
	if n := len(v.Bools) + len(v.Int32s) + len(v.Int64s) + len(v.Wides) + len(v.Float32s) + len(v.Float64s); v.Kind != column.Bytes && n != 1 {
		t.Fatalf("%x became %d values", data, n)
	}
	switch v.Kind {
	case column.Bool:
		return strconv.FormatBool(v.Bools[0]), true
	case column.Int32:
		return strconv.Itoa(int(v.Int32s[0])), true
	case column.Float32:
		return fmt.Sprintf("%08x", math.Float32bits(v.Float32s[0])), true
	case column.Float64:
		return fmt.Sprintf("%016x", math.Float64bits(v.Float64s[0])), true
	case column.Bytes:
		return string(v.Bytes(0)), true
	default:
		return toBig(v).String(), true
	}
}

func signed(data []byte) *big.Int {
	n := new(big.Int).SetBytes(data)
	if len(data) > 0 && data[0] > 0x7f {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	return n
}

// A value of fixed length decodes to the number that its bytes are, and one of another length not at all.
func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"", "\x01", "\x02", "\x80\x00", "\xff\xff\xff\xff", "\x7f\xc0\x00\x00", "\x80\x00\x00\x00\x00\x00\x00\x00", "\x7f\xf8\x00\x00\x00\x00\x00\x00", "123456789"} {
		f.Add([]byte(seed))
	}
	wide, narrow := schema.Type{ID: schema.Decimal, Precision: 38, Scale: 2}, schema.Type{ID: schema.Decimal, Precision: 4, Scale: 1}
	f.Fuzz(func(t *testing.T, data []byte) {
		number, hexadecimal := signed(data).String(), hex.EncodeToString(data)
		cents := new(big.Int).Mul(signed(data), big.NewInt(100)).String()
		for _, tc := range []struct {
			name   string
			do     decode
			typ    schema.Type
			length int
			want   string
		}{
			{"boolean", boolean, schema.Type{ID: schema.Boolean}, 1, map[string]string{"00": "false", "01": "true"}[hexadecimal]},
			{"int2", int2, schema.Type{ID: schema.Int}, 2, number},
			{"int2 to long", int2ToLong, schema.Type{ID: schema.Long}, 2, number},
			{"int2 to decimal", each(int2ToDecimal), wide, 2, cents},
			{"int4", int4, schema.Type{ID: schema.Int}, 4, number},
			{"int4 to long", int4ToLong, schema.Type{ID: schema.Long}, 4, number},
			{"int4 to decimal", each(int4ToDecimal), wide, 4, cents},
			{"int8", int8ToLong, schema.Type{ID: schema.Long}, 8, number},
			{"int8 to decimal", each(int8ToDecimal), wide, 8, cents},
			{"unsigned4", each(unsigned4), schema.Type{ID: schema.Long}, 4, new(big.Int).SetBytes(data).String()},
			{"unsigned8", each(unsigned8), schema.Type{ID: schema.Decimal, Precision: 20}, 8, new(big.Int).SetBytes(data).String()},
			{"unsigned8 with decimals", each(unsigned8), wide, 8, new(big.Int).Mul(new(big.Int).SetBytes(data), big.NewInt(100)).String()},
			{"float4", float4, schema.Type{ID: schema.Float}, 4, hexadecimal},
			{"float8", float8, schema.Type{ID: schema.Double}, 8, hexadecimal},
		} {
			got, ok := decoded(t, tc.do, tc.typ, data)
			if wanted := len(data) == tc.length && tc.want != ""; ok != wanted || ok && got != tc.want {
				t.Errorf("%s: %x became %q (%v), want %q", tc.name, data, got, ok, tc.want)
			}
		}
		if got, ok := decoded(t, each(float4ToDouble), schema.Type{ID: schema.Double}, data); ok {
			bits, _ := strconv.ParseUint(got, 16, 64)
			back := math.Float32bits(float32(math.Float64frombits(bits)))
			if from := binary.BigEndian.Uint32(data); back != from && !math.IsNaN(float64(math.Float32frombits(from))) {
				t.Errorf("%x became the double %s", data, got)
			}
		}
		tenths := new(big.Int).Mul(signed(data), big.NewInt(10))
		got, ok := decoded(t, each(int4ToDecimal), narrow, data)
		if wanted := len(data) == 4 && tenths.CmpAbs(big.NewInt(10_000)) < 0; ok != wanted || ok && got != tenths.String() {
			t.Errorf("%x became %q (%v) of %s", data, got, ok, narrow)
		}
	})
}

// rational is the number on the wire, computed another way; nil where the data is none.
func rational(data []byte) *big.Rat {
	if len(data) < 8 {
		return nil
	}
	count, weight, sign := int(binary.BigEndian.Uint16(data)), int(int16(binary.BigEndian.Uint16(data[2:]))), binary.BigEndian.Uint16(data[4:])
	if len(data) != 8+2*count || sign != positive && sign != negative {
		return nil
	}
	sum := new(big.Int)
	for at := 8; at < len(data); at += 2 {
		sum.Mul(sum, big.NewInt(10_000)).Add(sum, big.NewInt(int64(binary.BigEndian.Uint16(data[at:]))))
	}
	if sign == negative {
		sum.Neg(sum)
	}
	out := new(big.Rat).SetInt(sum)
	power := new(big.Int).Exp(big.NewInt(10_000), big.NewInt(int64(max(weight-count+1, count-1-weight))), nil)
	if weight-count+1 >= 0 {
		return out.Mul(out, new(big.Rat).SetInt(power))
	}
	return out.Quo(out, new(big.Rat).SetInt(power))
}

// A numeric decodes to the very number that it is, in all three forms, or not at all.
func FuzzNumeric(f *testing.F) {
	f.Add(wire(big.NewInt(-12345), 3), uint8(10), uint8(3))
	f.Add(wire(big.NewInt(1000000), 0), uint8(38), uint8(38))
	f.Add(wire(new(big.Int).Exp(big.NewInt(10), big.NewInt(37), nil), 20), uint8(38), uint8(20))
	f.Add([]byte{0, 0, 0, 0, 0xc0, 0, 0, 0}, uint8(5), uint8(0))
	f.Add([]byte{0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 1}, uint8(5), uint8(0))
	f.Add([]byte{0, 1, 0x80, 0, 0, 0, 0x3f, 0xff, 0, 1}, uint8(5), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, p, s uint8) {
		typ := schema.Type{ID: schema.Decimal, Precision: 1 + int(p)%38}
		typ.Scale = int(s) % (typ.Precision + 1)
		want := rational(data)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(typ.Scale)), nil))
		if got, ok := decoded(t, numeric, typ, data); ok {
			unscaled, _ := new(big.Rat).SetString(got)
			if want == nil || unscaled.Cmp(new(big.Rat).Mul(want, scale)) != 0 || len(strings.TrimPrefix(got, "-")) > typ.Precision {
				t.Errorf("%x became %s of %s, want %v", data, got, typ, want)
			}
		}
		if got, ok := decoded(t, each(numericToLong), schema.Type{ID: schema.Long}, data); ok {
			if whole, _ := new(big.Rat).SetString(got); want == nil || whole.Cmp(want) != 0 {
				t.Errorf("%x became the long %s, want %v", data, got, want)
			}
		}
		got, ok := decoded(t, each(numericToText), schema.Type{ID: schema.String}, data)
		switch {
		case !ok:
		case want == nil:
			if got != "NaN" && got != "Infinity" && got != "-Infinity" {
				t.Errorf("%x became the text %.50s", data, got)
			}
		default:
			read, valid := new(big.Rat).SetString(got)
			_, decimals, _ := strings.Cut(got, ".")
			if !valid || read.Cmp(want) != 0 || len(decimals) != int(binary.BigEndian.Uint16(data[6:])) {
				t.Errorf("%x became the text %.50s", data, got)
			}
		}
	})
}

// A date or time decodes to what Go's clock makes of it, or not at all.
func FuzzTimes(f *testing.F) {
	for _, seed := range []uint64{0, 1, math.MaxInt64, 1 << 63, dayMicros, dayMicros + 1, 252455615999999999, 252455616000000000, 0x7fffffff00000000, 0xfff4dbf800000000, 0x002c95c300000000} {
		f.Add(binary.BigEndian.AppendUint64(nil, seed))
	}
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	inside := func(at time.Time) bool { return at.Year() >= 1 && at.Year() <= 9999 }
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 4 {
			days := int32(binary.BigEndian.Uint32(data))
			at := epoch.AddDate(0, 0, int(days))
			got, ok := decoded(t, date, schema.Type{ID: schema.Date}, data[:4])
			if ok != inside(at) || ok && got != strconv.FormatInt(at.Unix()/86400-map[bool]int64{true: 1}[at.Unix()%86400 < 0], 10) {
				t.Errorf("the date %d became %s (%v), want %s", days, got, ok, at)
			}
		}
		if len(data) < 8 {
			for _, do := range []decode{timestamp, each(timeToLong)} {
				if got, ok := decoded(t, do, schema.Type{ID: schema.Long}, data); ok {
					t.Errorf("%x became %s", data, got)
				}
			}
			return
		}
		micros := int64(binary.BigEndian.Uint64(data))
		at := time.UnixMicro(micros).Add(epoch.Sub(time.Unix(0, 0)))
		got, ok := decoded(t, timestamp, schema.Type{ID: schema.Timestamp}, data[:8])
		if ok != inside(at.UTC()) || ok && got != strconv.FormatInt(at.UnixMicro(), 10) {
			t.Errorf("the timestamp %d became %s (%v), want %s", micros, got, ok, at)
		}
		got, ok = decoded(t, each(timeToText), schema.Type{ID: schema.String}, data[:8])
		long, longOK := decoded(t, each(timeToLong), schema.Type{ID: schema.Long}, data[:8])
		if wanted := micros >= 0 && micros <= dayMicros; ok != wanted || longOK != wanted {
			t.Fatalf("the time %d became %s (%v) and %s (%v)", micros, got, ok, long, longOK)
		}
		want := time.UnixMicro(micros).UTC().Format("15:04:05.999999")
		if micros == dayMicros {
			want = "24:00:00"
		}
		if ok && (got != want || long != strconv.FormatInt(micros, 10)) {
			t.Errorf("the time %d became %s and %s, want %s", micros, got, long, want)
		}
	})
}

// Text is taken as it is where it is UTF-8; other forms of text and bytes lead back to their data.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"", "é", "\xff", "\x01{}", "\x02{}", "0123456789abcdef", "\x01\xff"} {
		f.Add([]byte(seed))
	}
	str, bin := schema.Type{ID: schema.String}, schema.Type{ID: schema.Binary}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, tc := range []struct {
			name string
			do   decode
			typ  schema.Type
			ok   bool
			want string
		}{
			{"text", text, str, utf8.Valid(data), string(data)},
			{"bytes", each(raw), bin, true, string(data)},
			{"jsonb", jsonb, str, len(data) > 0 && data[0] == 1 && utf8.Valid(data), strings.TrimPrefix(string(data), "\x01")},
			{"uuid's bytes", each(uuidToBytes), bin, len(data) == 16, string(data)},
		} {
			if got, ok := decoded(t, tc.do, tc.typ, data); ok != tc.ok || ok && got != tc.want {
				t.Errorf("%s: %x became %q (%v)", tc.name, data, got, ok)
			}
		}
		got, ok := decoded(t, uuidToText, str, data)
		if back, err := hex.DecodeString(strings.ReplaceAll(got, "-", "")); ok != (len(data) == 16) || ok && (err != nil || !bytes.Equal(back, data) || len(got) != 36 || strings.Count(got, "-") != 4) {
			t.Errorf("%x became the uuid %q (%v)", data, got, ok)
		}
	})
}

// Every way to read a column has a decoder: the default of each line of the table of types, and all that may be
// declared instead.
func TestEveryMappingHasADecoder(t *testing.T) {
	t.Parallel()
	binaryForms := map[uint32]bool{}
	for p := range decoders {
		binaryForms[p.oid] = true
	}
	seen := map[uint32]bool{}
	for oid := uint32(1); oid < 6000; oid++ {
		typ := schema.PostgresType{OID: oid, Modifier: -1, Class: schema.Base}
		for _, o := range schema.MappingOf(typ).Options {
			declared := schema.Type{ID: o.ID}
			if o.ID == schema.Decimal {
				declared.Precision = 38
			}
			c := schema.Column{Type: declared, Source: &schema.SourceColumn{Name: "c", OID: oid, Form: o.Form}}
			if _, err := decodeFor(c); err != nil {
				t.Error(err)
			}
			if _, err := selected(*c.Source); err != nil {
				t.Error(err)
			}
			seen[oid] = seen[oid] || o.Form == schema.FormBinary
		}
	}
	for oid := range binaryForms {
		if !seen[oid] {
			t.Errorf("the decoders of oid %d are used by no line of the table of types", oid)
		}
	}
	unknown := schema.Column{Type: schema.Type{ID: schema.Int}, Source: &schema.SourceColumn{Name: "c", OID: schema.OIDText}}
	if _, err := decodeFor(unknown); err == nil || !strings.Contains(err.Error(), `column "c"`) {
		t.Errorf("text into int: %v", err)
	}
	unknown.Source.Form = "xml"
	if _, err := selected(*unknown.Source); err == nil {
		t.Error("a form that is not known is read")
	}
}
