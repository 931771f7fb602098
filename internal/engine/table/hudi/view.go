package hudi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// partitionNote is the file by which readers know a folder for a partition (Hudi, HoodiePartitionMetadata). Spark and Trino read
// no row of a folder without it, and say nothing.
const partitionNote = ".hoodie_partition_metadata"

// dataEnd is how data files' names end. They are file group, write token and instant (Hudi, FSUtils.makeBaseFileName).
const dataEnd = ".parquet"

// slice is one version of a file group.
type slice struct {
	// key is the file's below the table's prefix.
	key string
	// partition is the folder, fileID the group.
	partition, fileID string
	instant           Instant
	size              int64
	modified          time.Time
}

// group tells file groups apart: their names are unique in a partition.
type group struct{ partition, fileID string }

// view is the data files of a table by one listing.
type view struct {
	// slices are all versions of each group, oldest first, visible ones or not.
	slices map[group][]*slice
	// noted are the partitions that readers know.
	noted map[string]bool
}

// beyond is where keys behind those of the timeline begin: a slash is followed by 0.
const beyond = ".hoodie0"

// readView lists the table's data files.
func (t *Table) readView(ctx context.Context) (*view, error) {
	v := &view{slices: map[group][]*slice{}, noted: map[string]bool{}}
	for object, err := range t.o.Store.List(ctx, t.o.Prefix, t.o.Prefix+beyond) {
		if err != nil {
			return nil, fmt.Errorf("listing the files of %s: %w", t.name(), err)
		}
		folder, name := path(strings.TrimPrefix(object.Key, t.o.Prefix))
		folder = strings.TrimSuffix(folder, "/")
		if strings.HasPrefix(folder, ".") || strings.Contains(folder, "/.") {
			continue // folders of others, which readers pass over
		}
		if name == partitionNote {
			v.noted[folder] = true
			continue
		}
		if s, ok := sliceOf(folder, name); ok {
			s.size, s.modified = object.Size, object.Modified
			g := group{folder, s.fileID}
			v.slices[g] = append(v.slices[g], s)
		}
	}
	for _, of := range v.slices {
		slices.SortStableFunc(of, func(a, b *slice) int { return strings.Compare(string(a.instant), string(b.instant)) })
	}
	return v, nil
}

// sliceOf reads a data file's name; ok is false for names of another form.
func sliceOf(folder, name string) (s *slice, ok bool) {
	rest, ok := strings.CutSuffix(name, dataEnd)
	at := strings.LastIndexByte(rest, '_')
	if !ok || at < 0 {
		return nil, false
	}
	rest, instant := rest[:at], rest[at+1:]
	at = strings.LastIndexByte(rest, '_')
	if at < 1 || len(instant) < 14 || len(instant) > 17 || numbers(instant) != 1 || numbers(rest[at+1:]) != 3 {
		return nil, false
	}
	key := name
	if folder != "" {
		key = folder + "/" + name
	}
	return &slice{key: key, partition: folder, fileID: rest[:at], instant: Instant(instant)}, true
}

// numbers is of how many numbers a text is that are joined by dashes; 0 where it is no such text.
func numbers(text string) int {
	count, digits := 1, 0
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && digits > 0:
			count, digits = count+1, 0
		default:
			return 0
		}
	}
	if digits == 0 {
		return 0
	}
	return count
}

// visible reports whether readers take a data file of an instant for part of the table (Hudi,
// HoodieDefaultTimeline.containsOrBeforeTimelineStarts).
func (tl *timeline) visible(i Instant) bool {
	for _, a := range tl.actions {
		if a.instant == i && a.completed && writes(a.name) {
			return true
		}
	}
	first := tl.first()
	return first != "" && i < first
}

// latest are the versions of file groups that readers read, without the groups that were replaced.
func (v *view) latest(tl *timeline, replaced map[group]Instant) map[group]*slice {
	seen := map[Instant]bool{}
	out := map[group]*slice{}
	for g, of := range v.slices {
		if _, gone := replaced[g]; gone {
			continue
		}
		for _, s := range slices.Backward(of) {
			is, known := seen[s.instant]
			if !known {
				is = tl.visible(s.instant)
				seen[s.instant] = is
			}
			if is {
				out[g] = s
				break
			}
		}
	}
	return out
}
