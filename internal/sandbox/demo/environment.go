package demo

import (
	"os"
	"path/filepath"
	"strings"
)

// environmentFile writes the core's environment for a shell to read, and returns where. It is removed with the
// rest of the demo.
func (d *demo) environmentFile() string {
	path := filepath.Join(filepath.Dir(d.core.folder), "environment")
	var out strings.Builder
	for _, variable := range d.core.env {
		name, value, _ := strings.Cut(variable, "=")
		if name == "PATH" || name == "HOME" {
			continue
		}
		out.WriteString(name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n")
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		return err.Error()
	}
	return path
}
