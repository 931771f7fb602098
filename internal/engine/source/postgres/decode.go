package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

const (
	// batchRows and batchBytes end a batch.
	batchRows  = 4096
	batchBytes = 4 << 20
	// maxField bounds a field: PostgreSQL's own limit is 1 GB.
	maxField = 1 << 30
)

// signature begins every COPY in binary form (PostgreSQL documentation, COPY, "Binary Format").
const signature = "PGCOPY\n\xff\r\n\x00"

var errMalformed = errors.New("the server's COPY data is malformed")

const (
	// blockRows and blockBytes bound the rows that are decoded at once, column by column: where their fields lie fits the
	// processor's nearest cache.
	blockRows  = 512
	blockBytes = 2 << 20
)

// fields are those of one column in some rows that lie in memory.
type fields struct {
	buf []byte
	// at is where the fields begin in buf, each behind four bytes of length, in which -1 is NULL. Every field that has a
	// length lies in buf.
	at []uint32
}

// length is that of a field that begins at a place; -1 is NULL.
func (f fields) length(at uint32) int { return int(int32(binary.BigEndian.Uint32(f.buf[at-4:]))) }

// decode decodes a column's fields and appends their values, and says which field an error is about. After an
// error the vector is of no use.
type decode func(v *column.Vector, t schema.Type, f fields) (int, error)

// decoder turns COPY data into batches. Data comes as messages of whole rows, which it notes by take and decodes
// by settle, before their memory serves something else; or by Write, in pieces of any size. Each full batch goes to emit,
// which returns the next one to fill.
type decoder struct {
	columns []schema.Column
	// values decode the columns' values.
	values []decode
	batch  *column.Batch
	emit   func(*column.Batch) (*column.Batch, error)

	// noted are the rows that are not decoded yet, noting their bytes; they lie in buf. The fields of column i begin at
	// at[i*blockRows:].
	noted, noting int
	buf           []byte
	at            []uint32
	// rest is the part of the data that does not hold a whole row yet.
	rest    []byte
	started bool
	ended   bool
	rows    int64
	bytes   int64
}

func newDecoder(columns []schema.Column, first *column.Batch, emit func(*column.Batch) (*column.Batch, error)) (*decoder, error) {
	d := &decoder{columns: columns, values: make([]decode, len(columns)), batch: first, emit: emit, at: make([]uint32, len(columns)*blockRows)}
	for i, c := range columns {
		var err error
		if d.values[i], err = decodeFor(c); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// take takes the message that is buf from from up to but without to. What it holds must stay as it is until settle.
func (d *decoder) take(buf []byte, from, to int) error {
	if !d.started || len(d.rest) > 0 {
		if err := d.settle(); err != nil {
			return err
		}
		_, err := d.Write(buf[from:to])
		return err
	}
	d.bytes += int64(to - from)
	for from < to {
		used, err := d.note(buf[:to], from)
		if err != nil {
			return err
		}
		if used == 0 {
			d.rest = append(d.rest[:0], buf[from:to]...)
			return d.settle()
		}
		from += used
	}
	return nil
}

// Write takes the next piece of data.
func (d *decoder) Write(p []byte) (int, error) {
	d.bytes += int64(len(p))
	d.rest = append(d.rest, p...)
	at := 0
	if !d.started {
		n, err := header(d.rest)
		if n == 0 || err != nil {
			return len(p), err
		}
		d.started, at = true, n
	}
	for at < len(d.rest) {
		used, err := d.note(d.rest, at)
		if err != nil {
			return 0, err
		}
		if used == 0 {
			break
		}
		at += used
	}
	if err := d.settle(); err != nil {
		return 0, err
	}
	if len(d.rest)-at > maxField+1<<20 {
		return 0, fmt.Errorf("%w: a row of more than %d bytes", errMalformed, maxField)
	}
	d.rest = append(d.rest[:0], d.rest[at:]...)
	return len(p), nil
}

// finish checks that the data ended where it says it does, and was decoded. The rows of the last batch stay in it.
func (d *decoder) finish() error {
	if !d.ended || len(d.rest) > 0 || d.noted > 0 {
		return fmt.Errorf("%w: it ends without its trailer", errMalformed)
	}
	return nil
}

// note notes the row that begins at from, and returns its length: 0 where buf does not hold the whole of it.
func (d *decoder) note(buf []byte, from int) (int, error) {
	if d.ended {
		return 0, fmt.Errorf("%w: something follows its trailer", errMalformed)
	}
	if len(buf) < from+2 {
		return 0, nil
	}
	count := int16(binary.BigEndian.Uint16(buf[from:]))
	if count == -1 {
		d.ended = true
		return 2, nil
	}
	if int(count) != len(d.columns) {
		return 0, fmt.Errorf("%w: a row of %d fields where %d were asked for", errMalformed, count, len(d.columns))
	}
	if d.noted == blockRows || d.noting >= blockBytes {
		if err := d.settle(); err != nil {
			return 0, err
		}
	}
	at := from + 2
	for i := d.noted; i < len(d.at); i += blockRows {
		if len(buf) < at+4 {
			return 0, nil
		}
		length := int(int32(binary.BigEndian.Uint32(buf[at:])))
		if at += 4; length > maxField || length < -1 {
			return 0, fmt.Errorf("%w: a field of %d bytes", errMalformed, length)
		}
		d.at[i] = uint32(at)
		at += max(length, 0)
	}
	if len(buf) < at {
		return 0, nil
	}
	if at-from > blockBytes && d.noted > 0 { // a row of that size fills a batch of its own
		if err := d.settle(); err != nil {
			return 0, err
		}
		return d.note(buf, from)
	}
	d.buf = buf
	d.noted++
	d.noting += at - from
	return at - from, nil
}

// settle decodes the rows that were noted, column by column.
func (d *decoder) settle() error {
	if d.noted == 0 {
		return nil
	}
	if held := d.batch.Rows(); held > 0 && (held+d.noted > batchRows || d.batch.Size()+d.noting > batchBytes) {
		next, err := d.emit(d.batch)
		if d.batch = next; err != nil {
			return err
		}
	}
	for i, do := range d.values {
		c := &d.columns[i]
		row, err := do(d.batch.Columns[i], c.Type, fields{d.buf, d.at[i*blockRows:][:d.noted]})
		if err != nil {
			return fmt.Errorf("row %d, column %q (%s): %w", d.rows+int64(row)+1, c.Source.Name, c.Source.Type, err)
		}
	}
	d.rows += int64(d.noted)
	d.noted, d.noting, d.buf = 0, 0, nil
	return nil
}

// header is the length of the data's header, or 0 where it is not whole yet.
func header(data []byte) (int, error) {
	known := min(len(data), len(signature))
	if string(data[:known]) != signature[:known] {
		return 0, fmt.Errorf("%w: it does not begin as COPY data does", errMalformed)
	}
	if len(data) < len(signature)+8 {
		return 0, nil
	}
	flags, extension := binary.BigEndian.Uint32(data[11:]), binary.BigEndian.Uint32(data[15:])
	if flags != 0 || extension > 1<<16 {
		return 0, fmt.Errorf("%w: flags %#x, header extension of %d bytes", errMalformed, flags, extension)
	}
	if len(data) < 19+int(extension) {
		return 0, nil
	}
	return 19 + int(extension), nil
}
