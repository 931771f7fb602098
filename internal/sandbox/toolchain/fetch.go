package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	defaultMavenRepository = "https://repo1.maven.org/maven2"

	maxArchive    = 1 << 30
	fetchAttempts = 4
	// fetchStall ends an attempt that has received nothing for so long.
	fetchStall = 30 * time.Second
)

// mavenFile is one file of a Maven repository.
type mavenFile struct {
	path   string // below the repository's base address
	sha256 string
}

// fetch returns the path of the file, which is in the directory unless a person put it into the
// cache. Its content is what the checksum says.
func (t *Toolchain) fetch(ctx context.Context, s *step, f mavenFile, directory string) (string, error) {
	given := filepath.Join(t.cache.directory, "downloads", path.Base(f.path))
	if _, err := os.Stat(given); err == nil {
		if err := verify(given, f.sha256); err != nil {
			return "", fmt.Errorf("the file put into the cache by hand is not the one that is pinned: %w", err)
		}
		return given, nil
	}
	address, err := url.JoinPath(t.maven, f.path)
	if err != nil {
		return "", fmt.Errorf("%s is not an address: %w", MavenVariable, err)
	}
	file := filepath.Join(directory, ".download")
	attempt := func() (struct{}, error) { return struct{}{}, download(ctx, s, address, file, f.sha256) }
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 200 * time.Millisecond
	if _, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(pause), backoff.WithMaxTries(fetchAttempts)); err != nil {
		return "", fmt.Errorf("downloading %s: %w; where that address cannot be reached, set %s to the base address "+
			"of a Maven repository that can, or put the file itself at %s", address, err, MavenVariable, given)
	}
	return file, nil
}

// download writes what the address answers to the file and checks it. Errors that another attempt cannot
// change are marked permanent.
func download(ctx context.Context, s *step, address, file, checksum string) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(fetchStall, func() { cancel(fmt.Errorf("nothing was received for %s", fetchStall)) })
	defer stalled.Stop()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return backoff.Permanent(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return because(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		err := fmt.Errorf("the answer is %s", response.Status)
		if response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests {
			return backoff.Permanent(err)
		}
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return backoff.Permanent(err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	hash := sha256.New()
	body := &meter{reader: io.LimitReader(response.Body, maxArchive), total: response.ContentLength, step: s, stalled: stalled}
	if _, err := io.Copy(io.MultiWriter(out, hash), body); err != nil {
		return because(ctx, err)
	}
	return matches(hash.Sum(nil), checksum)
}

// because prefers the reason for which the context was ended to the error that followed from it.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err // the address is named by the caller
	}
	return err
}

// matches compares a digest with its pin. A mismatch is permanent: a server that answers another file, or a
// proxy's page of its own, does so again.
func matches(digest []byte, checksum string) error {
	if got := hex.EncodeToString(digest); !strings.EqualFold(got, checksum) {
		return backoff.Permanent(fmt.Errorf("its SHA-256 is %s, expected %s: the file was refused", got, checksum))
	}
	return nil
}

func verify(file, checksum string) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	hash := sha256.New()
	if _, err := io.Copy(hash, in); err != nil {
		return err
	}
	if err := matches(hash.Sum(nil), checksum); err != nil {
		return fmt.Errorf("%s: %w", file, errors.Unwrap(err))
	}
	return nil
}

// meter reports how much of a download has arrived.
type meter struct {
	reader  io.Reader
	read    int64
	total   int64
	step    *step
	stalled *time.Timer
}

func (m *meter) Read(buffer []byte) (int, error) {
	n, err := m.reader.Read(buffer)
	m.read += int64(n)
	if n > 0 {
		m.stalled.Reset(fetchStall)
		m.step.amount(m.read, m.total)
	}
	return n, err
}
