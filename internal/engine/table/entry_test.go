package table

import (
	"strings"
	"testing"
)

func TestCommentsAreShortened(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		comment string
		most    int
		lines   bool
		want    string
	}{
		{"", 5, false, ""},
		{"12345", 5, false, "12345"},
		{"123456", 5, false, "1234…"},
		{"äöüäö", 5, false, "äöüäö"},
		{"äöüäöü", 5, false, "äöüä…"},
		{"12🙂3", 5, false, "12🙂3"},
		{"123🙂4", 5, false, "123…"},
		{"1234🙂", 5, false, "1234…"},
		{"🙂🙂🙂", 5, false, "🙂🙂…"},
		{"a\tb\nc\r\x01\x7f", 9, false, "a\tb c  \x7f"},
		{"a\tb\nc\r\x01", 9, true, "a\tb\nc\r "},
		{strings.Repeat("x", 256), 255, false, strings.Repeat("x", 254) + "…"},
	} {
		if got := shortened(tc.comment, tc.most, tc.lines); got != tc.want {
			t.Errorf("%q becomes %q, want %q", tc.comment, got, tc.want)
		}
	}
}
