package iceberg

import (
	"fmt"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
)

// describe makes the description of a file that manifests hold.
func describe(spec iceberggo.PartitionSpec, content iceberggo.ManifestEntryContent, address string, partition map[int]any, file parquet.File) (*iceberggo.DataFileBuilder, error) {
	b, err := iceberggo.NewDataFileBuilder(spec, content, address, iceberggo.ParquetFile, partition, nil, nil, file.Rows, file.Size)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", address, err)
	}
	sizes, values, nulls, nans := map[int]int64{}, map[int]int64{}, map[int]int64{}, map[int]int64{}
	lower, upper := map[int][]byte{}, map[int][]byte{}
	for _, c := range file.Columns {
		sizes[c.FieldID], values[c.FieldID], nulls[c.FieldID] = c.Size, c.Values, c.Nulls
		if c.NaNs != nil {
			nans[c.FieldID] = *c.NaNs
		}
		if c.Lower != nil {
			lower[c.FieldID] = c.Lower
		}
		if c.Upper != nil {
			upper[c.FieldID] = c.Upper
		}
	}
	return b.ColumnSizes(sizes).ValueCounts(values).NullValueCounts(nulls).NaNValueCounts(nans).
		LowerBoundValues(lower).UpperBoundValues(upper).SplitOffsets(file.Splits), nil
}
