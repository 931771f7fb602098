package hudi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// record is what an attempt writes before all else: a pending instant that has one is ours. It is emptied once the commit is sealed,
// and stays until it is old, for no two attempts may have one instant.
type record struct {
	V       int     `json:"v"`
	Table   string  `json:"table"`
	Attempt string  `json:"attempt"`
	Instant Instant `json:"instant"`
	Action  string  `json:"action"`
	// Base is the head that the attempt was planned on.
	Base Instant `json:"base"`
	// Files are the keys of the data files that it may write, below the table's prefix. Markers are not among them: their folder
	// is the instant's. Neither are the notes of partitions, which other attempts may count on once they are there.
	Files []string `json:"files"`
}

// The states of a claim. One that is open may be completed by anyone, and nobody but who finds that it cannot be makes it void; it
// is sealed once its commit is there. A clean's is decided before anything goes: from then on it can be completed alone, whatever
// others do.
const (
	claimOpen    = "open"
	claimVoid    = "void"
	claimDecided = "decided"
	claimSealed  = "sealed"
)

// claim decides who may commit on a base: one is written first. It holds all that is left to do.
type claim struct {
	V       int     `json:"v"`
	State   string  `json:"state"`
	Table   string  `json:"table"`
	Attempt string  `json:"attempt"`
	Instant Instant `json:"instant"`
	Action  string  `json:"action"`
	Base    Instant `json:"base"`
	// Files are the lengths of the data files, by their keys below the table's prefix.
	Files map[string]int64 `json:"files,omitempty"`
	// Delete are the keys below the table's prefix that go before the instant is completed, where it is a clean.
	Delete []string `json:"delete,omitempty"`
	// Document is the file that completes the instant.
	Document []byte `json:"document,omitempty"`
	// Checkpoint is the one that the commit carries, or, of a clean, the newest there was, without its positions. It says whose
	// the table is where other engines have archived all commits that do, and stays when the claim is settled.
	Checkpoint *table.Checkpoint `json:"checkpoint,omitempty"`
	// Staged are the files that the attempt's were made of, whole keys: they go when it is over.
	Staged []string `json:"staged,omitempty"`
}

// maxDocument bounds a record or claim, in bytes.
const maxDocument = maxCommit * 2

// errNoDocument says that a document of ours is not there, or was emptied.
var errNoDocument = errors.New("it is not there")

// readDocument reads a record or claim.
func readDocument[T record | claim](ctx context.Context, t *Table, key string) (*T, error) {
	data, err := store.Read(ctx, t.o.Store, t.o.Prefix+key, maxDocument)
	if errors.Is(err, store.ErrNotExist) || err == nil && len(data) == 0 {
		return nil, errNoDocument
	}
	if err != nil {
		return nil, err
	}
	var version struct {
		V int `json:"v"`
	}
	out := new(T)
	if err = json.Unmarshal(data, &version); err == nil && version.V > documentVersion {
		return nil, fmt.Errorf("%s has version %d and this engine reads %d: apply the cadence so that its job carries the newer engine", t.o.Store.Address(t.o.Prefix+key), version.V, documentVersion)
	}
	if err == nil {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w: restore it, or land the table into a new target", t.o.Store.Address(t.o.Prefix+key), err)
	}
	return out, nil
}

// putDocument writes a record or claim.
func putDocument[T record | claim](ctx context.Context, t *Table, key string, document *T, when store.Condition) (store.Object, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return store.Object{}, fmt.Errorf("writing %s: %w", key, err)
	}
	return t.o.Store.Put(ctx, t.o.Prefix+key, data, when)
}
