package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// ExtractHash identifies what is read: two documents with the same hash read the same rows and columns, so a
// position of one means the same to the other. Host and port are left out: a database may move.
//
// database is the database of the table's connection.
func (t *Table) ExtractHash(database string) (string, error) {
	horizon := t.Extract.Horizon
	if horizon == "" && t.Extract.Mode == "incremental" && t.Extract.Cursor == "" && t.Source.Database != nil {
		horizon = "xmin" // written out or not, it is the same
	}
	identity := struct {
		Source     Source            `json:"source"`
		Database   string            `json:"database"`
		Columns    map[string]Column `json:"columns"`
		Filter     []Predicate       `json:"filter"`
		PrimaryKey []string          `json:"primary_key"`
		Mode       string            `json:"mode"`
		Horizon    string            `json:"horizon"`
		Cursor     string            `json:"cursor"`
		// Ordering is part of the key of a historical table.
		Ordering string `json:"ordering,omitempty"`
	}{t.Source, database, t.Columns, t.Filter, t.PrimaryKey, t.Extract.Mode, horizon, t.Extract.Cursor, ""}
	if t.StorageMode == "historical" {
		identity.Ordering = t.Ordering
	}
	data, err := json.Marshal(identity)
	if err != nil {
		return "", fmt.Errorf("hashing what %q reads: %w", t.Name, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
