package provider_test

import (
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// newer writes a document as a later release would: with a version that this one does not know.
func (w *world) newer(kind, name string) (restore func()) {
	w.t.Helper()
	key := tracking.Item{"kind": &dynamodbtypes.AttributeValueMemberS{Value: kind}, "name": &dynamodbtypes.AttributeValueMemberS{Value: name}}
	out, err := w.clients.DynamoDB.GetItem(w.ctx(), &dynamodb.GetItemInput{TableName: w.table("config"), Key: key})
	w.must(err)
	_, err = w.clients.DynamoDB.UpdateItem(w.ctx(), &dynamodb.UpdateItemInput{
		TableName: w.table("config"), Key: key, UpdateExpression: aws.String("SET v = :v, document = :d"),
		ExpressionAttributeValues: tracking.Item{":v": &dynamodbtypes.AttributeValueMemberN{Value: "2"}, ":d": &dynamodbtypes.AttributeValueMemberS{Value: `{"v":2,"name":"` + name + `","tempo":"allegro"}`}},
	})
	w.must(err)
	return func() {
		_, err := w.clients.DynamoDB.PutItem(w.ctx(), &dynamodb.PutItemInput{TableName: w.table("config"), Item: out.Item})
		w.must(err)
	}
}

// What a newer release wrote is refused by name, in a plan as in an apply that had planned before, and never overwritten
// or removed.
func TestWhatANewerReleaseWroteIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	for _, thing := range []struct{ resource, kind, name string }{{connectionType, "connection", "shop-db"}, {cadenceType, "cadence", "ten-minutes"}, {tableType, "table", "shop.orders"}} {
		change := with(configs[thing.resource], map[string]config{
			connectionType: {"max_connections": int64(9)}, cadenceType: {"batch_size": int64(9)}, tableType: {"primary_key": []any{"id"}},
		}[thing.resource])
		s := w.process()
		update, _ := w.planWith(s, thing.resource, change)
		destroy, _ := w.planWith(s, thing.resource, nil)
		create := s.planChange(thing.resource, tftypes.NewValue(s.typeOf(thing.resource), nil), change)
		restore := w.newer(thing.kind, thing.name)
		_, planning := w.planWith(s, thing.resource, change)
		_, updating, _ := s.carryOut(thing.resource, update)
		_, destroying, _ := s.carryOut(thing.resource, destroy)
		_, creating, _ := s.carryOut(thing.resource, create)
		for verb, wrong := range map[string][]string{"reading": planning, "updating": updating, "deleting": destroying, "creating": creating} {
			want := ` | ` + verb + ` ` + thing.resource + ` (` + thing.name + `) | reading ` + thing.kind + ` "` + thing.name + `": its document has version 2 and this release reads versions up to 1: upgrade the provider, and apply its cadence so that the job carries the newer engine`
			if !slices.Equal(wrong, []string{want}) {
				t.Errorf("%s: %q", verb, wrong)
			}
		}
		restore()
	}
	w.unchanged(configs)
}

// A table that its cadence's engine is too old for is refused in the plan, unless the same plan deploys a newer engine.
func TestEnginesThatAreTooOldAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(replaced(configs, tableType, nil))
	c, err := w.tracking.Cadence(t.Context(), "ten-minutes")
	w.must(err)
	c.Engine.Version = "0.0.9"
	w.must(w.tracking.UpdateCadence(t.Context(), c))
	want := ` | planning lakeland_source_table (shop.orders) | the source table "shop.orders" needs engine 0.1.0 or later and the job of its cadence "ten-minutes" carries 0.0.9: apply the cadence with this provider first`
	if _, wrong := w.planWith(w.process(), tableType, configs[tableType]); !slices.Equal(wrong, []string{want}) {
		t.Errorf("the plan says %q", wrong)
	}
	s := w.process()
	p, wrong := w.planWith(s, cadenceType, configs[cadenceType])
	if len(wrong) > 0 || !slices.Equal(p.changes, []string{"engine_version"}) {
		t.Errorf("the cadence's plan shows %q, %q", p.changes, wrong)
	}
	if _, wrong := w.planWith(s, tableType, configs[tableType]); len(wrong) > 0 {
		t.Errorf("in a plan that deploys a newer engine: %q", wrong)
	}
	w.applyAll(configs)
	w.unchanged(configs)
}

func replaced(configs map[string]config, resource string, c config) map[string]config {
	out := map[string]config{}
	for name, old := range configs {
		out[name] = old
	}
	out[resource] = c
	return out
}

var updateStates = flag.Bool("update-states", false, "write the states of this schema version into testdata/state")

// Every state that a released schema version wrote can be read by this one. The files of a version are written once,
// with -update-states, before its release, and never change afterwards.
func TestStatesOfEverySchemaVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	s := w.process()
	for resource, schema := range s.schemas.ResourceSchemas {
		typ := schema.ValueType()
		if *updateStates {
			writeState(t, resource, schema.Version, w.states[resource])
		}
		for version := int64(1); version <= schema.Version; version++ {
			raw, err := os.ReadFile(stateFile(resource, version))
			if err != nil {
				t.Errorf("there is no state of version %d: %v", version, err)
				continue
			}
			resp, err := s.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{TypeName: resource, Version: version, RawState: &tfprotov6.RawState{JSON: raw}})
			w.must(err)
			if wrong := problems(resp.Diagnostics); len(wrong) > 0 {
				t.Errorf("%s of version %d: %q", resource, version, wrong)
				continue
			}
			state, err := resp.UpgradedState.Unmarshal(typ)
			w.must(err)
			name := fieldsOf(t, state)["name"]
			if name.IsNull() || !name.IsFullyKnown() {
				t.Errorf("%s of version %d is upgraded to %s", resource, version, state)
			}
			var text string
			w.must(name.As(&text))
			if version == schema.Version && !strings.Contains(string(raw), `"`+text+`"`) {
				t.Errorf("%s lost its name", resource)
			}
		}
	}
}

func stateFile(resource string, version int64) string {
	return filepath.Join("testdata", "state", "v"+string(rune('0'+version)), resource+".json")
}

// writeState writes a state as a state file holds it.
func writeState(t *testing.T, resource string, version int64, state tftypes.Value) {
	t.Helper()
	data, err := json.MarshalIndent(jsonOf(t, state), "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(stateFile(resource, version)), 0o755)
	}
	if err == nil {
		err = os.WriteFile(stateFile(resource, version), append(data, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// jsonOf is a value as plain data; what is null is null.
func jsonOf(t *testing.T, v tftypes.Value) any {
	t.Helper()
	if v.IsNull() {
		return nil
	}
	switch {
	case v.Type().Is(tftypes.String), v.Type().Is(tftypes.Bool), v.Type().Is(tftypes.Number):
		var text string
		var flag bool
		var number big.Float
		switch {
		case v.As(&text) == nil:
			return text
		case v.As(&flag) == nil:
			return flag
		case v.As(&number) == nil:
			out, _ := number.Float64()
			return out
		}
		t.Fatalf("%s is no plain value", v)
	case v.Type().Is(tftypes.Object{}), v.Type().Is(tftypes.Map{}):
		out := map[string]any{}
		for name, inner := range fieldsOf(t, v) {
			out[name] = jsonOf(t, inner)
		}
		return out
	}
	var elements []tftypes.Value
	if err := v.As(&elements); err != nil {
		t.Fatal(err)
	}
	out := make([]any, len(elements))
	for i, inner := range elements {
		out[i] = jsonOf(t, inner)
	}
	return out
}
