package hudi

import (
	"encoding/json"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// maxCommit bounds the file of a commit, in bytes: one has about a kilobyte for each file that it wrote.
const maxCommit = 512 << 20

// What a commit did, in Hudi's words (WriteOperationType).
const (
	operationUpsert  = "UPSERT"
	operationReplace = "INSERT_OVERWRITE_TABLE"
)

// The keys in a commit's extra metadata: Hudi's own for the schema, and ours.
const (
	extraSchema     = "schema"
	extraCheckpoint = "lakeland.checkpoint"
	extraTable      = "lakeland.table"
	extraRows       = "lakeland.rows"
)

// noCommit is how a new file group says that it follows none.
const noCommit = "null"

// commitFile is the file of a completed commit or replacecommit (Hudi, HoodieCommitMetadata, HoodieReplaceCommitMetadata).
type commitFile struct {
	PartitionToWriteStats map[string][]writeStat `json:"partitionToWriteStats"`
	Compacted             bool                   `json:"compacted"`
	ExtraMetadata         map[string]string      `json:"extraMetadata"`
	OperationType         string                 `json:"operationType"`
	// PartitionToReplaceFileIDs are the file groups that are no longer part of the table; nil for a plain commit.
	PartitionToReplaceFileIDs map[string][]string `json:"partitionToReplaceFileIds,omitempty"`
}

// writeStat says what a commit wrote of a file group (Hudi, HoodieWriteStat).
type writeStat struct {
	FileID                 string        `json:"fileId"`
	Path                   string        `json:"path"`
	CDCStats               *struct{}     `json:"cdcStats"`
	PrevCommit             string        `json:"prevCommit"`
	NumWrites              int64         `json:"numWrites"`
	NumDeletes             int64         `json:"numDeletes"`
	NumUpdateWrites        int64         `json:"numUpdateWrites"`
	NumInserts             int64         `json:"numInserts"`
	TotalWriteBytes        int64         `json:"totalWriteBytes"`
	TotalWriteErrors       int64         `json:"totalWriteErrors"`
	TempPath               *string       `json:"tempPath"`
	PartitionPath          string        `json:"partitionPath"`
	TotalLogRecords        int64         `json:"totalLogRecords"`
	TotalLogFilesCompacted int64         `json:"totalLogFilesCompacted"`
	TotalLogSizeCompacted  int64         `json:"totalLogSizeCompacted"`
	TotalUpdatedRecords    int64         `json:"totalUpdatedRecordsCompacted"`
	TotalLogBlocks         int64         `json:"totalLogBlocks"`
	TotalCorruptLogBlock   int64         `json:"totalCorruptLogBlock"`
	TotalRollbackBlocks    int64         `json:"totalRollbackBlocks"`
	FileSizeInBytes        int64         `json:"fileSizeInBytes"`
	MinEventTime           *int64        `json:"minEventTime"`
	MaxEventTime           *int64        `json:"maxEventTime"`
	RuntimeStats           *runtimeStats `json:"runtimeStats"`
}

type runtimeStats struct {
	TotalScanTime   int64 `json:"totalScanTime"`
	TotalUpsertTime int64 `json:"totalUpsertTime"`
	TotalCreateTime int64 `json:"totalCreateTime"`
}

// committed is what is read of a commit's file, anyone's.
type committed struct {
	Stats    map[string][]struct{ FileID, Path, PrevCommit string } `json:"partitionToWriteStats"`
	Extra    map[string]json.RawMessage                             `json:"extraMetadata"`
	Replaced map[string][]string                                    `json:"partitionToReplaceFileIds"`
}

func parseCommit(data []byte) (*committed, error) {
	c := &committed{}
	if len(data) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("reading what it did: %w", err)
	}
	return c, nil
}

// extra is a text in the extra metadata; "" where there is none.
func (c *committed) extra(key string) string {
	var text string
	if json.Unmarshal(c.Extra[key], &text) != nil {
		return ""
	}
	return text
}

// checkpoint is the one that the commit carries; nil where it carries none.
func (c *committed) checkpoint() (*table.Checkpoint, error) {
	text := c.extra(extraCheckpoint)
	if text == "" {
		return nil, nil
	}
	return table.ParseCheckpoint([]byte(text))
}

// tableDocument is what our commits say of their table beside Avro's schema.
type tableDocument struct {
	V          int          `json:"v"`
	Engine     string       `json:"engine,omitempty"`
	Schema     schema.Table `json:"schema"`
	LastColumn int          `json:"last_column"`
}

// documentVersion is the version of the documents that this engine writes.
const documentVersion = 1
