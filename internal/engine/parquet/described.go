package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// Note is what the footer holds under a key; ok is false where there is nothing.
func (r *Reader) Note(key string) (value string, ok bool) {
	for _, kv := range r.metadata.KeyValueMetadata {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return "", false
}

// Own reports whether this engine wrote the file.
func (r *Reader) Own() bool { return r.counts == nil }

// Carried reports whether a column of a row group was written as one that is carried: no file that others read may have it so.
func (r *Reader) Carried(group, place int) bool {
	_, is := r.carried(group, place)
	return is
}

// Refers is the file, by its key, and the row group in which a column of a row group has its values, as GroupWriter.Refer says;
// ok is false where it has them itself.
func (r *Reader) Refers(group, place int) (key string, to int, ok bool) {
	note, _ := r.carried(group, place)
	number, key, ok := strings.Cut(note, " ")
	to, err := strconv.Atoi(number)
	return key, to, ok && err == nil && to >= 0
}

func (r *Reader) carried(group, place int) (note string, is bool) {
	for _, kv := range r.metadata.RowGroups[group].Columns[place].MetaData.KeyValueMetadata {
		if kv.Key == carriedNote {
			return kv.Value, true
		}
	}
	return "", false
}

// Alike reports whether a column of a row group may hold what one of a row group of another file does, by what their footers tell.
func (r *Reader) Alike(group, place int, o *Reader, otherGroup, otherPlace int) bool {
	a, b := &r.metadata.RowGroups[group].Columns[place].MetaData, &o.metadata.RowGroups[otherGroup].Columns[otherPlace].MetaData
	from, to := &r.leaves[place], &o.leaves[otherPlace]
	return from.Type == to.Type && from.TypeLength == to.TypeLength && from.RepetitionType == to.RepetitionType && from.Scale == to.Scale &&
		a.NumValues == b.NumValues && a.TotalCompressedSize == b.TotalCompressedSize && a.Codec == b.Codec
}

// Same reports whether they hold the same, as it stands in the files. What the first has may have been fetched.
func (r *Reader) Same(ctx context.Context, group, place int, fetched *Fetched, o *Reader, otherGroup, otherPlace int) (bool, error) {
	if !r.Alike(group, place, o, otherGroup, otherPlace) {
		return false, nil
	}
	start, length := extent(&r.metadata.RowGroups[group].Columns[place].MetaData)
	here, err := r.part(ctx, fetched, start, length)
	if err != nil {
		return false, err
	}
	start, length = extent(&o.metadata.RowGroups[otherGroup].Columns[otherPlace].MetaData)
	there, err := o.part(ctx, nil, start, length)
	return err == nil && bytes.Equal(here, there), err
}

// Nulls is how many rows of a column have no value in a row group, or -1 where the file does not tell.
func (r *Reader) Nulls(group, place int) int {
	if r.counts != nil && !r.counts.RowGroups[group].Columns[place].MetaData.Statistics.NullCount.Valid {
		return -1
	}
	return int(r.metadata.RowGroups[group].Columns[place].MetaData.Statistics.NullCount)
}

// Bounds are what the footer tells of a column's values, in Iceberg's single-value serialization of a type, which may be
// wider than the file's; nil where a row group with values tells nothing.
func (r *Reader) Bounds(place int, as schema.Type) (low, high []byte) {
	if scaleOf(as, &r.leaves[place]) != nil {
		return nil, nil
	}
	all := bounds{typ: as}
	for g := range r.metadata.RowGroups {
		m := &r.metadata.RowGroups[g].Columns[place].MetaData
		if nulls := r.Nulls(g, place); nulls >= 0 && int64(nulls) == m.NumValues {
			continue
		}
		one := bounds{typ: as}
		if m.Statistics.MinValue == nil || m.Statistics.MaxValue == nil || !one.statistics(&r.leaves[place], m.Statistics.MinValue, m.Statistics.MaxValue) {
			return nil, nil
		}
		all.merge(&one)
	}
	return all.encoded()
}

// statistics reads bounds from a footer's statistics; false says that they cannot be told.
func (b *bounds) statistics(leaf *format.SchemaElement, low, high []byte) bool {
	if b.typ.ID != schema.Decimal {
		// Bounds of numbers are little-endian in both; texts are as they are (Parquet format, Statistics).
		return b.parse(bytes.Clone(low), bytes.Clone(high))
	}
	for _, value := range [][]byte{low, high} {
		w, ok := decimalFrom(leaf, value)
		switch {
		case !ok:
			return false
		case b.typ.Kind() == column.Int128:
			b.wide(w)
		case w != column.WideOf(int64(w.Lo)):
			return false
		default:
			b.integer(int64(w.Lo))
		}
	}
	return b.some
}

// decimalFrom is the number that a footer's statistics hold for a decimal.
func decimalFrom(leaf *format.SchemaElement, value []byte) (column.Wide, bool) {
	switch {
	case leaf.Type.V == format.Int32 && len(value) == 4:
		return column.WideOf(int64(int32(binary.LittleEndian.Uint32(value)))), true
	case leaf.Type.V == format.Int64 && len(value) == 8:
		return column.WideOf(int64(binary.LittleEndian.Uint64(value))), true
	case leaf.Type.V == format.Int32 || leaf.Type.V == format.Int64 || len(value) == 0:
		return column.Wide{}, false
	default:
		return wideFrom(value)
	}
}
