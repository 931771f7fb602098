package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Directory keeps objects as files below a folder, for trying the engine and for tests. Conditional writes are
// atomic among the users of one Directory value; IfAbsent is atomic among processes too.
type Directory struct {
	root string
	mu   sync.Mutex
}

// NewDirectory uses an existing folder.
func NewDirectory(root string) *Directory { return &Directory{root: root} }

const unfinished = ".lakeland-unfinished-"

// folderTries is how often a folder is made for a file.
const folderTries = 10

func (d *Directory) path(key string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(key)) || strings.HasSuffix(key, "/") {
		return "", fmt.Errorf("%q is not the key of an object", key)
	}
	return filepath.Join(d.root, filepath.FromSlash(key)), nil
}

// Address is the file's path.
func (d *Directory) Address(key string) string { return "file://" + d.root + "/" + key }

// Get implements Store.
func (d *Directory) Get(_ context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, d.wrap("reading", key, err)
	}
	info, err := f.Stat()
	if err == nil && offset > 0 && offset >= info.Size() {
		err = fmt.Errorf("byte %d lies behind its end", offset)
	}
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, d.wrap("reading", key, err)
	}
	if length < 0 {
		return f, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, length), f}, nil
}

// Head implements Store.
func (d *Directory) Head(_ context.Context, key string) (Object, error) {
	path, err := d.path(key)
	if err != nil {
		return Object{}, err
	}
	return d.describe(key, path)
}

func (d *Directory) describe(key, path string) (Object, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Object{}, d.wrap("looking at", key, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Object{}, d.wrap("looking at", key, err)
	}
	return Object{Key: key, Size: int64(len(data)), Tag: tag(data), Modified: info.ModTime()}, nil
}

func tag(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Put implements Store.
func (d *Directory) Put(_ context.Context, key string, data []byte, when Condition) (Object, error) {
	w, err := d.create(key, when)
	if err != nil {
		return Object{}, err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return Object{}, d.wrap("writing", key, err)
	}
	if err := w.Close(); err != nil {
		return Object{}, err
	}
	return Object{Key: key, Size: int64(len(data)), Tag: tag(data), Modified: time.Now()}, nil
}

// Create implements Store.
func (d *Directory) Create(_ context.Context, key string) (Writer, error) {
	return d.create(key, Condition{})
}

func (d *Directory) create(key string, when Condition) (Writer, error) {
	path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	var f *os.File
	for range folderTries { // a delete may take the folder away in between
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			f, err = os.CreateTemp(filepath.Dir(path), unfinished+"*")
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, d.wrap("writing", key, err)
	}
	return &fileWriter{d: d, f: f, key: key, path: path, when: when}, nil
}

type fileWriter struct {
	d         *Directory
	f         *os.File
	key, path string
	when      Condition
	over      bool
}

func (w *fileWriter) Write(p []byte) (int, error) { return w.f.Write(p) }

func (w *fileWriter) Abort() {
	if !w.over {
		w.over = true
		_ = w.f.Close()
		_ = os.Remove(w.f.Name())
	}
}

func (w *fileWriter) Close() error {
	defer w.Abort()
	if err := w.f.Close(); err != nil {
		return w.d.wrap("writing", w.key, err)
	}
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if w.when.IfMatch != "" {
		if now, err := w.d.describe(w.key, w.path); err != nil || now.Tag != w.when.IfMatch {
			return w.d.wrap("writing", w.key, ErrChanged)
		}
	}
	var err error
	if w.when.IfAbsent {
		err = os.Link(w.f.Name(), w.path)
	} else {
		err = os.Rename(w.f.Name(), w.path)
	}
	return w.d.wrap("writing", w.key, err)
}

// List implements Store.
func (d *Directory) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		folder, _ := path.Split(prefix)
		if folder != "" && !filepath.IsLocal(filepath.FromSlash(folder)) {
			return // no key begins so
		}
		l := listing{ctx: ctx, prefix: prefix, after: after, yield: yield}
		if err := l.walk(filepath.Join(d.root, filepath.FromSlash(folder)), folder); err != nil && !errors.Is(err, errEnough) {
			yield(Object{}, d.wrap("listing", prefix, err))
		}
	}
}

// errEnough says that the caller of a listing wants no more of it.
var errEnough = errors.New("enough")

// listing goes through folders in the order of keys.
type listing struct {
	ctx           context.Context
	prefix, after string
	yield         func(Object, error) bool
}

// walk lists a folder whose objects' keys begin with base. What went meanwhile is passed over.
func (l *listing) walk(folder, base string) error {
	names, err := l.names(folder, base)
	if err != nil || len(names) == 0 {
		return err
	}
	in, err := os.OpenRoot(folder)
	if err != nil {
		return gone(err)
	}
	defer func() { _ = in.Close() }()
	for _, name := range names {
		if sub, is := strings.CutSuffix(name, "/"); is {
			if err := l.walk(filepath.Join(folder, sub), base+name); err != nil {
				return err
			}
			continue
		}
		info, err := in.Lstat(name)
		switch {
		case gone(err) != nil:
			return err //nolint:wrapcheck // by List
		case err != nil:
			continue
		case l.ctx.Err() != nil:
			return context.Cause(l.ctx) //nolint:wrapcheck // by List
		case !l.yield(Object{Key: base + name, Size: info.Size(), Modified: info.ModTime()}, nil):
			return errEnough
		}
	}
	return nil
}

// names are those in a folder that can be of the listing, in the order of their keys; folders' end with a slash.
func (l *listing) names(folder, base string) ([]string, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, gone(err)
	}
	entries, err := f.ReadDir(-1)
	if err = errors.Join(gone(err), f.Close()); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		name := entry.Name()
		switch key := base + name; {
		case entry.IsDir():
			name, key = name+"/", key+"/"
			within := strings.HasPrefix(key, l.prefix) || strings.HasPrefix(l.prefix, key)
			if within && (key > l.after || strings.HasPrefix(l.after, key)) {
				names = append(names, name)
			}
		case strings.HasPrefix(key, l.prefix) && key > l.after && !strings.HasPrefix(name, unfinished):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// gone passes over what went meanwhile, and over a file where keys would have a folder: no key begins so.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// Delete implements Store.
func (d *Directory) Delete(_ context.Context, keys ...string) error {
	for _, key := range keys {
		path, err := d.path(key)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return d.wrap("deleting", key, err)
		}
		// A folder without objects is none; those that are not empty refuse.
		for folder := filepath.Dir(path); folder != filepath.Clean(d.root) && os.Remove(folder) == nil; folder = filepath.Dir(folder) {
		}
	}
	return nil
}

func (d *Directory) wrap(verb, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		err = ErrNotExist
	case errors.Is(err, fs.ErrExist):
		err = ErrExists
	}
	return fmt.Errorf("%s %s: %w", verb, d.Address(key), err)
}
