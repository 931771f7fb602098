package run

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const (
	// lookedAt is how many objects of a location are looked at before the first commit: one answer to a list.
	lookedAt = 1000
	// maxFound bounds the metadata file that is looked into, in bytes.
	maxFound = 64 << 20
)

// ownName is what follows the location's prefix in the names of our own files: a table's id, and an attempt, which metadata files
// of Iceberg spell as another id, or what says that a position lies there. First runs that died leave such files behind, whose table never came about.
var ownName = regexp.MustCompile(`^(data|metadata)/([0-9]{5,}-)?` + uuidText + `-([0-9A-HJKMNP-TV-Z]{26}|` + uuidText + `|positions?)[-/]`)

const uuidText = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// remains is a table format that tells by its head what first runs that died leave beside what readers look for.
type remains interface {
	Own(head *table.Head, key string) bool
}

func remainsOf(l *landing, name string) bool {
	format, ok := l.target.(remains)
	return ok && format.Own(l.head, name)
}

// vacant refuses to make a table where files of another lie, which the catalogue knows by another name or not at all: whoever
// cleans up one of the two would take the other's files for its own. It looks at a bounded number of objects, once, before
// anything is written.
func (a *attempt) vacant(ctx context.Context, l *landing) error {
	newest := ""
	for _, folder := range []string{"", "metadata/"} {
		looked := 0
		for object, err := range l.bucket.List(ctx, l.prefix+folder, "") {
			if err != nil {
				return fmt.Errorf("looking for files of others where the table of %q is to be made: %w", a.name, err)
			}
			if looked == lookedAt {
				break
			}
			looked++
			name := strings.TrimPrefix(object.Key, l.prefix)
			switch own := ownName.MatchString(name) || remainsOf(l, name); {
			case object.Size == 0 && (name == "" || strings.HasSuffix(name, "/") || strings.HasSuffix(name, "_$folder$")):
				// a folder, as consoles and Hadoop make them
			case !own:
				return a.occupied(l, name)
			case strings.HasSuffix(name, ".metadata.json"), strings.Contains(name, "/batch-"):
				newest = object.Key
			}
		}
		if looked < lookedAt {
			break // that was all
		}
	}
	if newest == "" {
		return nil
	}
	return a.ownMetadata(ctx, l, newest)
}

// ownMetadata refuses what tells that another source table was landed here: Iceberg's metadata, and the record of a batch.
func (a *attempt) ownMetadata(ctx context.Context, l *landing, key string) error {
	data, err := store.Read(ctx, l.bucket, key, maxFound)
	if err != nil {
		return fmt.Errorf("looking at what lies where the table of %q is to be made: %w", a.name, err)
	}
	var m struct {
		Properties map[string]string `json:"properties"`
		Parameters map[string]string
	}
	var c struct {
		table.Checkpoint
		Copied table.Checkpoint `json:"checkpoint"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return a.occupied(l, strings.TrimPrefix(key, l.prefix))
	}
	// What tells nobody's name is called as our own files are, and hinders nobody.
	if text := cmp.Or(m.Properties["lakeland.checkpoint"], m.Parameters["lakeland.checkpoint"]); text != "" {
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return a.occupied(l, strings.TrimPrefix(key, l.prefix))
		}
	}
	if of := cmp.Or(c.Table, c.Copied.Table); of != "" && of != a.name {
		return fmt.Errorf("%w: at %s lies the table that the source table %q was landed in (%s), and the catalogue's entry %s.%s does not exist: choose another location, or name that table's entry as the target and set adopt = true to take it over",
			table.ErrForeign, l.bucket.Address(l.prefix), of, strings.TrimPrefix(key, l.prefix), a.doc.Target.Database, a.doc.Target.Table)
	}
	return nil
}

// occupied says what lies at the location, by the name of an object, and what to do.
func (a *attempt) occupied(l *landing, name string) error {
	what, out := "files that lakeland did not write", "choose another location, or move them away"
	switch {
	case strings.HasPrefix(name, "metadata/") && strings.HasSuffix(name, ".metadata.json"):
		what, out = "an Iceberg table", "choose another location, or name that table's entry in the catalogue as the target and set adopt = true to take it over"
	case strings.HasPrefix(name, ".hoodie/"):
		what, out = "a Hudi table", "choose another location, or remove that table with its files"
	case strings.HasPrefix(name, "_delta_log/"):
		what, out = "a Delta Lake table", "choose another location, or remove that table with its files"
	}
	return fmt.Errorf("%w: %s is to be made at %s, which holds %s (%s): %s",
		table.ErrForeign, a.doc.Target.Database+"."+a.doc.Target.Table, l.bucket.Address(l.prefix), what, name, out)
}
