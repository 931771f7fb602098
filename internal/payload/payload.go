// Package payload is the engine that the provider carries: the lakeland-engine binary for linux/amd64, which is
// what Glue runs, compressed and embedded at build. `make payload` puts it in place.
package payload

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zstd"
)

//go:embed all:embedded
var embedded embed.FS

const (
	binaryFile = "embedded/lakeland-engine.zst"
	infoFile   = "embedded/payload.json"
)

// ErrAbsent says that this provider was built without the engine.
var ErrAbsent = errors.New("this build of the provider carries no engine: run `make build` in its source, which builds the engine and embeds it, and use that build")

// Info identifies the embedded engine.
type Info struct {
	Version string `json:"version"`
	// SHA256 and Size are the binary's, decompressed.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Embedded identifies the engine, or is ErrAbsent. It reads a few hundred bytes: the digest was taken at build.
func Embedded() (Info, error) {
	data, err := embedded.ReadFile(infoFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, ErrAbsent
	}
	var info Info
	if err == nil {
		err = json.Unmarshal(data, &info)
	}
	if err == nil && (len(info.SHA256) != 64 || info.Size <= 0 || info.Version == "") {
		err = fmt.Errorf("%s is not complete", infoFile)
	}
	if err != nil {
		return Info{}, fmt.Errorf("reading which engine is embedded: %w: run `make payload`", err)
	}
	return info, nil
}

// Open reads the engine's binary, decompressed. The caller closes it.
func Open() (io.ReadCloser, error) {
	file, err := embedded.Open(binaryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrAbsent
	}
	if err != nil {
		return nil, fmt.Errorf("opening the embedded engine: %w", err)
	}
	reader, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("opening the embedded engine: %w", err)
	}
	return reader.IOReadCloser(), nil
}
