// Package store is objects in a bucket, as the engine needs them: read a range, write once, list, delete. It
// knows two kinds: S3, and a directory.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// ErrNotExist says that there is no object of that name.
var ErrNotExist = errors.New("the object does not exist")

// ErrExists says that a write with IfAbsent found an object of that name.
var ErrExists = errors.New("an object of that name exists already")

// ErrChanged says that a write with IfMatch found another version of the object, or none.
var ErrChanged = errors.New("the object changed meanwhile")

// Object describes an object.
type Object struct {
	Key  string
	Size int64
	// Tag changes with the object's content. Listings leave it out.
	Tag      string
	Modified time.Time
}

// Condition makes a write depend on what is there. The zero Condition overwrites.
type Condition struct {
	// IfAbsent lets the write happen only where no object is.
	IfAbsent bool
	// IfMatch lets the write happen only over the object with this tag.
	IfMatch string
}

// Store holds objects under keys, which are paths with slashes and no slash in front. All methods are safe for
// concurrent use. Errors other than the named ones leave open whether a write took effect.
type Store interface {
	// Get reads length bytes from offset on, or to the end where length is negative. A range that goes past the
	// end is cut there; one that starts there is an error. The caller closes the reader.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
	// Head describes an object, or is ErrNotExist.
	Head(ctx context.Context, key string) (Object, error)
	// Put writes a whole object and returns its description.
	Put(ctx context.Context, key string, data []byte, when Condition) (Object, error)
	// Create writes an object as a stream, under a key that nobody else can have. Nothing of it can be seen
	// before Close has returned without error.
	Create(ctx context.Context, key string) (Writer, error)
	// List yields the objects whose keys begin with prefix and come after the key after, in the order of their
	// keys' bytes. It ends with the first error.
	List(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
	// Delete removes objects. Those that do not exist are no error.
	Delete(ctx context.Context, keys ...string) error
	// Address is how readers of the lake name a key.
	Address(key string) string
}

// Writer takes an object's bytes. It is used by one goroutine.
type Writer interface {
	io.Writer
	// Close finishes the object and makes it visible.
	Close() error
	// Abort gives the object up and frees what was stored of it. After Close it does nothing.
	Abort()
}

// Read reads a whole object of at most limit bytes.
func Read(ctx context.Context, s Store, key string, limit int64) ([]byte, error) {
	r, err := s.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", s.Address(key), err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("reading %s: it has more than %d bytes", s.Address(key), limit)
	default:
		return data, nil
	}
}
