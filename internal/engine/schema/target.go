package schema

import (
	"fmt"
	"strings"
)

// NameTargets gives columns their names in the lake: the source's in lower case, with every character but
// letters, digits and underscores turned into an underscore, since Athena, Spark and Hive read no others
// unquoted. Two columns of one name are an error.
func NameTargets(columns []Column) error {
	taken := map[string]string{}
	for i := range columns {
		name := targetName(columns[i].Source.Name)
		if other, ok := taken[name]; ok {
			return fmt.Errorf("the columns %q and %q would both be %q in the lake: read a view that names them apart", other, columns[i].Source.Name, name)
		}
		taken[name] = columns[i].Source.Name
		columns[i].Name = name
	}
	return nil
}

func targetName(source string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f {
			return r
		}
		return '_'
	}, strings.ToLower(source))
}
