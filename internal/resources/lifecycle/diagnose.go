package lifecycle

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Summary is the first line of every diagnostic: "<verb>ing <Type> (<identifier>)".
func Summary(verb, typeName, id string) string {
	if id == "" {
		id = "name not known yet"
	}
	return fmt.Sprintf("%s %s (%s)", verb, typeName, id)
}

// Report adds a document's problems, each at its attribute. What depends on values that are not known yet is passed
// over: it is judged again once they are. So is what a problem around it, or an earlier one at the same attribute, makes
// idle.
func Report(diags *diag.Diagnostics, summary string, problems spec.Problems, unknown Unknown) {
	problems = slices.DeleteFunc(slices.Clone(problems), func(p spec.Problem) bool { return dependsOn(p, unknown) })
	for i, p := range problems {
		switch {
		case len(p.Path) == 0:
			diags.AddError(summary, p.Message)
		case !idle(problems, i):
			diags.AddAttributeError(AttributePath(p.Path), summary, p.Path.String()+": "+p.Message)
		}
	}
}

func idle(problems spec.Problems, i int) bool {
	at := problems[i].Path
	for j, other := range problems {
		n := len(other.Path)
		if n == 0 || n > len(at) || !slices.Equal(other.Path, at[:n]) {
			continue
		}
		if n < len(at) || j < i {
			return true
		}
	}
	return false
}

func dependsOn(p spec.Problem, unknown Unknown) bool {
	if unknown.Covers(p.Path) {
		return true
	}
	for _, need := range p.Needs {
		if unknown.Covers(need) {
			return true
		}
	}
	return false
}

// Fail adds an error that some call met, with the next step that its class suggests.
func Fail(diags *diag.Diagnostics, summary string, err error) {
	var invalid *spec.InvalidError
	if errors.As(err, &invalid) {
		Report(diags, summary, invalid.Problems, nil)
		return
	}
	detail := err.Error()
	switch {
	case awsclient.Denied(err):
		detail += "\n\nThe provider's credentials are not allowed to do this: grant the action named above, or configure profile, assume_role or keys of a principal that has it."
	case awsclient.Throttled(err):
		detail += "\n\nThe service asked for fewer calls: run the apply again, perhaps with -parallelism=4."
	}
	if at := attributeOf(err); at != nil {
		diags.AddAttributeError(AttributePath(at), summary, at.String()+": "+detail)
		return
	}
	diags.AddError(summary, detail)
}
