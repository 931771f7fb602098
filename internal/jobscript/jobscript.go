// Package jobscript renders the scripts of Glue jobs. A script fetches the engine, checks it, and runs it. The
// same parameters render the same bytes, so a script's digest says whether it is still the one deployed.
package jobscript

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
)

//go:embed pythonshell.py.tmpl
var pythonshell string

var pythonshellTemplate = template.Must(template.New("pythonshell").Option("missingkey=error").Parse(pythonshell))

// Payload says where the engine is and what it must be.
type Payload struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// PythonShell is what a Python shell script depends on.
type PythonShell struct {
	Region  string  `json:"region"`
	Version string  `json:"version"`
	DPU     float64 `json:"dpu"`
	Payload Payload `json:"payload"`
}

// Render makes the script. Values reach it as one JSON document inside a string constant, never as code.
func (p PythonShell) Render() ([]byte, error) {
	config, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("rendering a job script: %w", err)
	}
	var out bytes.Buffer
	if err := pythonshellTemplate.Execute(&out, map[string]string{"Config": literal(ascii(string(config)))}); err != nil {
		return nil, fmt.Errorf("rendering a job script: %w", err)
	}
	return out.Bytes(), nil
}

// ascii writes JSON without characters beyond ASCII.
func ascii(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		}
	}
	return out.String()
}

// literal writes ASCII text as a string constant of Python.
func literal(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, b := range []byte(text) {
		switch {
		case b == '"' || b == '\\':
			out.WriteByte('\\')
			out.WriteByte(b)
		case b < 0x20 || b >= 0x7f:
			fmt.Fprintf(&out, `\x%02x`, b)
		default:
			out.WriteByte(b)
		}
	}
	out.WriteByte('"')
	return out.String()
}
