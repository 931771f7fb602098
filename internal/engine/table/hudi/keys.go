package hudi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// The key generators, which say how rows are named (Hudi, package org.apache.hudi.keygen).
const (
	generators        = "org.apache.hudi.keygen."
	simpleKeys        = generators + "SimpleKeyGenerator"
	complexKeys       = generators + "ComplexKeyGenerator"
	nonpartitionedKey = generators + "NonpartitionedKeyGenerator"
)

// generatorKinds are those key generators by the names that Hudi 1.0 gives them (Hudi, KeyGeneratorType).
var generatorKinds = map[string]string{"SIMPLE": simpleKeys, "COMPLEX": complexKeys, "NON_PARTITION": nonpartitionedKey}

// How a composite key spells parts without a value.
const (
	nullPart  = "__null__"
	emptyPart = "__empty__"
)

// generatorFor is the key generator that Spark would infer (Hudi, KeyGenUtils.inferKeyGeneratorType).
func generatorFor(keys, partitions int) string {
	switch {
	case partitions == 0:
		return nonpartitionedKey
	case keys == 1 && partitions == 1:
		return simpleKeys
	default:
		return complexKeys
	}
}

// keyForm is how the keys of a table's rows are spelled.
type keyForm struct {
	// columns are the key's, in their order.
	columns []string
	// named says that each value stands behind its column's name.
	named bool
}

// keyFormOf is the form of a table's keys by its properties. bare says of a complex key of one column that it is spelled without
// its name, as writers from 0.14.1 to 1.0.2 do, and those before and after them do not.
func keyFormOf(p properties, bare func() (bool, error)) (keyForm, error) {
	f := keyForm{columns: p.fields(propertyRecordKey)}
	if len(f.columns) == 0 {
		return f, errors.New("it has no record key (hoodie.table.recordkey.fields): land into a new target")
	}
	partitions := p.fields(propertyPartition)
	class := p[propertyKeyGenerator]
	if class == "" {
		class = p[propertyKeyKind]
		if known, ok := generatorKinds[class]; ok {
			class = known
		} else if class == "" {
			class = generatorFor(len(f.columns), len(partitions))
		}
	}
	switch {
	case class == simpleKeys && len(f.columns) == 1 && len(partitions) == 1:
	case class == nonpartitionedKey && len(partitions) == 0:
		f.named = len(f.columns) > 1
	case class == complexKeys && len(f.columns) > 1:
		f.named = true
	case class == complexKeys && len(partitions) > 0:
		is, err := bare()
		if err != nil {
			return f, err
		}
		f.named = !is
	default:
		return f, fmt.Errorf("its key generator %q for the key (%s) and the partition fields (%s) is not one that this engine writes: land into a new target", class, strings.Join(f.columns, ", "), strings.Join(partitions, ", "))
	}
	return f, nil
}

// keyWriter spells the keys of rows.
type keyWriter struct {
	form  keyForm
	types []schema.Type
}

// newKeyWriter refuses keys of columns that the table has not, or whose values have no one spelling.
func newKeyWriter(f keyForm, s *schema.Table) (*keyWriter, error) {
	w := &keyWriter{form: f}
	for _, name := range f.columns {
		c, ok := s.Column(name)
		if !ok {
			return nil, fmt.Errorf("the record key's column %q is not among the table's", name)
		}
		if err := spellable(c.Type); err != nil {
			return nil, fmt.Errorf("the record key's column %q: %w", name, err)
		}
		w.types = append(w.types, c.Type)
	}
	return w, nil
}

// appendKey appends the key of a row, given the vectors of the key's columns (Hudi, KeyGenUtils.getRecordKey). A key without any
// value is an error.
func (w *keyWriter) appendKey(out []byte, columns []*column.Vector, row int) ([]byte, error) {
	if !w.form.named {
		v := columns[0]
		start := len(out)
		if !v.IsNull(row) {
			out = appendText(out, w.types[0], v, row)
		}
		if len(out) == start {
			return out, fmt.Errorf("a row has no value in the record key's column %q, and Hudi knows none such: correct the source, or choose another key", w.form.columns[0])
		}
		return out, nil
	}
	some, first := false, len(out)
	for i, v := range columns {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, w.form.columns[i]...), ':')
		start := len(out)
		if v.IsNull(row) {
			out = append(out, nullPart...)
			continue
		}
		if out = appendText(out, w.types[i], v, row); len(out) == start {
			out = append(out, emptyPart...)
			continue
		}
		if part := string(out[start:]); part == nullPart || part == emptyPart {
			return out, fmt.Errorf("a row has the text %s in the record key's column %q, by which Hudi spells a key part without a value: correct the source, or choose another key", part, w.form.columns[i])
		}
		some = true
	}
	if w.ambiguous(out[first:]) {
		return out, fmt.Errorf("a row has the record key %q, whose texts hold what Hudi writes between the parts of a key, so that another row may have the same: correct the source, or choose another key", out[first:])
	}
	if !some {
		return out, fmt.Errorf("a row has no value in any of the record key's columns (%s), and Hudi knows none such: correct the source, or choose another key", strings.Join(w.form.columns, ", "))
	}
	return out, nil
}

// ambiguous reports whether two rows of other values may have one key: texts that hold what stands between parts.
func (w *keyWriter) ambiguous(key []byte) bool {
	if !w.form.named || !slices.ContainsFunc(w.types, func(t schema.Type) bool { return t.ID == schema.String }) {
		return false
	}
	for _, name := range w.form.columns[1:] {
		if strings.Count(string(key), ","+name+":") > 1 {
			return true
		}
	}
	return false
}
