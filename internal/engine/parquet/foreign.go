package parquet

import "github.com/parquet-go/parquet-go/encoding/thrift"

// nullCounts is a footer of which only the counts of NULLs are read (Parquet format, FileMetaData): format.Statistics
// takes one that is not there for zero, of which readers conclude that there are no NULLs.
type nullCounts struct {
	RowGroups []struct {
		Columns []struct {
			MetaData struct {
				Statistics struct {
					NullCount thrift.Null[int64] `thrift:"3,optional"`
				} `thrift:"12,optional"`
			} `thrift:"3,optional"`
		} `thrift:"1,required"`
	} `thrift:"4,required"`
}

// tells reports whether a file says of a column, in every row group, how many NULLs it has and between what its values
// lie. Files of our own say what there is to say: some columns have no bounds.
func (r *Reader) tells(place int) bool {
	if r.counts == nil {
		return true
	}
	for g := range r.metadata.RowGroups {
		m := &r.metadata.RowGroups[g].Columns[place].MetaData
		s := &m.Statistics
		if !r.counts.RowGroups[g].Columns[place].MetaData.Statistics.NullCount.Valid || s.NullCount < 0 || s.NullCount > m.NumValues {
			return false
		}
		if s.NullCount < m.NumValues && (s.MinValue == nil || s.MaxValue == nil) {
			return false
		}
	}
	return true
}
