package spec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// What one side writes the other reads back equal, for every valid document.
func TestDocumentsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := connections.Draw(t, "connection")
		data, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := spec.DecodeConnection(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		same(t, want, *got)
	})
	rapid.Check(t, func(t *rapid.T) {
		want := cadences.Draw(t, "cadence")
		data, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := spec.DecodeCadence(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		same(t, want, *got)
	})
	rapid.Check(t, func(t *rapid.T) {
		want := tables.Draw(t, "table")
		data, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := spec.DecodeTable(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		same(t, want, *got)
		again, err := got.Encode()
		if err != nil || string(again) != string(data) {
			t.Fatalf("encoded again: %s, %v; first %s", again, err, data)
		}
	})
}

func same[T any](t *rapid.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("read back (-written +read):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	valid, err := validTable().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, old, new, want string }{
		{"a misspelt field", `"storage_mode"`, `"storage_moode"`, `storage_moode: is not a field; did you mean "storage_mode"?`},
		{"a misspelt nested field", `"schema":"public"`, `"shema":"public"`, `source.database.shema: is not a field; did you mean "schema"?`},
		{"an unknown field", `"enabled":true`, `"zzz":1,"enabled":true`, `zzz: is not a field; the fields here are v, name,`},
		{"another case", `"enabled"`, `"Enabled"`, `Enabled: is not a field; did you mean "enabled"?`},
		{"a field twice", `"enabled":true`, `"enabled":true,"enabled":false`, "enabled: stands twice"},
		{"another type in a column", `"enabled":true`, `"columns":{"a":{"skip":"yes"}},"enabled":true`, "columns.skip: holds a string where a bool is wanted"},
		{"another type", `"enabled":true`, `"enabled":"yes"`, "enabled: holds a string where a bool is wanted"},
		{"text behind it", `"enabled":true}`, `"enabled":true} {}`, "after top-level value"},
		{"an early end", `"enabled":true}`, `"enabled":true`, "unexpected end of JSON"},
		{"version zero", `"v":1`, `"v":0`, "versions start at 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			document := strings.Replace(string(valid), tc.old, tc.new, 1)
			if document == string(valid) {
				t.Fatalf("%s does not occur in %s", tc.old, valid)
			}
			_, err := spec.DecodeTable([]byte(document))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

// A newer document is refused by name even when its fields could not be read.
func TestDecodeRefusesNewerVersionByName(t *testing.T) {
	t.Parallel()
	_, err := spec.DecodeTable([]byte(`{"v":2,"name":"shop.orders","from_the_future":{}}`))
	var newer *spec.NewerError
	if !errors.As(err, &newer) || newer.Name != "shop.orders" || newer.Version != 2 || newer.Kind != spec.KindTable {
		t.Fatalf("got %v", err)
	}
}

func TestDecodeBoundsSize(t *testing.T) {
	t.Parallel()
	_, err := spec.DecodeTable([]byte(`{"v":1,"name":"` + strings.Repeat("x", spec.MaxDocument) + `"}`))
	if err == nil || !strings.Contains(err.Error(), "at most") {
		t.Fatalf("got %v", err)
	}
}

func FuzzDecodeTable(f *testing.F) {
	valid, err := validTable().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	f.Add([]byte(`{"v":1,"columns":{"a":{"type":"decimal(12,2)"}},"primary_key":[1,{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := spec.DecodeTable(data)
		if err != nil {
			return
		}
		again, err := table.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := spec.DecodeTable(again); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want, wrong string }{
		{in: "cron(0/10 * * * ? *)", want: "cron(0/10 * * * ? *)"},
		{in: "cron(15 2 ? * mon-fri *)", want: "cron(15 2 ? * MON-FRI *)"},
		{in: "cron(0 18 ? * 2#1 *)", want: "cron(0 18 ? * 2#1 *)"},
		{in: "cron(0 8 L * ? *)", want: "cron(0 8 L * ? *)"},
		{in: "cron(0,30 8,20 15W JAN,DEC ? 2027-2030)", want: "cron(0,30 8,20 15W JAN,DEC ? 2027-2030)"},
		{in: "rate(1 day)", want: "cron(48 0 * * ? *)"},
		{in: "rate(10 minutes)", want: "cron(8/10 * * * ? *)"},
		{in: "rate(1 hour)", want: "cron(48 * * * ? *)"},
		{in: "rate(60 minutes)", want: "cron(48 * * * ? *)"},
		{in: "rate(6 hours)", want: "cron(48 0/6 * * ? *)"},
		{in: "rate(7 minutes)", wrong: "does not divide"},
		{in: "rate(90 minutes)", wrong: "does not divide"},
		{in: "rate(5 hours)", wrong: "does not divide"},
		{in: "rate(2 days)", wrong: "does not divide"},
		{in: "rate(4 minutes)", wrong: "at most every 5 minutes"},
		{in: "rate(0 minutes)", wrong: "whole number"},
		{in: "rate(10 minute)", wrong: `write "rate(10 minutes)"`},
		{in: "rate(1 days)", wrong: `write "rate(1 day)"`},
		{in: "every day", wrong: "is not a schedule"},
		{in: "cron(0 * * * *)", wrong: "has 5 fields"},
		{in: "cron(0 0 1 * 1 *)", wrong: `exactly one of day of month and day of week must be "?"`},
		{in: "cron(0 0 ? * ? *)", wrong: `exactly one of`},
		{in: "cron(banana * * * ? *)", wrong: `"BANANA" cannot stand in the field "minutes"`},
		{in: "cron(0 0 ? * 8 *)", wrong: `"8" cannot stand in the field "day of week"`},
		{in: "cron(0/4 * * * ? *)", wrong: "at least 5 minutes between two firings"},
		{in: "cron(0,58 * * * ? *)", wrong: "at least 5 minutes"},
		{in: "cron(61 * * * ? *)", wrong: "61"},
		{in: "cron(0 0 31 2 ? *)", wrong: "never fires"},
		{in: "cron(0 0 1 1 ? 1999)", wrong: "never fires"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			t.Parallel()
			got, err := spec.ParseSchedule(tc.in, "ten-minutes")
			switch {
			case tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
				t.Fatalf("got %v and %v, want an error with %q", got, err, tc.wrong)
			case tc.wrong == "" && (err != nil || got.String() != tc.want):
				t.Fatalf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

// Rates of different cadences fire at different minutes, and each has a normal form that reads as itself.
func TestScheduleOfRateSpreadsAndIsStable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 40 {
		name := fmt.Sprintf("cadence-%d", i)
		first, err := spec.ParseSchedule("rate(1 hour)", name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := spec.ParseSchedule(first.String(), "another")
		if err != nil || again.String() != first.String() {
			t.Fatalf("%q read again is %q, %v", first, again, err)
		}
		seen[first.String()] = true
	}
	if len(seen) < 20 {
		t.Fatalf("40 cadences share %d minutes", len(seen))
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want, wrong string }{
		{in: "s3://acme-lake/raw/orders/", want: "s3://acme-lake/raw/orders/"},
		{in: "s3://acme-lake/raw/orders", want: "s3://acme-lake/raw/orders/"},
		{in: "s3://acme-lake", want: "s3://acme-lake/"},
		{in: "s3://acme-lake/größe/", want: "s3://acme-lake/größe/"},
		{in: "https://acme", wrong: "is not an S3 address"},
		{in: "s3://A/x", wrong: "does not name a bucket"},
		{in: "s3://acme-lake//x/", wrong: "part 1 of the prefix"},
		{in: "s3://acme-lake/a/../x/", wrong: "part 2 of the prefix"},
		{in: "s3://acme-lake/a?b/", wrong: "refuse"},
	} {
		got, err := spec.ParseLocation(tc.in)
		switch {
		case tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
			t.Errorf("%s: got %v and %v, want an error with %q", tc.in, got, err, tc.wrong)
		case tc.wrong == "" && (err != nil || got.String() != tc.want):
			t.Errorf("%s: got %q, %v; want %q", tc.in, got, err, tc.want)
		}
	}
	inner, _ := spec.ParseLocation("s3://b-1/x/y/z")
	var above []string
	for _, l := range inner.Above() {
		above = append(above, l.String())
		if !l.Contains(inner) || inner.Contains(l) {
			t.Errorf("%s and %s: containment is wrong", l, inner)
		}
	}
	if diff := cmp.Diff([]string{"s3://b-1/", "s3://b-1/x/", "s3://b-1/x/y/"}, above); diff != "" {
		t.Error(diff)
	}
}

func TestExtractHash(t *testing.T) {
	t.Parallel()
	base := validTable()
	hash := func(table spec.Table, database string) string {
		h, err := table.ExtractHash(database)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	moved := base
	moved.Target.Location, moved.Cadence, moved.Reload = "s3://acme-lake/elsewhere/", "hourly", "again"
	if hash(base, "shop") != hash(moved, "shop") {
		t.Error("where a table lands must not change what is read")
	}
	other := base
	other.PrimaryKey = []string{"id", "line"}
	if hash(base, "shop") == hash(other, "shop") || hash(base, "shop") == hash(base, "shop2") {
		t.Error("another key or database reads something else")
	}
	fewer := base
	fewer.Columns = map[string]spec.Column{"note": {Skip: true}}
	if hash(base, "shop") == hash(fewer, "shop") {
		t.Error("fewer columns are something else")
	}
	// The horizon that is the default is the same where it is written out.
	silent, spoken, cursor := base, base, base
	silent.Extract = spec.Extract{Mode: "incremental"}
	spoken.Extract = spec.Extract{Mode: "incremental", Horizon: "xmin"}
	cursor.Extract = spec.Extract{Mode: "incremental", Horizon: "transactions", Cursor: "at"}
	if hash(silent, "shop") != hash(spoken, "shop") || hash(silent, "shop") == hash(cursor, "shop") || hash(silent, "shop") == hash(base, "shop") {
		t.Error("the default horizon, the same by its name, another one and mode full are not told apart as they should be")
	}
}
