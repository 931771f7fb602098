package iceberg

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// avroName is what the names of partition fields may be, since manifests hold them as names of Avro ("Names").
var avroName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func transformOf(f schema.PartitionField) (iceberggo.Transform, error) {
	switch f.Transform {
	case schema.Bucket:
		return iceberggo.BucketTransform{NumBuckets: f.Width}, nil
	case schema.Truncate:
		return iceberggo.TruncateTransform{Width: f.Width}, nil
	default:
		t, err := iceberggo.ParseTransform(string(f.Transform))
		if err != nil {
			return nil, fmt.Errorf("partitioning by %s: %w", f, err)
		}
		return t, nil
	}
}

// partitionFields are a partition spec in our words; void fields, which version 1 left behind, say nothing. ok is false
// for a spec that is not one of ours to write.
func partitionFields(spec iceberggo.PartitionSpec, columns []schema.Column) (fields []schema.PartitionField, ok bool) {
	for _, field := range spec.Fields() {
		if _, void := field.Transform.(iceberggo.VoidTransform); void {
			continue
		}
		at := slices.IndexFunc(columns, func(c schema.Column) bool { return c.FieldID == field.SourceID() })
		if at < 0 || len(field.SourceIDs) != 1 {
			return nil, false
		}
		f := schema.PartitionField{Column: columns[at].Name}
		switch t := field.Transform.(type) {
		case iceberggo.BucketTransform:
			f.Transform, f.Width = schema.Bucket, t.NumBuckets
		case iceberggo.TruncateTransform:
			f.Transform, f.Width = schema.Truncate, t.Width
		default:
			f.Transform = schema.TransformID(field.Transform.String())
		}
		if _, err := f.Of(columns[at].Type); err != nil {
			return nil, false
		}
		fields = append(fields, f)
	}
	return fields, true
}

// partitioning is a list of partition fields in words.
func partitioning(fields []schema.PartitionField) string {
	if len(fields) == 0 {
		return "nothing"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.String()
	}
	return strings.Join(names, ", ")
}

// setPartition makes the schema's partitioning the table's. A table that has files keeps the one it has, unless all
// of them go: then the new one becomes the default, under a spec id of its own, and old snapshots keep theirs
// ("Partition Evolution").
func (t *Table) setPartition(m *metadata, s schema.Table, fresh bool) error {
	if err := writable(s); err != nil {
		return fmt.Errorf("the table %s.%s: %w", t.o.Database, t.o.Name, err)
	}
	if spec, ok := m.spec(m.DefaultSpecID); ok && len(m.Specs) > 0 {
		now, known := partitionFields(spec, s.Columns)
		switch {
		case known && slices.Equal(now, s.Partition):
			return nil
		case !fresh && !known:
			return fmt.Errorf("%w: somebody else partitioned the table %s.%s in a way that is not written here (%s), and partition_by says %s: set reload to a new value to land the table afresh",
				table.ErrPartitioning, t.o.Database, t.o.Name, spec, partitioning(s.Partition))
		case !fresh:
			return fmt.Errorf("%w: the table %s.%s is partitioned by %s, and partition_by says %s: write back what it was, or set reload to a new value to land the table afresh",
				table.ErrPartitioning, t.o.Database, t.o.Name, partitioning(now), partitioning(s.Partition))
		}
	}
	fields, err := m.newFields(s)
	if err != nil {
		return err
	}
	highest := -1
	for _, known := range m.Specs {
		highest = max(highest, known.ID())
		if same := iceberggo.NewPartitionSpecID(known.ID(), fields...); known.Equals(same) {
			m.DefaultSpecID = known.ID()
			return nil
		}
	}
	m.Specs = append(slices.Clone(m.Specs), iceberggo.NewPartitionSpecID(highest+1, fields...))
	m.DefaultSpecID = highest + 1
	return nil
}

// newFields gives partition fields their ids, those that an earlier spec gave them where one did.
func (m *metadata) newFields(s schema.Table) ([]iceberggo.PartitionField, error) {
	fields := make([]iceberggo.PartitionField, len(s.Partition))
	taken := map[string]bool{}
	for i, f := range s.Partition {
		transform, err := transformOf(f)
		if err != nil {
			return nil, err
		}
		c, _ := s.Column(f.Column)
		fields[i] = iceberggo.PartitionField{SourceIDs: []int{c.FieldID}, Transform: transform, Name: partitionName(f, s, taken)}
		for _, spec := range m.Specs {
			for _, known := range spec.Fields() {
				if slices.Equal(known.SourceIDs, fields[i].SourceIDs) && known.Transform.Equals(transform) {
					fields[i].FieldID = known.FieldID
				}
			}
		}
		if fields[i].FieldID == 0 {
			m.LastPartitionID++
			fields[i].FieldID = m.LastPartitionID
		}
	}
	return fields, nil
}

// writable refuses partition fields that the table's columns or iceberg-go's manifests have no room for: of two decimals in
// one spec it defines the same name of Avro twice.
func writable(s schema.Table) error {
	types, err := s.PartitionTypes()
	if err != nil {
		return err
	}
	decimals := 0
	for _, t := range types {
		if t.ID == schema.Decimal {
			decimals++
		}
	}
	if decimals > 1 {
		return fmt.Errorf("the table is partitioned by %s, of which %d have decimals as their values, and only one such is written: put one of them into buckets, or leave it out of partition_by", partitioning(s.Partition), decimals)
	}
	return nil
}

// partitionName is a field's name: one that Avro takes, that no other field has, and that no column has but the one that
// the field is by itself.
func partitionName(f schema.PartitionField, s schema.Table, taken map[string]bool) string {
	name := f.Name()
	if !avroName.MatchString(name) {
		name = "p_" + hex.EncodeToString([]byte(f.Column)) + strings.TrimPrefix(name, f.Column)
	}
	free := func(name string) bool {
		_, column := s.Column(name)
		return !taken[name] && (!column || f.Transform == schema.Identity && name == f.Column)
	}
	unique := name
	for n := 2; !free(unique); n++ {
		unique = name + "_" + strconv.Itoa(n)
	}
	taken[unique] = true
	return unique
}

// namesakes refuses columns that have the name of a partition field, which other writers do not read.
func (m *metadata) namesakes(s schema.Table) error {
	spec, ok := m.spec(m.DefaultSpecID)
	if !ok {
		return nil
	}
	for _, field := range spec.Fields() {
		if c, ok := s.Column(field.Name); ok && c.FieldID != field.SourceID() {
			return fmt.Errorf("the column %q has the name of a partition field of the table: give it another, such as columns = { %q = { name = %q } }", c.Name, c.Name, c.Name+"_2")
		}
	}
	return nil
}

// tuple is a file's partition as manifests hold it, by the ids of the spec's fields.
func tuple(spec iceberggo.PartitionSpec, s *iceberggo.Schema, values schema.PartitionValues) (map[int]any, error) {
	out := map[int]any{}
	next := 0
	for i, field := range spec.PartitionType(s).FieldList {
		if _, void := spec.Field(i).Transform.(iceberggo.VoidTransform); void {
			out[field.ID] = nil
			continue
		}
		if next >= len(values) {
			return nil, fmt.Errorf("it has %d partition values, and the table more partition fields (%s)", len(values), spec)
		}
		value, err := partitionValue(field.Type, values[next])
		if err != nil {
			return nil, fmt.Errorf("the value of its partition field %s: %w", field.Name, err)
		}
		out[field.ID] = value
		next++
	}
	if next != len(values) {
		return nil, fmt.Errorf("it has %d partition values, and the table %d partition fields", len(values), next)
	}
	return out, nil
}

func partitionValue(t iceberggo.Type, text *string) (any, error) {
	if text == nil {
		return nil, nil
	}
	switch typ := t.(type) {
	case iceberggo.BooleanType:
		return strconv.ParseBool(*text)
	case iceberggo.Int32Type, iceberggo.DateType:
		n, err := strconv.ParseInt(*text, 10, 32)
		if _, date := t.(iceberggo.DateType); date {
			return iceberggo.Date(n), err
		}
		return int32(n), err
	case iceberggo.Int64Type:
		return strconv.ParseInt(*text, 10, 64)
	case iceberggo.TimestampType, iceberggo.TimestampTzType:
		n, err := strconv.ParseInt(*text, 10, 64)
		return iceberggo.Timestamp(n), err
	case iceberggo.StringType:
		return *text, nil
	case iceberggo.BinaryType:
		return hex.DecodeString(*text)
	case iceberggo.DecimalType:
		n, ok := new(big.Int).SetString(*text, 10)
		if !ok {
			return nil, fmt.Errorf("%q is not a whole number", *text)
		}
		return iceberggo.LiteralFromBytes(typ, twosComplement(n))
	default:
		return nil, fmt.Errorf("the type %s is not one that is partitioned by here", t)
	}
}

// twosComplement is a number of at most 128 bits in big-endian two's complement.
func twosComplement(n *big.Int) []byte {
	length := n.BitLen()/8 + 1
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	return n.FillBytes(make([]byte, length))
}

// valuesOf is a file's partition in our words, or an error for a value that is none of theirs.
func valuesOf(spec iceberggo.PartitionSpec, partition map[int]any) (schema.PartitionValues, error) {
	var out schema.PartitionValues
	for _, field := range spec.Fields() {
		if _, void := field.Transform.(iceberggo.VoidTransform); void {
			continue
		}
		text, err := valueText(partition[field.FieldID])
		if err != nil {
			return nil, fmt.Errorf("the value of its partition field %s: %w", field.Name, err)
		}
		out = append(out, text)
	}
	return out, nil
}

func valueText(value any) (*string, error) {
	text := ""
	switch v := value.(type) {
	case nil:
		return nil, nil
	case bool:
		text = strconv.FormatBool(v)
	case int32:
		text = strconv.FormatInt(int64(v), 10)
	case int64:
		text = strconv.FormatInt(v, 10)
	case iceberggo.Date:
		text = strconv.FormatInt(int64(v), 10)
	case iceberggo.Timestamp:
		text = strconv.FormatInt(int64(v), 10)
	case string:
		text = v
	case []byte:
		text = hex.EncodeToString(v)
	case iceberggo.DecimalLiteral:
		text = v.Val.BigInt().String()
	case iceberggo.Decimal:
		text = v.Val.BigInt().String()
	default:
		return nil, fmt.Errorf("it is of a kind that is not partitioned by here (%T)", value)
	}
	return &text, nil
}
