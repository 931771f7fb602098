package hudi

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// nullPartition is the value in the path of rows without one (Hudi, PartitionPathEncodeUtils).
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// escaped are the characters, beside control characters, that paths hold as % and two digits (Hudi, PartitionPathEncodeUtils).
const escaped = "\"#%'*/:=?\\{[]^\x7f"

// pathForm is how a table's partitions are folders.
type pathForm struct {
	columns []string
	types   []schema.Type
	// encoded says that values are escaped. Tables of other writers have them as they are.
	encoded bool
	// bare says that folders are named by values alone, without their columns, as Spark's writers of data frames make them unless
	// they are told otherwise. No table of ours is.
	bare bool
}

// pathFormOf refuses forms in which values cannot be told from paths.
func pathFormOf(p properties, s *schema.Table) (pathForm, error) {
	f := pathForm{columns: p.fields(propertyPartition), encoded: p.is(propertyURLEncode, false), bare: !p.is(propertyHiveStyle, false)}
	for _, name := range f.columns {
		c, ok := s.Column(name)
		if !ok {
			return f, fmt.Errorf("the partition field %q is not among its columns: land into a new target", name)
		}
		if err := spellable(c.Type); err != nil {
			return f, fmt.Errorf("the partition field %q: %w", name, err)
		}
		f.types = append(f.types, c.Type)
	}
	return f, nil
}

// path is the folder of a partition below the table's, without slashes at its ends; "" where the table has no partitions.
func (f pathForm) path(values schema.PartitionValues) (string, error) {
	if len(values) != len(f.columns) {
		return "", fmt.Errorf("a file has %d partition values for %d fields", len(values), len(f.columns))
	}
	parts := make([]string, len(values))
	for i, v := range values {
		if v == nil && f.types[i].ID != schema.String {
			return "", fmt.Errorf("rows have NULL in the partition field %q of type %s, on which Trino and Athena fail for the whole table: give them a value at the source, leave them out by a filter, or declare the column as string", f.columns[i], f.types[i])
		}
		text, err := f.text(i, v)
		if err != nil {
			return "", fmt.Errorf("the partition field %q: %w", f.columns[i], err)
		}
		if f.encoded {
			text = escapePath(text)
		} else if strings.ContainsAny(text, ":/") {
			return "", fmt.Errorf("the partition field %q has the value %q, and the table was made without %s, so that the value makes another folder or one that Spark cannot read: land into a new target", f.columns[i], text, propertyURLEncode)
		}
		// Readers pass over folders that are hidden, and one is the timeline's.
		if f.bare && text[0] == '.' {
			return "", fmt.Errorf("the partition field %q has the value %q, and the table was made without %s, so that the value makes a hidden folder: land into a new target", f.columns[i], text, propertyHiveStyle)
		}
		if !f.bare {
			text = f.columns[i] + "=" + text
		}
		parts[i] = text
	}
	return strings.Join(parts, "/"), nil
}

// text is how a value stands in paths before it is escaped, and in the catalogue: NULL and no text are one.
func (f pathForm) text(i int, v *string) (string, error) {
	if v == nil || *v == "" {
		return nullPartition, nil
	}
	switch f.types[i].ID {
	case schema.Date:
		days, err := strconv.ParseInt(*v, 10, 32)
		if err != nil {
			return "", fmt.Errorf("the day %q is no number", *v)
		}
		return string(appendDate(nil, days)), nil
	case schema.Decimal:
		if _, ok := new(big.Int).SetString(*v, 10); !ok {
			return "", fmt.Errorf("the decimal %q is no number", *v)
		}
		return string(appendDecimal(nil, []byte(*v), f.types[i].Scale)), nil
	default:
		return *v, nil
	}
}

// values are those of a folder.
func (f pathForm) values(path string) (schema.PartitionValues, error) {
	if len(f.columns) == 0 {
		if path != "" {
			return nil, fmt.Errorf("the folder %q is no partition of a table without partitions", path)
		}
		return nil, nil
	}
	parts := strings.Split(path, "/")
	if len(parts) != len(f.columns) {
		return nil, fmt.Errorf("the folder %q is no partition by %s", path, strings.Join(f.columns, ", "))
	}
	out := make(schema.PartitionValues, len(parts))
	for i, part := range parts {
		text, named := strings.CutPrefix(part, f.columns[i]+"=")
		if f.bare {
			text = part
		} else if !named {
			return nil, fmt.Errorf("the folder %q is no partition by %s", path, strings.Join(f.columns, ", "))
		}
		if f.encoded {
			text = unescapePath(text)
		}
		var err error
		if out[i], err = f.parse(i, text); err != nil {
			return nil, fmt.Errorf("the folder %q: %w", path, err)
		}
	}
	return out, nil
}

// parse is the value that a text stands for.
func (f pathForm) parse(i int, text string) (*string, error) {
	if text == nullPartition {
		return nil, nil
	}
	switch f.types[i].ID {
	case schema.Date:
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return nil, fmt.Errorf("%q is no day: %w", text, err)
		}
		text = strconv.FormatInt(day.Unix()/86400, 10)
	case schema.Decimal:
		n, ok := new(big.Rat).SetString(text)
		if ok {
			n.Mul(n, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.types[i].Scale)), nil)))
		}
		if !ok || !n.IsInt() {
			return nil, fmt.Errorf("%q is no decimal with %d places", text, f.types[i].Scale)
		}
		text = n.Num().String()
	case schema.Int, schema.Long:
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("%q is no whole number", text)
		}
	case schema.Boolean:
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
	}
	return &text, nil
}

func escapePath(text string) string {
	var out []byte
	for i := range len(text) {
		if c := text[i]; c < 0x20 || strings.IndexByte(escaped, c) >= 0 {
			out = fmt.Appendf(out, "%%%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// unescapePath leaves as it is what is not % and two digits.
func unescapePath(text string) string {
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if b, err := hex.DecodeString(text[i+1 : i+3]); err == nil {
				out, i = append(out, b[0]), i+2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}
