package glue

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestValidation checks request bodies against the model, as AWS words its answers.
func TestValidation(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	long := strings.Repeat("x", 256)
	for name, test := range map[string]struct {
		operation, body string
		code, text      string
	}{
		"required": {"CreateJob", `{"Name": "a"}`, codeValidation,
			"2 validation errors detected: Value null at 'role' failed to satisfy constraint: Member must not be null; Value null at 'command'"},
		"required, null":    {"GetJob", `{"JobName": null}`, codeValidation, "1 validation error detected: Value null at 'jobName'"},
		"required, nested":  {"CreateTrigger", `{"Name":"t","Type":"EVENT","Actions":[{}],"EventBatchingCondition":{}}`, codeValidation, "Value null at 'eventBatchingCondition.batchSize'"},
		"required, in list": {"CreateTable", `{"DatabaseName":"d","TableInput":{"Name":"t","PartitionKeys":[{"Type":"int"}]}}`, codeValidation, "at 'tableInput.partitionKeys.1.member.name'"},
		"empty body":        {"GetJob", ``, codeValidation, "Value null at 'jobName'"},
		"unknown member":    {"GetJob", `{"JobName":"a","Jobname":"b"}`, codeValidation, "'Jobname' failed to satisfy constraint: Member must be known"},
		"unknown, nested":   {"UpdateJob", `{"JobName":"a","JobUpdate":{"Name":"b"}}`, codeValidation, "'jobUpdate.Name'"},
		"enum":              {"CreateTrigger", `{"Name":"t","Type":"HOURLY","Actions":[]}`, codeValidation, "Value 'HOURLY' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SCHEDULED, CONDITIONAL, ON_DEMAND, EVENT]"},
		"enum, map key":     {"CreateConnection", `{"ConnectionInput":{"Name":"c","ConnectionType":"JDBC","ConnectionProperties":{"URL":"x"}}}`, codeValidation, "Value 'URL' at 'connectionInput.connectionProperties.key'"},
		"too short":         {"GetJob", `{"JobName":""}`, codeValidation, "Member must have length greater than or equal to 1"},
		"too long":          {"GetJob", `{"JobName":"` + long + `"}`, codeValidation, "Member must have length less than or equal to 255"},
		"length is UTF-16":  {"GetJob", `{"JobName":"` + strings.Repeat("\U0001F4A7", 128) + `"}`, codeValidation, "less than or equal to 255"},
		"pattern":           {"GetJob", `{"JobName":"a\nb"}`, codeValidation, "Member must satisfy regular expression pattern: [\\u0020-"},
		"list too long":     {"BatchStopJobRun", `{"JobName":"a","JobRunIds":[` + strings.Repeat(`"r",`, 25) + `"r"]}`, codeValidation, "at 'jobRunIds' failed to satisfy constraint: Member must have length less than or equal to 25"},
		"list too short":    {"BatchStopJobRun", `{"JobName":"a","JobRunIds":[]}`, codeValidation, "greater than or equal to 1"},
		"100 partitions":    {"BatchCreatePartition", `{"DatabaseName":"d","TableName":"t","PartitionInputList":[` + strings.Repeat(`{},`, 100) + `{}]}`, codeValidation, "less than or equal to 100"},
		"null in list":      {"BatchGetJobs", `{"JobNames":["a",null]}`, codeValidation, "Value null at 'jobNames.2.member'"},
		"null in map":       {"StartJobRun", `{"JobName":"a","Arguments":{"--x":null}}`, codeValidation, "'arguments.--x.member'"},
		"number too small":  {"StartJobRun", `{"JobName":"a","Timeout":0}`, codeValidation, "Member must have value greater than or equal to 1"},
		"number too large":  {"GetJobs", `{"MaxResults":1001}`, codeValidation, "Member must have value less than or equal to 1000"},
		"batch size":        {"CreateTrigger", `{"Name":"t","Type":"EVENT","Actions":[],"EventBatchingCondition":{"BatchSize":101}}`, codeValidation, "less than or equal to 100"},
		"tag map too long":  {"TagResource", `{"ResourceArn":"arn:aws:glue:x","TagsToAdd":{` + manyTags(51) + `}}`, codeValidation, "'tagsToAdd'"},

		"string for integer":  {"GetJobs", `{"MaxResults":"5"}`, codeSerialization, "MaxResults"},
		"fraction":            {"CreateJob", `{"Name":"a","Role":"r","Command":{},"AllocatedCapacity":0.0625}`, codeSerialization, "allocatedCapacity: expected an integer of 32 bits, found the number 0.0625"},
		"integer overflow":    {"GetJobs", `{"MaxResults":4294967296}`, codeSerialization, "32 bits"},
		"number for string":   {"GetJob", `{"JobName":7}`, codeSerialization, "jobName: expected a string, found the number 7"},
		"number for boolean":  {"GetConnection", `{"Name":"c","HidePassword":1}`, codeSerialization, "hidePassword: expected a boolean"},
		"object for list":     {"BatchGetJobs", `{"JobNames":{}}`, codeSerialization, "jobNames: expected a list, found an object"},
		"list for object":     {"StartJobRun", `{"JobName":"a","Arguments":[]}`, codeSerialization, "arguments: expected an object, found a list"},
		"string for struct":   {"UpdateJob", `{"JobName":"a","JobUpdate":"x"}`, codeSerialization, "jobUpdate: expected an object"},
		"string for time":     {"GetTable", `{"DatabaseName":"d","Name":"t","QueryAsOfTime":"2026-01-01"}`, codeSerialization, "queryAsOfTime: expected a number"},
		"time out of bounds":  {"GetTable", `{"DatabaseName":"d","Name":"t","QueryAsOfTime":1e300}`, codeSerialization, "timestamp"},
		"double out of range": {"CreateJob", `{"Name":"a","Role":"r","Command":{},"MaxCapacity":1e999}`, codeSerialization, "double"},
		"no JSON":             {"GetJob", `{"JobName":`, codeSerialization, "no JSON document"},
		"two documents":       {"GetJob", `{} {}`, codeSerialization, "more than one"},
		"a list as body":      {"GetJob", `[]`, codeSerialization, "the body: expected an object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := post(t, s, test.operation, test.body)
			var answer struct {
				Type    string `json:"__type"`
				Message string
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("answer %s: %v", body, err)
			}
			if status != http.StatusBadRequest || answer.Type != test.code {
				t.Errorf("status %d, code %s: want 400, %s (%s)", status, answer.Type, test.code, body)
			}
			if !strings.Contains(strings.ToLower(answer.Message), strings.ToLower(test.text)) {
				t.Errorf("message %q lacks %q", answer.Message, test.text)
			}
		})
	}
}

func manyTags(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = `"k` + strings.Repeat("x", i) + `":""`
	}
	return strings.Join(tags, ",")
}

// TestWorkerTypeIsOpen: worker types that the API enumeration does not list are let through.
func TestWorkerTypeIsOpen(t *testing.T) {
	t.Parallel()
	m := testModel(t)
	if err := m.checkRequest("CreateJobRequest", []byte(
		`{"Name":"a","Role":"r","Command":{},"WorkerType":"X.99X","NumberOfWorkers":2}`)); err != nil {
		t.Errorf("unlisted worker type: %v", err)
	}
	if err := m.checkRequest("CreateJobRequest", []byte(
		`{"Name":"a","Role":"r","Command":{},"ExecutionClass":"NIGHTLY"}`)); err == nil {
		t.Error("unlisted execution class passed")
	}
}

// TestResponsesAreChecked: a reply against the model is a 500 and shows up in Violations.
func TestResponsesAreChecked(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	s.ops["GetJob"] = func(*call, []byte) (any, error) {
		return map[string]any{"Job": map[string]any{"AllocatedCapacity": 0.0625}}, nil
	}
	s.ops["GetTags"] = func(*call, []byte) (any, error) { return nil, alreadyExists("impossible here") }
	status, body := post(t, s, "GetJob", `{"JobName":"a"}`)
	if status != http.StatusInternalServerError || !strings.Contains(body, "violates the service model") {
		t.Errorf("status %d, body %s", status, body)
	}
	post(t, s, "GetTags", `{"ResourceArn":"arn:aws:glue:eu-west-1:1:job/a"}`)
	v := s.Violations()
	if len(v) != 2 || !strings.Contains(v[0], "GetJob answered against the model") || !strings.Contains(v[1], "AlreadyExistsException") {
		t.Errorf("violations %q", v)
	}
}

// FuzzValidate: whatever the body, the check answers and does not panic, and what it lets
// through can be decoded by the handler without one.
func FuzzValidate(f *testing.F) {
	m, err := loadModel()
	if err != nil {
		f.Fatal(err)
	}
	names := sortedKeys(m.Operations)
	for i, body := range []string{
		``, ` `, `{}`, `null`, `[]`, `"`, `{"JobName":"a"}`, `{"JobName":"\ud800"}`, `{"MaxResults":1e9999}`,
		`{"Name":"t","Type":"SCHEDULED","Actions":[{"JobName":"j","Arguments":{"a":"b"}}],"Schedule":"cron(0 0 * * ? *)"}`,
		`{"DatabaseName":"d","TableInput":{"Name":"t","LastAccessTime":-1e300,"StorageDescriptor":{"Columns":[]}}}`,
		`{"Name":"j","Role":"r","Command":{},"CodeGenConfigurationNodes":{"1":{"Join":{"Name":"x","Inputs":["a","b"]}}}}`,
	} {
		f.Add(i, []byte(body))
	}
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		name := names[((which%len(names))+len(names))%len(names)]
		if refused := m.checkRequest(m.Operations[name].Input, body); refused != nil {
			if refused.status != http.StatusBadRequest || refused.message == "" {
				t.Errorf("refusal %+v", refused)
			}
			return
		}
		c := &call{server: fuzzServer(), now: epoch}
		c.region = c.server.regionOf(scope{"1", "r"})
		if _, err := operations()[name](c, body); err != nil {
			if refused := asAPIError(err); refused.code == codeInternalService {
				t.Errorf("%s %s: %v", name, body, err)
			}
		}
	})
}

// fuzzServer is a server without a listener; handlers alone need no more.
func fuzzServer() *Server {
	return &Server{
		opts:    Options{Clock: NewManualClock(epoch)}.filled(),
		regions: map[scope]*region{},
		runs:    map[string]*run{},
		output:  &lineWriter{},
	}
}
