package glue

import (
	"regexp"
	"strconv"
	"strings"
)

// Job commands (API reference, JobCommand.Name).
const (
	commandPythonShell = "pythonshell"
	commandSpark       = "glueetl"
	commandStreaming   = "gluestreaming"
)

const (
	// maxTimeoutMinutes: "Jobs must have timeout values less than 7 days or 10080 minutes.
	// Otherwise, the jobs will throw an exception" (API reference, Timeout).
	maxTimeoutMinutes = 10080

	executionStandard = "STANDARD"
	executionFlex     = "FLEX"
)

// jobDefault is a value that Glue fills in where a job definition leaves it out.
type jobDefault struct {
	field  string
	source string
	fill   func(d *jobDefinition)
}

// jobDefaults lists the defaults in the order in which they are filled: later ones depend on
// earlier ones.
func jobDefaults() []jobDefault {
	return []jobDefault{
		{"JobMode", "API reference, JobMode: missing or null means SCRIPT", func(d *jobDefinition) {
			fillIn(&d.JobMode, "SCRIPT")
		}},
		{"ExecutionProperty.MaxConcurrentRuns", "API reference, ExecutionProperty: the default is 1", func(d *jobDefinition) {
			if d.ExecutionProperty == nil {
				d.ExecutionProperty = &executionProperty{}
			}
			if d.ExecutionProperty.MaxConcurrentRuns == 0 {
				d.ExecutionProperty.MaxConcurrentRuns = 1
			}
		}},
		{"MaxRetries", "reported: GetJob shows 0 where none was given", func(*jobDefinition) {
			// The zero value is the default.
		}},
		{"Command.Name", "our reading of the API reference, JobCommand: Spark ETL is the plain kind of job", func(d *jobDefinition) {
			fillIn(&d.Command.Name, commandSpark)
		}},
		{"Command.PythonVersion", `developer guide, "Configuring job properties for Python shell jobs": 3.9; Spark jobs know only "3"`, func(d *jobDefinition) {
			if d.isPythonShell() {
				fillIn(&d.Command.PythonVersion, "3.9")
			} else {
				fillIn(&d.Command.PythonVersion, "3")
			}
		}},
		{"GlueVersion", "API reference, CreateJob.GlueVersion: jobs created without one default to Glue 6.0", func(d *jobDefinition) {
			fillIn(&d.GlueVersion, "6.0")
		}},
		{"Timeout", "API reference, Timeout: 2,880 minutes up to Glue 4.0, 480 from 5.0 on; none for streaming (our reading)", func(d *jobDefinition) {
			switch {
			case d.command() == commandStreaming:
			case glueAtLeast(d.GlueVersion, 5):
				fillIn(&d.Timeout, 480)
			default:
				fillIn(&d.Timeout, 2880)
			}
		}},
		{"MaxCapacity", "API reference, MaxCapacity: 0.0625 for Python shell, 10 for Spark; reported: with workers it follows from their number and type", func(d *jobDefinition) {
			switch {
			case d.AllocatedCapacity != 0:
				fillIn(&d.MaxCapacity, float64(d.AllocatedCapacity))
			case d.isPythonShell():
				fillIn(&d.MaxCapacity, 0.0625)
			case d.NumberOfWorkers != nil:
				fillIn(&d.MaxCapacity, float64(*d.NumberOfWorkers)*workerDPU(deref(d.WorkerType)))
			default:
				fillIn(&d.MaxCapacity, 10)
			}
		}},
		{"AllocatedCapacity", "reported: the whole DPUs of MaxCapacity, so 0 for 0.0625", func(d *jobDefinition) {
			d.AllocatedCapacity = int32(*d.MaxCapacity)
		}},
		{"ExecutionClass", "reported: STANDARD from Glue 3.0 on, for Python shell too", func(d *jobDefinition) {
			if d.command() != commandStreaming && glueAtLeast(d.GlueVersion, 3) {
				fillIn(&d.ExecutionClass, executionStandard)
			}
		}},
	}
}

func fillIn[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

// completeJob checks a definition as CreateJob and UpdateJob do and returns a copy with the
// defaults filled in.
func completeJob(given jobDefinition) (jobDefinition, error) {
	if err := checkJob(&given); err != nil {
		return jobDefinition{}, err
	}
	d := given.clone()
	for _, rule := range jobDefaults() {
		rule.fill(&d)
	}
	return d, nil
}

// roleForm is a role's name or ARN: "The name or Amazon Resource Name (ARN) of the IAM role"
// (API reference, Role; the characters are IAM's).
var roleForm = regexp.MustCompile(`^(arn:aws[a-z0-9-]*:iam::\d{12}:role/)?[\w+=,.@/-]+$`)

// checkJob checks what the model does not say.
func checkJob(d *jobDefinition) error {
	if !roleForm.MatchString(deref(d.Role)) {
		return invalidInput("Role should be a valid role name or ARN: '%s'", deref(d.Role))
	}
	if d.ExecutionProperty != nil && d.ExecutionProperty.MaxConcurrentRuns < 0 {
		return invalidInput("Max concurrent runs must not be negative")
	}
	if d.MaxRetries < 0 {
		return invalidInput("Max retries must not be negative")
	}
	if d.ExecutionClass != nil && *d.ExecutionClass == executionFlex {
		// "Only jobs with Glue version 3.0 and above and command type glueetl will be allowed
		// to set ExecutionClass to FLEX" (API reference, ExecutionClass).
		if d.command() != commandSpark || (d.GlueVersion != nil && !glueAtLeast(d.GlueVersion, 3)) {
			return invalidInput("Execution class FLEX is only for glueetl jobs with Glue version 3.0 or later")
		}
	}
	if err := checkTimeout(d.Timeout); err != nil {
		return err
	}
	return checkCapacity(d.command(), capacity{
		maximum:   d.MaxCapacity,
		allocated: d.AllocatedCapacity,
		worker:    d.WorkerType,
		workers:   d.NumberOfWorkers,
	})
}

func checkTimeout(minutes *int32) error {
	if minutes != nil && *minutes > maxTimeoutMinutes {
		return invalidInput("Timeout of %d minutes is more than %d (7 days)", *minutes, maxTimeoutMinutes)
	}
	return nil
}

// capacity is how large a job or a run is to be, in one of three forms.
type capacity struct {
	maximum   *float64
	allocated int32
	worker    *string
	workers   *int32
}

// checkCapacity applies the rules of the API reference (MaxCapacity, WorkerType): a Python
// shell job has 0.0625 or 1 DPU, and MaxCapacity and workers exclude each other. The messages
// are reported ones.
func checkCapacity(command string, want capacity) error {
	byWorkers := want.worker != nil || want.workers != nil
	switch {
	case command == commandPythonShell && byWorkers:
		return invalidInput("Worker Type is not supported for Job Command %s", command)
	case byWorkers && want.maximum != nil:
		return invalidInput("Please do not set Max Capacity if using Worker Type and Number of Workers.")
	case byWorkers && want.allocated != 0:
		return invalidInput("Please do not set Allocated Capacity if using Worker Type and Number of Workers.")
	case byWorkers && (want.worker == nil || want.workers == nil):
		return invalidInput("Please set both Worker Type and Number of Workers.")
	case byWorkers && *want.workers < 1:
		return invalidInput("Number of Workers must be at least 1")
	case want.maximum != nil && want.allocated != 0:
		return invalidInput("Please set only Allocated Capacity or Max Capacity.")
	}
	dpu := want.maximum
	if want.allocated != 0 {
		dpu = ptr(float64(want.allocated))
	}
	switch {
	case dpu == nil:
		return nil
	case command == commandPythonShell && *dpu != 0.0625 && *dpu != 1:
		return invalidInput("Max Capacity of a Python shell job is 0.0625 or 1, not %v", *dpu)
	case command != commandPythonShell && (*dpu < 2 || *dpu > 100 || *dpu != float64(int(*dpu))):
		return invalidInput("Max Capacity of a Spark job is a whole number from 2 to 100, not %v", *dpu)
	}
	return nil
}

func (d *jobDefinition) command() string {
	if d.Command == nil || d.Command.Name == nil {
		return commandSpark
	}
	return *d.Command.Name
}

func (d *jobDefinition) isPythonShell() bool { return d.command() == commandPythonShell }

// glueAtLeast compares a GlueVersion's major number; "auto" is the newest.
func glueAtLeast(version *string, major int) bool {
	head, _, _ := strings.Cut(deref(version), ".")
	n, err := strconv.Atoi(head)
	return err != nil || n >= major
}

// workerDPU returns the DPUs of one worker (developer guide, "AWS Glue worker types": the
// number in a type's name, G.025X being a quarter); a type it does not know counts as 1.
func workerDPU(workerType string) float64 {
	_, size, _ := strings.Cut(workerType, ".")
	size = strings.TrimSuffix(size, "X")
	if size == "025" {
		return 0.25
	}
	if n, err := strconv.Atoi(size); err == nil && n > 0 {
		return float64(n)
	}
	return 1
}
