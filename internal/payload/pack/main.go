// Command pack builds lakeland-engine and puts it, compressed and with its digest, where the provider embeds it.
// The same source, version and Go release give the same bytes wherever the source lies.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/lakeland/terraform-provider-lakeland/internal/payload"
)

// maxSize bounds the binary: every run of a job downloads and checks it.
const maxSize = 30_000_000

func main() {
	version := flag.String("version", "0.0.0-dev", "version of the engine")
	folder := flag.String("into", "internal/payload/embedded", "folder to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := pack(ctx, *version, *folder)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(ctx context.Context, version, folder string) error {
	work, err := os.MkdirTemp("", "lakeland-pack-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	fmt.Println("building the engine; the first time this takes some minutes")
	path := filepath.Join(work, "lakeland-engine")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.version="+version, "-o", path, "./cmd/lakeland-engine")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS=")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the engine: %w", err)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the engine: %w", err)
	}
	if len(binary) > maxSize {
		return fmt.Errorf("the engine has %d bytes; at most %d are allowed, since every run downloads it", len(binary), maxSize)
	}
	sum := sha256.Sum256(binary)
	info, err := json.MarshalIndent(payload.Info{Version: version, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(binary))}, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the engine: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("compressing the engine: %w", err)
	}
	compressed := encoder.EncodeAll(binary, nil)
	for name, data := range map[string][]byte{"lakeland-engine.zst": compressed, "payload.json": append(info, '\n')} {
		if err := replace(filepath.Join(folder, name), data); err != nil {
			return err
		}
	}
	fmt.Printf("engine %s: %d bytes, %d compressed, sha256 %s\n", version, len(binary), len(compressed), hex.EncodeToString(sum[:]))
	return nil
}

// replace writes a file whole or not at all, and leaves one alone that is equal, so that what embeds it need not
// be built again.
func replace(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
