package hudi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// lake is a table of Hudi as its readers take it from a listing, with nothing of this package's code.
type lake struct {
	objects map[string]store.Object
	prefix  string
	// commits are completed commits, by their instants.
	commits map[string]commit
}

type commit struct {
	Stats map[string][]struct {
		FileID          string
		Path            string
		PrevCommit      string
		NumWrites       int64
		NumInserts      int64
		NumDeletes      int64
		NumUpdateWrites int64
		FileSizeInBytes int64
		PartitionPath   string
	} `json:"partitionToWriteStats"`
	Extra     map[string]string   `json:"extraMetadata"`
	Replaced  map[string][]string `json:"partitionToReplaceFileIds"`
	Operation string              `json:"operationType"`
}

var (
	instantName = regexp.MustCompile(`^(\d{17})\.(commit|replacecommit)$`)
	dataName    = regexp.MustCompile(`^([^_]+)_\d+-\d+-\d+_(\d{17})\.parquet$`)
)

func open(ctx context.Context, s store.Store, prefix string) (*lake, error) {
	l := &lake{objects: map[string]store.Object{}, prefix: prefix, commits: map[string]commit{}}
	for object, err := range s.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		key := strings.TrimPrefix(object.Key, prefix)
		l.objects[key] = object
		if m := instantName.FindStringSubmatch(path.Base(key)); m != nil && path.Dir(key) == ".hoodie" {
			data, err := store.Read(ctx, s, object.Key, 1<<20)
			if err != nil {
				return nil, err
			}
			var c commit
			if err := json.Unmarshal(data, &c); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			l.commits[m[1]] = c
		}
	}
	return l, nil
}

// files are the data files that readers read in a folder, by file group.
func (l *lake) files(partition string) map[string]string {
	first := "~"
	replaced := map[string]bool{}
	for instant, c := range l.commits {
		first = min(first, instant)
		for _, id := range c.Replaced[partition] {
			replaced[id] = true
		}
	}
	out, newest := map[string]string{}, map[string]string{}
	if _, noted := l.objects[path.Join(partition, ".hoodie_partition_metadata")]; !noted {
		return out // Spark and Trino see no row
	}
	for key := range l.objects {
		m := dataName.FindStringSubmatch(path.Base(key))
		if m == nil || path.Dir(key) != path.Clean(partition) && (partition != "" || strings.Contains(key, "/")) || replaced[m[1]] {
			continue
		}
		if _, done := l.commits[m[2]]; (done || m[2] < first) && m[2] > newest[m[1]] {
			out[m[1]], newest[m[1]] = key, m[2]
		}
	}
	return out
}

// row is a row as it is stored, by column, as text; NULL is not there.
type row map[string]string

// rowsOf reads a data file.
func (l *lake) rowsOf(ctx context.Context, s store.Store, key string) ([]row, *parquetgo.File, error) {
	data, err := store.Read(ctx, s, l.prefix+key, 1<<30)
	if err != nil {
		return nil, nil, err
	}
	f, err := parquetgo.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", key, err)
	}
	if err := plainForms(f); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", key, err)
	}
	names := f.Root().Columns()
	var out []row
	for _, group := range f.RowGroups() {
		r := group.Rows()
		for {
			buffer := make([]parquetgo.Row, 10)
			n, err := r.ReadRows(buffer)
			for _, values := range buffer[:n] {
				one := row{}
				for i, v := range values {
					if !v.IsNull() {
						one[names[i].Name()] = v.String()
					}
				}
				out = append(out, one)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, nil, err
			}
		}
		_ = r.Close()
	}
	return out, f, nil
}

// plainForms refuses forms that not every reader takes.
func plainForms(f *parquetgo.File) error {
	if !strings.HasPrefix(f.Metadata().CreatedBy, "lakeland ") {
		return nil
	}
	for _, group := range f.Metadata().RowGroups {
		for _, c := range group.Columns {
			m := &c.MetaData
			for _, e := range m.Encoding {
				if e != format.Plain && e != format.RLE && e != format.RLEDictionary {
					return fmt.Errorf("column %v is encoded as %s", m.PathInSchema, e)
				}
			}
			if len(m.KeyValueMetadata) > 0 {
				return fmt.Errorf("column %v has the notes %v", m.PathInSchema, m.KeyValueMetadata)
			}
		}
	}
	return nil
}

// all are the rows that a reader of the catalogue sees: of the partitions that it has, if there are such.
func all(ctx context.Context, s store.Store, c catalog.Catalog, name string) ([]row, error) {
	entry, err := c.Get(ctx, "raw", name)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimPrefix(entry.Location, s.Address("")) + "/"
	l, err := open(ctx, s, prefix)
	if err != nil {
		return nil, err
	}
	partitions := []string{""}
	if len(entry.PartitionKeys) > 0 {
		partitions = nil
		for p, err := range c.Partitions(ctx, "raw", name, nil) {
			if err != nil {
				return nil, err
			}
			partitions = append(partitions, strings.TrimPrefix(p.Location, entry.Location+"/"))
		}
	}
	var out []row
	for _, partition := range partitions {
		for _, key := range l.files(partition) {
			rows, _, err := l.rowsOf(ctx, s, key)
			if err != nil {
				return nil, err
			}
			for _, r := range rows {
				if r["_hoodie_file_name"] != path.Base(key) || r["_hoodie_partition_path"] != partition || r["_hoodie_record_key"] == "" || r["_hoodie_commit_time"] == "" || !strings.HasPrefix(r["_hoodie_commit_seqno"], r["_hoodie_commit_time"]+"_") {
					return nil, fmt.Errorf("%s has the row %v", key, r)
				}
			}
			out = append(out, rows...)
		}
	}
	return out, nil
}

// tableOf opens the table of the tests' prefix.
func tableOf(t *testing.T, s store.Store) *lake {
	t.Helper()
	l, err := open(t.Context(), s, "lake/orders/")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// instants are the commits in their order, but for the one that a table begins with.
func (l *lake) instants() []string {
	var out []string
	for instant := range l.commits {
		if instant > "1971" {
			out = append(out, instant)
		}
	}
	slices.Sort(out)
	return out
}
