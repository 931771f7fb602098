// Command skips reads the output of go test -json, says how many tests ran and how many were skipped, and fails on
// a skip that is not allowed.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

const module = "github.com/lakeland/terraform-provider-lakeland/"

type event struct {
	Action, Package, Test, Output string
}

func main() {
	allowed := flag.String("allowed", "", "file that names the skips allowed")
	flag.Parse()
	if err := run(*allowed, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(allowed, report string) error {
	may, err := readAllowed(allowed)
	if err != nil {
		return err
	}
	file, err := os.Open(report)
	if err != nil {
		return fmt.Errorf("reading the report of the tests: %w", err)
	}
	defer func() { _ = file.Close() }()
	ran, skipped := 0, map[string]string{}
	reasons := map[string]string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Test == "" {
			continue
		}
		name := strings.TrimPrefix(e.Package, module) + " " + e.Test
		switch e.Action {
		case "output":
			if text := strings.TrimSpace(e.Output); text != "" && !strings.HasPrefix(text, "===") && !strings.HasPrefix(text, "---") {
				reasons[name] = text
			}
		case "pass", "fail":
			ran++
		case "skip":
			skipped[name] = reasons[name]
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the report of the tests: %w", err)
	}
	var refused []string
	for name, reason := range skipped {
		if !may[name] {
			refused = append(refused, name+": "+reason)
		}
	}
	slices.Sort(refused)
	fmt.Printf("%d tests ran, %d were skipped\n", ran, len(skipped))
	if len(refused) > 0 {
		return fmt.Errorf("%d skips are not in the list of those allowed:\n  %s", len(refused), strings.Join(refused, "\n  "))
	}
	if ran == 0 {
		return fmt.Errorf("no test ran")
	}
	return nil
}

// readAllowed reads lines of a package, a test and a reason.
func readAllowed(path string) (map[string]bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the list of allowed skips: %w", err)
	}
	may := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 3 {
			return nil, fmt.Errorf("%s: %q names no reason", path, strings.TrimSpace(line))
		}
		may[fields[0]+" "+fields[1]] = true
	}
	return may, nil
}
