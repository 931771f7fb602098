package hudi

import (
	"context"
	"fmt"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// bareIn says by the files' smallest and greatest keys whether they are spelled without the column's name. Files in which both kinds
// may be are refused: with the wrong one every row would be landed a second time (Hudi issues 10508, 13650, 19304).
func bareIn(ctx context.Context, t *Table, files []table.StoredFile, column string) (bool, error) {
	bare, named := 0, 0
	for _, f := range files {
		r, err := parquet.Open(ctx, t.o.Store, f.Key, f.Size)
		if err != nil {
			return false, err
		}
		for _, note := range []string{noteMinKey, noteMaxKey} {
			switch key, ok := r.Note(note); {
			case !ok:
			case strings.HasPrefix(key, column+":"):
				named++
			default:
				bare++
			}
		}
	}
	if bare > 0 && named > 0 || bare+named == 0 && len(files) > 0 {
		return false, fmt.Errorf("its record keys of the one column %q cannot be told apart: some files have them behind its name and some without, as releases of Hudi differ (%d of %d); rewrite it with one release of Spark's bundle, or land into a new target", column, named, bare+named)
	}
	return named == 0, nil
}
