package hudi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// tries is how often a put goes out that gets no answer, or meets others' objects.
const tries = 6

// anchor is the instant of an empty commit that a table of ours begins with. Readers take data files that are older than the first
// commit for part of the table, as if that had been archived: without it they would see those of an attempt that lost
// against the table's first commit.
const anchor Instant = "19700101000000000"

// begin chooses the attempt's instant, greater than all that there are, and writes its record and the pending instant. files are
// the keys of what it will write at an instant; request is what the instant says of itself.
func (t *Table) begin(ctx context.Context, tl *timeline, r record, files func(Instant) []string, request []byte) (*record, error) {
	r.V = documentVersion
	last := tl.last()
	for range tries {
		r.Instant = next(t.o.Now(), last)
		last = r.Instant
		r.Files = files(r.Instant)
		_, err := putDocument(ctx, t, attemptsFolder+string(r.Instant), &r, store.Condition{IfAbsent: true})
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("recording the attempt: %w", err)
		}
		err = t.pend(ctx, &r, request)
		if errors.Is(err, store.ErrExists) {
			if err := t.o.Store.Delete(ctx, t.o.Prefix+attemptsFolder+string(r.Instant)); err != nil {
				return nil, fmt.Errorf("removing the record of an instant that another writer has: %w", err)
			}
			continue
		}
		return &r, err
	}
	return nil, fmt.Errorf("choosing an instant: %d in a row were taken: the next run tries again", tries)
}

// pend writes the pending instant. ErrExists says that another writer has it.
func (t *Table) pend(ctx context.Context, r *record, request []byte) error {
	if _, err := t.o.Store.Put(ctx, t.o.Prefix+requestedKey(r.Instant, r.Action), request, store.Condition{IfAbsent: true}); err != nil {
		return fmt.Errorf("requesting the instant %s: %w", r.Instant, err)
	}
	if _, err := t.o.Store.Put(ctx, t.o.Prefix+inflightKey(r.Instant, r.Action), request, store.Condition{IfAbsent: true}); err != nil {
		return fmt.Errorf("beginning the instant %s: %w", r.Instant, err)
	}
	return nil
}

// The markers of an instant: by them alone Spark finds the files of one that it takes back (Hudi, TimelineServerBasedWriteMarkers).
const (
	markersType = "MARKERS.type"
	markersFile = "MARKERS0"
	markersBy   = "TIMELINE_SERVER_BASED"
)

// mark writes the markers of the attempt's files.
func (t *Table) mark(ctx context.Context, r *record) error {
	var lines strings.Builder
	for _, key := range r.Files {
		lines.WriteString(key + ".marker.CREATE\n")
	}
	for _, m := range []struct{ name, text string }{{markersType, markersBy}, {markersFile, lines.String()}} {
		if _, err := t.o.Store.Put(ctx, t.markerKey(r.Instant, m.name), []byte(m.text), store.Condition{IfAbsent: true}); err != nil {
			return fmt.Errorf("marking the files of the instant %s: %w", r.Instant, err)
		}
	}
	return nil
}

func (t *Table) markerKey(i Instant, name string) string {
	return t.o.Prefix + tempFolder + string(i) + "/" + name
}

// note makes a folder a partition.
func (t *Table) note(ctx context.Context, partition string, i Instant) error {
	depth := 0
	key := partitionNote
	if partition != "" {
		depth, key = strings.Count(partition, "/")+1, partition+"/"+partitionNote
	}
	text := fmt.Sprintf("#partition metadata\ncommitTime=%s\npartitionDepth=%d\n", i, depth)
	_, err := t.o.Store.Put(ctx, t.o.Prefix+key, []byte(text), store.Condition{IfAbsent: true})
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("noting the partition %q: %w", partition, err)
	}
	return nil
}

// takeBack removes what an attempt wrote of an instant that will not be completed: data first, for nobody could find them behind
// the instant. The record stays until nothing of the attempt can come late any more. The commit's file goes before all, where it is there. Where
// it is not, its removal is not sent: that may be late itself, behind a commit that others have built on. A clean that somebody has begun to
// carry out is finished instead.
func (t *Table) takeBack(ctx context.Context, r *record, tl *timeline) error {
	if r.Action == actionClean {
		if over, err := t.finishBegun(ctx, r.Instant); over || err != nil {
			return err
		}
	}
	var data, last []string
	for _, key := range r.Files {
		data = append(data, t.o.Prefix+key)
	}
	last = append(last, t.markerKey(r.Instant, markersType), t.markerKey(r.Instant, markersFile))
	if tl != nil {
		last = append(last, tl.markers[r.Instant]...)
	}
	var commit []string
	if tl != nil && tl.completed(r.Instant) {
		commit = append(commit, t.o.Prefix+completedKey(r.Instant, r.Action))
	}
	for _, keys := range [][]string{
		commit, data,
		{t.o.Prefix + inflightKey(r.Instant, r.Action)}, {t.o.Prefix + requestedKey(r.Instant, r.Action)}, last,
	} {
		if len(keys) == 0 {
			continue
		}
		if err := t.o.Store.Delete(ctx, keys...); err != nil {
			return fmt.Errorf("taking the instant %s of the attempt %q back: %w", r.Instant, r.Attempt, err)
		}
	}
	return nil
}

// abandon takes an attempt back that failed before it claimed anything. What is left of it the next run takes back.
func (t *Table) abandon(ctx context.Context, r *record) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	_ = t.takeBack(ctx, r, nil)
}

// pause waits a little longer with each try.
func pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		return nil
	}
}

// unknown is the error of a call that got no answer and may have taken effect.
func unknown(err error) error { return fmt.Errorf("%w: %w", table.ErrOutcomeUnknown, err) }
