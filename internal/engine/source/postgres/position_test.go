package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	someXmin   = `{"v":1,"horizon":"xmin","xmin":{"xmin":741,"system":"7571234567890123456","timeline":1,"table":16385,"leaves":[{"oid":16385,"name":"public.t"}]}}`
	someCursor = `{"v":1,"horizon":"transactions","cursor":{"type":"timestamptz","seen":"2026-11-21 18:00:00.123456+00","bound":"2026-11-21 17:55:00.123456+00","lookback":"5m"}}`
	someLocal  = `{"v":1,"horizon":"lookback","cursor":{"type":"date","seen":"0044-03-15 BC","bound":"0044-03-14 BC","lookback":"1d","time_zone":"Europe/Rome"}}`
	someText   = `{"v":1,"horizon":"lookback","cursor":{"type":"text","seen":"é'\\","bound":"é'\\","lookback":"0"}}`
	nothingYet = `{"v":1,"horizon":"lookback","cursor":{"type":"integer","lookback":"1000"}}`
)

func TestPositionsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, document := range []string{someXmin, someCursor, someLocal, someText, nothingYet} {
		p, err := DecodePosition([]byte(document))
		if err != nil {
			t.Errorf("%s: %v", document, err)
			continue
		}
		if again, err := p.Encode(); err != nil || string(again) != document {
			t.Errorf("%s became %s, %v", document, again, err)
		}
	}
}

// A position that is not one to the letter is refused, and the way out is named.
func TestPositionsAreStrict(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ document, old, new, want string }{
		{someXmin, `{"v":1`, `{"v":2`, "its version is 2 and this engine knows 1"},
		{someXmin, `{"v":1`, `{"v":0`, "its version is 0"},
		{someXmin, `"horizon":"xmin"`, `"horizon":"lookback"`, "what it holds is not that of one"},
		{someXmin, `"timeline":1`, `"timeline":1,"more":2`, `unknown field "more"`},
		{someXmin, `"timeline":1`, `"timeline":0`, "timeline 0"},
		{someXmin, `"timeline":1`, `"timeline":-1`, "cannot unmarshal"},
		{someXmin, `"xmin":741`, `"xmin":2`, "2 is no transaction"},
		{someXmin, `"xmin":741`, `"xmin":9223372036854775808`, "cannot unmarshal"},
		{someXmin, `"7571`, `"x7571`, "no system identifier"},
		{someXmin, `"7571`, `"07571`, "no system identifier"},
		{someXmin, `[{"oid":16385,"name":"public.t"}]`, `[{"oid":7,"name":"a"},{"oid":7,"name":"b"}]`, "do not ascend"},
		{someXmin, `}}`, `}} {}`, "invalid character"},
		{someCursor, `"timestamptz"`, `"timestamp"`, `stands with the time zone ""`},
		{someCursor, `"timestamptz"`, `"integer"`, `horizon "transactions" has no cursor of type "integer"`},
		{someCursor, `"timestamptz"`, `"float"`, `has no cursor of type "float"`},
		{someCursor, `"lookback":"5m"`, `"lookback":"-5m"`, "is a duration"},
		{someCursor, `"lookback":"5m"`, `"lookback":""`, "lookback is missing"},
		{someCursor, `17:55:00.123456`, `17:55:00.12345`, "is no timestamptz"},
		{someCursor, `17:55:00`, `17:65:00`, "is no timestamptz"},
		{someCursor, `2026-11-21 17`, `2026-02-30 17`, "is no timestamptz"},
		{someCursor, `2026-11-21 17`, `002026-11-21 17`, "is not how a timestamptz is written"},
		{someCursor, `"seen":"2026-11-21 18:00:00.123456+00",`, ``, "no value that was seen"},
		{someLocal, `Europe/Rome`, `Europe/Roma`, "no time zone"},
		{someLocal, `,"time_zone":"Europe/Rome"`, ``, `stands with the time zone ""`},
		{someText, `"lookback":"0"`, `"lookback":"1"`, "a text has no lookback"},
		{someText, `"seen":"`, `"seen":"` + strings.Repeat("x", maxText), "is no position"},
		{nothingYet, `"1000"`, `"-1"`, "no whole number"},
	} {
		document := strings.Replace(tc.document, tc.old, tc.new, 1)
		if document == tc.document {
			t.Fatalf("%s does not stand in %s", tc.old, tc.document)
		}
		_, err := DecodePosition([]byte(document))
		if err == nil || !strings.Contains(err.Error(), tc.want) || errors.Is(err, ErrReload) == strings.Contains(tc.want, "this engine knows") {
			t.Errorf("%s: %v, want %q", document, err, tc.want)
		}
	}
	if _, err := DecodePosition(make([]byte, MaxPosition+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a document without bounds: %v", err)
	}
	many := &Position{V: 1, Horizon: "xmin", Xmin: &XminPosition{Xmin: 741, System: "7", Timeline: 1, Table: 1}}
	for i := range uint32(100_000) {
		many.Xmin.Leaves = append(many.Xmin.Leaves, Leaf{OID: i + 1, Name: strings.Repeat("n", 60)})
	}
	if _, err := many.Encode(); err == nil || !strings.Contains(err.Error(), "too many partitions (100000)") {
		t.Errorf("too many leaves: %v", err)
	}
}

// What is read is written back as it was, or refused; nothing panics.
func FuzzDecodePosition(f *testing.F) {
	for _, seed := range []string{someXmin, someCursor, someLocal, someText, nothingYet, `{}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodePosition(data)
		if err != nil {
			return
		}
		first, err := p.Encode()
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", data, err)
		}
		q, err := DecodePosition(first)
		if err != nil {
			t.Fatalf("%s was written and cannot be read: %v", first, err)
		}
		if second, err := q.Encode(); err != nil || string(first) != string(second) {
			t.Fatalf("%s became %s, %v", first, second, err)
		}
	})
}

// Every time that the server has is written so that it is read as the same.
func FuzzCursorTimes(f *testing.F) {
	for _, seed := range []int64{0, -1, earliest, 253402300799999999, -62135596800000001, -62167219200000001, 9224318015999999999 / 1000} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		if n < earliest || n > 9224318015999999 {
			return
		}
		for _, kind := range []cursorKind{instantCursor, localCursor, dateCursor} {
			v := kind.back(cursorValue{n: n}, 0, map[bool]int64{true: dayMicros, false: 1}[kind == dateCursor])
			if v.n > n || n-v.n >= dayMicros {
				t.Errorf("%d went back to %d", n, v.n)
			}
			if got, err := kind.parse(kind.format(v)); v.n >= earliest && (err != nil || got != v) {
				t.Errorf("%d is written %s, which is read as %d, %v", v.n, kind.format(v), got.n, err)
			}
		}
	})
}

func TestXminLeadsTo(t *testing.T) {
	t.Parallel()
	from := XminPosition{Xmin: 5<<32 + 100, System: "7", Timeline: 3, Table: 9}
	for _, tc := range []struct {
		edit func(*XminPosition)
		last int64
		want string
	}{
		{func(*XminPosition) {}, from.Xmin, ""},
		{func(x *XminPosition) { x.Xmin++ }, from.Xmin + maxXIDWindow - 1, ""},
		{func(x *XminPosition) { x.Xmin++ }, from.Xmin + maxXIDWindow, "2147483648 transactions have passed since the position"},
		{func(x *XminPosition) { x.Xmin += 1 << 32 }, from.Xmin + 1<<32 + 5, "transactions have passed"},
		{func(x *XminPosition) { x.Xmin-- }, from.Xmin, "a replica that lags"},
		{func(x *XminPosition) { x.System = "8" }, from.Xmin, "another cluster"},
		{func(x *XminPosition) { x.Timeline = 4 }, from.Xmin, "a replica was promoted"},
		{func(x *XminPosition) { x.Timeline = 2 }, from.Xmin, "was restored"},
		{func(x *XminPosition) { x.Table = 10 }, from.Xmin, "was recreated"},
	} {
		now := from
		tc.edit(&now)
		err := from.leadsTo(&now, tc.last)
		if tc.want == "" && err != nil || tc.want != "" && (!errors.Is(err, ErrReload) || !strings.Contains(fmt.Sprint(err), tc.want)) {
			t.Errorf("%+v up to %d: %v, want %q", now, tc.last, err, tc.want)
		}
	}
}

// Where clocks are set back, an hour comes twice: the bound of its first pass must not hide rows of the second.
func TestLocalCursorsWhereClocksChange(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ instant, want string }{
		{"2026-07-01T10:00:00Z", "2026-07-01 12:00:00.000000"},
		{"2026-10-24T23:30:00Z", "2026-10-25 01:30:00.000000"},
		{"2026-10-25T00:00:00Z", "2026-10-25 02:00:00.000000"}, // the hour begins for the first time
		{"2026-10-25T00:59:59Z", "2026-10-25 02:00:00.000000"}, // 02:59:59, and 02:00:00 is still to come again
		{"2026-10-25T01:00:00Z", "2026-10-25 02:00:00.000000"},
		{"2026-10-25T01:30:00Z", "2026-10-25 02:30:00.000000"},
		{"2026-03-29T00:59:59Z", "2026-03-29 01:59:59.000000"},
		{"2026-03-29T01:00:00Z", "2026-03-29 03:00:00.000000"},
	} {
		instant, err := time.Parse(time.RFC3339, tc.instant)
		if err != nil {
			t.Fatal(err)
		}
		if got := localCursor.format(localCursor.at(instant, berlin)); got != tc.want {
			t.Errorf("from %s on, clocks in Berlin show no less than %s; want %s", tc.instant, got, tc.want)
		}
		// No later instant shows less.
		for later := instant; later.Before(instant.Add(26 * time.Hour)); later = later.Add(10 * time.Minute) {
			if least := localCursor.at(instant, berlin).n; wall(later.In(berlin)) < least {
				t.Errorf("%s: at %s clocks show less than the bound", tc.instant, later)
			}
		}
	}
}
