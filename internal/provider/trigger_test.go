package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"

	sandboxglue "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
)

// refusedCalls are the calls that Glue refused, those that look for something aside.
func (w *world) refusedCalls() []string {
	var out []string
	for _, c := range w.glue.Calls() {
		if c.Code != "" && c.Code != "EntityNotFoundException" && c.Code != "AlreadyExistsException" && c.Code != "IdempotentParameterMismatchException" {
			out = append(out, c.Operation+": "+c.Code)
		}
	}
	return out
}

// The attribute enabled, with and without another change, brings a trigger of every state to where it should be: by
// no call that AWS refuses, and without firing it.
func TestEnabledInEveryStateOfATrigger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.apply(trackingType, configs[trackingType])
	w.apply(connectionType, configs[connectionType])
	on, off := configs[cadenceType], with(configs[cadenceType], config{"enabled": false})
	reach := map[gluetypes.TriggerState][]config{
		gluetypes.TriggerStateCreated:     {off},
		gluetypes.TriggerStateActivated:   {on},
		gluetypes.TriggerStateDeactivated: {on, off},
	}
	for state, way := range reach {
		for _, to := range []config{on, off, with(on, config{"schedule": "rate(1 hour)"}), with(off, config{"schedule": "rate(1 hour)"}), with(on, config{"schedule": nil})} {
			name := fmt.Sprintf("%s to %v %v", state, to["enabled"], to["schedule"])
			if _, ok := w.states[cadenceType]; ok {
				w.apply(cadenceType, nil)
			}
			for _, c := range way {
				w.apply(cadenceType, c)
			}
			if got := w.settled(); got != state {
				t.Fatalf("%s: it begins as %s", name, got)
			}
			w.apply(cadenceType, to)
			if p := w.plan(cadenceType, to); len(p.changes) > 0 {
				t.Errorf("%s: the plan still shows %q", name, p.changes)
			}
			if to["schedule"] == nil {
				continue
			}
			if got := w.settled(); (got == gluetypes.TriggerStateActivated) != (to["enabled"] != false) {
				t.Errorf("%s: it ends as %s", name, got)
			}
		}
	}
	if refused := w.refusedCalls(); len(refused) > 0 {
		t.Errorf("calls that were refused: %q", refused)
	}
	if runs := w.glue.Runs(); len(runs) > 0 {
		t.Errorf("applies started %d runs", len(runs))
	}
}

// A plan says when a running trigger is stopped for a change, and only then.
func TestPlansSayWhenATriggerIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	is := configs[cadenceType]
	for name, tc := range map[string]struct {
		to    config
		warns bool
	}{
		"another schedule":    {with(is, config{"schedule": "rate(1 hour)"}), true},
		"another batch size":  {with(is, config{"batch_size": int64(7)}), false},
		"another timeout":     {with(is, config{"runtime": config{"timeout": "30m"}}), false},
		"switched off":        {with(is, config{"enabled": false}), false},
		"no schedule":         {with(is, config{"schedule": nil}), false},
		"other tags":          {with(is, config{"tags": config{"purpose": "test"}}), false},
		"nothing":             {is, false},
		"another spelling":    {with(is, config{"schedule": strings.ReplaceAll("rate(10 minutes)", " ", "  ")}), false},
		"written out default": {with(is, config{"runtime": config{"kind": "pythonshell"}}), false},
	} {
		if p, wrong := w.planWith(w.process(), cadenceType, tc.to); (len(p.warnings) > 0) != tc.warns && len(wrong) == 0 {
			t.Errorf("%s: the plan warns %q", name, p.warnings)
		} else if tc.warns && !strings.Contains(p.warnings[0], "apply stops it, changes it and starts it again") {
			t.Errorf("%s: the plan warns %q", name, p.warnings)
		}
	}
}

// When the change of a trigger fails, it runs as before, and the next apply changes it.
func TestATriggerRunsOnWhenItsChangeFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configs := w.standard()
	w.applyAll(configs)
	before := aws.ToString(w.trigger().Schedule)
	to := with(configs[cadenceType], config{"schedule": "cron(0 3 * * ? *)"})
	for _, fault := range []sandboxglue.Fault{
		{Operation: "UpdateTrigger", Kind: sandboxglue.Error, Code: "OperationTimeoutException", Message: "injected", Count: 2},
		{Operation: "UpdateTrigger", Kind: sandboxglue.Error, Code: "InvalidInputException", Message: "injected"},
	} {
		w.glue.Inject(fault)
		if _, wrong := w.tryApply(cadenceType, to); len(wrong) != 1 || !strings.Contains(wrong[0], `updating lakeland_cadence (ten-minutes) | changing the Glue trigger`) {
			t.Errorf("the apply says %q", wrong)
		}
		if got := w.trigger(); w.settled() != gluetypes.TriggerStateActivated || aws.ToString(got.Schedule) != before {
			t.Errorf("the trigger is %s with %s", got.State, aws.ToString(got.Schedule))
		}
		w.glue.ClearFaults()
	}
	if p := w.apply(cadenceType, to); !strings.Contains(fmt.Sprint(p.changes), `deployed["trigger.schedule"]`) {
		t.Errorf("the plan shows %q", p.changes)
	}
	if got := aws.ToString(w.trigger().Schedule); got != "cron(0 3 * * ? *)" || w.settled() != gluetypes.TriggerStateActivated {
		t.Errorf("the trigger is at %s", got)
	}
}
