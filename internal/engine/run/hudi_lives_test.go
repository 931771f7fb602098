package run_test

import (
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// newestCommit is the newest instant of a table of Hudi that wrote; 0 where there is none.
func (f *life) newestCommit() int64 {
	f.t.Helper()
	commits := f.hudiTable().commits
	if len(commits) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(commits[len(commits)-1].instant, 10, 64)
	f.must(err)
	return n
}

// sparkInstant is what Spark would take for its next instant, behind what it takes back before it writes: instants that are
// pending, with their files.
func (f *landing) sparkInstant() string {
	f.t.Helper()
	at := time.Now().UTC()
	prefix := "raw/" + f.name + "/.hoodie/"
	found := f.hudiTable()
	for key := range found.objects {
		instant, what, _ := strings.Cut(path.Base(key), ".")
		last, err := time.Parse("20060102150405", instant[:min(len(instant), 14)])
		if path.Dir(key)+"/" != prefix || len(instant) != 17 || err != nil {
			continue
		}
		if last = last.Add(time.Second); last.After(at) {
			at = last
		}
		if strings.HasSuffix(what, "requested") {
			if _, done := found.objects[strings.TrimSuffix(key, ".requested")]; !done {
				f.sparkTakesBack(found, instant)
			}
		}
	}
	return strings.Replace(at.Format("20060102150405.000"), ".", "", 1)
}

// sparkTakesBack removes all of an instant but what Spark does not know.
func (f *landing) sparkTakesBack(found *hudiTable, instant string) {
	f.t.Helper()
	for key := range found.objects {
		if strings.Contains(key, instant) && !strings.Contains(key, "/.lakeland/") {
			_, err := f.clients.S3.DeleteObject(f.t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(f.bucket), Key: aws.String(key)})
			f.must(err)
		}
	}
}

// sparkCommit makes a commit as Spark does that has nothing to write.
func (f *life) sparkCommit() {
	f.t.Helper()
	if len(f.chain()) == 0 {
		return // nobody writes to a table that was never landed
	}
	f.sparkCommits(nil)
	f.look("a commit of Spark's", f.landed)
}

// sparkCommits makes a commit as Spark does that has nothing to write, or one that drops partitions.
func (f *landing) sparkCommits(drop []string) {
	f.t.Helper()
	found := f.hudiTable()
	instant := f.sparkInstant()
	at := "raw/" + f.name + "/.hoodie/" + instant
	document := map[string]any{"partitionToWriteStats": map[string]any{}, "compacted": false, "operationType": "UPSERT", "extraMetadata": map[string]string{"schema": found.commits[len(found.commits)-1].extra["schema"]}}
	if drop == nil {
		f.put(at+".commit.requested", "")
		f.put(at+".inflight", "")
		at += ".commit"
	} else {
		replaced := map[string][]string{}
		for _, key := range found.files {
			partition := strings.TrimPrefix(path.Dir(key), "raw/"+f.name+"/")
			if slices.Contains(drop, partition) {
				replaced[partition] = append(replaced[partition], hudiFile.FindStringSubmatch(path.Base(key))[1])
			}
		}
		document["operationType"], document["partitionToReplaceFileIds"] = "DELETE_PARTITION", replaced
		f.put(at+".replacecommit.requested", "")
		f.put(at+".replacecommit.inflight", "")
		at += ".replacecommit"
	}
	data, err := json.Marshal(document)
	f.must(err)
	f.put(at, string(data))
}

// sparkRollback takes the newest commit back as Spark does: its files, its instant, and an instant that says so.
func (f *life) sparkRollback() {
	f.t.Helper()
	found := f.hudiTable()
	n := len(found.commits)
	if n < 2 || len(f.chain()) < 2 && found.commits[n-1].extra["lakeland.checkpoint"] != "" { // one that was landed stays
		return
	}
	before, err := strconv.ParseInt(found.commits[n-2].instant, 10, 64)
	f.must(err)
	rows, seen := f.at[before]
	if !seen {
		return
	}
	instant := f.sparkInstant()
	at := "raw/" + f.name + "/.hoodie/" + instant
	f.put(at+".rollback.requested", "plan")
	f.put(at+".rollback.inflight", "")
	f.sparkTakesBack(f.hudiTable(), found.commits[n-1].instant)
	f.put(at+".rollback", "done")
	f.look("a rollback of Spark's", rows)
}
