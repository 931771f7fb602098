package payload_test

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/lakeland/terraform-provider-lakeland/internal/payload"
)

// What is embedded is what its description says.
func TestEmbeddedEngineIsTheOneDescribed(t *testing.T) {
	t.Parallel()
	info, err := payload.Embedded()
	if errors.Is(err, payload.ErrAbsent) {
		t.Fatal("this test binary carries no engine: run `make payload` first")
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := payload.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	binary, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(binary); hex.EncodeToString(sum[:]) != info.SHA256 || int64(len(binary)) != info.Size {
		t.Errorf("%d bytes with digest %x; described as %+v", len(binary), sum, info)
	}
	if len(binary) > 30_000_000 {
		t.Errorf("the engine has %d bytes; every run downloads it", len(binary))
	}
	static(t, binary)
}

// static checks that a binary runs wherever Linux does: no interpreter, no shared library.
func static(t *testing.T, binary []byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != elf.EM_X86_64 {
		t.Errorf("the machine is %s", f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary wants an interpreter")
		}
	}
	if libraries, err := f.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("the binary wants %v (%v)", libraries, err)
	}
}

// The same source gives the same bytes wherever it lies.
func TestPackIsReproducible(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for _, name := range []string{"go.mod", "go.sum", "cmd/lakeland-engine", "internal"} {
		copyInto(t, filepath.Join(root, name), filepath.Join(elsewhere, name))
	}
	first, second := pack(t, root), pack(t, elsewhere)
	for name, data := range first {
		if !bytes.Equal(data, second[name]) {
			t.Errorf("%s differs between two places of the same source", name)
		}
	}
	var info payload.Info
	if err := json.Unmarshal(first["payload.json"], &info); err != nil || info.Version != "9.8.7" {
		t.Errorf("%+v, %v", info, err)
	}
	z, err := zstd.NewReader(bytes.NewReader(first["lakeland-engine.zst"]))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	binary, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lakeland-engine")
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput(); err != nil || !strings.Contains(string(out), "9.8.7") {
		t.Errorf("the engine calls itself %s, %v", out, err)
	}
}

func pack(t *testing.T, root string) map[string][]byte {
	t.Helper()
	into := t.TempDir()
	command := exec.CommandContext(t.Context(), "go", "run", "./internal/payload/pack", "-version", "9.8.7", "-into", into)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := map[string][]byte{}
	for _, name := range []string{"payload.json", "lakeland-engine.zst"} {
		data, err := os.ReadFile(filepath.Join(into, name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = data
	}
	return found
}

func copyInto(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else {
		var data []byte
		if data, err = os.ReadFile(from); err == nil {
			if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
				err = os.WriteFile(to, data, 0o600)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
