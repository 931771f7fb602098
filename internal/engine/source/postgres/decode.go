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
	batchRows  = 8192
	batchBytes = 8 << 20
	// maxField bounds a field: PostgreSQL's own limit is 1 GB.
	maxField = 1 << 30
)

// signature begins every COPY in binary form (PostgreSQL documentation, COPY, "Binary Format").
const signature = "PGCOPY\n\xff\r\n\x00"

var errMalformed = errors.New("the server's COPY data is malformed")

// decoder turns COPY data, as it comes in pieces of any size, into batches. Each full batch goes to emit, which
// returns the next one to fill.
type decoder struct {
	columns []schema.Column
	// values decode the columns' values.
	values []decode
	batch  *column.Batch
	emit   func(*column.Batch) (*column.Batch, error)

	// rest is the part of the data that does not hold a whole row yet.
	rest    []byte
	started bool
	ended   bool
	rows    int64
	bytes   int64
}

func newDecoder(columns []schema.Column, first *column.Batch, emit func(*column.Batch) (*column.Batch, error)) (*decoder, error) {
	d := &decoder{columns: columns, values: make([]decode, len(columns)), batch: first, emit: emit}
	for i, c := range columns {
		var err error
		if d.values[i], err = decodeFor(c); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Write takes the next piece of data.
func (d *decoder) Write(p []byte) (int, error) {
	d.bytes += int64(len(p))
	data := p
	if len(d.rest) > 0 {
		d.rest = append(d.rest, p...)
		data = d.rest
	}
	used, err := d.decode(data)
	if err != nil {
		return 0, err
	}
	left := data[used:]
	if len(left) > maxField+1<<20 {
		return 0, fmt.Errorf("%w: a row of more than %d bytes", errMalformed, maxField)
	}
	d.rest = append(d.rest[:0], left...)
	return len(p), nil
}

// finish checks that the data ended where it says it does. The rows of the last batch stay in it.
func (d *decoder) finish() error {
	if !d.ended || len(d.rest) > 0 {
		return fmt.Errorf("%w: it ends without its trailer", errMalformed)
	}
	return nil
}

// decode reads whole rows and returns how many bytes they took.
func (d *decoder) decode(data []byte) (int, error) {
	used := 0
	if !d.started {
		n, err := header(data)
		if n == 0 || err != nil {
			return 0, err
		}
		d.started, used = true, n
	}
	for {
		row := data[used:]
		if len(row) < 2 {
			return used, nil
		}
		if d.ended {
			return 0, fmt.Errorf("%w: something follows its trailer", errMalformed)
		}
		fields := int16(binary.BigEndian.Uint16(row))
		if fields == -1 {
			d.ended = true
			used += 2
			continue
		}
		if int(fields) != len(d.columns) {
			return 0, fmt.Errorf("%w: a row of %d fields where %d were asked for", errMalformed, fields, len(d.columns))
		}
		n, err := whole(row[2:], len(d.columns))
		if n == 0 || err != nil {
			return used, err
		}
		if err := d.row(row[2 : 2+n]); err != nil {
			return 0, err
		}
		used += 2 + n
	}
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

// whole is the length of a row's fields, or 0 where they are not whole yet.
func whole(data []byte, fields int) (int, error) {
	at := 0
	for range fields {
		if len(data) < at+4 {
			return 0, nil
		}
		length := int32(binary.BigEndian.Uint32(data[at:]))
		at += 4
		if length < -1 || length > maxField {
			return 0, fmt.Errorf("%w: a field of %d bytes", errMalformed, length)
		}
		if length > 0 {
			at += int(length)
		}
		if len(data) < at {
			return 0, nil
		}
	}
	return at, nil
}

func (d *decoder) row(data []byte) error {
	d.rows++
	at := 0
	for i := range d.columns {
		length := int(int32(binary.BigEndian.Uint32(data[at:])))
		at += 4
		v := d.batch.Columns[i]
		if length < 0 {
			v.AppendNull()
			continue
		}
		if err := d.values[i](v, d.columns[i].Type, data[at:at+length]); err != nil {
			return fmt.Errorf("row %d, column %q (%s): %w", d.rows, d.columns[i].Source.Name, d.columns[i].Source.Type, err)
		}
		at += length
	}
	if d.batch.Rows() < batchRows && (d.batch.Rows()&63 != 0 && len(data) < batchBytes/64 || d.batch.Size() < batchBytes) {
		return nil
	}
	next, err := d.emit(d.batch)
	d.batch = next
	return err
}
