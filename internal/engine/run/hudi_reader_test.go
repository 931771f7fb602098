package run_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
)

var hudiFile = regexp.MustCompile(`^(.+)_\d+-\d+-\d+_(\d{17})\.parquet$`)

// hudiTable is a table of Hudi as its readers find it, by its folder alone.
type hudiTable struct {
	// commits are the completed instants that wrote, oldest first.
	commits []hudiCommit
	// files are the data files that readers read: of each file group that is not replaced, the newest version that was committed,
	// or that is older than all instants there are.
	files []string
	// objects are all of the table's.
	objects map[string]int64
}

type hudiCommit struct {
	instant, action string
	extra           map[string]string
	// paths are the data files that it wrote, below the table's folder.
	paths []string
}

// hudiTable reads the table's timeline.
func (d *landing) hudiTable() *hudiTable {
	d.t.Helper()
	prefix := "raw/" + d.name + "/"
	out := &hudiTable{objects: d.objects(prefix)}
	replaced, committed, first := map[string]bool{}, map[string]bool{}, "~"
	for _, key := range slices.Sorted(maps.Keys(out.objects)) {
		instant, action, _ := strings.Cut(path.Base(key), ".")
		if path.Dir(key) != prefix+".hoodie" || strings.Contains(action, ".") || !slices.Contains([]string{"commit", "replacecommit", "clean", "rollback"}, action) {
			continue
		}
		first = min(first, instant)
		if action != "commit" && action != "replacecommit" {
			continue
		}
		committed[instant] = true
		data, err := d.object("s3://" + d.bucket + "/" + key)
		d.must(err)
		var c struct {
			Replaced map[string][]string                `json:"partitionToReplaceFileIds"`
			Extra    map[string]string                  `json:"extraMetadata"`
			Written  map[string][]struct{ Path string } `json:"partitionToWriteStats"`
		}
		d.must(json.Unmarshal(data, &c))
		for _, ids := range c.Replaced {
			for _, id := range ids {
				replaced[id] = true
			}
		}
		commit := hudiCommit{instant: instant, action: action, extra: c.Extra}
		for _, of := range c.Written {
			for _, w := range of {
				commit.paths = append(commit.paths, w.Path)
			}
		}
		out.commits = append(out.commits, commit)
	}
	newest, at := map[string]string{}, map[string]string{}
	for key := range out.objects {
		m := hudiFile.FindStringSubmatch(path.Base(key))
		if m == nil || strings.Contains(key, "/.hoodie/") || replaced[m[1]] || !committed[m[2]] && m[2] >= first || m[2] <= at[m[1]] {
			continue
		}
		newest[m[1]], at[m[1]] = key, m[2]
	}
	out.files = slices.Sorted(maps.Values(newest))
	return out
}

// readHudi reads the rows, and looks whether those say where they are.
func (d *landing) readHudi() (string, error) {
	var rows []string
	var wrong error
	prefix := "raw/" + d.name + "/"
	for _, key := range d.hudiTable().files {
		folder := strings.TrimSuffix(strings.TrimPrefix(path.Dir(key)+"/", prefix), "/")
		err := d.readFile("s3://"+d.bucket+"/"+key, func(_ int, row parquetgo.Row) {
			if string(row[4].ByteArray()) != path.Base(key) || string(row[3].ByteArray()) != folder {
				wrong = fmt.Errorf("a row of %s says that it is in %s of %q", key, row[4], row[3])
			}
			rows = append(rows, fmt.Sprintf("%d=%d", row[5].Int64(), row[6].Int64()))
		})
		if err := errors.Join(err, wrong); err != nil {
			return "", err
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, " "), nil
}

// shownWhole checks that readers which go by the catalogue find all that is in the table: the entry, the partitions, and the notes
// in their folders.
func (d *landing) shownWhole(why string) {
	d.t.Helper()
	found := d.hudiTable()
	entry, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	if err != nil {
		d.t.Errorf("%s: the entry: %v", why, err)
		return
	}
	root := "s3://" + d.bucket + "/"
	partitions := map[string]bool{root + "raw/" + d.name: true}
	if len(entry.PartitionKeys) > 0 {
		partitions = map[string]bool{}
		for p, err := range d.runner().Catalog.Partitions(d.t.Context(), d.database, d.name, nil) {
			d.must(err)
			partitions[p.Location] = true
		}
	}
	for _, key := range found.files {
		if _, noted := found.objects[path.Dir(key)+"/.hoodie_partition_metadata"]; !noted || !partitions[root+path.Dir(key)] {
			d.t.Errorf("%s: readers do not find %s: noted %v, in the catalogue %v", why, key, noted, partitions[root+path.Dir(key)])
		}
	}
	if n := len(found.commits); n == 0 || entry.Parameters["last_commit_time_sync"] != found.commits[n-1].instant {
		d.t.Errorf("%s: the entry shows %s of %d commits", why, entry.Parameters["last_commit_time_sync"], n)
	}
}

// wholeHudi checks that all files of commits are there, that no run committed twice, and, where no worker was killed, that nothing
// else is left.
func (d *landing) wholeHudi(exactly bool) {
	d.t.Helper()
	found := d.hudiTable()
	prefix := "raw/" + d.name + "/"
	wanted, runs := map[string]bool{}, map[string]string{}
	for _, key := range d.foreign {
		wanted[key] = true
	}
	for _, c := range found.commits {
		for _, p := range c.paths {
			wanted[prefix+p] = true
			if _, ok := found.objects[prefix+p]; !ok {
				d.t.Errorf("the commit %s needs %s, which is gone", c.instant, p)
			}
		}
		var run struct {
			ID string `json:"run_id"`
		}
		if text := c.extra["lakeland.checkpoint"]; text != "" {
			d.must(json.Unmarshal([]byte(text), &run))
			if other, twice := runs[run.ID]; twice {
				d.t.Errorf("run %s made two commits, %s and %s", run.ID, other, c.instant)
			}
			runs[run.ID] = c.instant
		}
	}
	committed := func(instant string) bool {
		return slices.ContainsFunc(found.commits, func(c hudiCommit) bool { return c.instant == instant })
	}
	for _, key := range slices.Sorted(maps.Keys(found.objects)) {
		name := path.Base(key)
		instant, what, _ := strings.Cut(name, ".")
		switch {
		case strings.HasSuffix(what, "requested"), strings.HasSuffix(what, "inflight"):
			if path.Dir(key) == prefix+".hoodie" && !committed(instant) {
				d.t.Errorf("%s is pending in the end", key)
			}
		case !exactly:
		case strings.HasSuffix(key, ".parquet") && !wanted[key]:
			d.t.Errorf("%s is left and belongs to no commit", key)
		case strings.HasPrefix(key, prefix+".hoodie/.temp/"):
			d.t.Errorf("%s is left of a commit that is made", key)
		}
	}
}

// entryOf is the catalogue's entry of a table; nil where there is none.
func (l *lake) entryOf(name string) *catalog.Table {
	l.t.Helper()
	entry, err := l.runner().Catalog.Get(l.t.Context(), l.database, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	l.must(err)
	return entry
}
