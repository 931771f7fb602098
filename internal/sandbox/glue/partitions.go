package glue

import (
	"encoding/json"
	"hash/crc32"
)

// partition is Glue's Partition structure.
type partition struct {
	partitionInput
	DatabaseName string
	TableName    string
	CreationTime *timestamp
	CatalogID    string `json:"CatalogId"`
}

// partitionInput is Glue's PartitionInput structure.
type partitionInput struct {
	Values            []string           `json:",omitzero"`
	LastAccessTime    *timestamp         `json:",omitzero"`
	StorageDescriptor *storageDescriptor `json:",omitzero"`
	Parameters        map[string]string  `json:",omitzero"`
	LastAnalyzedTime  *timestamp         `json:",omitzero"`
}

type (
	createPartitionRequest struct {
		tableRequest
		TableName      string
		PartitionInput partitionInput
	}
	batchCreatePartitionRequest struct {
		tableRequest
		TableName          string
		PartitionInputList []partitionInput
	}
	partitionError struct {
		PartitionValues []string
		ErrorDetail     *errorDetail
	}
	partitionErrorsReply struct {
		Errors []partitionError
	}
	partitionRequest struct {
		tableRequest
		TableName       string
		PartitionValues []string
	}
	getPartitionReply struct {
		Partition *partition
	}
	getPartitionsRequest struct {
		tableRequest
		TableName           string
		Expression          *string
		NextToken           *string
		Segment             *segment
		MaxResults          *int32
		ExcludeColumnSchema bool
	}
	getPartitionsReply struct {
		Partitions []*partition
		NextToken  *string `json:",omitzero"`
	}
	partitionValues struct {
		Values []string
	}
	batchGetPartitionRequest struct {
		tableRequest
		TableName       string
		PartitionsToGet []partitionValues
	}
	batchGetPartitionReply struct {
		Partitions      []*partition
		UnprocessedKeys []partitionValues
	}
	updatePartitionRequest struct {
		tableRequest
		TableName          string
		PartitionValueList []string
		PartitionInput     partitionInput
	}
	batchDeletePartitionRequest struct {
		tableRequest
		TableName          string
		PartitionsToDelete []partitionValues
	}
)

// partitionKey returns a partition's identity within its table.
func partitionKey(values []string) string {
	key, _ := json.Marshal(values) // strings always encode
	return string(key)
}

// addPartition puts a partition into the table. Of several that add the same values exactly one
// succeeds, the others get AlreadyExistsException (API reference, CreatePartition).
func (c *call) addPartition(t *table, in *partitionInput) error {
	if err := checkPartitionValues(t, in.Values); err != nil {
		return err
	}
	key := partitionKey(in.Values)
	if t.partitions[key] != nil {
		return alreadyExists("Partition already exists.")
	}
	t.partitions[key] = c.partitionOf(t, in)
	return nil
}

func (c *call) partitionOf(t *table, in *partitionInput) *partition {
	return &partition{
		partitionInput: *in,
		DatabaseName:   t.current.DatabaseName,
		TableName:      t.current.Name,
		CreationTime:   timeOf(c.now),
		CatalogID:      c.region.account,
	}
}

func checkPartitionValues(t *table, values []string) error {
	if len(values) == 0 || len(values) != len(t.current.PartitionKeys) {
		return invalidInput("The number of partition keys do not match the number of partition values: %d and %d",
			len(t.current.PartitionKeys), len(values))
	}
	return nil
}

func findPartition(t *table, values []string) (*partition, error) {
	if err := checkPartitionValues(t, values); err != nil {
		return nil, err
	}
	p := t.partitions[partitionKey(values)]
	if p == nil {
		return nil, notFound("Cannot find partition.")
	}
	return p, nil
}

func (c *call) createPartition(in *createPartitionRequest) (*empty, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	if err := c.addPartition(t, &in.PartitionInput); err != nil {
		return nil, err
	}
	return &empty{}, nil
}

// batchCreatePartition implements BatchCreatePartition; what cannot be created is an error of
// its entry.
func (c *call) batchCreatePartition(in *batchCreatePartitionRequest) (*partitionErrorsReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &partitionErrorsReply{Errors: []partitionError{}}
	for i := range in.PartitionInputList {
		if err := c.addPartition(t, &in.PartitionInputList[i]); err != nil {
			out.Errors = append(out.Errors, partitionError{in.PartitionInputList[i].Values, asAPIError(err).detail()})
		}
	}
	return out, nil
}

func (c *call) getPartition(in *partitionRequest) (*getPartitionReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	p, err := findPartition(t, in.PartitionValues)
	if err != nil {
		return nil, err
	}
	return &getPartitionReply{Partition: p}, nil
}

// getPartitions implements GetPartitions; of the expressions it knows a part, see
// parsePartitionFilter.
func (c *call) getPartitions(in *getPartitionsRequest) (*getPartitionsReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	filter, err := parsePartitionFilter(deref(in.Expression), t.current.PartitionKeys)
	if err != nil {
		return nil, err
	}
	found := []*partition{}
	for _, p := range sortedValues(t.partitions) {
		if in.Segment.has(p) && filter.matches(p.Values) {
			found = append(found, p)
		}
	}
	found, next, err := page(c, found, func(p *partition) string { return partitionKey(p.Values) }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	if in.ExcludeColumnSchema {
		for i, p := range found {
			found[i] = p.withoutColumns()
		}
	}
	return &getPartitionsReply{Partitions: found, NextToken: next}, nil
}

// segment is Glue's Segment structure: a part of a table's partitions that does not overlap with the others. The model
// bounds TotalSegments.
type segment struct{ SegmentNumber, TotalSegments uint32 }

// has reports whether a partition is of the segment; nil has all. Which are of which is Glue's own affair.
func (s *segment) has(p *partition) bool {
	return s == nil || crc32.ChecksumIEEE([]byte(partitionKey(p.Values)))%max(s.TotalSegments, 1) == s.SegmentNumber
}

// withoutColumns returns the partition without "the partition column schema" (API reference,
// GetPartitions.ExcludeColumnSchema).
func (p *partition) withoutColumns() *partition {
	if p.StorageDescriptor == nil {
		return p
	}
	out, descriptor := *p, *p.StorageDescriptor
	descriptor.Columns = nil
	out.StorageDescriptor = &descriptor
	return &out
}

// batchGetPartition implements BatchGetPartition. Partitions that do not exist are left out of
// the reply; UnprocessedKeys is for those that Glue had no time for (our reading).
func (c *call) batchGetPartition(in *batchGetPartitionRequest) (*batchGetPartitionReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &batchGetPartitionReply{Partitions: []*partition{}, UnprocessedKeys: []partitionValues{}}
	for _, wanted := range in.PartitionsToGet {
		if err := checkPartitionValues(t, wanted.Values); err != nil {
			return nil, err
		}
		if p := t.partitions[partitionKey(wanted.Values)]; p != nil {
			out.Partitions = append(out.Partitions, p)
		}
	}
	return out, nil
}

// updatePartition implements UpdatePartition, which replaces the partition. "The Values property
// can't be changed" (API reference, UpdatePartition.PartitionInput).
func (c *call) updatePartition(in *updatePartitionRequest) (*empty, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	old, err := findPartition(t, in.PartitionValueList)
	if err != nil {
		return nil, err
	}
	key := partitionKey(old.Values)
	if in.PartitionInput.Values != nil && partitionKey(in.PartitionInput.Values) != key {
		return nil, invalidInput("The values of a partition cannot be changed; delete and recreate it")
	}
	in.PartitionInput.Values = old.Values
	updated := c.partitionOf(t, &in.PartitionInput)
	updated.CreationTime = old.CreationTime
	t.partitions[key] = updated
	return &empty{}, nil
}

func (c *call) deletePartition(in *partitionRequest) (*empty, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	if _, err := findPartition(t, in.PartitionValues); err != nil {
		return nil, err
	}
	delete(t.partitions, partitionKey(in.PartitionValues))
	return &empty{}, nil
}

// batchDeletePartition implements BatchDeletePartition; what cannot be deleted is an error of
// its entry.
func (c *call) batchDeletePartition(in *batchDeletePartitionRequest) (*partitionErrorsReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &partitionErrorsReply{Errors: []partitionError{}}
	for _, doomed := range in.PartitionsToDelete {
		if _, err := findPartition(t, doomed.Values); err != nil {
			out.Errors = append(out.Errors, partitionError{doomed.Values, asAPIError(err).detail()})
			continue
		}
		delete(t.partitions, partitionKey(doomed.Values))
	}
	return out, nil
}
