package trino

import (
	"encoding/json"
	"testing"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind  string
		value any
		want  string
	}{
		{"boolean", true, "true"},
		{"integer", json.Number("-2147483648"), "-2147483648"},
		{"bigint", json.Number("9223372036854775807"), "9223372036854775807"},
		{"real", json.Number("0.1"), "3dcccccd"},
		{"real", "NaN", "7fc00000"},
		{"real", "-Infinity", "ff800000"},
		{"double", json.Number("-0.0"), "8000000000000000"},
		{"double", json.Number("4.9E-324"), "0000000000000001"},
		{"double", "NaN", "7ff8000000000000"},
		{"double", "Infinity", "7ff0000000000000"},
		{"decimal(38,38)", "-0.00000000000000000000000000000000000001", "-0.00000000000000000000000000000000000001"},
		{"varchar", "2026-01-01", "2026-01-01"},
		{"varbinary", "AP8Q", "00ff10"},
		{"varbinary", "", ""},
		{"date", "0001-01-01", "-719162"},
		{"date", "1969-12-31", "-1"},
		{"timestamp(6)", "1969-12-31 23:59:59.999999", "-1"},
		{"timestamp(6)", "0001-01-01 00:00:00.000000", "-62135596800000000"},
		{"timestamp(6) with time zone", "9999-12-31 23:59:59.999999 UTC", "253402300799999999"},
	} {
		got, err := plain(tc.kind, tc.value)
		if err != nil || *got != tc.want {
			t.Errorf("%v of %s is %v, %v, want %s", tc.value, tc.kind, got, err, tc.want)
		}
	}
	if got, err := plain("varchar", nil); got != nil || err != nil {
		t.Errorf("NULL is %v, %v", got, err)
	}
	for kind, value := range map[string]any{"array(integer)": []any{}, "timestamp(6)": "2026-01-01 00:00:00 UTC", "timestamp(6) with time zone": "2026-01-01 00:00:00", "date": "x", "varbinary": "?"} {
		if got, err := plain(kind, value); err == nil {
			t.Errorf("%v of %s is %s", value, kind, *got)
		}
	}
}
