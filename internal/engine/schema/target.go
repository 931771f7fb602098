package schema

import (
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// NameTargets gives columns without a name theirs in the lake: the source's in lower case, with every character
// but letters, digits and underscores turned into an underscore, since Athena, Spark and Hive read no others
// unquoted. Two columns of one name are an error.
func NameTargets(columns []Column) error {
	taken := map[string]string{}
	for i := range columns {
		c := &columns[i]
		if c.Name == "" {
			c.Name = spec.LakeName(c.Source.Name)
		}
		if other, ok := taken[c.Name]; ok {
			return fmt.Errorf("the columns %q and %q would both be %q in the lake: give one of them another name, such as columns = { %q = { name = %q } }", other, c.Source.Name, c.Name, c.Source.Name, c.Name+"_2")
		}
		taken[c.Name] = c.Source.Name
	}
	return nil
}
