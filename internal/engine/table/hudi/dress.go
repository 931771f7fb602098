package hudi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// The keys in a data file's footer (Hudi, HoodieAvroWriteSupport, HoodieBloomFilterWriteSupport).
const (
	noteMinKey = "hoodie_min_record_key"
	noteMaxKey = "hoodie_max_record_key"
	noteBloom  = "org.apache.hudi.bloomfilter"
	noteCode   = "hoodie_bloom_filter_type_code"
	noteAvro   = "parquet.avro.schema"
	noteModel  = "writer.model.name"
	// noteSpark keeps Spark from refusing dates before 1582 and times before 1900: by its version it knows that they are in
	// today's calendar (Spark, DataSourceUtils.datetimeRebaseSpec).
	noteSpark = "org.apache.spark.version"
	asSpark   = "3.5.6"
)

// partRows is how many rows of a column are made at once.
const partRows = 8192

// output is a data file of a commit: a staged file, or none for a file group whose rows are all gone.
type output struct {
	staged *table.DataFile
	// prev is the version of the file group that goes; nil for a new group.
	prev *slice
	// prevRows are the rows of that.
	prevRows int64
	group    group
	// token tells the file from those of other attempts.
	token string
	// name is the file's, key the one below the table's prefix.
	name, key string

	size, rows int64
	// changed are the rows that the commit brought, as against those that are only copied.
	changed int64
}

// named gives an output its name at an instant.
func (o *output) named(i Instant) {
	o.name = o.group.fileID + "_" + o.token + "_" + string(i) + ".parquet"
	o.key = o.name
	if o.group.partition != "" {
		o.key = o.group.partition + "/" + o.name
	}
}

// dressing makes the data files of a commit of what was staged.
type dressing struct {
	t       *Table
	instant Instant
	columns *schema.Table
	keys    *keyWriter
	// avro is the schema with the meta columns.
	avro string
}

// dressed is one file under way.
type dressed struct {
	*dressing
	o      *output
	task   int
	reader *parquet.Reader
	writer *parquet.Writer
	bloom  *bloom
	// low and high are the smallest and the greatest record key so far; nil before the first.
	low, high []byte
	some      bool
	// before is the version that goes; nil where there is none.
	before *parquet.Reader
	// earlier is what of that may stay; nil for nothing.
	earlier *earlier
	text    *column.Vector
}

// dress writes an output. task is its number among those of the commit.
func (d *dressing) dress(ctx context.Context, o *output, task int) (err error) {
	out, err := d.t.o.Store.Create(ctx, d.t.o.Prefix+o.key)
	if err != nil {
		return err
	}
	defer out.Abort()
	f := &dressed{dressing: d, o: o, task: task, text: column.NewVector(column.Bytes, partRows)}
	if f.writer, err = parquet.NewWriter(out, d.columns, d.t.o.Version, nil); err != nil {
		return err
	}
	f.writer.Unbound(slices.Index(metaColumns, sequenceColumn))
	if o.staged == nil {
		f.bloom = newBloom(0)
	} else {
		if err := f.open(ctx); err != nil {
			return err
		}
		for g := range f.reader.RowGroups() {
			if err := f.group(ctx, g); err != nil {
				return fmt.Errorf("making %s of %s: %w", o.key, o.staged.Key, err)
			}
		}
	}
	f.notes()
	file, err := f.writer.Close()
	if err != nil {
		return err
	}
	o.size, o.rows = file.Size, file.Rows
	return out.Close()
}

// open makes ready to read the staged file.
func (f *dressed) open(ctx context.Context) (err error) {
	if f.reader, err = parquet.Open(ctx, f.t.o.Store, f.o.staged.Key, f.o.staged.File.Size); err != nil {
		return err
	}
	if prev := f.o.prev; prev != nil {
		if f.before, err = parquet.Open(ctx, f.t.o.Store, f.t.o.Prefix+prev.key, prev.size); err != nil {
			return err
		}
		f.earlier = f.earlierOf(f.before, f.reader, int(f.o.staged.File.Rows))
	}
	if e := f.earlier; e != nil {
		f.bloom, f.low, f.high, f.some = e.filter, []byte(e.low), []byte(e.high), true
	} else {
		f.bloom = newBloom(int(f.o.staged.File.Rows))
	}
	return nil
}

// notes puts what writers of Hudi look for into the footer. Without the filter Spark's upserts by it fail.
func (f *dressed) notes() {
	if f.some {
		f.writer.Note(noteMinKey, string(f.low))
		f.writer.Note(noteMaxKey, string(f.high))
	}
	f.writer.Note(noteBloom, f.bloom.text())
	f.writer.Note(noteCode, filterCode)
	f.writer.Note(noteAvro, f.avro)
	f.writer.Note(noteModel, "avro")
	f.writer.Note(noteSpark, asSpark)
}

// group writes a row group of the staged file with Hudi's columns in front. Columns of values go over as they are.
func (f *dressed) group(ctx context.Context, g int) error {
	rows := f.reader.Rows(g)
	if rows == 0 {
		return nil
	}
	fetched, err := f.reader.Fetch(ctx, g)
	if err != nil {
		return err
	}
	out, err := f.writer.Group(rows)
	if err != nil {
		return err
	}
	first := f.o.rows
	f.o.rows += int64(rows)
	for i, value := range []func(out []byte, row int) []byte{
		func(out []byte, _ int) []byte { return append(out, f.instant...) },
		func(out []byte, row int) []byte {
			out = strconv.AppendInt(append(append(out, f.instant...), '_'), int64(f.task), 10)
			return strconv.AppendInt(append(out, '_'), first+int64(row), 10)
		},
	} {
		if err := f.kept(ctx, out, g, i, fetched, value); err != nil {
			return err
		}
	}
	if err := f.recordKeys(ctx, out, g, fetched); err != nil {
		return err
	}
	for _, text := range []string{f.o.group.partition, f.o.name} {
		if err := out.EncodeConstant(text); err != nil {
			return err
		}
	}
	for i := len(metaColumns); i < len(f.columns.Columns); i++ {
		if err := f.value(ctx, out, g, i, fetched); err != nil {
			return err
		}
	}
	return out.End()
}

// kept writes one of the columns that rows keep while they are only copied: what the staged file has of it, and value where that
// is NULL.
func (f *dressed) kept(ctx context.Context, out *parquet.GroupWriter, g, i int, fetched *parquet.Fetched, value func(out []byte, row int) []byte) error {
	rows := f.reader.Rows(g)
	place, there := f.reader.Find(f.columns.Columns[i])
	nulls := rows
	if there {
		nulls = f.reader.Nulls(g, place)
	}
	if i == 0 && nulls >= 0 {
		f.o.changed += int64(nulls)
	}
	if there {
		if key, of, ok := f.reader.Refers(g, place); ok {
			if f.before == nil || key != f.t.o.Prefix+f.o.prev.key {
				return fmt.Errorf("its column %q refers to the file %s, which it does not go on with", f.columns.Columns[i].Name, key)
			}
			return f.lent(ctx, out, g, i, of, fetched, value)
		}
	}
	if nulls == 0 && !f.reader.Carried(g, place) && f.writer.Copyable(i, f.reader, place) {
		return out.Copy(ctx, f.reader, g, place, fetched, nil, nil)
	}
	if !there || nulls == rows {
		return out.EncodeParts(f.texts(rows, func(v *column.Vector, row int) error {
			v.Data = value(v.Data, row)
			return nil
		}))
	}
	chunk, err := f.reader.Chunk(ctx, g, place, fetched, f.columns.Columns[i].Type)
	if err != nil {
		return err
	}
	return out.EncodeParts(f.filled(chunk, nil, func(n int) {
		if i == 0 && nulls < 0 {
			f.o.changed += int64(n)
		}
	}, value))
}

// lent writes one of the columns that rows keep, of which the staged file says only which rows have none: what all others have stands in
// the same places of a row group of the version that goes.
func (f *dressed) lent(ctx context.Context, out *parquet.GroupWriter, g, i, of int, fetched *parquet.Fetched, value func(out []byte, row int) []byte) error {
	c := f.columns.Columns[i]
	staged, _ := f.reader.Find(c)
	place, there := f.before.Find(c)
	if !there || of >= f.before.RowGroups() || f.before.Rows(of) != f.reader.Rows(g) {
		return fmt.Errorf("its column %q refers to rows that the version before has not", c.Name)
	}
	kept := column.NewVector(column.Bytes, 0)
	if err := f.read(ctx, g, staged, fetched, c.Type, kept); err != nil {
		return err
	}
	stored, err := f.before.Chunk(ctx, of, place, nil, c.Type)
	if err != nil {
		return err
	}
	return out.EncodeParts(f.filled(stored, kept, func(int) {}, value))
}

// filled makes a column of what is stored, page by page, and of value where that is NULL, or where kept is, unless that is nil. nulls is
// told how many those are.
func (f *dressed) filled(stored *parquet.ChunkReader, kept *column.Vector, nulls func(int), value func(out []byte, row int) []byte) iter.Seq2[*column.Vector, error] {
	return func(yield func(*column.Vector, error) bool) {
		page := column.NewVector(column.Bytes, 0)
		for first := 0; ; first += page.Len() {
			page.Reset()
			if _, err := stored.Next(page); err != nil {
				if !errors.Is(err, io.EOF) {
					yield(nil, err)
				}
				return
			}
			nulls(page.Nulls)
			out := page
			if page.Nulls > 0 || kept != nil && kept.NullsIn(first, first+page.Len()) > 0 {
				out = f.text
				out.Reset()
				fill := func(to int) {
					for row := out.Len(); row < to; row++ {
						out.Data = value(out.Data, first+row)
						out.Append()
					}
				}
				for from, to := range ranges(page, kept, first) {
					fill(from)
					out.AppendRows(page, from, to)
				}
				fill(page.Len())
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// ranges are those of a page's rows that have values, there and in another vector, unless that is nil, whose row first is the page's
// first.
func ranges(page, kept *column.Vector, first int) iter.Seq2[int, int] {
	if kept == nil {
		return page.Runs(0, page.Len())
	}
	return func(yield func(from, to int) bool) {
		for start, end := range kept.Runs(first, first+page.Len()) {
			for from, to := range page.Runs(start-first, end-first) {
				if !yield(from, to) {
					return
				}
			}
		}
	}
}

// texts makes a column of texts part by part.
func (f *dressed) texts(rows int, text func(v *column.Vector, row int) error) iter.Seq2[*column.Vector, error] {
	return func(yield func(*column.Vector, error) bool) {
		for from := 0; from < rows; from += partRows {
			f.text.Reset()
			for row := from; row < min(from+partRows, rows); row++ {
				if err := text(f.text, row); err != nil {
					yield(nil, err)
					return
				}
				f.text.Append()
			}
			if !yield(f.text, nil) {
				return
			}
		}
	}
}

// recordKeys writes the column of record keys, and takes them up into filter and bounds.
func (f *dressed) recordKeys(ctx context.Context, out *parquet.GroupWriter, g int, fetched *parquet.Fetched) error {
	switch at, err := f.earlier.same(ctx, f.reader, g, fetched); {
	case err != nil:
		return err
	case at >= 0 && f.writer.Copyable(slices.Index(metaColumns, recordKeyColumn), f.earlier.reader, f.earlier.place):
		return out.Copy(ctx, f.earlier.reader, at, f.earlier.place, nil, nil, nil)
	}
	var vectors []*column.Vector
	for i, name := range f.keys.form.columns {
		typ := f.keys.types[i]
		v := column.NewVector(typ.Kind(), f.reader.Rows(g))
		place, ok := f.reader.Find(columnOf(f.columns, name))
		if !ok {
			return fmt.Errorf("it has no column %q, which is part of the record key", name)
		}
		if err := f.read(ctx, g, place, fetched, typ, v); err != nil {
			return err
		}
		vectors = append(vectors, v)
	}
	return out.EncodeParts(f.texts(f.reader.Rows(g), func(v *column.Vector, row int) (err error) {
		start := len(v.Data)
		if v.Data, err = f.keys.appendKey(v.Data, vectors, row); err != nil {
			return err
		}
		f.keyed(v.Data[start:])
		return nil
	}))
}

func (f *dressed) keyed(key []byte) {
	f.bloom.add(key)
	if !f.some || compareKeys(key, f.low) < 0 {
		f.low = append(f.low[:0], key...)
	}
	if !f.some || compareKeys(key, f.high) > 0 {
		f.high = append(f.high[:0], key...)
	}
	f.some = true
}

// value writes a column of the table.
func (f *dressed) value(ctx context.Context, out *parquet.GroupWriter, g, i int, fetched *parquet.Fetched) error {
	c := f.columns.Columns[i]
	place, there := f.reader.Find(c)
	if there && f.writer.Copyable(i, f.reader, place) {
		return out.Copy(ctx, f.reader, g, place, fetched, nil, nil)
	}
	v := column.NewVector(c.Type.Kind(), f.reader.Rows(g))
	if !there {
		for range f.reader.Rows(g) {
			v.AppendNull()
		}
		return out.Encode(v)
	}
	if err := f.read(ctx, g, place, fetched, c.Type, v); err != nil {
		return err
	}
	return out.Encode(v)
}

func (f *dressed) read(ctx context.Context, g, place int, fetched *parquet.Fetched, typ schema.Type, v *column.Vector) error {
	chunk, err := f.reader.Chunk(ctx, g, place, fetched, typ)
	if err != nil {
		return err
	}
	return chunk.ReadAll(v)
}
