package table

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// LongPosition is the size in bytes from which on a position does not stand in commits and in the tracker itself: it is an
// object beside the table then, which they name. A commit's summary is read with every look at a table, and an item of
// DynamoDB holds 400 KB (Amazon DynamoDB Developer Guide, "Quotas").
const LongPosition = 4<<10 + 1

// mostPosition bounds the object of a position in bytes.
const mostPosition = 64 << 20

// ErrPosition says that the object of a position is gone, or is not what was written.
var ErrPosition = errors.New("the position is not there any more")

// positionObject stands for a position that is an object.
type positionObject struct {
	// Key is the object's in the target's store.
	Key    string `json:"key"`
	SHA256 string `json:"sha256"`
}

// StorePosition returns a position as it stands in commits and in the tracker. A long one is written to an object whose key
// is made of its SHA-256, so that equal positions are one object and stand for themselves in one way. Writing it again makes
// it young: what cleans up leaves it to the commit that is about to name it.
func StorePosition(ctx context.Context, t Table, s store.Store, head *Head, position json.RawMessage) (json.RawMessage, error) {
	if len(position) < LongPosition {
		return position, nil
	}
	digest := sha256.Sum256(position)
	sum := hex.EncodeToString(digest[:])
	at := positionObject{Key: t.PositionKey(head, sum), SHA256: sum}
	_, err := s.Put(ctx, at.Key, position, store.Condition{IfAbsent: true})
	if errors.Is(err, store.ErrExists) {
		_, err = s.Put(ctx, at.Key, position, store.Condition{})
	}
	if err != nil {
		return nil, fmt.Errorf("writing a position of %d bytes: %w", len(position), err)
	}
	stands, err := json.Marshal(at)
	if err != nil {
		return nil, fmt.Errorf("writing a position: %w", err)
	}
	return stands, nil
}

// LoadPosition returns the position that stands in a commit or in the tracker; ErrPosition where its object is gone or is
// not what was written.
func LoadPosition(ctx context.Context, s store.Store, stands json.RawMessage) (json.RawMessage, error) {
	at := objectOf(stands)
	if at == nil {
		return stands, nil
	}
	data, err := store.Read(ctx, s, at.Key, mostPosition)
	switch digest := sha256.Sum256(data); {
	case errors.Is(err, store.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is gone", ErrPosition, s.Address(at.Key))
	case err != nil:
		return nil, fmt.Errorf("reading a position: %w", err)
	case hex.EncodeToString(digest[:]) != at.SHA256:
		return nil, fmt.Errorf("%w: %s is not what was written (SHA-256 %x, written %s)", ErrPosition, s.Address(at.Key), digest, at.SHA256)
	}
	return data, nil
}

// PositionObject is the key of the object that a position stands for; "" for one that stands there itself.
func PositionObject(stands json.RawMessage) string {
	if at := objectOf(stands); at != nil {
		return at.Key
	}
	return ""
}

// objectOf tells an object's name from a position, which has other fields.
func objectOf(stands json.RawMessage) *positionObject {
	at := &positionObject{}
	reader := json.NewDecoder(bytes.NewReader(stands))
	reader.DisallowUnknownFields()
	if err := reader.Decode(at); err != nil || at.Key == "" || at.SHA256 == "" {
		return nil
	}
	return at
}

// Objects are the keys of the objects of its positions.
func (c *Checkpoint) Objects() []string {
	var keys []string
	for _, position := range []json.RawMessage{c.From, c.ReadFrom, c.To} {
		if key := PositionObject(position); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
