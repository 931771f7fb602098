package toolchain

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPlainProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var shown lockedBuffer
		p := newProgress(&shown)
		failure := errors.New("no network")
		if err := p.step(t.Context(), "fetching a part", func(context.Context, *step) error {
			time.Sleep(65 * time.Second)
			return failure
		}); !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
		const want = `lakeland: fetching a part
lakeland: fetching a part: still at it after 30s
lakeland: fetching a part: still at it after 1m0s
lakeland: fetching a part: failed after 1m5s
`
		if shown.String() != want {
			t.Errorf("got\n%swant\n%s", shown.String(), want)
		}
	})
}

func TestTerminalProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var shown lockedBuffer
		p := newProgress(&shown)
		p.width = func() int { return 100 }
		err := p.step(t.Context(), "fetching PostgreSQL", func(ctx context.Context, s *step) error {
			s.amount(3*mebibyte, 12*mebibyte)
			return p.step(ctx, "building OpenTofu", func(_ context.Context, inner *step) error {
				if _, err := inner.Write([]byte("go: downloading a\ngo: downloading b\n")); err != nil {
					return err
				}
				time.Sleep(time.Second)
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
		const line = "\r\x1b[Kfetching PostgreSQL 900ms [=====               ] 3.0/12.0 MiB | building OpenTofu 900ms (go: downlo\r"
		if !strings.Contains(shown.String(), line) {
			t.Errorf("got %q", shown.String())
		}
		if !strings.HasSuffix(shown.String(), "\r\x1b[Klakeland: fetching PostgreSQL: done after 1s\n") {
			t.Errorf("got %q", shown.String())
		}
	})
}

func TestProgressIsForTerminalsOnly(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	if err := newProgress(&shown).step(t.Context(), "a step", func(context.Context, *step) error { return nil }); err != nil {
		t.Error(err)
	}
	if !regexp.MustCompile(`^lakeland: a step\nlakeland: a step: done after \d+s\n$`).MatchString(shown.String()) {
		t.Errorf("got %q", shown.String())
	}
}
