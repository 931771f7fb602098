package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// TransformID names what a partition field makes of a column's value, in the words that configurations use.
type TransformID string

// The transforms (Iceberg specification, "Partition Transforms").
const (
	Identity TransformID = "identity"
	Year     TransformID = "year"
	Month    TransformID = "month"
	Day      TransformID = "day"
	Hour     TransformID = "hour"
	Bucket   TransformID = "bucket"
	Truncate TransformID = "truncate"
)

// PartitionField is a field by which a table's files are partitioned.
type PartitionField struct {
	// Column is the target's name of the column.
	Column    string      `json:"column"`
	Transform TransformID `json:"transform"`
	// Width is the number of buckets, or the length or multiple that is truncated to.
	Width int `json:"width,omitempty"`
}

// PartitionValues are the values of a table's partition fields, in their order; nil is NULL. Numbers, dates (days),
// times (microseconds) and unscaled decimals are written in decimal, years, months, days and hours as their number
// since 1970, booleans as true or false, texts as they are, bytes in hexadecimal.
type PartitionValues []*string

// ID tells values apart: equal ones have equal IDs.
func (p PartitionValues) ID() string {
	var b strings.Builder
	for _, v := range p {
		if v == nil {
			b.WriteByte('-')
			continue
		}
		b.WriteString(strconv.Itoa(len(*v)) + ":" + *v)
	}
	return b.String()
}

// Name is the field's name in the lake, as other writers of Iceberg choose it.
func (f PartitionField) Name() string {
	switch f.Transform {
	case Identity:
		return f.Column
	case Truncate:
		return f.Column + "_trunc"
	default:
		return f.Column + "_" + string(f.Transform)
	}
}

func (f PartitionField) String() string {
	switch f.Transform {
	case Identity:
		return f.Column
	case Bucket, Truncate:
		return fmt.Sprintf("%s(%d, %s)", f.Transform, f.Width, f.Column)
	default:
		return fmt.Sprintf("%s(%s)", f.Transform, f.Column)
	}
}

// PartitionTypes are the types of the values of the table's partition fields, or an error where a field has no column or
// its transform is not for the column's type, or where two fields of one column say the same or parts of each other.
func (t *Table) PartitionTypes() ([]Type, error) {
	types := make([]Type, len(t.Partition))
	finer := map[string]PartitionField{}
	for i, f := range t.Partition {
		c, ok := t.Column(f.Column)
		if !ok {
			return nil, fmt.Errorf("the table is partitioned by %s, and has no column %q: name one of its columns in partition_by", f, f.Column)
		}
		var err error
		if types[i], err = f.Of(c.Type); err != nil {
			return nil, err
		}
		id := f.Column + "\x00" + string(f.Transform)
		if f.Transform == Year || f.Transform == Month || f.Transform == Day || f.Transform == Hour {
			id = f.Column + "\x00time"
		}
		if other, taken := finer[id]; taken {
			return nil, fmt.Errorf("the table is partitioned by %s and by %s, of which the finer one does for both: leave the other out of partition_by", other, f)
		}
		finer[id] = f
	}
	return types, nil
}

// Of is the type of the field's values for a column's type, or an error where the transform is not for it.
func (f PartitionField) Of(t Type) (Type, error) {
	wrong := fmt.Errorf("%s: a column of type %s cannot be partitioned so", f, t)
	switch f.Transform {
	case Identity:
		if t.ID == Float || t.ID == Double {
			return Type{}, wrong
		}
		return t, nil
	case Year, Month, Day, Hour:
		if t.ID != Timestamp && t.ID != TimestampTZ && (t.ID != Date || f.Transform == Hour) {
			return Type{}, wrong
		}
		if f.Transform == Day {
			return Type{ID: Date}, nil
		}
		return Type{ID: Int}, nil
	case Bucket:
		if f.Width < 1 || t.ID == Boolean || t.ID == Float || t.ID == Double {
			return Type{}, wrong
		}
		return Type{ID: Int}, nil
	case Truncate:
		if f.Width < 1 || t.ID != Int && t.ID != Long && t.ID != Decimal && t.ID != String && t.ID != Binary {
			return Type{}, wrong
		}
		return t, nil
	default:
		return Type{}, fmt.Errorf("the transform %q is not known", f.Transform)
	}
}
