package conformance

import (
	"context"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// call is one that settles a commit; apply makes it without asking anybody.
type call struct{ apply func() error }

// asked is somebody who is asked before or after such a call; an error is the call's.
type asked func(call) error

// before has somebody asked before each call that settles a commit; with an error it has no effect. nil is nobody.
func (b *bench) before(hook asked) {
	if b.decisions != nil {
		b.decisions.before = hook
		return
	}
	b.catalog.Before = b.ofCatalog(hook)
}

// after has somebody asked behind each call that settles a commit and took effect.
func (b *bench) after(hook asked) {
	if b.decisions != nil {
		b.decisions.after = hook
		return
	}
	b.catalog.After = b.ofCatalog(hook)
}

func (b *bench) ofCatalog(hook asked) func(catalog.Write) error {
	if hook == nil {
		return nil
	}
	return func(w catalog.Write) error {
		return hook(call{func() error { return b.catalog.Apply(w) }})
	}
}

// decisions is a store in which writing some objects is what a commit comes down to.
type decisions struct {
	store.Store
	decides       func(key string) bool
	before, after asked
}

func (d *decisions) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if !d.decides(key) {
		return d.Store.Put(ctx, key, data, when)
	}
	if d.before != nil {
		if err := d.before(call{func() error {
			_, err := d.Store.Put(ctx, key, data, when)
			return err
		}}); err != nil {
			return store.Object{}, err
		}
	}
	object, err := d.Store.Put(ctx, key, data, when)
	if err == nil && d.after != nil {
		err = d.after(call{})
	}
	return object, err
}
