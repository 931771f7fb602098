package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// Every leaf that somebody changes by hand shows in the next plan as just that leaf, and apply mends it.
func TestEveryEditShowsAsItsLeafAndIsMended(t *testing.T) {
	t.Parallel()
	byResource := map[string][]edit{}
	for _, e := range edits() {
		byResource[e.resource] = append(byResource[e.resource], e)
	}
	for resource, all := range byResource {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			configs := w.standard()
			w.applyAll(configs)
			for _, e := range all {
				e.do(w)
				p := w.plan(e.resource, configs[e.resource])
				if strings.Contains(p.prior.String(), "sesame") {
					t.Errorf("%s: what may be a secret came into the state", e.name)
				}
				if !slices.Equal(p.changes, e.leaves) || len(p.replace) > 0 {
					t.Errorf("%s: the plan shows %q, and replaces for %q", e.name, p.changes, p.replace)
				}
				w.apply(e.resource, configs[e.resource])
				w.unchanged(configs)
				if t.Failed() {
					t.Fatalf("after: %s", e.name)
				}
			}
			w.unchanged(configs)
			if v := w.glue.Violations(); len(v) > 0 {
				t.Errorf("requests that the service model refuses: %q", v)
			}
			w.destroyAll()
		})
	}
}

// Random valid configurations, each with some edits at once: every plan shows just the leaves that were edited, and
// one apply of everything mends them all.
func TestRandomEditsOfRandomConfigurations(t *testing.T) {
	t.Parallel()
	seed := int(sandbox.Seed(t)) * 1000
	w := newWorld(t)
	for i := range 10 {
		configs := w.randomConfigs(seed + i)
		w.applyAll(configs)
		w.unchanged(configs)
		chosen := rapid.Custom(func(t *rapid.T) []edit { return drawEdits(t, configs) }).Example(seed + i)
		want := map[string][]string{}
		var names []string
		for _, e := range chosen {
			e.do(w)
			names = append(names, e.name)
			want[e.resource] = append(want[e.resource], e.leaves...)
		}
		s := w.process() // one plan of everything, each thing after those it refers to
		for _, resource := range []string{trackingType, connectionType, cadenceType, tableType} {
			leaves := want[resource]
			slices.Sort(leaves)
			p, wrong := w.planWith(s, resource, configs[resource])
			if len(wrong) > 0 || !slices.Equal(p.changes, slices.Compact(leaves)) {
				t.Errorf("%s after %q: the plan shows %q %q", resource, names, p.changes, wrong)
			}
		}
		w.applyAll(configs)
		w.unchanged(configs)
		if t.Failed() {
			t.Fatalf("with the seed %d and %v", seed+i, configs)
		}
	}
	w.applyAll(w.standard())
	w.destroyAll()
}

// drawEdits draws edits of which none hides another.
func drawEdits(t *rapid.T, configs map[string]config) []edit {
	_, scheduled := configs[cadenceType]["schedule"]
	all := slices.DeleteFunc(edits(), func(e edit) bool {
		return e.leaves[0] == "everything" || e.name == "a trigger of another type in its place" || !scheduled && strings.HasPrefix(e.part, "trigger")
	})
	var chosen []edit
	for range rapid.IntRange(1, 6).Draw(t, "edits") {
		e := rapid.SampledFrom(all).Draw(t, "edit")
		if !slices.ContainsFunc(chosen, func(other edit) bool { return hides(e, other) || hides(other, e) }) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

func hides(a, b edit) bool {
	return a.resource == b.resource && (strings.HasPrefix(b.part, a.part) || strings.HasPrefix(a.part, "document "))
}

// randomConfigs are valid configurations of everything, with their names and places kept.
func (w *world) randomConfigs(seed int) map[string]config {
	return rapid.Custom(func(t *rapid.T) map[string]config {
		out := w.standard()
		one := func(label string, values ...any) any { return rapid.SampledFrom(values).Draw(t, label) }
		change := func(resource string, changes config) { out[resource] = with(out[resource], changes) }
		tags := func(label string, of config) config {
			all := maps.Clone(of)
			for _, key := range rapid.SliceOfN(rapid.StringMatching(`[a-z][a-zA-Z0-9 _.:/=+@-]{0,20}[a-z]`), 0, 3).Draw(t, label) {
				all[key] = rapid.StringMatching(`[a-zA-Z0-9 _.:/=+@-]{0,30}`).Draw(t, label)
			}
			return all
		}
		change(trackingType, config{
			"deletion_protection": rapid.Bool().Draw(t, "protection"), "tags": tags("tracking tags", config{}),
			"kms_key_arn": one("key", nil, "arn:aws:kms:eu-west-1:123456789012:key/11111111-89ab-cdef-0123-456789abcdef"),
		})
		change(connectionType, config{
			"max_connections": one("connections", nil, int64(1), int64(4), int64(20)), "tags": tags("connection tags", config{}),
			"host": one("host", "db.example.com", "10.0.0.7", "Db-1.Example.com"), "port": one("port", nil, int64(5432), int64(6000)),
			"tls": one("tls", nil, config{}, config{"mode": "require"}, config{"mode": "verify-full"}),
			"network": one("network", nil, config{"subnet_id": "subnet-0123456789abcdef0", "security_group_ids": []any{"sg-0123456789abcdef0"}},
				config{"subnet_id": "subnet-0123456789abcdef1", "security_group_ids": []any{"sg-0123456789abcdef1", "sg-0123456789abcdef0"}, "availability_zone": "eu-west-1a"}),
		})
		change(cadenceType, config{
			"schedule": one("schedule", nil, "rate(10 minutes)", "rate(1 day)", "cron(0/5 * * * ? *)", "cron(15 3 ? * MON-FRI *)"), "enabled": one("enabled", nil, true, false),
			"batch_size": one("batch", nil, int64(1), int64(5), int64(1000)), "tags": tags("cadence tags", config{"purpose": "landing"}),
			"runtime":   one("runtime", nil, config{}, config{"dpu": 1.0}, config{"dpu": 0.0625, "kind": "pythonshell"}, config{"timeout": "30m"}, config{"timeout": "1d"}),
			"artifacts": config{"location": one("artifacts", "s3://"+w.artifacts+"/lakeland", "s3://"+w.artifacts+"/lakeland/")},
		})
		change(tableType, config{
			"primary_key": one("primary key", nil, []any{"id"}, []any{"é"}), "enabled": one("table enabled", nil, true, false), "reload": one("reload", nil, "again", fmt.Sprint(seed)),
			"extract": one("extract", nil, config{}, config{"mode": "full"}), "storage_mode": one("storage mode", nil, "current_snapshot"),
		})
		return out
	}).Example(seed)
}
