package glue

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"
)

//go:embed model/glue.json
var modelJSON []byte

// model is the part of the AWS service model that the sandbox implements. It does not change
// after loadModel and may be read by many goroutines.
type model struct {
	Operations map[string]modelOperation `json:"operations"`
	Shapes     map[string]*shape         `json:"shapes"`
}

// modelOperation names the shapes of one operation.
type modelOperation struct {
	Input  string   `json:"input"`
	Output string   `json:"output"`
	Errors []string `json:"errors"`
}

// shape is one shape of the service model. References to other shapes are by name.
type shape struct {
	Type     string            `json:"type"`
	Members  map[string]string `json:"members"`
	Required []string          `json:"required"`
	Member   string            `json:"member"`
	Key      string            `json:"key"`
	Value    string            `json:"value"`
	Enum     []string          `json:"enum"`
	Pattern  string            `json:"pattern"`
	Min      *float64          `json:"min"`
	Max      *float64          `json:"max"`
	Document bool              `json:"document"`

	pattern *regexp.Regexp
	enum    map[string]bool
}

// openEnums are enumerations of the model that are not closed: the developer guide documents
// worker types before the API enumeration lists them ("AWS Glue worker types"), so any string
// is let through there.
func openEnums() map[string]bool { return map[string]bool{"WorkerType": true} }

// translatedPatterns holds the patterns of the model that RE2 does not know, with their RE2
// form. The model is written for Java, which has \uXXXX escapes and reads the surrogate range
// \uD800\uDC00-\uDBFF\uDFFF as the characters outside the basic plane.
func translatedPatterns() map[string]string {
	return map[string]string{
		`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*`:                   `[\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\t]*`,
		`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*`:               `[\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\r\n\t]*`,
		`([\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\s])*`:                 `([\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\s])*`,
		`([\u0009\u000B\u000C\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF])*`: `([\x{9}\x{B}\x{C}\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}])*`,
		`([\u0020-\u007E\r\s\n])*`:                                                   `([\x{20}-\x{7E}\r\s\n])*`,
	}
}

// compilePattern compiles a pattern of the model. AWS matches the whole value.
func compilePattern(pattern string, translated map[string]string) (*regexp.Regexp, error) {
	source := pattern
	if re2, ok := translated[pattern]; ok {
		source = re2
	}
	re, err := regexp.Compile(`\A(?:` + source + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return re, nil
}

// loadModel parses the embedded extract once for the whole process; the result is read-only.
var loadModel = sync.OnceValues(func() (*model, error) { return parseModel(modelJSON) })

// parseModel reads an extract, compiles its patterns and checks that every reference resolves.
func parseModel(data []byte) (*model, error) {
	m := &model{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("read the service model: %w", err)
	}
	translated, open := translatedPatterns(), openEnums()
	for name, s := range m.Shapes {
		if s.Pattern != "" {
			re, err := compilePattern(s.Pattern, translated)
			if err != nil {
				return nil, fmt.Errorf("service model, shape %s: %w", name, err)
			}
			s.pattern = re
		}
		if len(s.Enum) > 0 && !open[name] {
			s.enum = make(map[string]bool, len(s.Enum))
			for _, v := range s.Enum {
				s.enum[v] = true
			}
		}
		for _, ref := range s.references() {
			if m.Shapes[ref] == nil {
				return nil, fmt.Errorf("service model, shape %s refers to %s, which is absent", name, ref)
			}
		}
	}
	for name, op := range m.Operations {
		for _, ref := range append([]string{op.Input, op.Output}, op.Errors...) {
			if m.Shapes[ref] == nil {
				return nil, fmt.Errorf("service model, operation %s refers to %s, which is absent", name, ref)
			}
		}
	}
	return m, nil
}

// references returns the names of the shapes that s refers to.
func (s *shape) references() []string {
	var refs []string
	for _, ref := range s.Members {
		refs = append(refs, ref)
	}
	for _, ref := range []string{s.Member, s.Key, s.Value} {
		if ref != "" {
			refs = append(refs, ref)
		}
	}
	return refs
}
