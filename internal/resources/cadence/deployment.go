package cadence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/jobscript"
	"github.com/lakeland/terraform-provider-lakeland/internal/payload"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// glueVersion is pinned: the service's default moves (5.1 at the end of 2026), and Python shell is the same in
// all.
const glueVersion = "3.0"

// deployment is everything that a cadence deploys, as it should be. It is a pure function of document, payload
// and connections.
type deployment struct {
	tracking string
	doc      *spec.Cadence
	engine   payload.Info
	script   []byte
	// engineKey and scriptKey are the objects' keys in the artifacts bucket.
	bucket, engineKey, scriptKey string
	job                          job
	trigger                      *trigger
}

// job is a Glue job as far as it is managed here.
type job struct {
	Name, Description, Role, Command, Python, Script string
	// Arguments are the default ones; Fixed are those that a run may not override.
	Arguments, Fixed         map[string]string
	DPU                      float64
	Retries                  int32
	Timeout                  int32
	Concurrent               int32
	Connections              []string
	GlueVersion              string
	Queuing                  bool
	Security                 string
	WorkerType, Workers      string
	Maintenance, NotifyAfter string
	Flex                     bool
	// Source is set where somebody attached a repository or a visual graph.
	Source bool
}

// trigger is a Glue trigger as far as it is managed here.
type trigger struct {
	Name, Description, Type, Schedule string
	Jobs                              []string
	Arguments                         map[string]string
	On                                bool
	// Options is set where somebody gave an action options of its own, or the trigger a condition.
	Options bool
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// plan makes the deployment of a cadence. connections are the documents of those the cadence names, in its
// order.
func plan(tracking, region string, c *spec.Cadence, connections []*spec.Connection) (*deployment, error) {
	engine, err := payload.Embedded()
	if err != nil {
		return nil, err
	}
	location, err := spec.ParseLocation(c.Artifacts.Location)
	if err != nil {
		return nil, err
	}
	d := &deployment{tracking: tracking, doc: c, engine: engine, bucket: location.Bucket, engineKey: location.Prefix + "engine/" + engine.SHA256 + "/lakeland-engine"}
	c.Engine = spec.Engine{Version: engine.Version, SHA256: engine.SHA256}
	d.script, err = jobscript.PythonShell{
		Region: region, Version: engine.Version, DPU: c.Runtime.DPU,
		Payload: jobscript.Payload{Bucket: d.bucket, Key: d.engineKey, SHA256: engine.SHA256, Size: engine.Size},
	}.Render()
	if err != nil {
		return nil, err
	}
	d.scriptKey = location.Prefix + "scripts/" + sum(d.script) + ".py"
	timeout, err := spec.ParseDuration(c.Runtime.Timeout)
	if err != nil {
		return nil, err
	}
	name := spec.PhysicalName(tracking, c.Name)
	attached, err := networked(tracking, connections)
	if err != nil {
		return nil, err
	}
	d.job = job{
		Name: name, Description: description(tracking, c.Name),
		Role: c.RoleARN, Command: "pythonshell", Python: "3.9", Script: d.scriptAddress(),
		// Run arguments replace these one by one. They carry names, never content and never secrets.
		Arguments: map[string]string{"--tracking": tracking, "--cadence": c.Name},
		DPU:       c.Runtime.DPU, Timeout: int32(timeout / time.Minute), Concurrent: int32(c.MaxConcurrentRuns()),
		Connections: attached, GlueVersion: glueVersion,
	}
	if c.Schedule != "" {
		d.trigger = &trigger{
			Name: name, Description: d.job.Description, Type: string(types.TriggerTypeScheduled),
			Schedule: c.Schedule, Jobs: []string{name}, On: c.Enabled,
		}
	}
	return d, nil
}

func sameNetwork(a, b *spec.Network) bool {
	return a.SubnetID == b.SubnetID && a.AvailabilityZone == b.AvailabilityZone &&
		slices.Equal(slices.Sorted(slices.Values(a.SecurityGroupIDs)), slices.Sorted(slices.Values(b.SecurityGroupIDs)))
}

func description(tracking, name string) string {
	return "Lands the tables of the cadence " + name + " of the lakeland tracking " + tracking + "; managed by Terraform."
}

func (d *deployment) scriptAddress() string { return "s3://" + d.bucket + "/" + d.scriptKey }

// networked lists the Glue connections that place the job in a network. There is one network at most.
func networked(tracking string, connections []*spec.Connection) ([]string, error) {
	var names []string
	var first *spec.Connection
	for _, c := range connections {
		if c.Network == nil {
			continue
		}
		if first != nil && !sameNetwork(first.Network, c.Network) {
			return nil, spec.Problems{{
				Path:    spec.At("connections"),
				Message: fmt.Sprintf("%q and %q lie in different networks, and a Glue job lies in one: give them the same network, or a cadence each", first.Name, c.Name),
			}}.Err(spec.KindCadence, c.Name)
		}
		first = c
		names = append(names, spec.PhysicalName(tracking, c.Name))
	}
	slices.Sort(names)
	return names, nil
}

func (j job) update() *types.JobUpdate {
	u := &types.JobUpdate{
		Role: aws.String(j.Role), Description: aws.String(j.Description), DefaultArguments: j.Arguments,
		Command:     &types.JobCommand{Name: aws.String(j.Command), PythonVersion: aws.String(j.Python), ScriptLocation: aws.String(j.Script)},
		MaxCapacity: aws.Float64(j.DPU), MaxRetries: j.Retries, Timeout: aws.Int32(j.Timeout),
		ExecutionProperty: &types.ExecutionProperty{MaxConcurrentRuns: j.Concurrent}, GlueVersion: aws.String(j.GlueVersion),
	}
	if len(j.Connections) > 0 {
		u.Connections = &types.ConnectionsList{Connections: j.Connections}
	}
	return u
}
