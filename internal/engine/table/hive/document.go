package hive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// The parameters of entries and partitions that are ours. The checkpoint stands with what a commit made: in the entry of a
// current snapshot, in the partition of a batch; so do its files.
const (
	checkpointParameter = "lakeland.checkpoint"
	tableParameter      = "lakeland.table"
	filesParameter      = "lakeland.files"
)

// documentVersion is the version of the documents in parameters.
const documentVersion = 1

// inline is how long a document in a parameter may be, in bytes; a longer one is an object that the parameter names. Glue
// takes 512 000 (API reference, ParametersMapValue), but lists partitions with their parameters.
const inline = 32 << 10

// maxDocument bounds a document that is an object.
const maxDocument = 1 << 30

// tableDocument says what a table is; it stands in the entry.
type tableDocument struct {
	V  int    `json:"v"`
	ID string `json:"id"`
	// Historical says which kind of table it is, and so never changes.
	Historical bool         `json:"historical"`
	Engine     string       `json:"engine,omitempty"`
	Schema     schema.Table `json:"schema"`
	// LastColumn is the highest field id that was ever given out.
	LastColumn int `json:"last_column"`
	// Attempt made the current snapshot, which has Rows, and Earlier those before it that may not have been removed yet,
	// newest first. All are empty where the table is historical.
	Attempt string    `json:"attempt,omitempty"`
	Rows    int64     `json:"rows,omitempty"`
	Earlier []earlier `json:"earlier,omitempty"`
}

// earlier is a snapshot that was replaced.
type earlier struct {
	Attempt string `json:"attempt"`
	// Until is when it was, in milliseconds since 1970.
	Until int64 `json:"until"`
}

// filesDocument lists the files of a snapshot or batch.
type filesDocument struct {
	V       int    `json:"v"`
	Table   string `json:"table"`
	Attempt string `json:"attempt"`
	// Files have their names in the attempt's folder as keys.
	Files []table.StoredFile `json:"files"`
}

// elsewhere is what stands in a parameter whose document is an object.
type elsewhere struct {
	Object string `json:"object"`
	SHA256 string `json:"sha256"`
}

// encode gives a parameter its document, and writes it to an object where it is long. The object's name holds what is in it:
// to find it there already is to have written it.
func (t *Table) encode(ctx context.Context, id, attempt, parameter string, document any) (text string, written int64, err error) {
	data, err := json.Marshal(document)
	if err != nil {
		return "", 0, fmt.Errorf("writing the parameter %s of %s: %w", parameter, t.name(), err)
	}
	if len(data) <= inline {
		return string(data), 0, nil
	}
	sum := sha256.Sum256(data)
	at := elsewhere{Object: t.notes(id, attempt) + hex.EncodeToString(sum[:]) + ".json", SHA256: hex.EncodeToString(sum[:])}
	if _, err := t.o.Store.Put(ctx, at.Object, data, store.Condition{IfAbsent: true}); err != nil && !errors.Is(err, store.ErrExists) {
		return "", 0, err
	}
	name, err := json.Marshal(at)
	if err != nil {
		return "", 0, fmt.Errorf("writing the parameter %s of %s: %w", parameter, t.name(), err)
	}
	return string(name), int64(len(data)), nil
}

// object is the key of the object that holds a parameter's document, or "".
func object(text string) string {
	var at elsewhere
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return ""
	}
	return at.Object
}

// decode reads a parameter's document.
func (t *Table) decode(ctx context.Context, parameter, text string, into any) error {
	data := []byte(text)
	if key := object(text); key != "" {
		var at elsewhere
		if err := json.Unmarshal(data, &at); err != nil {
			return t.damaged(parameter, err)
		}
		var err error
		if data, err = store.Read(ctx, t.o.Store, key, maxDocument); err != nil {
			return fmt.Errorf("reading the parameter %s of the Glue table %s, which is an object: %w", parameter, t.name(), err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != at.SHA256 {
			return t.damaged(parameter, fmt.Errorf("%s is not what was written (SHA-256 %s, written %s)", t.o.Store.Address(key), hex.EncodeToString(sum[:]), at.SHA256))
		}
	}
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return t.damaged(parameter, err)
	}
	if version.V != documentVersion {
		return fmt.Errorf("the parameter %s of the Glue table %s has version %d and this engine reads %d: apply the cadence so that its job carries the newer engine", parameter, t.name(), version.V, documentVersion)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return t.damaged(parameter, err)
	}
	return nil
}

func (t *Table) damaged(parameter string, err error) error {
	return fmt.Errorf("the parameter %s of the Glue table %s is damaged: %w: restore it, or remove the entry to land the table anew", parameter, t.name(), err)
}
