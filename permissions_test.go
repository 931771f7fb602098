package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// callInput is how a call of the AWS SDK stands in the code.
var callInput = regexp.MustCompile(`\b(dynamodb|s3|glue|secretsmanager|iam)\.([A-Z]\w+)Input\{`)

// actionsOf are the calls whose actions in IAM have other names.
var actionsOf = map[string][]string{
	"s3:HeadBucket":               {"s3:ListBucket"},
	"s3:HeadObject":               {"s3:GetObject"},
	"s3:ListObjectsV2":            {"s3:ListBucket"},
	"s3:DeleteObjects":            {"s3:DeleteObject"},
	"dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:ConditionCheckItem"},
}

// The documentation names every action that the code calls, on the side that calls it.
func TestPermissionsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("templates/index.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	_, permissions, ok := strings.Cut(string(text), "### Of whoever applies")
	applying, running, both := strings.Cut(permissions, "### Of the engine's role")
	if !ok || !both {
		t.Fatal("templates/index.md.tmpl has no tables of permissions")
	}
	for _, side := range []struct {
		folders  []string
		document string
	}{
		{[]string{"internal/resources", "internal/provider"}, applying},
		{[]string{"internal/engine", "cmd/lakeland-engine"}, running},
		{[]string{"internal/tracking"}, permissions}, // which both sides call
	} {
		calls := 0
		for _, folder := range side.folders {
			err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
				if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
					return err
				}
				code, err := os.ReadFile(path)
				for _, call := range callInput.FindAllStringSubmatch(string(code), -1) {
					calls++
					action := call[1] + ":" + call[2]
					actions, renamed := actionsOf[action]
					if !renamed {
						actions = []string{action}
					}
					for _, action := range actions {
						if !strings.Contains(side.document, "`"+action+"`") {
							t.Errorf("%s calls %s, and templates/index.md.tmpl does not name %s on that side", path, call[0], action)
						}
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if calls < 5 {
			t.Errorf("only %d calls found in %q", calls, side.folders)
		}
	}
}
