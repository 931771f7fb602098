package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func TestS3(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.S3)
	client := awsclient.New(sb.AWSConfig(), awsclient.Options{PathStyle: true}).S3
	conform(t, func(t *testing.T) store.Store {
		t.Helper()
		return store.NewS3(client, sb.NewBucket(t))
	})
}

// A conditional put whose answer was lost is recognised by its bytes, and another's is not taken for it.
func TestS3PutAfterLostAnswer(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.S3)
	config, lose := losingAnswers(sb.AWSConfig())
	s := store.NewS3(awsclient.New(config, awsclient.Options{PathStyle: true}).S3, sb.NewBucket(t))
	ctx := t.Context()
	lose.Store(1)
	if _, err := s.Put(ctx, "mine", []byte("mine"), store.Condition{IfAbsent: true}); err != nil {
		t.Errorf("the put took effect and was not recognised: %v", err)
	}
	first, err := s.Put(ctx, "versions", []byte("1"), store.Condition{IfAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	lose.Store(1)
	if _, err := s.Put(ctx, "versions", []byte("2"), store.Condition{IfMatch: first.Tag}); err != nil {
		t.Errorf("the change took effect and was not recognised: %v", err)
	}
	if _, err := s.Put(ctx, "theirs", []byte("theirs"), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	lose.Store(1)
	if _, err := s.Put(ctx, "theirs", []byte("mine!!"), store.Condition{IfAbsent: true}); !errors.Is(err, store.ErrExists) {
		t.Errorf("another's object was taken for ours: %v", err)
	}
}

// A stream whose context has ended sends nothing, also where what follows the context has yet to come to it: its object would
// come to be behind its removal.
func TestS3StreamOfAnEndedContext(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.S3)
	s := store.NewS3(awsclient.New(sb.AWSConfig(), awsclient.Options{PathStyle: true}).S3, sb.NewBucket(t))
	why := errors.New("why")
	inner, end := context.WithCancelCause(t.Context())
	ctx := lateContext{Context: inner, done: make(chan struct{}), late: &sync.WaitGroup{}, released: make(chan struct{})}
	w, err := s.Create(ctx, "object")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("all of it")); err != nil {
		t.Fatal(err)
	}
	end(why)
	close(ctx.done)
	if err := w.Close(); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	close(ctx.released)
	ctx.late.Wait()
	if o, err := s.Head(t.Context(), "object"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("there is %v, %v", o, err)
	}
}

// lateContext begins what follows its end, and lets it go on when it is released.
type lateContext struct {
	context.Context
	done     chan struct{} // not that of Context, which package context would follow without AfterFunc
	late     *sync.WaitGroup
	released chan struct{}
}

func (c lateContext) Done() <-chan struct{} { return c.done }

func (c lateContext) AfterFunc(do func()) func() bool {
	c.late.Add(1)
	return context.AfterFunc(c.Context, func() {
		defer c.late.Done()
		<-c.released
		do()
	})
}

// losingAnswers cuts the connection behind the next puts, whose number is in the counter, after they took effect.
func losingAnswers(config aws.Config) (aws.Config, *atomic.Int32) {
	lose := &atomic.Int32{}
	config.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultClient.Do(r)
		if err == nil && r.Method == http.MethodPut && lose.Add(-1) >= 0 {
			_ = response.Body.Close()
			return nil, io.ErrUnexpectedEOF
		}
		return response, err
	})
	return config, lose
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestDirectory(t *testing.T) {
	t.Parallel()
	conform(t, func(t *testing.T) store.Store {
		t.Helper()
		return store.NewDirectory(t.TempDir())
	})
}

// Listings are in the order of keys, in which a folder's name ends with a slash; they end where their reader has enough, and what lies
// before the key that they begin behind is not of them, nor is what another begins with.
func TestDirectoryListsInTheOrderOfKeys(t *testing.T) {
	t.Parallel()
	d := store.NewDirectory(t.TempDir())
	all := []string{"a", "b-c/x", "b.c", "b/1/2", "b/1/3", "b/1-0", "b/2", "b0", "c/d/e"}
	for _, key := range all {
		if _, err := d.Put(t.Context(), key, []byte(key), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	for _, prefix := range []string{"", "a", "a/", "a/b", "b", "b/", "b/1", "b/1/", "b/1/2", "c/d/", "c/d/e/f", "x/y"} {
		for _, after := range append([]string{"", "b/", "b/1", "b/1.", "b/1/2/", "b/9", "zz"}, all...) {
			var want, got []string
			for _, key := range all {
				if strings.HasPrefix(key, prefix) && key > after {
					want = append(want, key)
				}
			}
			for object, err := range d.List(t.Context(), prefix, after) {
				if err != nil || object.Size != int64(len(object.Key)) {
					t.Fatalf("listing %q behind %q: %+v, %v", prefix, after, object, err)
				}
				got = append(got, object.Key)
			}
			if !slices.Equal(got, want) {
				t.Errorf("listing %q behind %q: %q, want %q", prefix, after, got, want)
			}
		}
	}
	for object := range d.List(t.Context(), "b/", "") {
		if object.Key != "b/1-0" {
			t.Errorf("a listing goes on to %s", object.Key)
		}
		break
	}
}

func TestDirectoryRefusesKeysOutsideItself(t *testing.T) {
	t.Parallel()
	s := store.NewDirectory(t.TempDir())
	for _, key := range []string{"../x", "/etc/passwd", "a/../../x", "", "folder/"} {
		if _, err := s.Put(t.Context(), key, nil, store.Condition{}); err == nil {
			t.Errorf("the key %q was accepted", key)
		}
	}
}

// conform is what every store must do.
func conform(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	t.Run("an object reads as it was written, whole and in ranges", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		data := random(1000)
		if _, err := s.Put(ctx, "a/b.bin", data, store.Condition{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range [][2]int64{{0, -1}, {0, 1000}, {0, 1}, {999, 1}, {500, 200}, {500, -1}, {990, 100}, {7, 0}} {
			want := data[r[0]:]
			if r[1] >= 0 {
				want = want[:min(r[1], int64(len(want)))]
			}
			if got := get(t, s, "a/b.bin", r[0], r[1]); !bytes.Equal(got, want) {
				t.Errorf("bytes %d+%d: %d bytes differ from the %d wanted", r[0], r[1], len(got), len(want))
			}
		}
		if _, err := s.Get(ctx, "a/b.bin", 1000, 1); err == nil {
			t.Error("a range behind the end must be an error")
		}
		if object, err := s.Head(ctx, "a/b.bin"); err != nil || object.Size != 1000 || object.Key != "a/b.bin" || object.Tag == "" || object.Modified.IsZero() {
			t.Errorf("Head: %+v, %v", object, err)
		}
	})
	t.Run("what is absent is named so", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		if _, err := s.Head(ctx, "none"); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("Head: %v", err)
		}
		if _, err := s.Get(ctx, "none", 0, -1); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("Get: %v", err)
		}
		if err := s.Delete(ctx, "none", "nor/this"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	})
	t.Run("streams of all sizes", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		for _, size := range []int{0, 1, 5 << 20, 8 << 20, 8<<20 + 1, 20 << 20} {
			key, data := fmt.Sprintf("stream/%d", size), random(size)
			w, err := s.Create(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 1+rand.IntN(1<<20))
				if _, err := w.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if _, err := s.Head(ctx, key); !errors.Is(err, store.ErrNotExist) {
				t.Errorf("%d bytes can be seen before Close: %v", size, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w.Abort()
			if got := get(t, s, key, 0, -1); !bytes.Equal(got, data) {
				t.Errorf("%d bytes read back differ", size)
			}
		}
	})
	t.Run("a stream given up leaves nothing", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		w, err := s.Create(ctx, "given/up")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(random(12 << 20)); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		if keys := list(t, s, "", ""); len(keys) != 0 {
			t.Errorf("there are %v", keys)
		}
	})
	t.Run("conditions", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		first, err := s.Put(ctx, "k", []byte("1"), store.Condition{IfAbsent: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(ctx, "k", []byte("2"), store.Condition{IfAbsent: true}); !errors.Is(err, store.ErrExists) {
			t.Errorf("IfAbsent over an object: %v", err)
		}
		second, err := s.Put(ctx, "k", []byte("2"), store.Condition{IfMatch: first.Tag})
		if err != nil {
			t.Errorf("IfMatch with the right tag: %v", err)
		}
		if _, err := s.Put(ctx, "k", []byte("3"), store.Condition{IfMatch: first.Tag}); !errors.Is(err, store.ErrChanged) {
			t.Errorf("IfMatch with an old tag: %v", err)
		}
		if _, err := s.Put(ctx, "none", []byte("3"), store.Condition{IfMatch: second.Tag}); !errors.Is(err, store.ErrChanged) {
			t.Errorf("IfMatch with no object: %v", err)
		}
		if got := get(t, s, "k", 0, -1); string(got) != "2" {
			t.Errorf("the object is %q", got)
		}
	})
	t.Run("exactly one of many writers wins", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		for round := range 5 {
			key := fmt.Sprintf("race/%d", round)
			var winners atomic.Int32
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					_, err := s.Put(ctx, key, []byte(fmt.Sprint(i)), store.Condition{IfAbsent: true})
					switch {
					case err == nil:
						winners.Add(1)
					case !errors.Is(err, store.ErrExists):
						t.Error(err)
					}
				})
			}
			all.Wait()
			if winners.Load() != 1 {
				t.Errorf("%d writers won", winners.Load())
			}
		}
	})
	t.Run("lists are in order, by prefix and after a key", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		keys := []string{"a/1", "a/10", "a/2", "a.b", "a/ü", "b/x y+z=1%", "a/2/3"}
		for _, key := range keys {
			if key == "a/2/3" {
				continue // a directory cannot hold it beside a/2
			}
			if _, err := s.Put(ctx, key, []byte(key), store.Condition{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, tc := range []struct{ prefix, after, want string }{
			{"", "", "a.b a/1 a/10 a/2 a/ü b/x y+z=1%"},
			{"a/", "", "a/1 a/10 a/2 a/ü"},
			{"a/1", "", "a/1 a/10"},
			{"a/", "a/10", "a/2 a/ü"},
			{"c", "", ""},
		} {
			if diff := cmp.Diff(tc.want, strings.Join(list(t, s, tc.prefix, tc.after), " ")); diff != "" {
				t.Errorf("prefix %q after %q: %s", tc.prefix, tc.after, diff)
			}
		}
		if err := s.Delete(ctx, "a/1", "a/10", "none"); err != nil {
			t.Fatal(err)
		}
		if got := list(t, s, "a/", ""); !slices.Equal(got, []string{"a/2", "a/ü"}) {
			t.Errorf("after Delete: %v", got)
		}
	})
	t.Run("reading is bounded", func(t *testing.T) {
		t.Parallel()
		ctx, s := t.Context(), open(t)
		if _, err := s.Put(ctx, "k", random(100), store.Condition{}); err != nil {
			t.Fatal(err)
		}
		if data, err := store.Read(ctx, s, "k", 100); err != nil || len(data) != 100 {
			t.Errorf("%d bytes, %v", len(data), err)
		}
		if _, err := store.Read(ctx, s, "k", 99); err == nil {
			t.Error("100 bytes were read where 99 are allowed")
		}
	})
	t.Run("a cancelled context ends calls", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		w, err := s.Create(ctx, "cancelled")
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		w.Abort()
		if keys := list(t, s, "", ""); len(keys) != 0 {
			t.Errorf("there are %v", keys)
		}
	})
}

func random(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = source.Read(data)
	return data
}

func get(t *testing.T, s store.Store, key string, offset, length int64) []byte {
	t.Helper()
	r, err := s.Get(t.Context(), key, offset, length)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

func list(t *testing.T, s store.Store, prefix, after string) []string {
	t.Helper()
	var keys []string
	for object, err := range s.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, object.Key)
	}
	return keys
}
