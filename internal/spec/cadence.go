package spec

import (
	"encoding/json"
	"slices"
	"time"
)

// Defaults of a cadence.
const (
	DefaultBatchSize            = 5
	DefaultMaxConcurrentBatches = 1
	DefaultRuntimeKind          = "pythonshell"
	DefaultDPU                  = 0.0625
	DefaultTimeout              = "8h"
	DefaultLogRetention         = "30d"
)

// RuntimeKinds are the kinds of Glue jobs that can carry the engine.
var RuntimeKinds = []string{"pythonshell", "spark"}

// NotifyEvents are the outcomes a cadence can report.
var NotifyEvents = []string{"failed", "recovered", "stale", "schema_changed", "succeeded"}

var sha256Form = formOf(`^[0-9a-f]{64}$`)

// Cadence is one schedule and the job that runs its source tables.
type Cadence struct {
	V    int    `json:"v"`
	Name string `json:"name"`
	// Schedule is in normal form ("cron(...)"), or "" when the cadence runs on demand only.
	Schedule             string    `json:"schedule,omitempty"`
	BatchSize            int       `json:"batch_size"`
	MaxConcurrentBatches int       `json:"max_concurrent_batches"`
	RoleARN              string    `json:"role_arn"`
	Artifacts            Artifacts `json:"artifacts"`
	Connections          []string  `json:"connections"`
	Runtime              Runtime   `json:"runtime"`
	Notify               *Notify   `json:"notify,omitempty"`
	Enabled              bool      `json:"enabled"`
	LogRetention         string    `json:"log_retention"`
	// Engine is the payload that the cadence's job carries; the provider fills it in.
	Engine Engine `json:"engine"`
}

// Artifacts says where script and payload are kept.
type Artifacts struct {
	Location  string `json:"location"`
	KMSKeyARN string `json:"kms_key_arn,omitempty"`
}

// Runtime is the kind and size of a cadence's job.
type Runtime struct {
	Kind string `json:"kind"`
	// DPU is 0.0625 (1 GB of memory) or 1 (16 GB); Python shell only.
	DPU float64 `json:"dpu,omitempty"`
	// WorkerType, Workers and GlueVersion belong to Spark. The types are not a closed list: AWS documents more
	// than its API model names.
	WorkerType  string `json:"worker_type,omitempty"`
	Workers     int    `json:"workers,omitempty"`
	GlueVersion string `json:"glue_version,omitempty"`
	// Timeout ends a job run; it is also the age below which another attempt's files are never touched.
	Timeout string `json:"timeout"`
}

// Notify says which outcomes go to which SNS topic.
type Notify struct {
	TopicARN string   `json:"topic_arn"`
	On       []string `json:"on"`
}

// Engine identifies a payload.
type Engine struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// DecodeCadence reads a cadence document strictly.
func DecodeCadence(data []byte) (*Cadence, error) {
	c := &Cadence{}
	if err := decode(data, KindCadence, c); err != nil {
		return nil, err
	}
	return c, nil
}

// Encode writes the document in its lowest version; a document that is not valid is refused.
func (c Cadence) Encode() ([]byte, error) {
	c.Normalize()
	c.V = 1
	return encode(&c)
}

// Normal writes the document in the form in which two spellings of one thing are equal, valid or not.
func (c Cadence) Normal() ([]byte, error) {
	c.Normalize()
	c.V = 1
	return json.Marshal(&c)
}

func (c *Cadence) header() (Kind, string, int) { return KindCadence, c.Name, c.V }

// Normalize gives absent fields their defaults, and texts with several spellings their one form.
func (c *Cadence) Normalize() {
	if schedule, err := ParseSchedule(c.Schedule, c.Name); err == nil {
		c.Schedule = schedule.String()
	}
	c.Artifacts.Location = normalLocation(c.Artifacts.Location)
	if c.BatchSize == 0 {
		c.BatchSize = DefaultBatchSize
	}
	if c.MaxConcurrentBatches == 0 {
		c.MaxConcurrentBatches = DefaultMaxConcurrentBatches
	}
	if c.Runtime.Kind == "" {
		c.Runtime.Kind = DefaultRuntimeKind
	}
	if c.Runtime.Kind == "pythonshell" && c.Runtime.DPU == 0 {
		c.Runtime.DPU = DefaultDPU
	}
	if c.Runtime.Timeout == "" {
		c.Runtime.Timeout = DefaultTimeout
	}
	if c.LogRetention == "" {
		c.LogRetention = DefaultLogRetention
	}
}

// MaxConcurrentRuns is what the cadence's job allows at once: two generations of workers and the dispatcher,
// so that a firing always finds room beside the one before it.
func (c *Cadence) MaxConcurrentRuns() int { return 2*c.MaxConcurrentBatches + 1 }

// Validate returns everything wrong with the document.
func (c *Cadence) Validate() Problems {
	var ps Problems
	if wrong := checkThingName(c.Name); wrong != "" {
		ps.add(At("name"), "%s", wrong)
	}
	if c.Schedule != "" {
		if _, err := ParseSchedule(c.Schedule, c.Name); err != nil {
			ps.add(At("schedule"), "%s", err)
		}
	}
	if c.BatchSize < 1 || c.BatchSize > 1000 {
		ps.add(At("batch_size"), "%d is out of range: write 1 to 1000 tables", c.BatchSize)
	}
	if c.MaxConcurrentBatches < 1 || c.MaxConcurrentBatches > 400 {
		ps.add(At("max_concurrent_batches"), "%d is out of range: write 1 to 400", c.MaxConcurrentBatches)
	}
	checkARN(&ps, At("role_arn"), c.RoleARN, "iam", `role/[\w+=,.@/-]+`, ":123456789012:role/lakeland-engine")
	if _, err := ParseLocation(c.Artifacts.Location); err != nil {
		ps.add(At("artifacts", "location"), "%s", err)
	}
	checkKMSKey(&ps, At("artifacts", "kms_key_arn"), c.Artifacts.KMSKeyARN)
	if len(c.Connections) == 0 {
		ps.add(At("connections"), "it is empty: name the connections that the cadence's tables use")
	}
	for i, name := range c.Connections {
		if wrong := checkThingName(name); wrong != "" {
			ps.add(At("connections", i), "%s", wrong)
		}
	}
	if duplicate := firstDuplicate(c.Connections); duplicate != "" {
		ps.add(At("connections"), "%q stands twice", duplicate)
	}
	c.Runtime.check(&ps)
	if c.Notify != nil {
		c.Notify.check(&ps)
	}
	checkDuration(&ps, At("log_retention"), c.LogRetention, 24*time.Hour, 3653*24*time.Hour, "\"1d\" to \"3653d\"")
	if c.Engine.SHA256 != "" && !sha256Form.MatchString(c.Engine.SHA256) {
		ps.add(At("engine", "sha256"), "%q is not a SHA-256 in hexadecimal", c.Engine.SHA256)
	}
	return ps
}

func (r *Runtime) check(ps *Problems) {
	at := At("runtime")
	checkDuration(ps, at.With("timeout"), r.Timeout, 5*time.Minute, 7*24*time.Hour, "\"5m\" to \"7d\"")
	if d, err := ParseDuration(r.Timeout); err == nil && d%time.Minute != 0 {
		ps.add(at.With("timeout"), "%q is not a whole number of minutes, which is what Glue counts", r.Timeout)
	}
	switch r.Kind {
	case "pythonshell":
		if r.DPU != 0.0625 && r.DPU != 1 {
			ps.add(at.With("dpu"), "%v is not a size of a Python shell job: write 0.0625 or 1", r.DPU)
		}
		for _, f := range []struct {
			name string
			set  bool
		}{{"worker_type", r.WorkerType != ""}, {"workers", r.Workers != 0}, {"glue_version", r.GlueVersion != ""}} {
			if f.set {
				ps.add(at.With(f.name), "it belongs to kind = \"spark\": leave it out, or change the kind")
				ps.needing(at.With("kind"))
			}
		}
	case "spark":
		if r.DPU != 0 {
			ps.add(at.With("dpu"), "it belongs to kind = \"pythonshell\": write worker_type and workers")
			ps.needing(at.With("kind"))
		}
		if r.WorkerType == "" {
			ps.add(at.With("worker_type"), "it is missing: write \"G.1X\" or a larger one")
			ps.needing(at.With("kind"))
		}
		if r.Workers < 2 {
			ps.add(at.With("workers"), "%d is too few: a Spark job has at least 2", r.Workers)
			ps.needing(at.With("kind"))
		}
	default:
		ps.add(at.With("kind"), "%s", notOneOf(r.Kind, RuntimeKinds))
	}
}

func (n *Notify) check(ps *Problems) {
	checkARN(ps, At("notify", "topic_arn"), n.TopicARN, "sns", `[\w-]+(\.fifo)?`, "eu-west-1:123456789012:ops")
	if len(n.On) == 0 {
		ps.add(At("notify", "on"), "it is empty: write [\"failed\"], or leave notify out")
	}
	for i, event := range n.On {
		if !slices.Contains(NotifyEvents, event) {
			ps.add(At("notify", "on", i), "%s", notOneOf(event, NotifyEvents))
		}
	}
	if duplicate := firstDuplicate(n.On); duplicate != "" {
		ps.add(At("notify", "on"), "%q stands twice", duplicate)
	}
}

func checkKMSKey(ps *Problems, at Path, arn string) {
	if arn != "" {
		checkARN(ps, at, arn, "kms", `key/[\w-]+`, "eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef")
	}
}
