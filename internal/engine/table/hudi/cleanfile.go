package hudi

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
)

// cleanPolicy is how what goes was chosen, in Hudi's words (HoodieCleaningPolicy).
const cleanPolicy = "KEEP_LATEST_COMMITS"

// cleanVersion is the version of the documents of cleans (Hudi, CleanerUtils.LATEST_CLEAN_METADATA_VERSION).
const cleanVersion = 2

// The schemas of what stands in the objects of a clean (Hudi, hudi-common, HoodieCleanerPlan.avsc and HoodieCleanMetadata.avsc; those of
// 0.15.0 and 1.0.2 are alike).
var (
	cleanPlanSchema = avro.MustParse(`{"type":"record","name":"HoodieCleanerPlan","namespace":"org.apache.hudi.avro.model","fields":[
		{"name":"earliestInstantToRetain","type":["null",{"type":"record","name":"HoodieActionInstant","fields":[
			{"name":"timestamp","type":"string"},{"name":"action","type":"string"},{"name":"state","type":"string"}]}],"default":null},
		{"name":"lastCompletedCommitTimestamp","type":"string","default":""},
		{"name":"policy","type":"string"},
		{"name":"filesToBeDeletedPerPartition","type":["null",{"type":"map","values":{"type":"array","items":"string"}}],"default":null},
		{"name":"version","type":["int","null"],"default":1},
		{"name":"filePathsToBeDeletedPerPartition","type":["null",{"type":"map","values":{"type":"array","items":{"type":"record","name":"HoodieCleanFileInfo","fields":[
			{"name":"filePath","type":["null","string"],"default":null},{"name":"isBootstrapBaseFile","type":["null","boolean"],"default":null}]}}}],"default":null},
		{"name":"partitionsToBeDeleted","type":["null",{"type":"array","items":"string"}],"default":null},
		{"name":"extraMetadata","type":["null",{"type":"map","values":"string"}],"default":null}]}`)
	cleanSchema = avro.MustParse(`{"type":"record","name":"HoodieCleanMetadata","namespace":"org.apache.hudi.avro.model","fields":[
		{"name":"startCleanTime","type":"string"},
		{"name":"timeTakenInMillis","type":"long"},
		{"name":"totalFilesDeleted","type":"int"},
		{"name":"earliestCommitToRetain","type":"string"},
		{"name":"lastCompletedCommitTimestamp","type":"string","default":""},
		{"name":"partitionMetadata","type":{"type":"map","values":{"type":"record","name":"HoodieCleanPartitionMetadata","fields":[
			{"name":"partitionPath","type":"string"},{"name":"policy","type":"string"},
			{"name":"deletePathPatterns","type":{"type":"array","items":"string"}},
			{"name":"successDeleteFiles","type":{"type":"array","items":"string"}},
			{"name":"failedDeleteFiles","type":{"type":"array","items":"string"}},
			{"name":"isPartitionDeleted","type":["null","boolean"],"default":null}]}}},
		{"name":"version","type":["int","null"],"default":1},
		{"name":"bootstrapPartitionMetadata","type":["null",{"type":"map","values":"HoodieCleanPartitionMetadata"}],"default":null},
		{"name":"extraMetadata","type":["null",{"type":"map","values":"string"}],"default":null}]}`)
)

// actionInstant is a completed instant.
type actionInstant struct {
	Timestamp string `avro:"timestamp"`
	Action    string `avro:"action"`
	State     string `avro:"state"`
}

type cleanFileInfo struct {
	FilePath            *string `avro:"filePath"`
	IsBootstrapBaseFile *bool   `avro:"isBootstrapBaseFile"`
}

// cleanPlan says what a clean will delete.
type cleanPlan struct {
	EarliestInstantToRetain          *actionInstant             `avro:"earliestInstantToRetain"`
	LastCompletedCommitTimestamp     string                     `avro:"lastCompletedCommitTimestamp"`
	Policy                           string                     `avro:"policy"`
	FilesToBeDeletedPerPartition     map[string][]string        `avro:"filesToBeDeletedPerPartition"`
	Version                          *int32                     `avro:"version"`
	FilePathsToBeDeletedPerPartition map[string][]cleanFileInfo `avro:"filePathsToBeDeletedPerPartition"`
	PartitionsToBeDeleted            []string                   `avro:"partitionsToBeDeleted"`
	ExtraMetadata                    map[string]string          `avro:"extraMetadata"`
}

type cleanPartition struct {
	PartitionPath      string   `avro:"partitionPath"`
	Policy             string   `avro:"policy"`
	DeletePathPatterns []string `avro:"deletePathPatterns"`
	SuccessDeleteFiles []string `avro:"successDeleteFiles"`
	FailedDeleteFiles  []string `avro:"failedDeleteFiles"`
	IsPartitionDeleted *bool    `avro:"isPartitionDeleted"`
}

// cleanDone says what a clean has deleted.
type cleanDone struct {
	StartCleanTime               string                    `avro:"startCleanTime"`
	TimeTakenInMillis            int64                     `avro:"timeTakenInMillis"`
	TotalFilesDeleted            int32                     `avro:"totalFilesDeleted"`
	EarliestCommitToRetain       string                    `avro:"earliestCommitToRetain"`
	LastCompletedCommitTimestamp string                    `avro:"lastCompletedCommitTimestamp"`
	PartitionMetadata            map[string]cleanPartition `avro:"partitionMetadata"`
	Version                      *int32                    `avro:"version"`
	BootstrapPartitionMetadata   map[string]cleanPartition `avro:"bootstrapPartitionMetadata"`
	ExtraMetadata                map[string]string         `avro:"extraMetadata"`
}

// encodeAvro writes one document into a container, without compression, which all readers take.
func encodeAvro(schema *avro.Schema, document any) ([]byte, error) {
	var out bytes.Buffer
	w, err := ocf.NewWriter(&out, schema)
	if err == nil {
		if err = w.Encode(document); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("writing an Avro container: %w", err)
	}
	return out.Bytes(), nil
}

// cleanPlanOf is the plan of a clean: version slices that go, by partition, where the commit from on is kept whole.
func (t *Table) cleanPlanOf(gone []*slice, from, last *action) *cleanPlan {
	version := int32(cleanVersion)
	p := &cleanPlan{
		EarliestInstantToRetain: &actionInstant{string(from.instant), from.name, "COMPLETED"}, LastCompletedCommitTimestamp: string(last.instant), Policy: cleanPolicy,
		FilesToBeDeletedPerPartition: map[string][]string{}, Version: &version, FilePathsToBeDeletedPerPartition: map[string][]cleanFileInfo{}, PartitionsToBeDeleted: []string{},
	}
	plain := false
	for _, s := range gone {
		address := t.o.Store.Address(t.o.Prefix + s.key)
		p.FilePathsToBeDeletedPerPartition[s.partition] = append(p.FilePathsToBeDeletedPerPartition[s.partition], cleanFileInfo{&address, &plain})
	}
	return p
}

// parseCleanPlan reads the plan of a clean of ours.
func parseCleanPlan(data []byte) (*cleanPlan, error) {
	p := new(cleanPlan)
	r, err := ocf.NewReader(bytes.NewReader(data), ocf.WithReaderSchema(cleanPlanSchema))
	if err == nil {
		err = r.Decode(p)
	}
	if err == nil && p.EarliestInstantToRetain == nil {
		err = errors.New("it does not say what is kept")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the plan of a clean: %w", err)
	}
	return p, nil
}

// keys are those of the files that go, below the table's prefix, in their order.
func (p *cleanPlan) keys() []string {
	var out []string
	for partition, of := range p.FilePathsToBeDeletedPerPartition {
		for _, f := range of {
			if f.FilePath == nil {
				continue
			}
			_, name := path(*f.FilePath)
			if partition != "" {
				name = partition + "/" + name
			}
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// done is what the clean leaves at its instant when all of it is carried out.
func (p *cleanPlan) done(i Instant) ([]byte, error) {
	version, plain := int32(cleanVersion), false
	d := cleanDone{
		StartCleanTime: string(i), EarliestCommitToRetain: p.EarliestInstantToRetain.Timestamp, LastCompletedCommitTimestamp: p.LastCompletedCommitTimestamp,
		PartitionMetadata: map[string]cleanPartition{}, Version: &version, BootstrapPartitionMetadata: map[string]cleanPartition{},
	}
	for _, key := range p.keys() {
		folder, name := path(key)
		partition := strings.TrimSuffix(folder, "/")
		of, ok := d.PartitionMetadata[partition]
		if !ok {
			of = cleanPartition{PartitionPath: partition, Policy: cleanPolicy, DeletePathPatterns: []string{}, FailedDeleteFiles: []string{}, IsPartitionDeleted: &plain}
		}
		of.SuccessDeleteFiles = append(of.SuccessDeleteFiles, name)
		of.DeletePathPatterns = append(of.DeletePathPatterns, name)
		d.PartitionMetadata[partition] = of
		d.TotalFilesDeleted++
	}
	return encodeAvro(cleanSchema, &d)
}
