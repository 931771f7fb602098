package hudi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// memory is a store in memory, which is copied in no time.
type memory struct {
	mu      sync.Mutex
	objects map[string]object
	n       int
}

type object struct {
	data     []byte
	tag      string
	modified time.Time
}

func newMemory() *memory { return &memory{objects: map[string]object{}} }

func (m *memory) clone() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{objects: maps.Clone(m.objects), n: m.n}
}

func (m *memory) Address(key string) string { return "mem://lake/" + key }

func (m *memory) Get(_ context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return nil, fmt.Errorf("%s: %w", key, store.ErrNotExist)
	}
	data := o.data[min(offset, int64(len(o.data))):]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m *memory) Head(_ context.Context, key string) (store.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return store.Object{}, fmt.Errorf("%s: %w", key, store.ErrNotExist)
	}
	return o.describe(key), nil
}

func (o object) describe(key string) store.Object {
	return store.Object{Key: key, Size: int64(len(o.data)), Tag: o.tag, Modified: o.modified}
}

func (m *memory) Put(_ context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, there := m.objects[key]
	switch {
	case when.IfAbsent && there:
		return store.Object{}, fmt.Errorf("%s: %w", key, store.ErrExists)
	case when.IfMatch != "" && was.tag != when.IfMatch:
		return store.Object{}, fmt.Errorf("%s: %w", key, store.ErrChanged)
	}
	m.n++
	o := object{bytes.Clone(data), fmt.Sprint(m.n), time.Now()}
	m.objects[key] = o
	return o.describe(key), nil
}

func (m *memory) Create(_ context.Context, key string) (store.Writer, error) {
	return &memoryWriter{m: m, key: key}, nil
}

type memoryWriter struct {
	bytes.Buffer
	m   *memory
	key string
}

func (w *memoryWriter) Close() error {
	_, err := w.m.Put(context.Background(), w.key, w.Bytes(), store.Condition{})
	return err
}

func (w *memoryWriter) Abort() {}

func (m *memory) List(_ context.Context, prefix, after string) iter.Seq2[store.Object, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Object
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(key, prefix) && key > after {
			out = append(out, m.objects[key].describe(key))
		}
	}
	return func(yield func(store.Object, error) bool) {
		for _, o := range out {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (m *memory) Delete(_ context.Context, keys ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		delete(m.objects, key)
	}
	return nil
}
