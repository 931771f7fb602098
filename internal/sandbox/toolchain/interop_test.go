package toolchain

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPinnedEngines(t *testing.T) {
	t.Parallel()
	for _, f := range slices.Concat([]mavenFile{trinoServer}, sparkJars, s3aJars, slices.Collect(maps.Values(hudiBundles))) {
		if len(f.sha256) != 2*sha256.Size || strings.HasPrefix(f.path, "/") || !strings.Contains(f.path, "/"+filepath.Base(filepath.Dir(f.path))+"/") {
			t.Errorf("%s has the checksum %s", f.path, f.sha256)
		}
	}
}

// Of Trino's archive, whose plugins share their files by links, only what is needed stays, and the archive goes.
func TestUnpackTrino(t *testing.T) {
	t.Parallel()
	directory, home := t.TempDir(), "trino-server-"+TrinoVersion
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(tarball(t,
		member{name: home + "/lib/trino-main.jar", body: "main"},
		member{name: home + "/plugin/delta-lake/shared.jar", body: "shared"},
		member{name: home + "/plugin/iceberg/shared.jar", link: home + "/plugin/delta-lake/shared.jar", kind: tar.TypeLink},
	)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(directory, ".download")
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unpackTrino(t.Context(), file, directory); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(directory, home, "plugin", "iceberg", "shared.jar")); err != nil || string(content) != "shared" {
		t.Errorf("the plugin's file holds %q, %v", content, err)
	}
	for _, gone := range []string{file, filepath.Join(directory, home, "plugin", "delta-lake")} {
		if _, err := os.Stat(gone); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
	if err := os.WriteFile(file, packed.Bytes()[:packed.Len()/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unpackTrino(t.Context(), file, t.TempDir()); err == nil {
		t.Error("half an archive was unpacked")
	}
}

func TestHudiOfAnotherVersion(t *testing.T) {
	t.Parallel()
	if _, err := (&Toolchain{}).SparkHudi(t.Context(), "0.1"); err == nil || !strings.Contains(err.Error(), "fetching Hudi 0.1 for Spark") {
		t.Errorf("got %v", err)
	}
}

func TestJavaThatIsNotThere(t *testing.T) {
	t.Parallel()
	python := filepath.Join(t.TempDir(), "bin", "python")
	if _, err := javaHome(python); err == nil || !strings.Contains(err.Error(), "has 0 Java runtimes") {
		t.Errorf("got %v", err)
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	given, directory := t.TempDir(), t.TempDir()
	for _, folder := range []string{given, directory} {
		file := filepath.Join(folder, "x")
		if err := os.WriteFile(file, []byte("jar"), 0o644); err != nil {
			t.Fatal(err)
		}
		name := "of-" + filepath.Base(folder) + ".jar"
		if err := place(file, directory, name); err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(filepath.Join(directory, name)); err != nil || string(content) != "jar" {
			t.Errorf("%s holds %q, %v", name, content, err)
		}
	}
	if _, err := os.Stat(filepath.Join(given, "x")); err != nil {
		t.Errorf("the file that a person put there is gone: %v", err)
	}
}
