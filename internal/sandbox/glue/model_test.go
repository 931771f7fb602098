package glue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/glue/schemas"
	"github.com/aws/smithy-go"
)

func testModel(t *testing.T) *model {
	t.Helper()
	m, err := loadModel()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestModelOperations: the extract holds what is implemented, and nothing else.
func TestModelOperations(t *testing.T) {
	t.Parallel()
	diff(t, "operations", sortedKeys(testModel(t).Operations), sortedKeys(operations()))
}

// TestModelPatterns: every pattern compiles as it is or has a translation that does, and the
// table holds no translation that is not needed.
func TestModelPatterns(t *testing.T) {
	t.Parallel()
	translated := translatedPatterns()
	used := map[string]bool{}
	for name, s := range testModel(t).Shapes {
		if s.Pattern == "" {
			continue
		}
		_, err := regexp.Compile(s.Pattern)
		_, known := translated[s.Pattern]
		used[s.Pattern] = true
		if (err != nil) != known {
			t.Errorf("shape %s: RE2 says %v of %q, in the table: %v", name, err, s.Pattern, known)
		}
	}
	for pattern := range translated {
		if !used[pattern] {
			t.Errorf("translated pattern %q is in no shape", pattern)
		}
	}
}

// TestTranslatedPatterns: the translations accept and refuse what the originals do.
func TestTranslatedPatterns(t *testing.T) {
	t.Parallel()
	m := testModel(t)
	for _, test := range []struct {
		shape, value string
		want         bool
	}{
		{"NameString", "plain", true},
		{"NameString", "Tab\tand é", true},
		{"NameString", "outside the basic plane: \U0001F4A7", true},
		{"NameString", "line\nbreak", false},
		{"NameString", "nul\x00", false},
		{"NameString", "\uFFFF", false},
		{"DescriptionString", "line\nbreak\r\n", true},
		{"DescriptionString", "\x01", false},
		{"GlueVersionString", "5.1", true},
		{"GlueVersionString", "auto", true},
		{"GlueVersionString", "5", false},
		{"PythonVersionString", "3.9", true},
		{"PythonVersionString", "3.11", false},
		{"MaintenanceWindow", "Sun:23", true},
		{"MaintenanceWindow", "Sunday:23", false},
	} {
		if got := m.Shapes[test.shape].pattern.MatchString(test.value); got != test.want {
			t.Errorf("%s %q: %v, want %v", test.shape, test.value, got, test.want)
		}
	}
}

func TestParseModelRefusesBrokenExtracts(t *testing.T) {
	t.Parallel()
	for extract, want := range map[string]string{
		`{`: "read the service model",
		`{"shapes": {"A": {"type": "string", "pattern": "["}}}`:               "shape A",
		`{"shapes": {"A": {"type": "list", "member": "B"}}}`:                  "refers to B",
		`{"operations": {"Op": {"input": "A", "output": "A"}}, "shapes": {}}`: "operation Op refers to A",
		`{"shapes": {"A": {"type": "structure", "members": {"X": "Y"}}}}`:     "refers to Y",
		`{"shapes": {"A": {"type": "map", "key": "A", "value": "Missing"}}}`:  "refers to Missing",
	} {
		if _, err := parseModel([]byte(extract)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", extract, err, want)
		}
	}
}

// TestModelAgreesWithSDK compares the extract with the schemas that the SDK ships: members,
// types and enumerations of everything reachable. When it fails, one of the two is older than the
// other: see model/README.md.
func TestModelAgreesWithSDK(t *testing.T) {
	t.Parallel()
	m := testModel(t)
	known := sdkSchemas()
	diff(t, "operations with an SDK schema", sortedKeys(m.Operations), sortedKeys(known))
	c := &comparer{model: m, seen: map[string]bool{}}
	for _, name := range sortedKeys(m.Operations) {
		op := m.Operations[name]
		c.compare(name+" input", op.Input, known[name][0])
		c.compare(name+" output", op.Output, known[name][1])
	}
	if len(c.seen) < len(m.Shapes)/2 {
		t.Errorf("only %d of %d shapes were compared", len(c.seen), len(m.Shapes))
	}
	if len(c.differences) > 0 {
		t.Errorf("the extract and the SDK's schemas differ:\n%s", strings.Join(c.differences, "\n"))
	}
}

type comparer struct {
	model       *model
	seen        map[string]bool
	differences []string
}

func (c *comparer) differ(format string, args ...any) {
	c.differences = append(c.differences, fmt.Sprintf(format, args...))
}

// compatible lists the SDK's shape types that stand for a type of the model.
func compatible(s *shape) []smithy.ShapeType {
	if s.Document {
		return []smithy.ShapeType{smithy.ShapeTypeDocument, smithy.ShapeTypeStructure}
	}
	switch s.Type {
	case "structure":
		return []smithy.ShapeType{smithy.ShapeTypeStructure, smithy.ShapeTypeUnion}
	case "list":
		return []smithy.ShapeType{smithy.ShapeTypeList, smithy.ShapeTypeSet}
	case "map":
		return []smithy.ShapeType{smithy.ShapeTypeMap}
	case "string":
		return []smithy.ShapeType{smithy.ShapeTypeString, smithy.ShapeTypeEnum}
	case "integer":
		return []smithy.ShapeType{smithy.ShapeTypeInteger}
	case "long":
		return []smithy.ShapeType{smithy.ShapeTypeLong}
	case "double":
		return []smithy.ShapeType{smithy.ShapeTypeDouble}
	case "float":
		return []smithy.ShapeType{smithy.ShapeTypeFloat}
	case "boolean":
		return []smithy.ShapeType{smithy.ShapeTypeBoolean}
	case "timestamp":
		return []smithy.ShapeType{smithy.ShapeTypeTimestamp}
	default:
		return nil
	}
}

func (c *comparer) compare(path, name string, sdk *smithy.Schema) {
	s := c.model.Shapes[name]
	if sdk == nil {
		c.differ("%s: the SDK has no schema for shape %s", path, name)
		return
	}
	if !slices.Contains(compatible(s), sdk.Type()) {
		c.differ("%s (%s): type %s, in the SDK %d", path, name, s.Type, sdk.Type())
		return
	}
	if c.seen[name] {
		return
	}
	c.seen[name] = true
	switch s.Type {
	case "structure":
		for _, member := range sortedKeys(s.Members) {
			if sdk.Member(member) == nil {
				c.differ("%s (%s): member %s is not in the SDK", path, name, member)
				continue
			}
			c.compare(path+"."+member, s.Members[member], sdk.Member(member))
		}
		for _, member := range sortedKeys(sdk.Members()) {
			if s.Members[member] == "" && !s.Document {
				c.differ("%s (%s): the SDK's member %s is not in the extract", path, name, member)
			}
		}
	case "list":
		c.compare(path+"[]", s.Member, sdk.ListMember())
	case "map":
		c.compare(path+"{key}", s.Key, sdk.MapKey())
		c.compare(path+"{value}", s.Value, sdk.MapValue())
	case "string":
		c.compareEnum(path, name, s, sdk)
	}
}

// enumName reduces a value, or the SDK's name for it, to what both have in common.
func enumName(value string) string {
	return strings.ToUpper(notAlphanumeric.ReplaceAllString(value, ""))
}

var notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)

func (c *comparer) compareEnum(path, name string, s *shape, sdk *smithy.Schema) {
	if sdk.Type() != smithy.ShapeTypeEnum {
		if len(s.Enum) > 0 {
			c.differ("%s (%s): an enumeration here, not in the SDK", path, name)
		}
		return
	}
	here, there := map[string]bool{}, map[string]bool{}
	for _, v := range s.Enum {
		here[enumName(v)] = true
	}
	for _, v := range sortedKeys(sdk.Members()) {
		there[enumName(v)] = true
	}
	if len(here) != len(there) {
		c.differ("%s (%s): %d values, in the SDK %d", path, name, len(here), len(there))
	}
	// The SDK names the values of this one freely: CacheOption for performanceTuning.caching.
	const freelyNamed = "AdditionalOptionKeys"
	for _, v := range sortedKeys(here) {
		if !there[v] && name != freelyNamed {
			c.differ("%s (%s): value %s is not in the SDK", path, name, v)
		}
	}
}

// sdkSchemas gives the SDK's input and output schema of every operation.
func sdkSchemas() map[string][2]*smithy.Schema {
	return map[string][2]*smithy.Schema{
		"BatchCreatePartition":    {schemas.BatchCreatePartitionRequest, schemas.BatchCreatePartitionResponse},
		"BatchDeletePartition":    {schemas.BatchDeletePartitionRequest, schemas.BatchDeletePartitionResponse},
		"BatchDeleteTable":        {schemas.BatchDeleteTableRequest, schemas.BatchDeleteTableResponse},
		"BatchDeleteTableVersion": {schemas.BatchDeleteTableVersionRequest, schemas.BatchDeleteTableVersionResponse},
		"BatchGetJobs":            {schemas.BatchGetJobsRequest, schemas.BatchGetJobsResponse},
		"BatchGetPartition":       {schemas.BatchGetPartitionRequest, schemas.BatchGetPartitionResponse},
		"BatchGetTriggers":        {schemas.BatchGetTriggersRequest, schemas.BatchGetTriggersResponse},
		"BatchStopJobRun":         {schemas.BatchStopJobRunRequest, schemas.BatchStopJobRunResponse},
		"CreateConnection":        {schemas.CreateConnectionRequest, schemas.CreateConnectionResponse},
		"CreateDatabase":          {schemas.CreateDatabaseRequest, schemas.CreateDatabaseResponse},
		"CreateJob":               {schemas.CreateJobRequest, schemas.CreateJobResponse},
		"CreatePartition":         {schemas.CreatePartitionRequest, schemas.CreatePartitionResponse},
		"CreateTable":             {schemas.CreateTableRequest, schemas.CreateTableResponse},
		"CreateTrigger":           {schemas.CreateTriggerRequest, schemas.CreateTriggerResponse},
		"DeleteConnection":        {schemas.DeleteConnectionRequest, schemas.DeleteConnectionResponse},
		"DeleteDatabase":          {schemas.DeleteDatabaseRequest, schemas.DeleteDatabaseResponse},
		"DeleteJob":               {schemas.DeleteJobRequest, schemas.DeleteJobResponse},
		"DeletePartition":         {schemas.DeletePartitionRequest, schemas.DeletePartitionResponse},
		"DeleteTable":             {schemas.DeleteTableRequest, schemas.DeleteTableResponse},
		"DeleteTableVersion":      {schemas.DeleteTableVersionRequest, schemas.DeleteTableVersionResponse},
		"DeleteTrigger":           {schemas.DeleteTriggerRequest, schemas.DeleteTriggerResponse},
		"GetConnection":           {schemas.GetConnectionRequest, schemas.GetConnectionResponse},
		"GetConnections":          {schemas.GetConnectionsRequest, schemas.GetConnectionsResponse},
		"GetDatabase":             {schemas.GetDatabaseRequest, schemas.GetDatabaseResponse},
		"GetDatabases":            {schemas.GetDatabasesRequest, schemas.GetDatabasesResponse},
		"GetJob":                  {schemas.GetJobRequest, schemas.GetJobResponse},
		"GetJobRun":               {schemas.GetJobRunRequest, schemas.GetJobRunResponse},
		"GetJobRuns":              {schemas.GetJobRunsRequest, schemas.GetJobRunsResponse},
		"GetJobs":                 {schemas.GetJobsRequest, schemas.GetJobsResponse},
		"GetPartition":            {schemas.GetPartitionRequest, schemas.GetPartitionResponse},
		"GetPartitions":           {schemas.GetPartitionsRequest, schemas.GetPartitionsResponse},
		"GetTable":                {schemas.GetTableRequest, schemas.GetTableResponse},
		"GetTableVersion":         {schemas.GetTableVersionRequest, schemas.GetTableVersionResponse},
		"GetTableVersions":        {schemas.GetTableVersionsRequest, schemas.GetTableVersionsResponse},
		"GetTables":               {schemas.GetTablesRequest, schemas.GetTablesResponse},
		"GetTags":                 {schemas.GetTagsRequest, schemas.GetTagsResponse},
		"GetTrigger":              {schemas.GetTriggerRequest, schemas.GetTriggerResponse},
		"GetTriggers":             {schemas.GetTriggersRequest, schemas.GetTriggersResponse},
		"ListJobs":                {schemas.ListJobsRequest, schemas.ListJobsResponse},
		"ListTriggers":            {schemas.ListTriggersRequest, schemas.ListTriggersResponse},
		"StartJobRun":             {schemas.StartJobRunRequest, schemas.StartJobRunResponse},
		"StartTrigger":            {schemas.StartTriggerRequest, schemas.StartTriggerResponse},
		"StopTrigger":             {schemas.StopTriggerRequest, schemas.StopTriggerResponse},
		"TagResource":             {schemas.TagResourceRequest, schemas.TagResourceResponse},
		"UntagResource":           {schemas.UntagResourceRequest, schemas.UntagResourceResponse},
		"UpdateConnection":        {schemas.UpdateConnectionRequest, schemas.UpdateConnectionResponse},
		"UpdateDatabase":          {schemas.UpdateDatabaseRequest, schemas.UpdateDatabaseResponse},
		"UpdateJob":               {schemas.UpdateJobRequest, schemas.UpdateJobResponse},
		"UpdatePartition":         {schemas.UpdatePartitionRequest, schemas.UpdatePartitionResponse},
		"UpdateTable":             {schemas.UpdateTableRequest, schemas.UpdateTableResponse},
		"UpdateTrigger":           {schemas.UpdateTriggerRequest, schemas.UpdateTriggerResponse},
	}
}
