package spec

import (
	"fmt"
	"strconv"
)

// Transforms are what partition_by makes of a column's values, in the words of configurations and of Iceberg.
var Transforms = []string{"identity", "year", "month", "day", "hour", "bucket", "truncate"}

// Partition is an element of partition_by, read.
type Partition struct {
	// Column is the column's name as it was written.
	Column string
	// Transform is one of Transforms; a column by itself is "identity".
	Transform string
	// Width is the number of buckets, or the length or multiple that is truncated to; 0 for all other transforms.
	Width int
}

var partitionForm = formOf(`^(?:(year|month|day|hour|identity)\((.+)\)|(bucket|truncate)\(([0-9]{1,6}), ?(.+)\)|([^()]+))$`)

// ParsePartition reads an element of partition_by: a column, or year(c), month(c), day(c), hour(c), bucket(16, c) or
// truncate(10, c).
func ParsePartition(text string) (Partition, error) {
	parts := partitionForm.FindStringSubmatch(text)
	switch {
	case parts == nil:
		return Partition{}, fmt.Errorf("%q is not a partition: write a column, or year(c), month(c), day(c), hour(c), bucket(16, c) or truncate(10, c)", text)
	case parts[1] != "":
		return Partition{Column: parts[2], Transform: parts[1]}, nil
	case parts[3] == "":
		return Partition{Column: parts[6], Transform: "identity"}, nil
	}
	width, err := strconv.Atoi(parts[4])
	if err != nil || width < 1 {
		return Partition{}, fmt.Errorf("%q: the number must be at least 1", text)
	}
	return Partition{Column: parts[5], Transform: parts[3], Width: width}, nil
}

// checkPartitions finds elements that cannot be read, and two that say the same.
func (t *Table) checkPartitions(ps *Problems) {
	read := map[Partition]bool{}
	for i, text := range t.PartitionBy {
		p, err := ParsePartition(text)
		switch {
		case err != nil:
			ps.add(At("partition_by", i), "%s", err)
			continue
		case read[p]:
			ps.add(At("partition_by"), "%q stands twice", text)
		}
		read[p] = true
	}
}
