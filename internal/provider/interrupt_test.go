package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// An apply that is killed behind any of its calls, with the state as it was before, is followed by one that ends well.
func TestKilledAppliesAreFollowedByOnesThatEndWell(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{trackingType, connectionType, cadenceType, tableType} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			w, line, configs := newDisturbedWorld(t, resource)
			for _, c := range w.course(resource, configs) {
				w.killEverywhere(line, c)
			}
		})
	}
}

// An apply may lose the answer of any of its calls: it ends well itself, or the next one does.
func TestLostAnswersAreRecognised(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{connectionType, cadenceType, tableType} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			w, line, configs := newDisturbedWorld(t, resource)
			for _, c := range w.course(resource, configs) {
				w.loseEverywhere(line, c)
			}
		})
	}
}

func newDisturbedWorld(t *testing.T, resource string) (*world, *wire, map[string]config) {
	t.Helper()
	w := newWorld(t)
	configs := w.standard()
	for _, before := range []string{trackingType, connectionType, cadenceType, tableType} {
		if before == resource {
			break
		}
		w.apply(before, configs[before])
	}
	return w, newWire(t, w.endpoints), configs
}

// step is a change and what undoes it, so that the next fault meets the same world.
type step struct {
	name string
	change
	undo change
}

// course are the changes in a thing's life: it is made, changed and destroyed.
func (w *world) course(resource string, configs map[string]config) []step {
	other := map[string]config{
		trackingType:   with(configs[trackingType], config{"tags": config{"purpose": "test"}}),
		connectionType: with(configs[connectionType], config{"max_connections": int64(9), "port": int64(5999), "tags": config{"purpose": "test"}}),
		cadenceType:    with(configs[cadenceType], config{"schedule": "rate(1 hour)", "runtime": config{"timeout": "30m"}, "tags": config{"purpose": "test"}}),
		tableType:      with(configs[tableType], config{"primary_key": []any{"id"}}),
	}[resource]
	is := configs[resource]
	return []step{
		{"creating", change{resource, is}, change{resource, nil}},
		{"updating", change{resource, other}, change{resource, is}},
		{"destroying", change{resource, nil}, change{resource, is}},
	}
}

// prepare brings the world to where a step begins. Script and engine outlive their cadence and are removed here.
func (w *world) prepare(s step) {
	w.t.Helper()
	if s.undo.to != nil {
		w.apply(s.undo.resource, s.undo.to)
		return
	}
	if _, ok := w.states[s.undo.resource]; ok {
		w.apply(s.undo.resource, nil)
	}
	out, err := w.clients.S3.ListObjectsV2(w.ctx(), &s3.ListObjectsV2Input{Bucket: aws.String(w.artifacts)})
	w.must(err)
	for _, object := range out.Contents {
		_, err := w.clients.S3.DeleteObject(w.ctx(), &s3.DeleteObjectInput{Bucket: aws.String(w.artifacts), Key: object.Key})
		w.must(err)
	}
}

// decisive are the numbers of the calls of an undisturbed change that may change anything: a kill behind another
// call leaves the same world as one behind the call before it.
func (w *world) decisive(line *wire, s step) (all []string, numbers []int) {
	w.t.Helper()
	w.prepare(s)
	all, wrong := w.disturbed(line, s.change, -1, -1)
	if len(wrong) > 0 {
		w.t.Fatalf("%s %s: %q", s.name, s.resource, wrong)
	}
	for i, call := range all {
		_, operation, isTarget := strings.Cut(call, ".")
		reads := strings.HasPrefix(call, "GET ") || strings.HasPrefix(call, "HEAD ")
		for _, verb := range []string{"Get", "List", "Describe", "Query", "BatchGet", "Scan"} {
			reads = reads || isTarget && strings.HasPrefix(operation, verb)
		}
		if !reads {
			numbers = append(numbers, i)
		}
	}
	if len(numbers) == 0 {
		w.t.Fatalf("%s %s changes nothing: %q", s.name, s.resource, all)
	}
	return all, numbers
}

func (w *world) killEverywhere(line *wire, s step) {
	w.t.Helper()
	all, numbers := w.decisive(line, s)
	for _, i := range append([]int{-1}, numbers...) {
		w.prepare(s)
		calls, wrong := w.disturbed(line, s.change, i+1, -1)
		if i+1 < len(all) && (len(wrong) == 0 || !slices.Equal(calls[:i+1], all[:i+1])) {
			w.t.Fatalf("%s %s: after %q came %q, which led to %q", s.name, s.resource, all[:i+1], calls, wrong)
		}
		w.endsWell(s, fmt.Sprintf("killed behind %q", all[:i+1]))
	}
}

func (w *world) loseEverywhere(line *wire, s step) {
	w.t.Helper()
	all, numbers := w.decisive(line, s)
	for _, i := range numbers {
		w.prepare(s)
		calls, wrong := w.disturbed(line, s.change, -1, i)
		if len(calls) <= i || calls[i] != all[i] {
			w.t.Fatalf("%s %s: the calls were %q, not %q", s.name, s.resource, calls, all)
		}
		w.endsWell(s, fmt.Sprintf("without the answer of call %d of %q, which led to %q", i, calls, wrong))
	}
}

// endsWell checks that an apply converges and that nothing is left to do.
func (w *world) endsWell(s step, after string) {
	w.t.Helper()
	if _, wrong := w.tryApply(s.resource, s.to); len(wrong) > 0 {
		w.t.Fatalf("%s %s %s: again: %q", s.name, s.resource, after, wrong)
	}
	if s.to == nil {
		return
	}
	if p := w.plan(s.resource, s.to); len(p.changes) > 0 {
		w.t.Fatalf("%s %s %s: the plan still shows %q", s.name, s.resource, after, p.changes)
	}
}
