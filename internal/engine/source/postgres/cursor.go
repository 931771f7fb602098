package postgres

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a job's image may have no zone files
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// cursorKind is how the values of a cursor are read, compared and written.
type cursorKind string

const (
	instantCursor cursorKind = "timestamptz"
	localCursor   cursorKind = "timestamp"
	dateCursor    cursorKind = "date"
	integerCursor cursorKind = "integer"
	textCursor    cursorKind = "text"
)

var cursorKinds = []cursorKind{instantCursor, localCursor, dateCursor, integerCursor, textCursor}

// cursorValue is a value of a cursor: microseconds since 1970 for times and dates (without a zone: as if they were
// UTC), the number of an integer, the bytes of a text.
type cursorValue struct {
	n int64
	s string
}

func (k cursorKind) temporal() bool {
	return k == instantCursor || k == localCursor || k == dateCursor
}

// zoned says that a value names one instant, or none, without a time zone given beside it.
func (k cursorKind) zoned() bool { return k != localCursor && k != dateCursor }

// less orders values; text as COLLATE "C" does, by its bytes.
func (k cursorKind) less(a, b cursorValue) bool {
	if k == textCursor {
		return a.s < b.s
	}
	return a.n < b.n
}

// width reads a lookback: microseconds for times, a number for integers, nothing for text.
func (k cursorKind) width(text string) (int64, error) {
	switch {
	case text == "":
		return 0, errors.New("the lookback is missing: write how far back each run reads again, such as \"15m\" for a time or \"1000\" for a number")
	case text == "0":
		return 0, nil
	case k.temporal():
		d, err := spec.ParseDuration(text)
		if err != nil {
			return 0, fmt.Errorf("the lookback of a cursor that is a %s is a duration: %w", k, err)
		}
		return d.Microseconds(), nil
	case k == integerCursor:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("the lookback %q of a cursor that is an integer is no whole number: write one such as \"1000\"", text)
		}
		return n, nil
	default:
		return 0, fmt.Errorf("a text has no lookback: write \"0\" for %q, or use a cursor that is a time or an integer", text)
	}
}

// format writes a value as the server reads it in its ISO style.
func (k cursorKind) format(v cursorValue) string {
	switch k {
	case integerCursor:
		return strconv.FormatInt(v.n, 10)
	case textCursor:
		return v.s
	}
	t := time.UnixMicro(v.n).UTC()
	year, era := t.Year(), ""
	if year <= 0 {
		year, era = 1-year, " BC"
	}
	date := fmt.Sprintf("%04d-%02d-%02d", year, int(t.Month()), t.Day())
	if k == dateCursor {
		return date + era
	}
	zone := ""
	if k == instantCursor {
		zone = "+00"
	}
	return fmt.Sprintf("%s %02d:%02d:%02d.%06d%s%s", date, t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1000, zone, era)
}

var (
	dateForm = regexp.MustCompile(`^([0-9]{4,6})-([0-9]{2})-([0-9]{2})( BC)?$`)
	timeForm = regexp.MustCompile(`^([0-9]{4,6}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6})(\+00)?( BC)?$`)
)

// parse reads what format wrote.
func (k cursorKind) parse(text string) (cursorValue, error) {
	wrong := fmt.Errorf("%q is no %s", text, k)
	switch k {
	case integerCursor:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return cursorValue{}, wrong
		}
		return cursorValue{n: n}, nil
	case textCursor:
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return cursorValue{}, fmt.Errorf("a cursor's text of %d bytes is no position: at most %d are, in UTF-8", len(text), maxText)
		}
		return cursorValue{s: text}, nil
	case dateCursor:
		n, ok := parseDate(text)
		if !ok {
			return cursorValue{}, wrong
		}
		return cursorValue{n: n}, nil
	default:
		parts := timeForm.FindStringSubmatch(text)
		if parts == nil || (parts[3] != "") != (k == instantCursor) {
			return cursorValue{}, wrong
		}
		days, ok := parseDate(parts[1] + parts[4])
		clock, err := time.Parse("15:04:05.000000", parts[2])
		if !ok || err != nil {
			return cursorValue{}, wrong
		}
		midnight := time.Date(clock.Year(), clock.Month(), clock.Day(), 0, 0, 0, 0, time.UTC)
		return cursorValue{n: days + clock.Sub(midnight).Microseconds()}, nil
	}
}

// parseDate is a date's midnight in microseconds since 1970.
func parseDate(text string) (int64, bool) {
	parts := dateForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, false
	}
	year, _ := strconv.Atoi(parts[1])
	month, _ := strconv.Atoi(parts[2])
	day, _ := strconv.Atoi(parts[3])
	if year == 0 || year > 294276 || parts[4] != "" && year > 4714 {
		return 0, false
	}
	if parts[4] != "" {
		year = 1 - year
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t.UnixMicro(), t.Month() == time.Month(month) && t.Day() == day
}

// at is the least value that a cursor can be given at an instant or later. For a cursor without a zone that is the
// instant's local time, or, where the zone's clocks are about to be set back, the time they are set back to: the hour
// comes twice, and the second pass has to be read too.
func (k cursorKind) at(instant time.Time, zone *time.Location) cursorValue {
	if k.zoned() {
		return cursorValue{n: instant.UnixMicro()}
	}
	local := wall(instant.In(zone))
	if _, change := instant.In(zone).ZoneBounds(); !change.IsZero() {
		local = min(local, wall(change.In(zone)))
	}
	return cursorValue{n: local}
}

// wall is the time that a clock shows, in microseconds since 1970 as if it were UTC.
func wall(t time.Time) int64 {
	_, offset := t.Zone()
	return t.UnixMicro() + int64(offset)*int64(time.Second/time.Microsecond)
}

// back is a value less a width, rounded down to what the column can hold: a time of fewer digits than microseconds may
// stand before the instant it was made at.
func (k cursorKind) back(v cursorValue, width, step int64) cursorValue {
	if k == textCursor {
		return v
	}
	if v.n < math.MinInt64+width {
		return cursorValue{n: math.MinInt64}
	}
	n := v.n - width
	if rest := ((n % step) + step) % step; n >= math.MinInt64+rest {
		n -= rest
	}
	return cursorValue{n: n}
}
