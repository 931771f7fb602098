package toolchain

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUnpackTar(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	err := unpackTar(t.Context(), bytes.NewReader(tarball(t,
		member{name: "lib/", kind: tar.TypeDir, mode: 0o700},
		member{name: "./lib/libpq.so.5.17", body: "so"},
		member{name: "lib/libpq.so", link: "libpq.so.5.17", kind: tar.TypeSymlink},
		member{name: "share/deep/er/file", body: "text"},
		member{name: "share/up", link: "../lib/libpq.so", kind: tar.TypeSymlink},
		member{name: "plugin/same", link: "share/deep/er/file", kind: tar.TypeLink},
	)), directory, 1<<20, 100)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"lib/libpq.so": "so", "share/deep/er/file": "text", "share/up": "so", "plugin/same": "text"} {
		if content, err := os.ReadFile(filepath.Join(directory, path)); err != nil || string(content) != want {
			t.Errorf("%s holds %q, %v", path, content, err)
		}
	}
	if info, err := os.Stat(filepath.Join(directory, "lib")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("a directory is %v, %v", info.Mode(), err)
	}
}

func TestUnpackTarRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 600)
	for name, test := range map[string]struct {
		members []member
		want    string
	}{
		"a name that leads out":    {[]member{{name: "../evil", body: "x"}}, "leads out"},
		"a name that leads around": {[]member{{name: "a/../../evil", body: "x"}}, "leads out"},
		"an absolute name":         {[]member{{name: "/tmp/evil", body: "x"}}, "leads out"},
		"an absolute link":         {[]member{{name: "link", link: "/etc", kind: tar.TypeSymlink}}, "outside of the archive"},
		"a link that leads out":    {[]member{{name: "a/link", link: "../../evil", kind: tar.TypeSymlink}}, "outside of the archive"},
		"a file through a chain of links": {[]member{
			{name: "a/b/", kind: tar.TypeDir},
			{name: "a/b/up", link: "..", kind: tar.TypeSymlink},
			{name: "c", link: "a/b/up/../..", kind: tar.TypeSymlink},
			{name: "c/../evil", body: "x"},
			{name: "d", link: "a/b/up/../../..", kind: tar.TypeSymlink},
			{name: "d/evil", body: "x"},
		}, ""},
		"a hard link to nothing":     {[]member{{name: "b", link: "a", kind: tar.TypeLink}}, "no such file"},
		"a hard link that leads out": {[]member{{name: "b", link: "../a", kind: tar.TypeLink}}, "outside of the archive"},
		"a hard link over a file":    {[]member{{name: "a", body: "x"}, {name: "b", body: "y"}, {name: "b", link: "a", kind: tar.TypeLink}}, "exists"},
		"a device":                   {[]member{{name: "null", kind: tar.TypeChar}}, "not expected"},
		"a file over a file":         {[]member{{name: "a", body: "x"}, {name: "a", body: "y"}}, "exists"},
		"too many files":             {slices.Repeat([]member{{name: "."}}, 9), "more than 8 files"},
		"too many bytes":             {[]member{{name: "a", body: long}, {name: "b", body: long}}, "larger than allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := t.TempDir()
			directory := filepath.Join(outside, "in", "side")
			if err := os.MkdirAll(directory, 0o755); err != nil {
				t.Fatal(err)
			}
			err := unpackTar(t.Context(), bytes.NewReader(tarball(t, test.members...)), directory, 1000, 8)
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v", err)
			}
			for _, place := range []string{outside, filepath.Join(outside, "in")} {
				entries, err := os.ReadDir(place)
				if err != nil || len(entries) != 1 {
					t.Errorf("outside of the directory there are %v, %v", entries, err)
				}
			}
		})
	}
}

func TestUnpackJarRefuses(t *testing.T) {
	t.Parallel()
	whole := jar(t, tarball(t, member{name: "a", body: strings.Repeat("text ", 1000)}))
	for name, content := range map[string][]byte{
		"no zip":          []byte("<html>a proxy's page</html>"),
		"a truncated zip": whole[:len(whole)-30],
		"damaged content": bytes.Replace(whole, []byte("7zXZ"), []byte("7zXX"), 1),
	} {
		path := filepath.Join(t.TempDir(), "file.jar")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := unpackJar(t.Context(), path, t.TempDir()); err == nil {
			t.Errorf("%s was unpacked", name)
		}
	}
}
