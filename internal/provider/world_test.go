package provider_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/provider"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// The types of the provider's resources, in the order in which they are made.
const (
	trackingType   = "lakeland_tracking"
	connectionType = "lakeland_connection"
	cadenceType    = "lakeland_cadence"
	tableType      = "lakeland_source_table"
)

// world drives the provider as a core does, without one: a thing takes milliseconds. Its states are what a state
// file would hold.
type world struct {
	*account
	// endpoints of the provider, where they are not the account's.
	via    sandbox.Endpoints
	states map[string]tftypes.Value
}

// config is a configuration of one thing.
type config = map[string]any

func newWorld(t *testing.T) *world {
	t.Helper()
	a := newAccount(t)
	return &world{account: a, via: a.endpoints, states: map[string]tftypes.Value{}}
}

// process is a provider's process: a core starts one for each command.
func (w *world) process() *server {
	w.t.Helper()
	raw := providerserver.NewProtocol6(provider.New("test")())()
	schemas, err := raw.GetProviderSchema(w.t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	w.must(err)
	s := &server{ProviderServer: raw, t: w.t, schemas: schemas}
	access, secret := w.sb.Credentials()
	for _, problem := range s.configure(w.t.Context(), config{
		"region": sandbox.Region, "access_key": access, "secret_key": secret,
		"default_tags": []any{config{"tags": config{"team": "lake"}}},
		"endpoints": []any{config{
			"glue": w.via.Glue, "s3": w.via.S3, "dynamodb": w.via.Default, "sts": w.via.Default, "iam": w.via.Default, "secretsmanager": w.via.Default,
		}},
		"max_retries": int64(2),
	}) {
		w.t.Fatal(problem)
	}
	return s
}

func (s *server) typeOf(resource string) tftypes.Type {
	return s.schemas.ResourceSchemas[resource].ValueType()
}

func fieldsOf(t *testing.T, v tftypes.Value) map[string]tftypes.Value {
	t.Helper()
	fields := map[string]tftypes.Value{}
	if v.IsNull() {
		return fields
	}
	if err := v.As(&fields); err != nil {
		t.Fatal(err)
	}
	return maps.Clone(fields) // As hands out the value's own map
}

// computedOf are the attributes of a resource that a configuration need not set for them to have a value.
func (s *server) computedOf(resource string) map[string]bool {
	out := map[string]bool{}
	for _, attribute := range s.schemas.ResourceSchemas[resource].Block.Attributes {
		out[attribute.Name] = attribute.Computed
	}
	return out
}

// proposed is a configuration with the prior values of what it leaves to the provider, as a core makes it.
func (s *server) proposed(resource string, prior, configured tftypes.Value) tftypes.Value {
	before, now := fieldsOf(s.t, prior), fieldsOf(s.t, configured)
	for name, computed := range s.computedOf(resource) {
		if old, ok := before[name]; ok && computed && now[name].IsNull() {
			now[name] = old
		}
	}
	return tftypes.NewValue(configured.Type(), now)
}

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

// refresh reads what is out there. The state is null when it has vanished.
func (s *server) refresh(resource string, state tftypes.Value) (tftypes.Value, []string) {
	s.t.Helper()
	resp, err := s.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{TypeName: resource, CurrentState: s.encode(state)})
	if err != nil {
		s.t.Fatal(err)
	}
	read, err := resp.NewState.Unmarshal(s.typeOf(resource))
	if err != nil {
		s.t.Fatal(err)
	}
	return read, problems(resp.Diagnostics)
}

// imported is the state that an import by id gives.
func (s *server) imported(resource, id string) (tftypes.Value, []string) {
	s.t.Helper()
	resp, err := s.ImportResourceState(s.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, ID: id})
	if err != nil {
		s.t.Fatal(err)
	}
	if wrong := problems(resp.Diagnostics); len(wrong) > 0 {
		return tftypes.Value{}, wrong
	}
	state, err := resp.ImportedResources[0].State.Unmarshal(s.typeOf(resource))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.refresh(resource, state)
}

// state is what the state file holds of a thing.
func (w *world) state(s *server, resource string) tftypes.Value {
	if state, ok := w.states[resource]; ok {
		return state
	}
	return tftypes.NewValue(s.typeOf(resource), nil)
}

// apply is `terraform apply` of one thing: refresh, plan, carry out. It ends the test when anything goes wrong, and
// returns the plan.
func (w *world) apply(resource string, to config) *planned {
	w.t.Helper()
	p, wrong := w.tryApply(resource, to)
	for _, problem := range wrong {
		w.t.Fatalf("%s: %s", resource, problem)
	}
	return p
}

func (w *world) tryApply(resource string, to config) (*planned, []string) {
	w.t.Helper()
	s := w.process()
	p, wrong := w.planWith(s, resource, to)
	if len(wrong) > 0 || p.prior.IsNull() && p.value.IsNull() {
		return p, wrong
	}
	if len(p.replace) > 0 {
		gone := s.planChange(resource, p.prior, nil)
		state, wrong, _ := s.carryOut(resource, gone)
		if w.states[resource] = state; len(wrong) > 0 {
			return p, wrong
		}
		p = s.planChange(resource, state, to)
		if len(p.problems) > 0 {
			return p, p.problems
		}
	}
	if len(p.changes) == 0 {
		return p, nil
	}
	// A core plans once more in the process that applies.
	s = w.process()
	again := s.planChange(resource, p.prior, to)
	if len(again.problems) > 0 {
		return again, again.problems
	}
	again.changes, again.replace = p.changes, p.replace
	state, wrong, warned := s.carryOut(resource, again)
	again.warnings = append(again.warnings, warned...)
	if state.IsNull() {
		delete(w.states, resource)
	} else {
		w.states[resource] = state
	}
	return again, wrong
}

// plan is `terraform plan` of one thing.
func (w *world) plan(resource string, to config) *planned {
	w.t.Helper()
	p, wrong := w.planWith(w.process(), resource, to)
	for _, problem := range wrong {
		w.t.Fatalf("%s: %s", resource, problem)
	}
	return p
}

func (w *world) planWith(s *server, resource string, to config) (*planned, []string) {
	w.t.Helper()
	state := w.state(s, resource)
	if !state.IsNull() {
		var wrong []string
		if state, wrong = s.refresh(resource, state); len(wrong) > 0 {
			return &planned{}, wrong
		}
	}
	p := s.planChange(resource, state, to)
	return p, p.problems
}

// unchanged checks that a plan of everything is empty.
func (w *world) unchanged(configs map[string]config) {
	w.t.Helper()
	s := w.process()
	for _, resource := range []string{trackingType, connectionType, cadenceType, tableType} {
		if configs[resource] == nil {
			continue
		}
		p, wrong := w.planWith(s, resource, configs[resource])
		if len(wrong) > 0 || len(p.changes) > 0 {
			w.t.Errorf("%s is not as configured: %q %q", resource, p.changes, wrong)
		}
	}
}

// standard is a configuration of each thing.
func (w *world) standard() map[string]config {
	server := w.sb.Postgres()
	return map[string]config{
		trackingType: {"name": w.name, "deletion_protection": false},
		connectionType: {
			"tracking": w.name, "name": "shop-db", "engine": "postgresql", "host": server.Host(), "port": int64(server.Port()), "database": w.db.Name,
			"secret_arn": w.secret, "tls": config{"ca": string(server.CA())},
		},
		cadenceType: {
			"tracking": w.name, "name": "ten-minutes", "schedule": "rate(10 minutes)", "role_arn": "arn:aws:iam::123456789012:role/engine",
			"artifacts": config{"location": "s3://" + w.artifacts + "/lakeland"}, "connections": []any{"shop-db"}, "tags": config{"purpose": "landing"},
		},
		tableType: {
			"name": "shop.orders", "cadence": w.name + "/ten-minutes",
			"source": config{"database": config{"connection": "shop-db", "schema": "public", "table": "orders"}},
			"target": config{"location": "s3://" + w.lake + "/raw/orders/", "database": w.database, "table": "orders"},
		},
	}
}

// applyAll applies a configuration of each thing, in their order.
func (w *world) applyAll(configs map[string]config) {
	w.t.Helper()
	for _, resource := range []string{trackingType, connectionType, cadenceType, tableType} {
		if configs[resource] != nil {
			w.apply(resource, configs[resource])
		}
	}
}

// destroyAll destroys what there is, in the reverse order.
func (w *world) destroyAll() {
	w.t.Helper()
	for _, resource := range []string{tableType, cadenceType, connectionType, trackingType} {
		if _, ok := w.states[resource]; ok {
			w.apply(resource, nil)
		}
	}
}

// with is a configuration with other values at some paths, such as "runtime.dpu"; nil leaves one out.
func with(c config, changes config) config {
	out := maps.Clone(c)
	for path, v := range changes {
		head, rest, nested := strings.Cut(path, ".")
		switch {
		case nested:
			inner, _ := out[head].(config)
			out[head] = with(inner, config{rest: v})
			if out[head] == nil {
				out[head] = config{rest: v}
			}
		case v == nil:
			delete(out, head)
		default:
			out[head] = v
		}
	}
	return out
}

// TestWorldLivesAndDies walks once through everything that the other tests vary.
func TestWorldLivesAndDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	w.unchanged(configs)
	for resource, id := range map[string]string{trackingType: w.name, connectionType: w.name + "/shop-db", cadenceType: w.name + "/ten-minutes", tableType: w.name + "/shop.orders"} {
		s := w.process()
		state, wrong := s.imported(resource, id)
		if len(wrong) > 0 {
			t.Errorf("importing %s: %q", resource, wrong)
			continue
		}
		if differ := differences(t, w.states[resource], state); len(differ) > 0 && fmt.Sprint(differ) != wantedSpelling[resource] {
			t.Errorf("%s is imported with other values at %q", resource, differ)
		}
		if p := s.planChange(resource, state, configs[resource]); len(p.problems) > 0 || len(p.changes) > 0 {
			t.Errorf("%s after its import: %q %q", resource, p.changes, p.problems)
		}
	}
	w.destroyAll()
}

// wantedSpelling are attributes that an import writes in their normal form, and a configuration in another.
var wantedSpelling = map[string]string{cadenceType: "[artifacts.location schedule]"}
