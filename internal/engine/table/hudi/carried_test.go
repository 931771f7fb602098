package hudi_test

import (
	"strconv"
	"strings"
	"testing"
)

// Files in which rows are only missing show the encodings of all others: what files carry that wait for their commit is not copied as it
// stands there.
func TestRemovalsShowPlainForms(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	var ids, left []int64
	for id := range int64(3000) {
		if ids = append(ids, id+1); id%50 != 7 {
			left = append(left, id+1)
		}
	}
	b.load(false, goods("de", ids...))
	before := b.rows()
	var gone []int64
	for id := range int64(3000) {
		if id%50 == 7 {
			gone = append(gone, id+1)
		}
	}
	b.upsert(nil, gone...)
	b.expect(left...)
	for id, r := range b.rows() {
		if was := before[id]; r["_hoodie_commit_seqno"] != was["_hoodie_commit_seqno"] || r["_hoodie_commit_time"] != was["_hoodie_commit_time"] {
			t.Fatalf("the row %v was %v", r, was)
		}
	}
}

// Rows that are only copied keep their times and numbers where others of their file change in their places, from page to page and from
// commit to commit; those that change get new ones.
func TestRowsKeepTimesAndNumbersBesideChangedOnes(t *testing.T) {
	t.Parallel()
	const rows = 30_000
	b := newBench(t, shop())
	all := make([]int64, rows)
	for i := range all {
		all[i] = int64(i + 1)
	}
	b.load(false, goods("de", all...))
	for _, every := range []int64{97, 7919, 1} {
		before := b.rows()
		var changed []int64
		for id := every; id <= rows; id += every {
			changed = append(changed, id)
		}
		instant := b.upsert(goods("changed at "+strconv.FormatInt(every, 10), changed...))
		after := b.rows()
		if len(after) != rows {
			t.Fatalf("there are %d rows", len(after))
		}
		for id, r := range after {
			n, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			was := before[id]
			switch kept := r["_hoodie_commit_seqno"] == was["_hoodie_commit_seqno"] && r["_hoodie_commit_time"] == was["_hoodie_commit_time"]; {
			case n%every != 0 && !kept:
				t.Fatalf("the row %v was %v", r, was)
			case n%every == 0 && (r["_hoodie_commit_time"] != instant || !strings.HasPrefix(r["_hoodie_commit_seqno"], instant+"_")):
				t.Fatalf("the row %v changed at %s", r, instant)
			}
		}
	}
}

// A file that refers to a version other than the one it goes on with is an error, and no rows with the times of others.
func TestFilesThatReferToOthersVersions(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	h := b.head()
	change := b.begin(h)
	change.Add = append(b.stage(h, &change, "a", goods("de", 1, 2, 3)), b.stage(h, &change, "b", goods("de", 4, 5, 6))...)
	b.commit(h, change)
	h = b.head()
	change = b.planMerge(h, goods("fr", 2, 5))
	if len(change.Add) != 2 || change.Add[0].Replaces == "" || change.Add[1].Replaces == "" {
		t.Fatalf("the merge writes %+v", change.Add)
	}
	change.Add[0].Replaces, change.Add[1].Replaces = change.Add[1].Replaces, change.Add[0].Replaces
	if _, err := b.table.Commit(t.Context(), h, change); err == nil || !strings.Contains(err.Error(), "which it does not go on with") {
		t.Errorf("the commit says %v", err)
	}
	b.expect(1, 2, 3, 4, 5, 6)
	if now := b.head(); now.Commit != h.Commit {
		t.Errorf("the head is %s", now.Commit)
	}
}
