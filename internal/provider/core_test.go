package provider_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// planned is the answer to a plan.
type planned struct {
	prior, configured, value tftypes.Value
	raw                      *tfprotov6.PlanResourceChangeResponse
	replace                  []string
	problems, warnings       []string
	// changes are the leaves in which the planned value differs from the prior one.
	changes []string
}

func warnings(diagnostics []*tfprotov6.Diagnostic) []string {
	var out []string
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityWarning {
			out = append(out, d.Summary+" | "+d.Detail)
		}
	}
	return out
}

// planChange plans a change, nil being a destruction, and checks what a core would check of the answer.
func (s *server) planChange(resource string, prior tftypes.Value, to config) *planned {
	s.t.Helper()
	typ := s.typeOf(resource)
	p := &planned{prior: prior, configured: tftypes.NewValue(typ, nil)}
	if to != nil {
		p.configured = value(s.t, typ, to)
	}
	proposed := p.configured
	if to != nil {
		proposed = s.proposed(resource, prior, p.configured)
	}
	resp, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, Config: s.encode(p.configured), PriorState: s.encode(prior), ProposedNewState: s.encode(proposed),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	p.raw, p.problems, p.warnings = resp, problems(resp.Diagnostics), warnings(resp.Diagnostics)
	if len(p.problems) > 0 {
		return p
	}
	if p.value, err = resp.PlannedState.Unmarshal(typ); err != nil {
		s.t.Fatal(err)
	}
	for _, path := range resp.RequiresReplace {
		p.replace = append(p.replace, pathText(path))
	}
	p.changes = differences(s.t, prior, p.value)
	if to != nil {
		s.acceptable(resource, p)
	}
	return p
}

// acceptable checks a plan by the rule of the core (AssertPlanValid): what a configuration sets is planned as set or
// as it was, what it leaves out stays out unless the provider may fill it in.
func (s *server) acceptable(resource string, p *planned) {
	s.t.Helper()
	before, want, got := fieldsOf(s.t, p.prior), fieldsOf(s.t, p.configured), fieldsOf(s.t, p.value)
	for name, computed := range s.computedOf(resource) {
		switch old, had := before[name]; {
		case got[name].Equal(want[name]):
		case want[name].IsNull() && computed:
		case had && !old.IsNull() && !want[name].IsNull() && got[name].Equal(old):
		default:
			s.t.Errorf("%s.%s is configured as %s, was %s, and is planned as %s", resource, name, want[name], old, got[name])
		}
	}
}

func (s *server) encode(v tftypes.Value) *tfprotov6.DynamicValue {
	s.t.Helper()
	dynamic, err := tfprotov6.NewDynamicValue(v.Type(), v)
	if err != nil {
		s.t.Fatal(err)
	}
	return &dynamic
}

// differences are the leaves in which two values differ, such as deployed["job.timeout"].
func differences(t *testing.T, a, b tftypes.Value) []string {
	t.Helper()
	if a.IsNull() || b.IsNull() {
		if a.IsNull() && b.IsNull() {
			return nil
		}
		return []string{"everything"}
	}
	diffs, err := a.Diff(b)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, d := range diffs {
		// Containers differ when what they hold does: only the leaves count.
		inner := slices.ContainsFunc(diffs, func(other tftypes.ValueDiff) bool {
			return len(other.Path.Steps()) > len(d.Path.Steps()) && strings.HasPrefix(pathText(other.Path), pathText(d.Path))
		})
		if !inner && len(d.Path.Steps()) > 0 {
			out[pathText(d.Path)] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// during is the server for calls that end with a context.
func (s *server) during(ctx context.Context) *server {
	other := *s
	other.ctx = ctx
	return &other
}

// carryOut applies a plan and returns the new state, null where there is none, with what went wrong.
func (s *server) carryOut(resource string, p *planned) (state tftypes.Value, wrong, warned []string) {
	s.t.Helper()
	typ := s.typeOf(resource)
	resp, err := s.ApplyResourceChange(cmp.Or(s.ctx, s.t.Context()), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, PriorState: s.encode(p.prior), PlannedState: p.raw.PlannedState, Config: s.encode(p.configured),
		PlannedPrivate: p.raw.PlannedPrivate, PlannedIdentity: p.raw.PlannedIdentity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if state, err = resp.NewState.Unmarshal(typ); err != nil {
		s.t.Fatal(err)
	}
	wrong = problems(resp.Diagnostics)
	if len(wrong) == 0 && !p.value.IsNull() {
		s.consistent(resource, p.value, state)
	}
	return state, wrong, warnings(resp.Diagnostics)
}

// consistent checks that a state holds what was planned, where that was known.
func (s *server) consistent(resource string, plan, state tftypes.Value) {
	s.t.Helper()
	got := fieldsOf(s.t, state)
	for name, want := range fieldsOf(s.t, plan) {
		if want.IsFullyKnown() && !want.Equal(got[name]) {
			s.t.Errorf("%s.%s was planned as %s and became %s", resource, name, want, got[name])
		}
	}
}
