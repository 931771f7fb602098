package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// One plan of everything knows what the plan of one thing will change for another: one apply converges.
func TestOnePlanSeesWhatItWillChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	networked := with(configs[connectionType], config{"network": config{"subnet_id": "subnet-0123456789abcdef0", "security_group_ids": []any{"sg-0123456789abcdef0"}}})
	s := w.process()
	first, wrong := w.planWith(s, connectionType, networked)
	second, alsoWrong := w.planWith(s, cadenceType, configs[cadenceType])
	if len(wrong)+len(alsoWrong) > 0 || !slices.Contains(second.changes, `deployed["job.connections"]`) {
		t.Fatalf("the cadence's plan shows %q (%q %q)", second.changes, wrong, alsoWrong)
	}
	apply := w.process()
	for _, p := range []struct {
		resource string
		*planned
	}{{connectionType, first}, {cadenceType, second}} {
		state, wrong, _ := apply.carryOut(p.resource, p.planned)
		if len(wrong) > 0 {
			t.Fatalf("%q", wrong)
		}
		w.states[p.resource] = state
	}
	configs[connectionType] = networked
	w.unchanged(configs)
}

// Everything can be planned at once, before any of it exists, and then made as planned.
func TestAFirstPlanIsKnownWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	s := w.process()
	plans := map[string]*planned{}
	order := []string{trackingType, connectionType, cadenceType, tableType}
	for _, resource := range order {
		p, wrong := w.planWith(s, resource, configs[resource])
		if len(wrong) > 0 || !p.value.IsFullyKnown() {
			t.Fatalf("%s is planned as %s, %q", resource, p.value, wrong)
		}
		plans[resource] = p
	}
	apply := w.process()
	for _, resource := range order {
		state, wrong, _ := apply.carryOut(resource, plans[resource])
		if len(wrong) > 0 {
			t.Fatalf("%s: %q", resource, wrong)
		}
		w.states[resource] = state
	}
	w.unchanged(configs)
}

// Two tables of one plan in one place are refused there, whichever lies around the other.
func TestTwoPlannedTablesNeverLandInOnePlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.apply(trackingType, configs[trackingType])
	w.apply(connectionType, configs[connectionType])
	w.apply(cadenceType, configs[cadenceType])
	at := func(name, location, table string) config {
		return with(configs[tableType], config{"name": name, "target": config{"location": "s3://" + w.lake + location, "database": w.database, "table": table}})
	}
	for _, tc := range []struct {
		name          string
		first, second config
		refused       bool
	}{
		{"the same location", at("a", "/raw/x/", "a"), at("b", "/raw/x", "b"), true},
		{"inside", at("a", "/raw/", "a"), at("b", "/raw/x/", "b"), true},
		{"around", at("a", "/raw/x/y/", "a"), at("b", "/raw/", "b"), true},
		{"the same entry", at("a", "/raw/x/", "a"), at("b", "/raw/y/", "a"), true},
		{"side by side", at("a", "/raw/x/", "a"), at("b", "/raw/xy/", "b"), false},
		{"the same one twice, as in an apply", at("a", "/raw/x/", "a"), at("a", "/raw/x/", "a"), false},
	} {
		s := w.process()
		null := tftypes.NewValue(s.typeOf(tableType), nil)
		if p := s.planChange(tableType, null, tc.first); len(p.problems) > 0 {
			t.Errorf("%s: the first: %q", tc.name, p.problems)
		}
		p := s.planChange(tableType, null, tc.second)
		want := []string(nil)
		if tc.refused {
			want = []string{`target | planning lakeland_source_table (b) | target: the source table "` + w.name + `/a" of this configuration lands there too, around it, inside it, or in the same catalogue table: give each a location and a catalogue table of its own`}
		}
		if !slices.Equal(p.problems, want) {
			t.Errorf("%s: %q", tc.name, p.problems)
		}
	}
}

// Two blocks that describe one thing are refused when the second would be made, even if both say the same.
func TestTwoBlocksForOneThingAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	for _, resource := range []string{trackingType, connectionType, cadenceType, tableType} {
		s := w.process()
		null := tftypes.NewValue(s.typeOf(resource), nil)
		first, second := s.planChange(resource, null, configs[resource]), s.planChange(resource, null, configs[resource])
		state, wrong, _ := s.carryOut(resource, first)
		if len(wrong) > 0 {
			t.Fatalf("%s: %q", resource, wrong)
		}
		w.states[resource] = state
		if again, wrong, _ := s.carryOut(resource, second); !again.IsNull() || len(wrong) != 1 || !strings.Contains(wrong[0], "two blocks of this configuration describe the ") {
			t.Errorf("%s: %s %q", resource, again, wrong)
		}
	}
}

// What exists already and differs is refused, with the id to import it by; what is the same is taken over, and said so.
func TestWhatExistsIsTakenOverOnlyWhereItIsTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	lost := w.states
	for resource, tc := range map[string]struct {
		other config
		id    string
	}{
		trackingType:   {config{"tags": config{"a": "b"}}, w.name},
		connectionType: {config{"port": int64(5999)}, w.name + "/shop-db"},
		cadenceType:    {config{"batch_size": int64(9)}, w.name + "/ten-minutes"},
		tableType:      {config{"primary_key": []any{"id"}}, w.name + "/shop.orders"},
	} {
		w.states = map[string]tftypes.Value{}
		if _, wrong := w.tryApply(resource, with(configs[resource], tc.other)); len(wrong) != 1 || !strings.Contains(wrong[0], `exists already, and differs from this one`) || !strings.Contains(wrong[0], `import { id = "`+tc.id+`" }`) {
			t.Errorf("%s: %q", resource, wrong)
		}
		if p := w.apply(resource, configs[resource]); len(p.warnings) != 1 || !strings.Contains(p.warnings[0], "It was there already, exactly as configured") {
			t.Errorf("%s: %q", resource, p.warnings)
		}
	}
	w.states = lost
	w.unchanged(configs)
}

// An import names what it cannot do, and why.
func TestImportsThatFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.process()
	for _, tc := range []struct{ resource, id, want string }{
		{connectionType, "shop", ` | importing lakeland_connection (shop) | "shop" is not the id of a lakeland_connection: write "<tracking>/<name>".`},
		{cadenceType, "/x", ` | importing lakeland_cadence (/x) | "/x" is not the id of a lakeland_cadence: write "<tracking>/<name>".`},
		{trackingType, "", ` | importing lakeland_tracking (name not known yet) | The identity has no name: write identity = { name = "..." }.`},
	} {
		if _, wrong := s.imported(tc.resource, tc.id); len(wrong) != 1 || wrong[0] != tc.want {
			t.Errorf("%s %q: %q", tc.resource, tc.id, wrong)
		}
	}
	for resource, id := range map[string]string{trackingType: "absent", connectionType: w.name + "/absent", cadenceType: w.name + "/absent", tableType: w.name + "/absent"} {
		if state, wrong := s.imported(resource, id); !state.IsNull() || len(wrong) > 0 {
			t.Errorf("%s: %s, %q", resource, state, wrong)
		}
	}
}

// An import by identity takes the keys, and refuses another account's or Region's.
func TestImportByIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	s := w.process()
	schemas, err := s.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	w.must(err)
	for resource, keys := range map[string]config{
		trackingType: {"name": w.name}, connectionType: {"tracking": w.name, "name": "shop-db"},
		cadenceType: {"tracking": w.name, "name": "ten-minutes"}, tableType: {"tracking": w.name, "name": "shop.orders"},
	} {
		typ := schemas.IdentitySchemas[resource].ValueType()
		bring := func(more config) (*tfprotov6.ImportResourceStateResponse, []string) {
			resp, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
				TypeName: resource, Identity: &tfprotov6.ResourceIdentityData{IdentityData: s.dynamic(typ, with(keys, more))},
			})
			w.must(err)
			return resp, problems(resp.Diagnostics)
		}
		if _, wrong := bring(config{"region": "eu-west-2"}); len(wrong) != 1 || !strings.Contains(wrong[0], `The identity's region is "eu-west-2" and the provider's is "eu-west-1"`) {
			t.Errorf("%s of another Region: %q", resource, wrong)
		}
		if _, wrong := bring(config{"account_id": "999999999999"}); len(wrong) != 1 || !strings.Contains(wrong[0], `The identity's account_id is "999999999999"`) {
			t.Errorf("%s of another account: %q", resource, wrong)
		}
		resp, wrong := bring(config{"account_id": "123456789012"})
		if len(wrong) > 0 {
			t.Errorf("%s: %q", resource, wrong)
			continue
		}
		state, err := resp.ImportedResources[0].State.Unmarshal(s.typeOf(resource))
		w.must(err)
		state, wrong = s.refresh(resource, state)
		if p := s.planChange(resource, state, configs[resource]); len(wrong)+len(p.problems)+len(p.changes) > 0 {
			t.Errorf("%s after its import: %q %q %q", resource, wrong, p.problems, p.changes)
		}
	}
}

// Cadences share an engine, and none takes it away from another.
func TestSharedEnginesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	first := w.states[cadenceType]
	delete(w.states, cadenceType)
	second := with(configs[cadenceType], config{"name": "hourly", "schedule": "rate(1 hour)"})
	w.apply(cadenceType, second)
	out, err := w.clients.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(w.artifacts), Prefix: aws.String("lakeland/engine/")})
	w.must(err)
	if len(out.Contents) != 1 {
		t.Errorf("there are %d engines", len(out.Contents))
	}
	w.apply(cadenceType, with(second, config{"artifacts": config{"location": "s3://" + w.artifacts + "/elsewhere/"}}))
	w.apply(cadenceType, nil)
	w.states[cadenceType] = first
	w.unchanged(configs)
}

// Nothing that others need is destroyed, and they are named.
func TestWhatOthersNeedIsNotDestroyed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	for resource, want := range map[string]string{
		trackingType:   ` | deleting lakeland_tracking (` + w.name + `) | the tracking "` + w.name + `" is in use by the cadence "ten-minutes", the connection "shop-db", the table "shop.orders": remove or move these first`,
		connectionType: ` | deleting lakeland_connection (shop-db) | the connection "shop-db" is in use by the cadence "ten-minutes": remove or move these first`,
		cadenceType:    ` | deleting lakeland_cadence (ten-minutes) | the cadence "ten-minutes" is in use by the source table "shop.orders": remove or move these first`,
	} {
		if _, wrong := w.tryApply(resource, nil); len(wrong) != 1 || wrong[0] != want {
			t.Errorf("%s: %q", resource, wrong)
		}
	}
	w.unchanged(configs)
	w.apply(trackingType, with(configs[trackingType], config{"deletion_protection": true}))
	for _, resource := range []string{tableType, cadenceType, connectionType} {
		w.apply(resource, nil)
	}
	if _, wrong := w.tryApply(trackingType, nil); len(wrong) != 1 || !strings.Contains(wrong[0], "is protected from deletion: set deletion_protection = false and apply, then destroy") {
		t.Errorf("a protected tracking: %q", wrong)
	}
	w.apply(trackingType, configs[trackingType])
	w.apply(trackingType, nil)
}
