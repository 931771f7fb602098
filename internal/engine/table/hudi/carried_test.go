package hudi_test

import "testing"

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
