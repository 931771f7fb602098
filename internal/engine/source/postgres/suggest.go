package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// facts are what a suggestion is made of.
type facts struct {
	schema, table string
	kind          string
	primaryKey    []string
	uniqueKeys    [][]string
	// heirs says that tables inherit from it, whose rows are its own too and are not under its keys.
	heirs bool
	// foreignLeaf says that a partition or an heir of it lies on another server.
	foreignLeaf bool
}

// suggest says how a table may be landed so that a run finds what can be found. It looks at nothing but the facts, none
// of which has to do with other tables or with how many rows there are, so it stays as it is while the table does.
func suggest(f facts) spec.Suggestion {
	s := spec.Suggestion{
		Name: spec.SuggestName(f.schema, f.table), TargetTable: spec.SuggestTarget(f.schema, f.table),
		Extract: spec.SuggestedExtract{Mode: "full"}, StorageMode: spec.DefaultStorageMode, PrimaryKey: f.key(),
	}
	switch {
	case f.kind == spec.KindView || f.kind == spec.KindMaterialized || f.kind == spec.KindForeign:
		s.Reason = fmt.Sprintf("a %s has no transactions of its own here that would tell which rows changed, so each run reads it whole", strings.ReplaceAll(f.kind, "_", " "))
	case f.heirs:
		s.Reason = "other tables inherit from it, and its keys do not hold over their rows, so each run reads all of them"
	case f.foreignLeaf:
		s.Reason = "a part of it lies on another server, whose transactions tell nothing here, so each run reads it whole"
	case len(s.PrimaryKey) == 0:
		s.Reason = "it has no primary key, and no unique key without NULLs, by which changed rows would find the old ones, so each run reads it whole"
	default:
		what := "primary key"
		if len(f.primaryKey) == 0 {
			what = "unique key"
		}
		s.Extract = spec.SuggestedExtract{Mode: "incremental", Horizon: horizonXmin}
		s.Reason = fmt.Sprintf("each run reads what transactions wrote since the one before, with no cursor that anybody could forget, and finds the old rows by the %s (%s); rows that are deleted are not noticed", what, strings.Join(s.PrimaryKey, ", "))
	}
	return s
}

// key is what identifies a row: the primary key, or else the unique key of the fewest columns.
func (f facts) key() []string {
	if f.heirs {
		return nil
	}
	if len(f.primaryKey) > 0 || len(f.uniqueKeys) == 0 {
		return f.primaryKey
	}
	return slices.MinFunc(f.uniqueKeys, func(a, b []string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
}
