package hudi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// The verbs of calls on a store.
const (
	listing  = 'l'
	looking  = 'h'
	reading  = 'g'
	putting  = 'p'
	deleting = 'd'
)

// call is one call on a store, which is one step of who makes it.
type call struct {
	verb byte
	// key is of a listing the prefix, and data where it begins.
	key, data string
	keys      []string
	when      store.Condition
	// foreign says of one that comes late that Spark sent it.
	foreign bool
}

func (c *call) writes() bool { return c.verb == putting || c.verb == deleting }

func (c *call) String() string {
	switch c.verb {
	case listing:
		return "lists " + c.key
	case looking:
		return "looks for " + c.key
	case reading:
		return "reads " + c.key
	case putting:
		condition := ""
		if c.when.IfAbsent {
			condition = " if there is none"
		} else if c.when.IfMatch != "" {
			condition = " over what it saw"
		}
		return fmt.Sprintf("puts %s%s %.60q", c.key, condition, c.data)
	default:
		return "deletes " + strings.Join(c.keys, ", ")
	}
}

// answer is what a call comes back with. Equal ones are one, of one explorer.
type answer struct {
	err     error
	object  store.Object
	data    string
	objects []store.Object
}

var (
	// errNoAnswer is the error of a call that may have taken effect, or may still.
	errNoAnswer = errors.New("no answer")
	// errUnheard ends a replay: the code has asked for something of which no answer is known.
	errUnheard = errors.New("nobody has asked that before")
)

// asking is a store that asks somebody else.
type asking struct{ ask func(call) *answer }

func (s asking) Address(key string) string { return "mem://lake/" + key }

func (s asking) Get(_ context.Context, key string, _, _ int64) (io.ReadCloser, error) {
	a := s.ask(call{verb: reading, key: key})
	return io.NopCloser(bytes.NewReader([]byte(a.data))), a.err
}

func (s asking) Head(_ context.Context, key string) (store.Object, error) {
	a := s.ask(call{verb: looking, key: key})
	return a.object, a.err
}

func (s asking) Put(_ context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	a := s.ask(call{verb: putting, key: key, data: string(data), when: when})
	return a.object, a.err
}

func (s asking) Create(context.Context, string) (store.Writer, error) {
	return nil, errors.New("nothing is written as a stream here")
}

func (s asking) Delete(_ context.Context, keys ...string) error {
	return s.ask(call{verb: deleting, keys: slices.Clone(keys)}).err
}

func (s asking) List(_ context.Context, prefix, after string) iter.Seq2[store.Object, error] {
	a := s.ask(call{verb: listing, key: prefix, data: after})
	return func(yield func(store.Object, error) bool) {
		for _, o := range a.objects {
			if !yield(o, nil) {
				return
			}
		}
		if a.err != nil {
			yield(store.Object{}, a.err)
		}
	}
}

// texts are numbered, each once.
type texts struct {
	of     []string
	number map[string]uint32
}

func (x *texts) take(text string) uint32 {
	n, known := x.number[text]
	if !known {
		n = uint32(len(x.of))
		x.of = append(x.of, text)
		if x.number == nil {
			x.number = map[string]uint32{}
		}
		x.number[text] = n
	}
	return n
}

// shelf is what a store holds, in the order of the keys.
type shelf []item

type item struct{ key, data uint32 }

// shelves are the stores that an explorer knows. A tag is the content, as S3's is: what is written again is not told from what was.
type shelves struct {
	keys, contents texts
	lists          texts
	answers        map[answerKey]*answer
	number         map[string]uint32
	of             []shelf
}

type answerKey struct {
	verb byte
	err  error
	data uint32
}

// written is when every object was, by any listing.
var written = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (x *shelves) find(s shelf, key string) (int, bool) {
	return slices.BinarySearchFunc(s, key, func(i item, key string) int { return cmp.Compare(x.keys.of[i.key], key) })
}

// content is an object's; ok is false where there is none.
func (x *shelves) content(s shelf, key string) (data string, ok bool) {
	at, ok := x.find(s, key)
	if ok {
		data = x.contents.of[s[at].data]
	}
	return data, ok
}

func (x *shelves) put(s shelf, key, data string) shelf {
	at, there := x.find(s, key)
	i := item{x.keys.take(key), x.contents.take(data)}
	s = slices.Clone(s)
	if there {
		s[at] = i
		return s
	}
	return slices.Insert(s, at, i)
}

// do carries a call out.
func (x *shelves) do(s shelf, c *call) (shelf, *answer) {
	switch c.verb {
	case listing:
		return s, x.list(s, c)
	case deleting:
		out := slices.Clone(s)
		for _, key := range c.keys {
			if at, there := x.find(out, key); there {
				out = slices.Delete(out, at, at+1)
			}
		}
		return out, x.answer(c.verb, nil, 0)
	case putting:
		data, there := x.content(s, c.key)
		switch {
		case c.when.IfAbsent && there:
			return s, x.answer(c.verb, store.ErrExists, 0)
		case c.when.IfMatch != "" && (!there || "="+data != c.when.IfMatch):
			return s, x.answer(c.verb, store.ErrChanged, 0)
		}
		return x.put(s, c.key, c.data), x.answer(c.verb, nil, x.contents.take(c.data))
	default:
		at, there := x.find(s, c.key)
		if !there {
			return s, x.answer(c.verb, store.ErrNotExist, 0)
		}
		return s, x.answer(c.verb, nil, s[at].data)
	}
}

// answer is the one of a call that met some content, or an error.
func (x *shelves) answer(verb byte, err error, content uint32) *answer {
	k := answerKey{verb, err, content}
	if a, known := x.answers[k]; known {
		return a
	}
	a := &answer{err: err}
	if err == nil && verb != deleting {
		a.data = x.contents.of[content]
		a.object = store.Object{Tag: "=" + a.data, Size: int64(len(a.data)), Modified: written}
	}
	x.answers[k] = a
	return a
}

func (x *shelves) list(s shelf, c *call) *answer {
	var text strings.Builder
	var found []store.Object
	at, _ := x.find(s, max(c.key, c.data))
	for _, i := range s[at:] {
		key := x.keys.of[i.key]
		if !strings.HasPrefix(key, c.key) {
			break
		}
		if key == c.data {
			continue
		}
		size := len(x.contents.of[i.data])
		fmt.Fprintln(&text, i.key, size)
		found = append(found, store.Object{Key: key, Size: int64(size), Modified: written})
	}
	k := answerKey{c.verb, nil, x.lists.take(text.String())}
	if a, known := x.answers[k]; known {
		return a
	}
	a := &answer{objects: found}
	x.answers[k] = a
	return a
}

// take numbers a store.
func (x *shelves) take(s shelf) uint32 {
	text := make([]byte, 0, 8*len(s))
	for _, i := range s {
		text = append(text, byte(i.key), byte(i.key>>8), byte(i.data), byte(i.data>>8), byte(i.data>>16))
	}
	n, known := x.number[string(text)]
	if !known {
		n = uint32(len(x.of))
		x.of = append(x.of, s)
		x.number[string(text)] = n
	}
	return n
}
