package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"golang.org/x/text/unicode/norm"
)

var (
	// plainPart is a name that may stand in a source table's name as it is.
	plainPart = formOf(`^[A-Za-z0-9_][A-Za-z0-9_$-]*$`)
	// plainTarget is a name that may stand in a target's as it is: it holds no "__", and neither begins nor ends with "_".
	plainTarget = formOf(`^[a-z](_?[a-z0-9])*$`)
)

// mainSchema is the schema that names in the lake leave out.
const mainSchema = "public"

// TableKey is the name under which a map holds a table: SCHEMA.TABLE, a dot or "\" of the schema with a "\" before it,
// so that no two tables share one. A name that is not in Unicode's normal form C, into which Terraform turns every text,
// is given its suggested name.
func TableKey(schema, table string) string {
	key := strings.NewReplacer(`\`, `\\`, `.`, `\.`).Replace(schema) + "." + table
	if !norm.NFC.IsNormalString(key) {
		return SuggestName(schema, table)
	}
	return key
}

// Normal reports whether Terraform leaves a text as it is: it turns every one into Unicode's normal form C.
func Normal(text string) bool { return norm.NFC.IsNormalString(text) }

// SuggestName is a name for a source table: SCHEMA.TABLE, or, where one of them has characters that names of source
// tables have not, both with underscores for these, and a digest of the exact names. It depends on nothing but the two,
// so it does not change when other tables come or go.
func SuggestName(schema, table string) string {
	if plainPart.MatchString(schema) && plainPart.MatchString(table) && len(schema)+len(table) <= 200 {
		return schema + "." + table
	}
	return bend(schema, "$-", false) + "." + bend(table, "$-", false) + "." + digest(schema, table)
}

// SuggestTarget is a name for a table in the catalogue: TABLE for one of the schema public, SCHEMA__TABLE for others.
// Names that are not plain (lower-case letters, digits and single underscores between them, a letter first) are bent
// into one and given "__0" and a digest of the exact names. No two tables share a name, and none depends on which other
// tables there are.
func SuggestTarget(schema, table string) string {
	plain := plainTarget.MatchString(table) && len(table) <= 63
	if schema == mainSchema {
		if plain {
			return table
		}
		return bend(table, "", true) + "__0" + digest(schema, table)
	}
	if plain && plainTarget.MatchString(schema) && len(schema) <= 63 {
		return schema + "__" + table
	}
	return bend(schema, "", true) + "__" + bend(table, "", true) + "__0" + digest(schema, table)
}

// bend makes a name of letters, digits, underscores and some more characters of any text, of at most 50 characters. As a
// target it is lower case, begins with a letter, and has single underscores inside alone.
func bend(text, more string, target bool) string {
	if target {
		text = strings.ToLower(text)
	}
	var out strings.Builder
	for _, r := range text {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r) {
			r = '_'
		}
		if target && r == '_' && strings.HasSuffix(out.String(), "_") {
			continue
		}
		out.WriteRune(r)
		if out.Len() == 50 {
			break
		}
	}
	bent := out.String()
	if !target {
		return "_" + bent
	}
	if bent = strings.Trim(bent, "_"); bent == "" || bent[0] >= '0' && bent[0] <= '9' {
		bent = strings.Trim("t_"+bent, "_")
	}
	return bent
}

func digest(schema, table string) string {
	sum := sha256.Sum256([]byte(schema + "\x00" + table))
	return hex.EncodeToString(sum[:])[:10]
}
