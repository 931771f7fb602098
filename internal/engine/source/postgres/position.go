package postgres

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// PositionVersion is the version of positions that this build knows.
	PositionVersion = 1
	// MaxPosition bounds a position's document: a partitioned table's holds all its leaves.
	MaxPosition = 4 << 20
	// maxText bounds a cursor's value; a longer one cannot be a position.
	maxText = 2048
)

// ErrReload says that a table can only go on with a reload: what its position says no longer means anything.
var ErrReload = errors.New(`set "reload" of the source table to a new text: the next run then reads the whole table`)

// Position says how far an incremental table has come at its source. It is written into the checkpoint of a commit,
// and read back strictly: what a build does not know to the letter it does not go on from.
type Position struct {
	V       int    `json:"v"`
	Horizon string `json:"horizon"`
	// Xmin is the position of horizon xmin, Cursor that of the horizons transactions and lookback.
	Xmin   *XminPosition   `json:"xmin,omitempty"`
	Cursor *CursorPosition `json:"cursor,omitempty"`
}

// XminPosition says that every row is known whose transaction is older than Xmin and was committed.
type XminPosition struct {
	// Xmin is the oldest transaction that was running when the snapshot was taken, in 64 bits.
	Xmin int64 `json:"xmin"`
	// System and Timeline identify the history of the cluster that the number belongs to.
	System   string `json:"system"`
	Timeline uint32 `json:"timeline"`
	Table    uint32 `json:"table"`
	// Leaves are the tables that hold the rows, ascending by oid: the partitions and heirs of Table, or Table itself.
	Leaves []Leaf `json:"leaves"`
}

// Leaf is a table that holds rows of another.
type Leaf struct {
	OID uint32 `json:"oid"`
	// Name is what it was called, for messages.
	Name string `json:"name"`
}

// CursorPosition says from which value of the cursor on rows are read again.
type CursorPosition struct {
	// Type is how values are read and compared: timestamptz, timestamp, date, integer or text.
	Type string `json:"type"`
	// Seen is the greatest value met so far that does not lie ahead of the source's clock; absent before any was.
	Seen *string `json:"seen,omitempty"`
	// Bound is the least value that the next run reads; absent, it reads every row.
	Bound *string `json:"bound,omitempty"`
	// Lookback is the width that Bound holds.
	Lookback string `json:"lookback"`
	// TimeZone is where a cursor without a zone is at home.
	TimeZone string `json:"time_zone,omitempty"`
}

// Encode writes the position as it stands in a checkpoint. One that is not valid is refused.
func (p *Position) Encode() (json.RawMessage, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("writing a position: %w", err)
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing a position: %w", err)
	}
	if len(data) > MaxPosition {
		return nil, fmt.Errorf("writing a position: it has %d bytes, at most %d are allowed: the table has too many partitions (%d) for horizon \"xmin\"", len(data), MaxPosition, len(p.Xmin.Leaves))
	}
	return data, nil
}

// DecodePosition reads a position strictly.
func DecodePosition(data []byte) (*Position, error) {
	wrap := func(err error) (*Position, error) {
		return nil, fmt.Errorf("reading a position: %w: %w", err, ErrReload)
	}
	if len(data) > MaxPosition {
		return wrap(fmt.Errorf("it has %d bytes, at most %d are allowed", len(data), MaxPosition))
	}
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return wrap(err)
	}
	if version.V > PositionVersion {
		return nil, fmt.Errorf("reading a position: its version is %d and this engine knows %d: apply with the newer provider, so that the job carries its engine", version.V, PositionVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	p := &Position{}
	if err := decoder.Decode(p); err != nil {
		return wrap(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return wrap(errors.New("something follows its document"))
	}
	if err := p.Validate(); err != nil {
		return wrap(err)
	}
	return p, nil
}

// Validate says what is wrong with a position.
func (p *Position) Validate() error {
	switch {
	case p.V != PositionVersion:
		return fmt.Errorf("its version is %d", p.V)
	case p.Horizon == horizonXmin && p.Xmin != nil && p.Cursor == nil:
		return p.Xmin.validate()
	case (p.Horizon == horizonTransactions || p.Horizon == horizonLookback) && p.Cursor != nil && p.Xmin == nil:
		return p.Cursor.validate(p.Horizon)
	default:
		return fmt.Errorf("its horizon is %q, and what it holds is not that of one", p.Horizon)
	}
}

func (x *XminPosition) validate() error {
	system, err := strconv.ParseUint(x.System, 10, 64)
	switch {
	case err != nil || system == 0 || strconv.FormatUint(system, 10) != x.System:
		return fmt.Errorf("%q is no system identifier", x.System)
	case x.Xmin < firstNormalXID:
		return fmt.Errorf("%d is no transaction", x.Xmin)
	case x.Timeline == 0 || x.Table == 0:
		return fmt.Errorf("it names timeline %d and table %d", x.Timeline, x.Table)
	}
	for i, leaf := range x.Leaves {
		if leaf.OID == 0 || i > 0 && leaf.OID <= x.Leaves[i-1].OID {
			return errors.New("its leaves do not ascend")
		}
	}
	return nil
}

func (c *CursorPosition) validate(horizon string) error {
	kind := cursorKind(c.Type)
	if !slices.Contains(cursorKinds, kind) || horizon == horizonTransactions && !kind.temporal() {
		return fmt.Errorf("horizon %q has no cursor of type %q", horizon, c.Type)
	}
	if _, err := kind.width(c.Lookback); err != nil {
		return err
	}
	if kind.zoned() == (c.TimeZone != "") {
		return fmt.Errorf("a cursor of type %q stands with the time zone %q", c.Type, c.TimeZone)
	}
	if c.TimeZone != "" {
		if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
			return fmt.Errorf("%q is no time zone", c.TimeZone)
		}
	}
	for _, text := range []*string{c.Seen, c.Bound} {
		if text == nil {
			continue
		}
		v, err := kind.parse(*text)
		if err != nil {
			return err
		}
		if kind.format(v) != *text {
			return fmt.Errorf("%q is not how a %s is written here", *text, kind)
		}
	}
	if c.Bound != nil && c.Seen == nil {
		return errors.New("it has a bound and no value that was seen")
	}
	return nil
}

// names are the leaves as a list for people.
func names(leaves []Leaf) string {
	out := make([]string, len(leaves))
	for i, leaf := range leaves {
		out[i] = leaf.Name
	}
	return strings.Join(out, ", ")
}
