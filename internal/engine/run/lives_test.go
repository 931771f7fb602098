package run_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// life is a table through a random history, beside a model of it.
type life struct {
	*landing
	random *rand.Rand
	// landed are the rows that readers see, at those of each snapshot that was seen.
	landed map[string]bool
	at     map[int64]map[string]bool
	// known are positions that the tracker had.
	known []*tracking.Position
	log   []string
}

// wanted are the rows that readers see once the table has been landed.
func (f *life) wanted() map[string]bool {
	out := map[string]bool{}
	if f.versions {
		maps.Copy(out, f.landed)
	}
	for id, v := range f.values {
		out[fmt.Sprintf("%d=%d", id, v)] = true
	}
	return out
}

func text(rows map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(rows)), " ") }

// look checks that readers see one of two states, and keeps which.
func (f *life) look(what string, states ...map[string]bool) {
	f.t.Helper()
	f.log = append(f.log, what)
	texts := make([]string, len(states))
	for i, s := range states {
		texts[i] = text(s)
	}
	got := f.sees(strings.Join(f.log, "; "), texts...)
	for i, s := range states {
		if texts[i] == got {
			f.landed = s
		}
	}
	switch m, err := f.metadata(); {
	case f.hudi:
		f.at[f.newestCommit()] = f.landed
	case err == nil && m != nil:
		f.at[m.Current] = f.landed
	}
}

// lives takes the next step of the history.
func (f *life) lives() {
	f.t.Helper()
	switch step := f.random.IntN(10); {
	case step < 3:
		f.change()
		f.log = append(f.log, fmt.Sprintf("generation %d", f.generation))
	case step < 5:
		f.runs("a run")
	case step < 7:
		at, h := 1+f.random.IntN(40), killedBefore
		if f.random.IntN(2) == 0 {
			h = killedAfter
		}
		f.run(func(n int, _ call) harm {
			if n == at {
				return h
			}
			return unharmed
		})
		f.outwait()
		f.look(fmt.Sprintf("a run %s call %d", h, at), f.landed, f.wanted())
	case step == 7 && len(f.known) > 0:
		w, _ := f.workerOver(nil) // on the time that workers observe, for a killed one's lease is over by that alone
		w.record(f.name, f.known[f.random.IntN(len(f.known))])
		f.look("a restored tracker", f.landed)
	case step == 8 && f.hudi:
		f.sparkCommit()
	case step == 9 && f.hudi:
		f.sparkRollback()
	case step == 8:
		f.foreignCommit()
	case step == 9:
		f.rollBack()
	}
}

// runs runs the table undisturbed.
func (f *life) runs(what string) {
	f.t.Helper()
	if out, _ := f.run(nil); out.Err != nil {
		f.t.Fatalf("%s: %s: %v", strings.Join(f.log, "; "), what, out.Err)
	}
	f.look(what, f.wanted())
	position, err := f.tracking.Position(f.t.Context(), "shop."+f.name)
	f.must(err)
	f.known = append(f.known, position)
}

// edit changes the table's Iceberg metadata as another engine would, in a commit of its own.
func (f *life) edit(change func(m map[string]any, snapshots []any)) {
	f.t.Helper()
	entry, err := f.runner().Catalog.Get(f.t.Context(), f.database, f.name)
	if err != nil || entry.Parameters["metadata_location"] == "" {
		return
	}
	data, err := f.object(entry.Parameters["metadata_location"])
	f.must(err)
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var m map[string]any
	f.must(decoder.Decode(&m))
	change(m, m["snapshots"].([]any))
	data, err = json.Marshal(m)
	f.must(err)
	key := fmt.Sprintf("raw/%s/metadata/%05d-%x.metadata.json", f.name, 9000+len(f.log), f.random.Uint64())
	_, err = f.clients.S3.PutObject(f.t.Context(), &s3.PutObjectInput{Bucket: aws.String(f.bucket), Key: aws.String(key), Body: strings.NewReader(string(data))})
	f.must(err)
	entry.Parameters["metadata_location"] = "s3://" + f.bucket + "/" + key
	f.must(f.runner().Catalog.Update(f.t.Context(), entry))
}

// foreignCommit adds a snapshot of the same files that carries no checkpoint.
func (f *life) foreignCommit() {
	f.t.Helper()
	f.edit(func(m map[string]any, snapshots []any) {
		for _, s := range snapshots {
			if was := s.(map[string]any); was["snapshot-id"] == m["current-snapshot-id"] {
				made, summary := maps.Clone(was), maps.Clone(was["summary"].(map[string]any))
				delete(summary, "lakeland.checkpoint")
				summary["operation"] = "replace"
				sequence, _ := m["last-sequence-number"].(json.Number).Int64()
				id := json.Number(fmt.Sprint(f.random.Int64()))
				made["summary"], made["snapshot-id"], made["parent-snapshot-id"], made["sequence-number"] = summary, id, was["snapshot-id"], sequence+1
				m["snapshots"], m["current-snapshot-id"], m["last-sequence-number"] = append(snapshots, made), id, sequence+1
				m["refs"] = map[string]any{"main": map[string]any{"snapshot-id": id, "type": "branch"}}
				return
			}
		}
	})
	f.look("a foreign commit", f.landed)
}

// rollBack sets the table to one of its snapshots that was seen.
func (f *life) rollBack() {
	f.t.Helper()
	rows := f.landed
	f.edit(func(m map[string]any, snapshots []any) {
		was := snapshots[f.random.IntN(len(snapshots))].(map[string]any)["snapshot-id"].(json.Number)
		id, _ := was.Int64()
		if seen, ok := f.at[id]; ok {
			rows, m["current-snapshot-id"] = seen, was
			m["refs"] = map[string]any{"main": map[string]any{"snapshot-id": was, "type": "branch"}}
		}
	})
	f.look("a rollback", rows)
}

// Through any history of changes, runs, killed runs, restored trackers, foreign commits and rollbacks, readers see what a
// simple model says, the chain of positions is whole, and a quiet run makes the table what the source has.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	ways := []way{replaced, merged, marked, versioned, flipped, batched, hudiReplaced, hudiMerged, hudiParted, hudiVersions, hudiHistory}
	if underRace {
		ways = []way{merged, marked, hudiParted}
	}
	for _, by := range ways {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			seed := sandbox.Seed(t)
			f := &life{landing: newNumbers(t).landingBy("numbers", by), random: rand.New(rand.NewPCG(seed, 17)), landed: map[string]bool{}, at: map[int64]map[string]bool{}, log: []string{fmt.Sprintf("seed %d", seed)}}
			for range 24 {
				f.lives()
			}
			f.runs("a quiet run")
			f.chained(strings.Join(f.log, "; "))
		})
	}
}
