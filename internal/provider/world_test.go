package provider_test

import (
	"fmt"
	"maps"
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
