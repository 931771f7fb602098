package iceberg

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

// merge joins small manifests that the parent had, so that a table keeps few of them however many commits it has seen.
//
// Those of about one size are joined, from the smallest on: each only once the ones before it hold as much as it does. So
// an entry is written again only a logarithm of times, and besides manifests of the target size a table never has more
// than twice the least number to merge.
func (p *parts) merge(ctx context.Context, w *manifestWriter) error {
	if w.metadata.Properties["commit.manifest-merge.enabled"] == "false" {
		return nil
	}
	var small []iceberggo.ManifestFile
	for _, m := range p.kept {
		if m.Length() < w.target()/2 {
			small = append(small, m)
		}
	}
	least := max(int(w.metadata.number("commit.manifest.min-count-to-merge", manifestsToMerge)), 2)
	joined := map[string]bool{}
	var again []iceberggo.ManifestFile
	for _, alike := range groups(small) {
		for _, m := range tier(alike, least) {
			joined[m.FilePath()] = true
			again = append(again, m)
		}
	}
	p.kept = slices.DeleteFunc(slices.Clone(p.kept), func(m iceberggo.ManifestFile) bool { return joined[m.FilePath()] })
	return p.rewrite(ctx, w, again, func(string) bool { return false }, func(err error) error { return err })
}

// tier are the manifests to join, of those of one kind; none while they are few.
func tier(small []iceberggo.ManifestFile, least int) []iceberggo.ManifestFile {
	switch {
	case len(small) < least:
		return nil
	case len(small) >= 2*least:
		return small
	}
	small = slices.SortedFunc(slices.Values(small), func(a, b iceberggo.ManifestFile) int { return cmp.Compare(a.Length(), b.Length()) })
	sum := 3 * small[0].Length()
	for i, m := range small {
		if m.Length() > sum {
			if i < least {
				return nil
			}
			return small[:i]
		}
		sum += m.Length()
	}
	return small
}

// groups are manifests by what may stand in one manifest together: entries of one partition spec and of one content.
func groups(manifests []iceberggo.ManifestFile) [][]iceberggo.ManifestFile {
	type kind struct {
		spec    int32
		content iceberggo.ManifestContent
	}
	var out [][]iceberggo.ManifestFile
	at := map[kind]int{}
	for _, m := range manifests {
		k := kind{m.PartitionSpecID(), m.ManifestContent()}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k], out = i, append(out, nil)
		}
		out[i] = append(out[i], m)
	}
	return out
}

// batches cuts manifests into lists that are about as large as one manifest shall be.
func batches(manifests []iceberggo.ManifestFile, target int64) [][]iceberggo.ManifestFile {
	var out [][]iceberggo.ManifestFile
	var size int64
	for _, m := range manifests {
		if len(out) == 0 || size+m.Length() > target {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], m)
		size += m.Length()
	}
	return out
}

// rewrite writes the entries of manifests into as few as may be: those for which gone says so as deleted by this
// snapshot, all others as they are, with their sequence numbers. Errors that forgive makes nil leave manifests out.
func (p *parts) rewrite(ctx context.Context, w *manifestWriter, manifests []iceberggo.ManifestFile, gone func(address string) bool, forgive func(error) error) error {
	var work [][]iceberggo.ManifestFile
	for _, alike := range groups(manifests) {
		work = append(work, batches(alike, w.target())...)
	}
	made, sums := make([][]iceberggo.ManifestFile, len(work)), make([]totals, len(work))
	if err := guard.Each(ctx, joinsAtOnce, len(work), func(ctx context.Context, i int) error {
		var err error
		made[i], sums[i], err = w.join(ctx, work[i], gone, forgive)
		return err
	}); err != nil {
		return err
	}
	p.made = append(p.made, slices.Concat(made...)...)
	for _, sum := range sums {
		p.gone.add(sum)
	}
	return nil
}

// join writes manifests of one kind into one, or more where they are too large for one. It counts what goes.
func (w *manifestWriter) join(ctx context.Context, manifests []iceberggo.ManifestFile, gone func(address string) bool, forgive func(error) error) ([]iceberggo.ManifestFile, totals, error) {
	var sum totals
	spec, ok := w.metadata.spec(int(manifests[0].PartitionSpecID()))
	if !ok {
		return nil, sum, fmt.Errorf("reading %s: it has partition spec %d, which the table does not have", manifests[0].FilePath(), manifests[0].PartitionSpecID())
	}
	entries := make([][]iceberggo.ManifestEntry, len(manifests))
	if err := guard.Each(ctx, atOnce, len(manifests), func(ctx context.Context, i int) error {
		var err error
		entries[i], err = w.t.readManifest(ctx, manifests[i])
		return forgive(err)
	}); err != nil {
		return nil, sum, err
	}
	var fills []fill
	for _, e := range slices.Concat(entries...) {
		if gone(e.DataFile().FilePath()) {
			sum.count(e.DataFile())
			fills = append(fills, func(m *iceberggo.ManifestWriter) error { return m.Delete(e) })
		} else {
			fills = append(fills, func(m *iceberggo.ManifestWriter) error { return m.Existing(e) })
		}
	}
	made, err := w.write(ctx, spec, manifests[0].ManifestContent(), fills)
	return made, sum, err
}
