// Package merge brings changes, found by key, into a table's data files. It knows no table format: it reads and writes
// files of Parquet, and says which files of the table give way to which.
package merge

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// ErrKey says that a row's key cannot identify it: a part of it is NULL, or another row of the same changes has it.
var ErrKey = errors.New("the key does not identify rows")

var seed = maphash.MakeSeed()

// keys finds the rows of keys, by numbers that are told with them. Once nothing is added any more it is safe for concurrent
// use.
type keys struct {
	columns []schema.Column
	// part of parts are the keys that are taken, the others being passed over; parts is 0 where all are.
	part, parts uint64
	// spans are what the values of each column lie in.
	spans []span
	// rows are the numbers of the keys' rows.
	rows []int32
	// order are the values by which the greater of two rows of a key is the newer, key by key; nil where two are an error.
	// older are the numbers of rows that have a newer one.
	order *column.Vector
	texts [][]byte
	older []int32
	// slots are an open hash table of numbers plus one, of which 0 is free.
	slots []int32
	shift uint
	// A key of one whole number is in numbers; others are in data as bytes, key i ending at ends[i].
	single  bool
	numbers []int64
	data    []byte
	ends    []int
	hashes  []uint64
}

// span is the least and the greatest of whole numbers; those of other columns are not known.
type span struct {
	known     bool
	low, high int64
}

func newKeys(columns []schema.Column, rows int) *keys {
	k := &keys{columns: columns, shift: 64 - 10, spans: make([]span, len(columns))}
	for size := 1 << 10; size < 2*rows; size *= 2 {
		k.shift--
	}
	k.slots = make([]int32, 1<<(64-k.shift))
	if len(columns) == 1 {
		kind := columns[0].Type.Kind()
		k.single = kind == column.Int32 || kind == column.Int64
	}
	return k
}

func (k *keys) len() int { return len(k.rows) }

// size is the memory that the keys take up, in bytes.
func (k *keys) size() int {
	return 4*(len(k.slots)+len(k.rows)+len(k.older)) + k.orderSize() + 8*(len(k.numbers)+len(k.ends)+len(k.hashes)) + len(k.data)
}

func (k *keys) orderSize() int {
	if k.order == nil {
		return 0
	}
	size := k.order.Size() + 24*len(k.texts)
	for _, text := range k.texts {
		size += len(text)
	}
	return size
}

// spread places whole numbers in the hash table, scatter in parts.
const (
	spread  = 0x9E3779B97F4A7C15
	scatter = 0xD6E8FEB86659FD93
)

// number is row i's key, of one whole number.
func number(v *column.Vector, i int) int64 {
	if v.Kind == column.Int32 {
		return int64(v.Int32s[i])
	}
	return v.Int64s[i]
}

// ordered has the greater of two rows of one key count, by the values of a column.
func (k *keys) ordered(c *schema.Column) { k.order = column.NewVector(c.Type.Kind(), 0) }

// add adds the keys of rows from number first on, given by the vectors of the key's columns, and behind them the one that
// orders them, if there is one. A key that is there already is an error where nothing orders its rows, or passed over where
// again allows it.
func (k *keys) add(vectors []*column.Vector, first int32, again bool) error {
	var order *column.Vector
	if k.order != nil && !again {
		order, vectors = vectors[len(vectors)-1], vectors[:len(vectors)-1]
	}
	for j, v := range vectors {
		k.spans[j].cover(v, &k.columns[j])
	}
	var text []byte
	for i := range vectors[0].Len() {
		for j, v := range vectors {
			if v.IsNull(i) {
				return fmt.Errorf("%w: a row has no value in the key's column %q", ErrKey, k.columns[j].Name)
			}
		}
		if 2*k.len() >= len(k.slots) {
			k.grow()
		}
		var at int
		var found int32
		if k.single {
			n := number(vectors[0], i)
			if k.parts > 0 && uint64(n)*scatter>>40%k.parts != k.part {
				continue
			}
			if at, found = k.seekNumber(n); found < 0 {
				k.numbers = append(k.numbers, n)
			}
		} else {
			text = appendKey(text[:0], vectors, i)
			hash := maphash.Bytes(seed, text)
			if k.parts > 0 && hash&math.MaxUint32%k.parts != k.part {
				continue
			}
			if at, found = k.seekText(text, hash); found < 0 {
				k.data, k.hashes = append(k.data, text...), append(k.hashes, hash)
				k.ends = append(k.ends, len(k.data))
			}
		}
		switch {
		case found < 0:
			k.rows = append(k.rows, first+int32(i))
			k.slots[at] = int32(len(k.rows))
			k.keepOrder(order, i)
		case again:
		case order == nil:
			return k.twice(vectors, i)
		default:
			newer, err := k.newer(order, i, int(found))
			switch {
			case err != nil:
				return fmt.Errorf("%w of the key %s", err, k.show(vectors, i))
			case newer:
				k.older = append(k.older, k.rows[found])
				k.rows[found] = first + int32(i)
			default:
				k.older = append(k.older, first+int32(i))
			}
		}
	}
	return nil
}

// cover takes the values of a column into its span.
func (s *span) cover(v *column.Vector, c *schema.Column) {
	if v.Kind != column.Int32 && v.Kind != column.Int64 || c.Type.ID == schema.Decimal {
		return
	}
	for i := range v.Len() {
		n := number(v, i)
		if !s.known {
			s.known, s.low, s.high = true, n, n
		}
		s.low, s.high = min(s.low, n), max(s.high, n)
	}
}

// keepOrder keeps what orders the row of the key that was added last; nil orders none.
func (k *keys) keepOrder(v *column.Vector, i int) {
	switch {
	case k.order == nil:
	case k.order.Kind == column.Bytes:
		var text []byte
		if v != nil && !v.IsNull(i) {
			text = append([]byte{}, v.Bytes(i)...)
		}
		k.texts = append(k.texts, text)
	case v == nil:
		k.order.AppendNull()
	default:
		k.order.AppendRows(v, i, i+1)
	}
}

// newer reports whether a row comes behind the one that a key has, and if so keeps what orders it. NULL comes first.
func (k *keys) newer(v *column.Vector, i, at int) (bool, error) {
	var compared int
	if k.order.Kind == column.Bytes {
		switch before := k.texts[at]; {
		case v.IsNull(i):
			compared = -1
			if before == nil {
				compared = 0
			}
		case before == nil:
			compared = 1
		default:
			compared = bytes.Compare(v.Bytes(i), before)
		}
	} else {
		compared = compare(v, i, k.order, at)
	}
	switch {
	case compared == 0:
		return false, fmt.Errorf("%w: two rows have equal values of what orders them", ErrKey)
	case compared < 0:
		return false, nil
	case k.order.Kind == column.Bytes:
		k.texts[at] = append([]byte{}, v.Bytes(i)...)
	default:
		k.order.Set(at, v, i)
	}
	return true, nil
}

// compare is -1, 0 or 1 as row i of a vector comes before, with or behind row j of another of its kind, which is not Bytes. NULL
// comes first.
func compare(v *column.Vector, i int, o *column.Vector, j int) int {
	if v.IsNull(i) || o.IsNull(j) {
		return cmp.Compare(truth(!v.IsNull(i)), truth(!o.IsNull(j)))
	}
	switch v.Kind {
	case column.Bool:
		return cmp.Compare(truth(v.Bools[i]), truth(o.Bools[j]))
	case column.Int32:
		return cmp.Compare(v.Int32s[i], o.Int32s[j])
	case column.Int128:
		return v.Wides[i].Cmp(o.Wides[j])
	case column.Float32:
		return compareFloats(float64(v.Float32s[i]), float64(o.Float32s[j]))
	case column.Float64:
		return compareFloats(v.Float64s[i], o.Float64s[j])
	default:
		return cmp.Compare(v.Int64s[i], o.Int64s[j])
	}
}

// compareFloats is cmp.Compare, but that what is not a number comes behind all numbers, as PostgreSQL has it.
func compareFloats(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return cmp.Compare(truth(math.IsNaN(a)), truth(math.IsNaN(b)))
	}
	return cmp.Compare(a, b)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (k *keys) twice(vectors []*column.Vector, i int) error {
	return fmt.Errorf("%w: two rows have the key %s: choose columns whose values are unique as primary_key", ErrKey, k.show(vectors, i))
}

// show writes a key for people.
func (k *keys) show(vectors []*column.Vector, i int) string {
	parts := make([]string, len(vectors))
	for j, v := range vectors {
		var text string
		switch v.Kind {
		case column.Bytes:
			text = fmt.Sprintf("%.60q", v.Bytes(i))
		case column.Int32, column.Int64:
			text = fmt.Sprint(number(v, i))
		case column.Bool:
			text = fmt.Sprint(v.Bools[i])
		default:
			text = "…"
		}
		parts[j] = k.columns[j].Name + " = " + text
	}
	return strings.Join(parts, ", ")
}

func (k *keys) seekNumber(n int64) (at int, found int32) {
	mask := len(k.slots) - 1
	for at = int(uint64(n) * spread >> k.shift); ; at = (at + 1) & mask {
		s := k.slots[at]
		if s == 0 {
			return at, -1
		}
		if k.numbers[s-1] == n {
			return at, s - 1
		}
	}
}

func (k *keys) seekText(text []byte, hash uint64) (at int, found int32) {
	mask := len(k.slots) - 1
	for at = int(hash >> k.shift); ; at = (at + 1) & mask {
		s := k.slots[at]
		if s == 0 {
			return at, -1
		}
		if k.hashes[s-1] == hash && bytes.Equal(k.text(int(s-1)), text) {
			return at, s - 1
		}
	}
}

func (k *keys) text(i int) []byte {
	start := 0
	if i > 0 {
		start = k.ends[i-1]
	}
	return k.data[start:k.ends[i]]
}

func (k *keys) grow() {
	k.slots = make([]int32, 2*len(k.slots))
	k.shift--
	for i, n := range k.numbers {
		at, _ := k.seekNumber(n)
		k.slots[at] = int32(i + 1)
	}
	mask := len(k.slots) - 1
	for i, hash := range k.hashes {
		at := int(hash >> k.shift)
		for k.slots[at] != 0 {
			at = (at + 1) & mask
		}
		k.slots[at] = int32(i + 1)
	}
}

// Hit is a stored row that a change is about.
type Hit struct {
	// Row is the row's place in its row group, Change the change's number, or what happens to the row instead.
	Row    int32
	Change int32
}

// What happens to stored rows that no change replaces where they stand.
const (
	// dropped rows go, since another row of their key has been found before.
	dropped = -1 - iota
	// moved rows go, since their new version is written elsewhere.
	moved
	// removed rows go, and softened ones are marked as deleted.
	removed
	softened
	// absent rows have been deleted by position before.
	absent
)

// goes reports whether the row is not there afterwards, where it stands.
func (h Hit) goes() bool { return h.Change < 0 && h.Change != softened }

// find appends the rows whose keys there are, with the numbers of these. A row without a key has none of them.
func (k *keys) find(hits []Hit, vectors []*column.Vector) []Hit {
	rows := vectors[0].Len()
	if k.single && vectors[0].Nulls == 0 {
		if vectors[0].Kind == column.Int32 {
			for i, n := range vectors[0].Int32s {
				if _, found := k.seekNumber(int64(n)); found >= 0 {
					hits = append(hits, Hit{int32(i), k.rows[found]})
				}
			}
			return hits
		}
		for i, n := range vectors[0].Int64s {
			if _, found := k.seekNumber(n); found >= 0 {
				hits = append(hits, Hit{int32(i), k.rows[found]})
			}
		}
		return hits
	}
	var text []byte
rows:
	for i := range rows {
		for _, v := range vectors {
			if v.IsNull(i) {
				continue rows
			}
		}
		var found int32
		if k.single {
			_, found = k.seekNumber(number(vectors[0], i))
		} else {
			text = appendKey(text[:0], vectors, i)
			_, found = k.seekText(text, maphash.Bytes(seed, text))
		}
		if found >= 0 {
			hits = append(hits, Hit{int32(i), k.rows[found]})
		}
	}
	return hits
}

// appendKey writes a row's key so that equal keys are equal bytes, and others are not. Both zeros are equal, and so is
// all that is not a number, as PostgreSQL has it.
func appendKey(out []byte, vectors []*column.Vector, i int) []byte {
	for _, v := range vectors {
		switch v.Kind {
		case column.Bool:
			out = append(out, map[bool]byte{true: 1}[v.Bools[i]])
		case column.Int32:
			out = binary.LittleEndian.AppendUint64(out, uint64(int64(v.Int32s[i])))
		case column.Int64:
			out = binary.LittleEndian.AppendUint64(out, uint64(v.Int64s[i]))
		case column.Int128:
			out = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(out, uint64(v.Wides[i].Hi)), v.Wides[i].Lo)
		case column.Float32:
			out = appendFloat(out, float64(v.Float32s[i]))
		case column.Float64:
			out = appendFloat(out, v.Float64s[i])
		default:
			text := v.Bytes(i)
			out = append(binary.LittleEndian.AppendUint32(out, uint32(len(text))), text...)
		}
	}
	return out
}

func appendFloat(out []byte, f float64) []byte {
	switch {
	case f == 0:
		f = 0
	case math.IsNaN(f):
		f = math.NaN()
	}
	return binary.LittleEndian.AppendUint64(out, math.Float64bits(f))
}
