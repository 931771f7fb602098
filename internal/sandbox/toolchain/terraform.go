package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Terraform returns the path of a terraform program: the one that TerraformVariable names, else terraform
// from PATH, else tofu from PATH, else OpenTofu built from its Go module. The name "tofu" alone leaves out terraform
// and is built where PATH has none.
func (t *Toolchain) Terraform(ctx context.Context) (string, error) {
	programs := []string{"terraform", "tofu"}
	if named := os.Getenv(TerraformVariable); named == "tofu" {
		programs = []string{"tofu"}
	} else if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%s does not name a program that can be run: %w", TerraformVariable, err)
		}
		return filepath.Abs(path)
	}
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return t.OpenTofu(ctx)
}
