package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// block is the configuration of a resource, or of the provider.
type block map[string]any

// in is the object at an attribute.
func (c block) in(names ...string) block {
	for _, name := range names {
		inner, ok := c[name].(block)
		if !ok {
			panic("there is no object at " + name)
		}
		c = inner
	}
	return c
}

// plain is a configuration as value takes it.
func (c block) plain() map[string]any {
	out := maps.Clone(map[string]any(c))
	for name, field := range out {
		if inner, ok := field.(block); ok {
			out[name] = inner.plain()
		}
	}
	return out
}

// valid are configurations in which nothing is wrong, made anew at each call.
var valid = map[string]func() block{
	"lakeland_tracking": func() block { return block{"name": "shop"} },
	"lakeland_connection": func() block {
		return block{
			"tracking": "shop", "name": "shop-db", "engine": "postgresql", "host": "shop.example.internal", "database": "shop", "secret_arn": secret,
			"tls":     block{"mode": "verify-full"},
			"network": block{"subnet_id": "subnet-0123456789abcdef0", "security_group_ids": []any{"sg-0123456789abcdef0"}},
		}
	},
	"lakeland_cadence": func() block {
		return block{
			"tracking": "shop", "name": "ten-minutes", "schedule": "rate(10 minutes)", "role_arn": role, "connections": []any{"shop-db"},
			"artifacts": block{"location": "s3://acme-artifacts/lakeland/"}, "runtime": block{"timeout": "1h"},
		}
	},
	"lakeland_source_table": func() block {
		return block{
			"name": "shop.orders", "cadence": "shop/ten-minutes", "primary_key": []any{"id"},
			"source": block{"database": block{"connection": "shop-db", "schema": "public", "table": "orders"}},
			"target": block{"location": "s3://acme-lake/raw/orders/", "database": "raw", "table": "orders"},
		}
	},
}

// wrong is a configuration with one fault, and what is said of it.
type wrong struct {
	name   string
	fault  func(block)
	path   string
	detail string
}

// said is a diagnostic.
type said struct{ severity, path, summary, detail string }

func (s said) String() string {
	return fmt.Sprintf("%s at %q\n    %s\n    %s", s.severity, s.path, s.summary, s.detail)
}

const (
	isError   = "ERROR"
	isWarning = "WARNING"
)

func heard(diagnostics []*tfprotov6.Diagnostic) []said {
	var out []said
	for _, d := range diagnostics {
		out = append(out, said{d.Severity.String(), pathText(d.Attribute), d.Summary, d.Detail})
	}
	return out
}

// expectSaid wants exactly these diagnostics, to the letter.
func expectSaid(t *testing.T, got []said, want ...said) {
	t.Helper()
	same := len(got) == len(want)
	for i := range want {
		same = same && got[i] == want[i]
	}
	if !same {
		t.Errorf("said was\n  %v\nwanted\n  %v", got, want)
	}
}

// saysWrong validates, and plans without a session, each configuration: both name the one fault, at its path, in the
// same words. The configuration without the fault is accepted.
func saysWrong(t *testing.T, resource string, rows []wrong) {
	t.Helper()
	s := serve(t)
	expectSaid(t, s.heardAtValidate(resource, valid[resource]()))
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			c := valid[resource]()
			row.fault(c)
			id, _ := c["name"].(string)
			if id == "" {
				id = "name not known yet"
			}
			want := said{isError, row.path, fmt.Sprintf("validating %s (%s)", resource, id), row.path + ": " + row.detail}
			expectSaid(t, s.heardAtValidate(resource, c), want)
			want.summary = strings.Replace(want.summary, "validating", "planning", 1)
			_, planned := s.planned(resource, c)
			expectSaid(t, planned, want)
		})
	}
}

func (s *server) heardAtValidate(resource string, c block) []said {
	s.t.Helper()
	typ := s.schemas.ResourceSchemas[resource].ValueType()
	resp, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: s.dynamic(typ, c.plain())})
	if err != nil {
		s.t.Fatal(err)
	}
	return heard(resp.Diagnostics)
}

// planned plans the creation of a resource as a core does: what the provider decides is unknown.
func (s *server) planned(resource string, c block) (*tfprotov6.PlanResourceChangeResponse, []said) {
	s.t.Helper()
	schema := s.schemas.ResourceSchemas[resource]
	typ := schema.ValueType()
	proposed := c.plain()
	for _, attribute := range schema.Block.Attributes {
		if _, set := proposed[attribute.Name]; attribute.Computed && !set {
			proposed[attribute.Name] = unknown{}
		}
	}
	resp, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, Config: s.dynamic(typ, c.plain()), PriorState: s.dynamic(typ, nil), ProposedNewState: s.dynamic(typ, proposed),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, heard(resp.Diagnostics)
}

// applied creates a resource and returns what was said then; what was said at plan is passed over.
func (s *server) applied(resource string, c block) []said {
	s.t.Helper()
	typ := s.schemas.ResourceSchemas[resource].ValueType()
	plan, planned := s.planned(resource, c)
	for _, d := range planned {
		if d.severity == isError {
			s.t.Fatalf("the plan was refused: %s", d)
		}
	}
	resp, err := s.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, Config: s.dynamic(typ, c.plain()), PriorState: s.dynamic(typ, nil), PlannedState: plan.PlannedState,
		PlannedPrivate: plan.PlannedPrivate, PlannedIdentity: plan.PlannedIdentity,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return heard(resp.Diagnostics)
}

func TestWrongTrackings(t *testing.T) {
	t.Parallel()
	saysWrong(t, "lakeland_tracking", []wrong{
		{"a hyphen in the name", func(c block) { c["name"] = "shop-prod" }, "name",
			`"shop-prod" is not a name for a tracking: write 1 to 40 lower-case letters, digits and underscores, with a letter first, such as "shop_prod"`},
		{"a key's alias", func(c block) { c["kms_key_arn"] = "alias/lake" }, "kms_key_arn",
			`"alias/lake" is not the ARN that belongs here: it has the form "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"`},
		{"replicas", func(c block) { c["replica_regions"] = []any{"eu-central-1"} }, "replica_regions",
			`is not supported yet: leave it out; point-in-time recovery is on, and a second Region can land from its own tracking`},
	})
}

func TestWrongConnections(t *testing.T) {
	t.Parallel()
	saysWrong(t, "lakeland_connection", []wrong{
		{"capitals in the name", func(c block) { c["name"] = "Shop DB" }, "name",
			`"Shop DB" is not a name: write 1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end, such as "shop-db"`},
		{"tracking", func(c block) { c["tracking"] = "Shop" }, "tracking",
			`"Shop" is not a name for a tracking: write 1 to 40 lower-case letters, digits and underscores, with a letter first, such as "shop"`},
		{"misspelt engine", func(c block) { c["engine"] = "postgres" }, "engine", `"postgres" is not known; did you mean "postgresql"?`},
		{"engine of another release", func(c block) { c["engine"] = "mysql" }, "engine", `"mysql" is not supported yet: use "postgresql"`},
		{"host with a scheme", func(c block) { c["host"] = "postgresql://shop" }, "host",
			`"postgresql://shop" is not a host name or address: write the database's endpoint without scheme, port or path`},
		{"host with a port", func(c block) { c["host"] = "shop.example.internal:5432" }, "host",
			`"shop.example.internal:5432" is not a host name or address: write the database's endpoint without scheme, port or path`},
		{"port", func(c block) { c["port"] = 70000 }, "port", `70000 is not a port: write 1 to 65535`},
		{"no database", func(c block) { c["database"] = "" }, "database", `"" is not the name of a database: write 1 to 128 characters`},
		{"the secret itself", func(c block) { c["secret_arn"] = "shop-db" }, "secret_arn",
			`"shop-db" is not the ARN that belongs here: it has the form "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-db-AbCdEf"`},
		{"no TLS", func(c block) { c.in("tls")["mode"] = "disable" }, "tls.mode",
			`"disable" is not known: write one of verify-full, verify-ca, require (a connection without TLS is not offered)`},
		{"misspelt TLS mode", func(c block) { c.in("tls")["mode"] = "verify_full" }, "tls.mode",
			`"verify_full" is not known; did you mean "verify-full"? (a connection without TLS is not offered)`},
		{"a path as certificates", func(c block) { c.in("tls")["ca"] = "ca.pem" }, "tls.ca", `it holds no PEM certificate: write file("ca.pem")`},
		{"a private key", func(c block) {
			c.in("tls")["ca"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		}, "tls.ca", `PEM block 1 (PRIVATE KEY) is not a certificate; never put a private key here`},
		{"too many connections", func(c block) { c["max_connections"] = 1000 }, "max_connections", `1000 is out of range: write 1 to 100`},
		{"subnet", func(c block) { c.in("network")["subnet_id"] = "private-a" }, "network.subnet_id",
			`"private-a" is not the id of a subnet: it has the form "subnet-0123456789abcdef0"`},
		{"no security group", func(c block) { c.in("network")["security_group_ids"] = []any{} }, "network.security_group_ids", `it has 0 groups: write 1 to 50`},
		{"security group", func(c block) {
			c.in("network")["security_group_ids"] = []any{"sg-0123456789abcdef0", "default"}
		}, "network.security_group_ids[1]",
			`"default" is not the id of a security group: it has the form "sg-0123456789abcdef0"`},
	})
}

func TestWrongCadences(t *testing.T) {
	t.Parallel()
	schedule := func(text string) func(block) { return func(c block) { c["schedule"] = text } }
	const uneven = `the rate does not divide the hour or the day evenly, so no cron expression means it: ` +
		`write 5, 6, 10, 12, 15, 20 or 30 minutes, 1, 2, 3, 4, 6, 8 or 12 hours, 1 day, or a cron(...) of your own`
	saysWrong(t, "lakeland_cadence", []wrong{
		{"schedule in words", schedule("hourly"), "schedule",
			`"hourly" is not a schedule: write "cron(0/10 * * * ? *)" (UTC) or "rate(10 minutes)"`},
		{"crontab", schedule("*/10 * * * *"), "schedule",
			`"*/10 * * * *" is not a schedule: write "cron(0/10 * * * ? *)" (UTC) or "rate(10 minutes)"`},
		{"five fields", schedule("cron(0/10 * * * *)"), "schedule",
			`"cron(0/10 * * * *)" has 5 fields; AWS wants six: minutes hours day-of-month month day-of-week year, such as "cron(0/10 * * * ? *)"`},
		{"minute 75", schedule("cron(75 3 * * ? *)"), "schedule",
			`"cron(75 3 * * ? *)": "75" cannot stand in the field "minutes": write 0 to 59, alone, as 1-5, as 0/10, or several with commas`},
		{"hour 24", schedule("cron(0 24 * * ? *)"), "schedule",
			`"cron(0 24 * * ? *)": "24" cannot stand in the field "hours": write 0 to 23, alone, as 1-5, as 0/10, or several with commas`},
		{"misspelt month", schedule("cron(0 3 1 JUNE ? *)"), "schedule",
			`"cron(0 3 1 JUNE ? *)": "JUNE" cannot stand in the field "month": write 1 to 12 or JAN to DEC, alone, as 1-5, as 0/10, or several with commas`},
		{"no question mark", schedule("cron(0 3 * * * *)"), "schedule",
			`"cron(0 3 * * * *)": exactly one of day of month and day of week must be "?", and they are "*" and "*": write "?" for the one that does not matter`},
		{"below 5 minutes", schedule("cron(0/2 * * * ? *)"), "schedule",
			`"cron(0/2 * * * ? *)" fires at 00:00 and again at 00:02; a Glue trigger wants at least 5 minutes between two firings: write "cron(0/5 * * * ? *)" or less often`},
		{"below 5 minutes around the hour", schedule("cron(1,58 * * * ? *)"), "schedule",
			`"cron(1,58 * * * ? *)" fires at 00:58 and again at 01:01; a Glue trigger wants at least 5 minutes between two firings: write "cron(0/5 * * * ? *)" or less often`},
		{"never", schedule("cron(0 3 30 2 ? *)"), "schedule",
			`"cron(0 3 30 2 ? *)" never fires: write a day that comes, such as "cron(0 3 * * ? *)", or leave the schedule out to run on demand only`},
		{"rate below 5 minutes", schedule("rate(2 minutes)"), "schedule",
			`"rate(2 minutes)": a Glue trigger fires at most every 5 minutes: write "rate(5 minutes)" or more`},
		{"rate that does not divide the hour", schedule("rate(7 minutes)"), "schedule", `"rate(7 minutes)": ` + uneven},
		{"rate that does not divide the day", schedule("rate(5 hours)"), "schedule", `"rate(5 hours)": ` + uneven},
		{"rate of nothing", schedule("rate(0 minutes)"), "schedule", `"rate(0 minutes)": write a whole number of minutes, hours or days`},
		{"singular", schedule("rate(10 minute)"), "schedule", `"rate(10 minute)": AWS wants the unit to agree with the number: write "rate(10 minutes)"`},
		{"plural", schedule("rate(1 hours)"), "schedule", `"rate(1 hours)": AWS wants the unit to agree with the number: write "rate(1 hour)"`},
		{"unit", schedule("rate(90 seconds)"), "schedule", `"rate(90 seconds)" is not a schedule: write "cron(0/10 * * * ? *)" (UTC) or "rate(10 minutes)"`},
		{"name", func(c block) { c["name"] = "Ten Minutes" }, "name",
			`"Ten Minutes" is not a name: write 1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end, such as "ten-minutes"`},
		{"role by name", func(c block) { c["role_arn"] = "engine" }, "role_arn",
			`"engine" is not the ARN that belongs here: it has the form "arn:aws:iam::123456789012:role/lakeland-engine"`},
		{"a user as role", func(c block) { c["role_arn"] = "arn:aws:iam::123456789012:user/ada" }, "role_arn",
			`"arn:aws:iam::123456789012:user/ada" is not the ARN that belongs here: it has the form "arn:aws:iam::123456789012:role/lakeland-engine"`},
		{"artifacts without scheme", func(c block) { c.in("artifacts")["location"] = "acme-artifacts/lakeland" }, "artifacts.location",
			`"acme-artifacts/lakeland" is not an S3 address: write "s3://bucket/prefix/"`},
		{"bucket in capitals", func(c block) { c.in("artifacts")["location"] = "s3://Acme/lakeland/" }, "artifacts.location",
			`"s3://Acme/lakeland/" does not name a bucket: bucket names are 3 to 63 lower-case letters, digits, hyphens and dots`},
		{"no connections", func(c block) { c["connections"] = []any{} }, "connections", `it is empty: name the connections that the cadence's tables use`},
		{"connection by id", func(c block) { c["connections"] = []any{"shop-db", "shop/other-db"} }, "connections[1]",
			`"shop/other-db" is not a name: write 1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end, such as "shop-other-db"`},
		{"a connection twice", func(c block) { c["connections"] = []any{"shop-db", "shop-db"} }, "connections", `"shop-db" stands twice`},
		{"batch size", func(c block) { c["batch_size"] = 5000 }, "batch_size", `5000 is out of range: write 1 to 1000 tables`},
		{"size of the job", func(c block) { c.in("runtime")["dpu"] = 0.5 }, "runtime.dpu", `0.5 is not a size of a Python shell job: write 0.0625 or 1`},
		{"misspelt kind", func(c block) { c.in("runtime")["kind"] = "python-shell" }, "runtime.kind", `"python-shell" is not known; did you mean "pythonshell"?`},
		{"workers of a shell", func(c block) { c.in("runtime")["workers"] = 4 }, "runtime.workers", `it belongs to kind = "spark": leave it out, or change the kind`},
		{"timeout in words", func(c block) { c.in("runtime")["timeout"] = "1 hour" }, "runtime.timeout",
			`"1 hour" is not a duration: write a whole number and s, m, h or d, such as "5m" or "24h"`},
		{"timeout too long", func(c block) { c.in("runtime")["timeout"] = "30d" }, "runtime.timeout", `"30d" is out of range: write "5m" to "7d"`},
		{"retention", func(c block) { c["log_retention"] = "90" }, "log_retention",
			`"90" is not a duration: write a whole number and s, m, h or d, such as "5m" or "24h"`},
	})
}

// An object of which nothing is left is pointed out: core has dropped every name in it.
func TestObjectsThatSetNothing(t *testing.T) {
	t.Parallel()
	c := valid["lakeland_cadence"]()
	c["runtime"] = block{}
	expectSaid(t, serve(t).heardAtValidate("lakeland_cadence", c), said{
		isWarning, "runtime", "validating lakeland_cadence (ten-minutes)",
		"runtime: it sets nothing. Terraform drops names that it does not know inside an object: check the spelling against dpu, glue_version, kind, timeout, worker_type, workers, or leave runtime out.",
	})
}

// A provider whose own configuration was not known at plan, and still is not at apply, writes nothing.
func TestUnknownProviderConfiguration(t *testing.T) {
	t.Parallel()
	for resource, name := range map[string]string{
		"lakeland_tracking": "shop", "lakeland_connection": "shop-db", "lakeland_cadence": "ten-minutes", "lakeland_source_table": "shop.orders",
	} {
		s := serve(t)
		expectSaid(t, s.heardAtConfigure(block{"region": unknown{}}))
		expectSaid(t, s.applied(resource, valid[resource]()), said{
			isError, "", fmt.Sprintf("creating %s (%s)", resource, name),
			"The provider's configuration is not known yet: give region, credentials and endpoints values that do not depend on resources of the same apply.",
		})
	}
}
