package provider_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// session is a provider that is configured for the account, with other endpoints where given.
func (a *account) session(t *testing.T, endpoints map[string]string) *server {
	t.Helper()
	access, secretKey := a.sb.Credentials()
	all := map[string]any{"glue": a.endpoints.Glue, "s3": a.endpoints.S3}
	for _, service := range []string{"dynamodb", "iam", "secretsmanager", "sts"} {
		all[service] = a.endpoints.Default
	}
	for service, address := range endpoints {
		all[service] = address
	}
	s := serve(t)
	expectSaid(t, s.heardAtConfigure(block{"region": sandbox.Region, "access_key": access, "secret_key": secretKey, "max_retries": 2, "endpoints": []any{all}}))
	return s
}

// valid is a configuration that the account takes.
func (a *account) valid(resource string) block {
	c := valid[resource]()
	switch resource {
	case "lakeland_tracking":
		c["name"] = a.name
	case "lakeland_connection":
		c["tracking"], c["secret_arn"] = a.name, a.secret
		delete(c, "network")
	case "lakeland_cadence":
		c["tracking"] = a.name
		c.in("artifacts")["location"] = "s3://" + a.artifacts + "/lakeland/"
	case "lakeland_source_table":
		c["cadence"] = a.name + "/ten-minutes"
		maps.Copy(c.in("target"), block{"location": "s3://" + a.lake + "/raw/orders/", "database": a.database})
	}
	return c
}

// keep makes a secret with a value and returns its ARN.
func (a *account) keep(in *secretsmanager.CreateSecretInput) string {
	a.t.Helper()
	in.Name = aws.String(a.sb.NewName(a.t))
	out, err := a.clients.Secrets.CreateSecret(a.t.Context(), in)
	a.must(err)
	return aws.ToString(out.ARN)
}

// furnished is an account with a tracking, three connections, two of them in networks of their own, a cadence and a
// source table.
func furnished(t *testing.T) *account {
	t.Helper()
	a := newAccount(t)
	s := a.session(t, nil)
	expectSaid(t, s.applied("lakeland_tracking", a.valid("lakeland_tracking")))
	for name, subnet := range map[string]string{"shop-db": "", "left": "subnet-00000000", "right": "subnet-11111111"} {
		c := a.valid("lakeland_connection")
		c["name"] = name
		if subnet != "" {
			c["network"] = block{"subnet_id": subnet, "security_group_ids": []any{"sg-0123456789abcdef0"}}
		}
		expectSaid(t, s.applied("lakeland_connection", c))
	}
	expectSaid(t, s.applied("lakeland_cadence", a.valid("lakeland_cadence")))
	expectSaid(t, s.applied("lakeland_source_table", a.valid("lakeland_source_table")))
	return a
}

// wrongThere is a configuration that only the account shows to be wrong: what is said at plan, and, where that was no
// error, at apply. Summaries are those of the stage, and each detail begins with its path.
type wrongThere struct {
	name     string
	resource string
	fault    func(block)
	plan     []said
	apply    []said
}

func errorAt(path, detail string) []said   { return []said{{isError, path, "", detail}} }
func warningAt(path, detail string) []said { return []said{{isWarning, path, "", detail}} }

const (
	keepsOrder = ". If this apply creates it, refer to it by its resource's attribute, so that Terraform keeps the order."
	byItsName  = ": create it first, and refer to it by its attribute, so that Terraform keeps the order"
)

// foreseen is a fault that the apply itself may still mend: a warning at plan, an error at apply.
func foreseen(name, resource string, fault func(block), path, detail string) wrongThere {
	return wrongThere{name, resource, fault, warningAt(path, detail+keepsOrder), errorAt(path, detail)}
}

func (a *account) saysWrong(t *testing.T, rows []wrongThere) {
	t.Helper()
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := a.session(t, nil)
			c := a.valid(row.resource)
			if row.resource != "lakeland_tracking" {
				c["name"] = fmt.Sprintf("row-%d", i)
			}
			row.fault(c)
			complete := func(verb string, wanted []said) []said {
				var out []said
				for _, w := range wanted {
					out = append(out, said{w.severity, w.path, fmt.Sprintf("%s %s (%s)", verb, row.resource, c["name"]), w.path + ": " + w.detail})
				}
				return out
			}
			_, planned := s.planned(row.resource, c)
			expectSaid(t, planned, complete("planning", row.plan)...)
			if row.apply != nil {
				expectSaid(t, s.applied(row.resource, c), complete("creating", row.apply)...)
			}
		})
	}
}

func TestWrongReferences(t *testing.T) {
	t.Parallel()
	a := furnished(t)
	const connection, cadence, table = "lakeland_connection", "lakeland_cadence", "lakeland_source_table"
	secretOf := func(arn string) func(block) { return func(c block) { c["secret_arn"] = arn } }
	text := func(value string) string {
		return a.keep(&secretsmanager.CreateSecretInput{SecretString: aws.String(value)})
	}
	noPassword, empty, notJSON := text(`{"username":"ada","pasword":"s3cr3t"}`), text(`{"username":"","password":7}`), text(`s3cr3t`)
	binary, noValue := a.keep(&secretsmanager.CreateSecretInput{SecretBinary: []byte("s3cr3t")}), a.keep(&secretsmanager.CreateSecretInput{})
	leaving := text(`{"username":"ada","password":"s3cr3t"}`)
	_, err := a.clients.Secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String(leaving), RecoveryWindowInDays: aws.Int64(7)})
	a.must(err)
	a.role("instance", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}}`)

	absentSecret := "arn:aws:secretsmanager:" + sandbox.Region + ":" + sandbox.Account + ":secret:absent-AbCdEf"
	const store = `store {"username": "...", "password": "..."}`
	target := func(name string, value any) func(block) { return func(c block) { c.in("target")[name] = value } }
	own := func(c block) { // a target of its own, so that only the row's fault is wrong
		maps.Copy(c.in("target"), block{"location": "s3://" + a.lake + "/own/" + c["name"].(string) + "/", "table": "own"})
	}
	a.saysWrong(t, []wrongThere{
		foreseen("no bucket for artifacts", cadence, func(c block) { c.in("artifacts")["location"] = "s3://t-absent-artifacts/x/" }, "artifacts.location",
			`there is no bucket "t-absent-artifacts": create it first`),
		{"no role", cadence, func(c block) { c["role_arn"] = "arn:aws:iam::" + sandbox.Account + ":role/absent" }, nil, errorAt("role_arn",
			`there is no role "absent" in the account `+sandbox.Account+`: create it first, or correct the name`)},
		{"role of another service", cadence, func(c block) { c["role_arn"] = "arn:aws:iam::" + sandbox.Account + ":role/instance" }, nil, errorAt("role_arn",
			`Glue may not assume the role "instance": add the statement {"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"} to its trust policy (assume_role_policy)`)},
		{"role on another path", cadence, func(c block) { c["role_arn"] = "arn:aws:iam::" + sandbox.Account + ":role/jobs/engine" }, nil, errorAt("role_arn",
			`the role "engine" has the ARN "arn:aws:iam::`+sandbox.Account+`:role/engine", not "arn:aws:iam::`+sandbox.Account+`:role/jobs/engine": take it from the role's resource, path included`)},
		{"no such connections", cadence, func(c block) { c["connections"] = []any{"absent", "shop-db", "gone"} }, nil, []said{
			{isError, "connections[0]", "", `there is no connection "absent" in the tracking "` + a.name + `"` + byItsName},
			{isError, "connections[2]", "", `there is no connection "gone" in the tracking "` + a.name + `"` + byItsName},
		}},
		{"connections in two networks", cadence, func(c block) { c["connections"] = []any{"left", "shop-db", "right"} }, errorAt("connections",
			`"left" and "right" lie in different networks, and a Glue job lies in one: give them the same network, or a cadence each`), nil},
		{"no tracking for a cadence", cadence, func(c block) { c["tracking"] = "absent" }, nil, errorAt("tracking",
			`there is no tracking "absent" in this account and Region`+byItsName)},
		{"a cadence twice", cadence, func(c block) { c["name"], c["batch_size"] = "ten-minutes", 7 }, nil, errorAt("name",
			`the cadence "ten-minutes" exists already, and differs from this one: choose another name, or bring it under this configuration's care with import { id = "`+a.name+`/ten-minutes" }`)},

		foreseen("no secret", connection, secretOf(absentSecret), "secret_arn", `there is no secret "`+absentSecret+`": create it first, with the value {"username": "...", "password": "..."}`),
		{"secret of another Region", connection, secretOf("arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf"), errorAt("secret_arn",
			`the secret lies in eu-central-1, and runs read it in eu-west-1: replicate it there, and write the replica's ARN`), nil},
		{"secret about to be deleted", connection, secretOf(leaving), errorAt("secret_arn", `the secret "`+leaving+`" is scheduled for deletion: restore it, or use another`), nil},
		{"secret without password", connection, secretOf(noPassword), nil, errorAt("secret_arn", `the value of the secret "`+noPassword+`" has no text at "password": `+store)},
		{"secret with other kinds", connection, secretOf(empty), nil, errorAt("secret_arn", `the value of the secret "`+empty+`" has no text at "username" and "password": `+store)},
		{"secret that is no JSON", connection, secretOf(notJSON), nil, errorAt("secret_arn", `the value of the secret "`+notJSON+`" is not a JSON object: `+store)},
		{"secret that is bytes", connection, secretOf(binary), nil, errorAt("secret_arn", `the value of the secret "`+binary+`" is not a JSON object: `+store)},
		{"secret without value", connection, secretOf(noValue), nil, warningAt("secret_arn", `the secret "`+noValue+`" has no value yet, and runs fail until it has one: `+store)},
		{"no tracking for a connection", connection, func(c block) { c["tracking"] = "absent" }, nil, errorAt("tracking",
			`there is no tracking "absent" in this account and Region`+byItsName)},
		{"a connection twice", connection, func(c block) { c["name"] = "left" }, nil, errorAt("name",
			`the connection "left" exists already, and differs from this one: choose another name, or bring it under this configuration's care with import { id = "`+a.name+`/left" }`)},

		foreseen("no Glue database", table, func(c block) { own(c); target("database", "absent")(c) }, "target.database",
			`there is no such Glue database as "absent" in this account and Region: create it first`),
		foreseen("no bucket for the table", table, func(c block) { own(c); target("location", "s3://t-absent-lake/orders/")(c) }, "target.location",
			`there is no bucket "t-absent-lake": create it first`),
		{"no such cadence", table, func(c block) { own(c); c["cadence"] = a.name + "/absent" }, nil, errorAt("cadence",
			`the cadence "absent" is not configured in this tracking, or is being destroyed: create it first, and refer to it by its attribute so that Terraform keeps the order`)},
		{"no tracking for a table", table, func(c block) { own(c); c["cadence"] = "absent/ten-minutes" }, nil, errorAt("cadence",
			`there is no tracking "absent" in this account and Region`+byItsName)},
		{"connection that the cadence does not name", table, func(c block) { own(c); c.in("source", "database")["connection"] = "left" }, nil, errorAt("source.database.connection",
			`the cadence "ten-minutes" does not name the connection "left": add it to the cadence's connections, or use one that it names (shop-db)`)},
		{"location inside another table's", table, func(c block) {
			own(c)
			target("location", "s3://"+a.lake+"/raw/orders/eu/")(c)
		}, nil, errorAt("target.location",
			`the target s3://`+a.lake+`/raw/orders/ belongs to the source table "shop.orders": two tables never land in one place; choose another location or catalogue table`)},
		{"location around another table's", table, func(c block) {
			own(c)
			target("location", "s3://"+a.lake+"/raw/")(c)
		}, nil, errorAt("target.location",
			`the target s3://`+a.lake+`/raw/orders/ belongs to the source table "shop.orders": two tables never land in one place; choose another location or catalogue table`)},
		{"catalogue entry of another table", table, func(c block) { own(c); target("table", "orders")(c) }, nil, errorAt("target.table",
			`the target `+sandbox.Account+`.`+a.database+`.orders belongs to the source table "shop.orders": two tables never land in one place; choose another location or catalogue table`)},
		{"a source table twice", table, func(c block) { own(c); c["name"] = "shop.orders" }, nil, errorAt("name",
			`the table "shop.orders" exists already, and differs from this one: choose another name, or bring it under this configuration's care with import { id = "`+a.name+`/shop.orders" }`)},
		{"a tracking twice", "lakeland_tracking", func(c block) { c["deletion_protection"] = false }, nil, errorAt("name",
			`the tracking "`+a.name+`" exists already, and differs from this one: choose another name, or bring it under this configuration's care with import { id = "`+a.name+`" }`)},
	})
}

// A bucket of another Region is refused at plan, where S3 says which, and where it does not. One that may not be looked
// at is passed over.
func TestBucketsElsewhere(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for _, tc := range []struct {
		name, region string
		status       int
		lies         string
	}{
		{"named", "eu-central-1", http.StatusMovedPermanently, "eu-central-1"},
		{"named and denied", "eu-central-1", http.StatusForbidden, "eu-central-1"},
		{"not named", "", http.StatusMovedPermanently, "another Region"},
		{"denied", sandbox.Region, http.StatusForbidden, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tc.region != "" {
					w.Header().Set("X-Amz-Bucket-Region", tc.region)
				}
				w.WriteHeader(tc.status)
			}))
			t.Cleanup(s3.Close)
			s := a.session(t, map[string]string{"s3": s3.URL})
			for resource, path := range map[string]string{"lakeland_cadence": "artifacts.location", "lakeland_source_table": "target.location"} {
				c := a.valid(resource)
				bucket := map[string]string{"lakeland_cadence": a.artifacts, "lakeland_source_table": a.lake}[resource]
				_, planned := s.planned(resource, c)
				var want []said
				if tc.lies != "" {
					want = append(want, said{isError, path, fmt.Sprintf("planning %s (%s)", resource, c["name"]), fmt.Sprintf(
						"%s: the bucket %q lies in %s, and the provider works in eu-west-1: use a bucket of eu-west-1, or set the provider's region to the bucket's", path, bucket, tc.lies)})
				}
				expectSaid(t, planned, want...)
			}
		})
	}
}

// What a service refuses is handed on with the next step that its refusal suggests.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for code, tc := range map[string]struct{ cause, next string }{
		"AccessDeniedException": {
			"https response error StatusCode: 400, RequestID: 0000, api error AccessDeniedException: no",
			"The provider's credentials are not allowed to do this: grant the action named above, or configure profile, assume_role or keys of a principal that has it.",
		},
		"ThrottlingException": {
			"exceeded maximum number of attempts, 2, https response error StatusCode: 400, RequestID: 0000, ThrottlingException: no",
			"The service asked for fewer calls: run the apply again, perhaps with -parallelism=4.",
		},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amzn-RequestId", "0000")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprintf(w, `{"__type":%q,"message":"no"}`, code)
			}))
			t.Cleanup(refusing.Close)
			s := a.session(t, map[string]string{"dynamodb": refusing.URL})
			got := s.applied("lakeland_tracking", a.valid("lakeland_tracking"))
			expectSaid(t, got, said{isError, "", "creating lakeland_tracking (" + a.name + ")",
				fmt.Sprintf("reading the layout of tracking %q: operation error DynamoDB: GetItem, %s\n\n%s", a.name, tc.cause, tc.next)})
		})
	}
}

// Who may neither read roles nor secrets deploys all the same, and with a role of another account: Glue and the run
// decide.
func TestWhatMayNotBeReadIsPassedOver(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	asked := make(chan string, 100)
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			asked <- target
			_, _ = fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"no"}`)
			return
		}
		asked <- "iam." + r.FormValue("Action")
		_, _ = fmt.Fprintf(w, stsError, "AccessDenied", "no")
	}))
	t.Cleanup(denied.Close)
	expectSaid(t, a.session(t, nil).applied("lakeland_tracking", a.valid("lakeland_tracking")))
	s := a.session(t, map[string]string{"iam": denied.URL, "secretsmanager": denied.URL})
	for _, resource := range []string{"lakeland_connection", "lakeland_cadence"} {
		expectSaid(t, s.applied(resource, a.valid(resource)))
	}
	elsewhere := a.valid("lakeland_cadence")
	elsewhere["name"], elsewhere["role_arn"] = "elsewhere", "arn:aws:iam::210987654321:role/absent"
	expectSaid(t, a.session(t, nil).applied("lakeland_cadence", elsewhere))
	close(asked)
	seen := map[string]bool{}
	for call := range asked {
		seen[call] = true
	}
	for _, call := range []string{"iam.GetRole", "secretsmanager.DescribeSecret", "secretsmanager.GetSecretValue"} {
		if !seen[call] {
			t.Errorf("%s was not asked for, only %v", call, seen)
		}
	}
}
