package hudi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProperties(t *testing.T) {
	t.Parallel()
	p := properties{
		propertyDatabase: "default", propertyName: "v6_empty", propertyPartition: "land,größe", "emoji": "🙂",
	}
	odd := " odd: key="
	p[odd] = " a:b\\c\n=#!"
	text := string(p.encode())
	if strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e }) {
		t.Errorf("it is not ASCII: %s", text)
	}
	for _, want := range []string{"hoodie.table.checksum=1980710965\n", `\uD83D\uDE42`, `land,gr\u00F6\u00DFe`} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %s: %s", want, text)
		}
	}
	back, err := parseProperties([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := properties{propertyChecksum: "1980710965"}
	for key, value := range p {
		want[key] = value
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Error(diff)
	}
	if none := (properties{propertyName: "t"}).checksum(); none == (properties{propertyDatabase: "d", propertyName: "t"}).checksum() {
		t.Error("the database does not count in the checksum")
	}
}

// Others write properties as they like, in any order.
func TestPropertiesOfOthers(t *testing.T) {
	t.Parallel()
	p, err := parseProperties([]byte("#x=1\r\n! y=2\n\n  a = b c \n\tlong : one\\\n   two\\\\\nempty\nblank=\ntab\\ key=v\nc:=d\nu=\\u00e9\\q"))
	if err != nil {
		t.Fatal(err)
	}
	want := properties{"a": "b c ", "long": `onetwo\`, "empty": "", "blank": "", "tab key": "v", "c": "=d", "u": "éq"}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, (properties{"k": " a, b ,"}).fields("k")); diff != "" {
		t.Error(diff)
	}
	for _, odd := range []string{`a=\u12`, `a=\u12zz`, strings.Repeat("x", maxProperties+1)} {
		if _, err := parseProperties([]byte(odd)); err == nil {
			t.Errorf("%.20q was read", odd)
		}
	}
	p = properties{"yes": " TRUE ", "no": "false", "none": " "}
	if !p.is("yes", false) || p.is("no", true) || !p.is("none", true) || p.is("missing", false) {
		t.Error("properties of true or false are read otherwise")
	}
}
