package parquet_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func decimal(p, s int) schema.Type {
	return schema.Type{ID: schema.Decimal, Precision: p, Scale: s}
}

// everyType has a column of each type, out of alphabetical order.
func everyType() *schema.Table {
	t := &schema.Table{Key: []string{"zz_key"}}
	for i, c := range []schema.Column{
		{Name: "zz_key", Type: schema.Type{ID: schema.Long}, Required: true},
		{Name: "flag", Type: schema.Type{ID: schema.Boolean}},
		{Name: "small", Type: schema.Type{ID: schema.Int}},
		{Name: "big", Type: schema.Type{ID: schema.Long}},
		{Name: "single", Type: schema.Type{ID: schema.Float}},
		{Name: "double", Type: schema.Type{ID: schema.Double}},
		{Name: "cents", Type: decimal(9, 2)},
		{Name: "amount", Type: decimal(18, 4)},
		{Name: "wide", Type: decimal(19, 0)},
		{Name: "widest", Type: decimal(38, 10)},
		{Name: "born", Type: schema.Type{ID: schema.Date}},
		{Name: "local", Type: schema.Type{ID: schema.Timestamp}},
		{Name: "instant", Type: schema.Type{ID: schema.TimestampTZ}},
		{Name: "note", Type: schema.Type{ID: schema.String}},
		{Name: "blob", Type: schema.Type{ID: schema.Binary}},
		{Name: "must", Type: schema.Type{ID: schema.String}, Required: true},
	} {
		c.FieldID = i + 1
		t.Columns = append(t.Columns, c)
	}
	return t
}

var limits = map[int]*big.Int{}

func init() {
	for p := 1; p <= 38; p++ {
		limits[p] = new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p)), nil), big.NewInt(1))
	}
}

func wideOf(b *big.Int) column.Wide {
	lo := new(big.Int).And(b, new(big.Int).SetUint64(math.MaxUint64))
	return column.Wide{Hi: new(big.Int).Rsh(b, 64).Int64(), Lo: lo.Uint64()}
}

// fill appends a row, extremes often, and returns its plain form.
func fill(r *rand.Rand, t *schema.Table, b *column.Batch) []*string {
	row := make([]*string, len(t.Columns))
	for i, c := range t.Columns {
		v := b.Columns[i]
		if !c.Required && r.IntN(6) == 0 {
			v.AppendNull()
			continue
		}
		text := value(r, c.Type, v)
		v.Append()
		row[i] = &text
	}
	return row
}

func pick[T any](r *rand.Rand, extremes ...T) (T, bool) {
	if r.IntN(4) == 0 {
		return extremes[r.IntN(len(extremes))], true
	}
	var none T
	return none, false
}

func value(r *rand.Rand, t schema.Type, v *column.Vector) string {
	switch t.ID {
	case schema.Boolean:
		x := r.IntN(2) == 0
		v.Bools = append(v.Bools, x)
		return strconv.FormatBool(x)
	case schema.Int, schema.Date:
		x, ok := pick[int32](r, math.MinInt32, math.MaxInt32, 0, -1)
		if t.ID == schema.Date {
			x, ok = pick[int32](r, -719162, 2932896, 0, -1, -141427) // year 1, year 9999, 1582
		}
		if !ok {
			x = int32(r.IntN(40000)) - 20000
		}
		v.Int32s = append(v.Int32s, x)
		return strconv.Itoa(int(x))
	case schema.Long, schema.Timestamp, schema.TimestampTZ:
		x, ok := pick[int64](r, math.MinInt64, math.MaxInt64, 0, -1)
		if t.ID != schema.Long {
			x, ok = pick[int64](r, -62135596800000000, 253402300799999999, 0, -1, -2208988800000001)
		}
		if !ok {
			x = r.Int64N(1 << 51)
		}
		v.Int64s = append(v.Int64s, x)
		return strconv.FormatInt(x, 10)
	case schema.Float:
		x, ok := pick(r, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1)))
		if !ok {
			x = r.Float32() - 0.5
		}
		v.Float32s = append(v.Float32s, x)
		return fmt.Sprintf("%08x", math.Float32bits(x))
	case schema.Double:
		x, ok := pick(r, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1))
		if !ok {
			x = r.Float64() - 0.5
		}
		v.Float64s = append(v.Float64s, x)
		return fmt.Sprintf("%016x", math.Float64bits(x))
	case schema.Decimal:
		limit := limits[t.Precision]
		x, ok := pick(r, limit, new(big.Int).Neg(limit), big.NewInt(0), big.NewInt(-1), big.NewInt(2), big.NewInt(-3))
		if !ok {
			x = new(big.Int).Rsh(new(big.Int).Mul(limit, big.NewInt(r.Int64N(1<<40)-1<<39)), 40)
		}
		if v.Kind == column.Int64 {
			v.Int64s = append(v.Int64s, x.Int64())
		} else {
			v.Wides = append(v.Wides, wideOf(x))
		}
		return decimalText(x, t.Scale)
	case schema.Binary:
		x, ok := pick(r, "", strings.Repeat("\xff", 70), "\x00")
		if !ok {
			x = string([]byte{byte(r.Uint32()), byte(r.Uint32())})
		}
		v.Data = append(v.Data, x...)
		return hex.EncodeToString([]byte(x))
	default:
		x, ok := pick(r, "", "é日本🙂", strings.Repeat("日", 80), strings.Repeat("\U0010FFFF", 40), "a\x01b\"\\")
		if !ok {
			x = fmt.Sprintf("text %d", r.IntN(1000))
		}
		v.Data = append(v.Data, x...)
		return x
	}
}

func decimalText(unscaled *big.Int, scale int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if scale > 0 {
		for len(digits) <= scale {
			digits = "0" + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if unscaled.Sign() < 0 {
		digits = "-" + digits
	}
	return digits
}

func kinds(t *schema.Table) *column.Batch { return column.NewBatch(t.Kinds(), 0) }

// write makes a file of random rows and returns its description and the rows' plain forms.
func write(t *testing.T, path string, seed uint64, table *schema.Table, rows, perBatch int) (*parquet.File, *readback.Table) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, table, "1.2.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &readback.Table{Count: int64(rows)}
	for _, c := range table.Columns {
		want.Columns = append(want.Columns, [2]string{c.Name, c.Type.String()})
	}
	b := kinds(table)
	for i := range rows {
		want.Rows = append(want.Rows, fill(r, table, b))
		if b.Rows() == perBatch || i == rows-1 {
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
	}
	file, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if file.Rows != int64(rows) || file.Size != int64(out.Len()) {
		t.Errorf("described as %d rows in %d bytes; there are %d in %d", file.Rows, file.Size, rows, out.Len())
	}
	return file, want
}

// What is written reads back equal with two independent readers: every type, extremes, NULLs, many batches, a
// dictionary that overflows, no rows at all.
func TestIndependentReadersSeeEveryValue(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t)
	python, err := sb.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var paths []string
	var wants []*readback.Table
	for i, rows := range []int{0, 1, 63, 64, 65, 3000, 25000} {
		for name, table := range map[string]*schema.Table{"": everyType(), "carried": carriedTexts()} {
			path := filepath.Join(folder, fmt.Sprintf("%d%s.parquet", i, name))
			_, want := write(t, path, uint64(i), table, rows, 1+i*700)
			paths, wants = append(paths, path), append(wants, want)
		}
	}
	path, want := writeConstants(t, folder)
	paths, wants = append(paths, path), append(wants, want)
	for _, engine := range []string{"pyarrow", "duckdb"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			got, err := readback.Reader{Python: python}.Parquet(t.Context(), engine, paths...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				for _, difference := range readback.Differences(wants[i], &got[i]) {
					t.Errorf("%d rows: %s", wants[i].Count, difference)
				}
			}
		})
	}
}

// The bounds hold every value, are the exact extremes where they are not cut, and count NULLs and NaNs.
func TestBounds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		table := everyType()
		file, want := write(t, filepath.Join(t.TempDir(), "f"), seed, table, 1+int(seed)*9, 5)
		for i, c := range table.Columns {
			described := file.Columns[i]
			var nulls, nans int64
			var low, high any
			for _, row := range want.Rows {
				if row[i] == nil {
					nulls++
					continue
				}
				v := comparableOf(t, c.Type, *row[i])
				if f, ok := v.(float64); ok && math.IsNaN(f) {
					nans++
					continue
				}
				if low == nil || less(v, low) {
					low = v
				}
				if high == nil || less(high, v) {
					high = v
				}
			}
			if described.FieldID != c.FieldID || described.Values != file.Rows || described.Nulls != nulls || described.NaNs != nil && *described.NaNs != nans {
				t.Errorf("seed %d, column %s: %d values, %d NULLs, NaNs %v; wanted %d, %d, %d", seed, c.Name, described.Values, described.Nulls, described.NaNs, file.Rows, nulls, nans)
			}
			if low == nil {
				if described.Lower != nil || described.Upper != nil {
					t.Errorf("seed %d, column %s: bounds of nothing", seed, c.Name)
				}
				continue
			}
			lower := decode(t, c.Type, described.Lower)
			if less(low, lower) {
				t.Errorf("seed %d, column %s: the lower bound %v lies above %v", seed, c.Name, lower, low)
			}
			exact := c.Type.ID != schema.String && c.Type.ID != schema.Binary
			if exact && less(lower, low) {
				t.Errorf("seed %d, column %s: the lower bound %v is not exact: %v", seed, c.Name, lower, low)
			}
			if described.Upper == nil && !exact {
				continue // there may be no text above the largest one
			}
			upper := decode(t, c.Type, described.Upper)
			if less(upper, high) || exact && less(high, upper) {
				t.Errorf("seed %d, column %s: the upper bound is %v for %v", seed, c.Name, upper, high)
			}
		}
	}
}

func comparableOf(t *testing.T, typ schema.Type, text string) any {
	t.Helper()
	switch typ.ID {
	case schema.Float:
		bits, _ := strconv.ParseUint(text, 16, 32)
		return float64(math.Float32frombits(uint32(bits)))
	case schema.Double:
		bits, _ := strconv.ParseUint(text, 16, 64)
		return math.Float64frombits(bits)
	case schema.String:
		return text
	case schema.Binary:
		raw, _ := hex.DecodeString(text)
		return string(raw)
	case schema.Boolean:
		return big.NewInt(map[string]int64{"true": 1}[text])
	default:
		b, ok := new(big.Int).SetString(strings.ReplaceAll(text, ".", ""), 10)
		if !ok {
			t.Fatalf("%q is not a number", text)
		}
		return b
	}
}

func less(a, b any) bool {
	switch x := a.(type) {
	case float64:
		return x < b.(float64)
	case string:
		return x < b.(string)
	default:
		return a.(*big.Int).Cmp(b.(*big.Int)) < 0
	}
}

// decode reads Iceberg's single-value serialization.
func decode(t *testing.T, typ schema.Type, data []byte) any {
	t.Helper()
	reversed := make([]byte, len(data))
	for i, b := range data {
		reversed[len(data)-1-i] = b
	}
	switch typ.ID {
	case schema.String, schema.Binary:
		return string(data)
	case schema.Float:
		return float64(math.Float32frombits(uint32(new(big.Int).SetBytes(reversed).Uint64())))
	case schema.Double:
		return math.Float64frombits(new(big.Int).SetBytes(reversed).Uint64())
	case schema.Decimal:
		reversed = data
		if len(data) > 1 && (data[0] == 0 && data[1] < 0x80 || data[0] == 0xff && data[1] >= 0x80) {
			t.Errorf("the decimal bound %x is not the shortest", data)
		}
	}
	if len(reversed) == 0 {
		t.Fatal("an empty bound")
	}
	v := new(big.Int).SetBytes(reversed)
	if reversed[0] >= 0x80 && typ.ID != schema.Boolean {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(reversed))))
	}
	return v
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	table := &schema.Table{Columns: []schema.Column{{Name: "a", Type: schema.Type{ID: schema.Int}, Required: true}, {Name: "b", Type: schema.Type{ID: schema.String}}}}
	for _, tc := range []struct {
		name string
		fill func(*column.Batch)
		want string
	}{
		{"NULL in a required column", func(b *column.Batch) { b.Columns[0].AppendNull(); b.Columns[1].AppendNull() }, `column "a" is required and has 1 NULLs`},
		{"columns of different length", func(b *column.Batch) {
			b.Columns[0].Int32s = append(b.Columns[0].Int32s, 1)
			b.Columns[0].Append()
		}, `column "b" has 0 rows`},
		{"another kind", func(b *column.Batch) {
			b.Columns[0] = column.NewVector(column.Int64, 1)
			b.Columns[0].AppendNull()
			b.Columns[1].AppendNull()
		}, "of kind int64, not 1 of int32"},
		{"another number of columns", func(b *column.Batch) { b.Columns = b.Columns[:1] }, "has 1 columns and the file 2"},
	} {
		w, err := parquet.NewWriter(&bytes.Buffer{}, table, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		b := kinds(table)
		tc.fill(b)
		if err := w.Write(b); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	table.Columns[1].Name = "a"
	if _, err := parquet.NewWriter(&bytes.Buffer{}, table, "", nil); err == nil {
		t.Error("two columns of one name were accepted")
	}
}

// Large tables are cut into row groups, whose offsets the description names; those of large rows are smaller.
func TestRowGroups(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name               string
		text, rows, groups int
	}{
		{"225 MiB in groups of at most 96", 10 << 10, 23040, 3},
		{"225 MiB of large rows in groups of at most 32", 5 << 20, 45, 8},
	} {
		table := &schema.Table{Columns: []schema.Column{{Name: "t", Type: schema.Type{ID: schema.String}, FieldID: 1}}}
		var out bytes.Buffer
		w, err := parquet.NewWriter(&out, table, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		b := kinds(table)
		text := bytes.Repeat([]byte("lake "), tc.text/5)
		for range tc.rows {
			b.Columns[0].Data = append(b.Columns[0].Data, text...)
			b.Columns[0].Append()
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
		file, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		if n := len(file.Splits); n != tc.groups || file.Splits[0] != 4 || !slices.IsSorted(file.Splits) {
			t.Errorf("%s: row groups begin at %v", tc.name, file.Splits)
		}
		if size := file.Columns[0].Size; size <= 0 || size > file.Size {
			t.Errorf("%s: the column has %d of %d bytes", tc.name, size, file.Size)
		}
	}
}

// A description travels as a document.
func TestFileDocument(t *testing.T) {
	t.Parallel()
	file, _ := write(t, filepath.Join(t.TempDir(), "f"), 1, everyType(), 10, 3)
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	var again parquet.File
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*file, again); diff != "" {
		t.Error(diff)
	}
}
