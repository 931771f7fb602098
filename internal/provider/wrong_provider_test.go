package provider_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

const configuring = "configuring provider lakeland"

// heardAtConfigure configures the provider and returns what it said.
func (s *server) heardAtConfigure(c block) []said {
	s.t.Helper()
	typ := s.schemas.Provider.ValueType()
	resp, err := s.ConfigureProvider(s.t.Context(), &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.11.4", Config: s.dynamic(typ, c.plain())})
	if err != nil {
		s.t.Fatal(err)
	}
	return heard(resp.Diagnostics)
}

// isolate keeps the environment's credentials, Region and profiles out of a test.
func isolate(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "HTTP_PROXY", "http_proxy",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
}

// tokens is an STS that refuses some roles, and callers where it is told to.
type tokens struct {
	refusedRole string
	caller      string // an error code for GetCallerIdentity, or ""
}

const stsError = `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>0000</RequestId></ErrorResponse>`

func (s tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/xml")
	role := r.FormValue("RoleArn")
	switch {
	case r.FormValue("Action") == "AssumeRole" && role == s.refusedRole:
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, stsError, "AccessDenied", "not authorized to perform: sts:AssumeRole")
	case r.FormValue("Action") == "AssumeRole":
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case s.caller != "":
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, stsError, s.caller, "the token is not good")
	default:
		_, _ = fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>ada</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}
}

func TestWrongProviderBlocks(t *testing.T) {
	const deployer, landing = "arn:aws:iam::123456789012:role/deployer", "arn:aws:iam::210987654321:role/landing"
	assume := func(roles ...string) []any {
		var blocks []any
		for _, arn := range roles {
			blocks = append(blocks, map[string]any{"role_arn": arn})
		}
		return blocks
	}
	endpoint := func(c block) map[string]any { return c["endpoints"].([]any)[0].(map[string]any) }
	for _, row := range []struct {
		wrong
		sts tokens
	}{
		{wrong: wrong{"no Region", func(c block) { delete(c, "region") }, "region",
			`no AWS Region is set: write region = "eu-west-1", or set AWS_REGION or the profile's region`}},
		{wrong: wrong{"misspelt Region", func(c block) { c["region"] = "eu-west1" }, "region",
			`"eu-west1" is not an AWS Region that this release knows: did you mean "eu-west-1"? For a newer Region set skip_region_validation = true`}},
		{wrong: wrong{"a city as Region", func(c block) { c["region"] = "Frankfurt am Main" }, "region",
			`"Frankfurt am Main" is not an AWS Region that this release knows: write one such as "eu-west-1"; for a newer Region set skip_region_validation = true`}},
		{wrong: wrong{"retry mode", func(c block) { c["retry_mode"] = "often" }, "retry_mode", `"often" is not a retry mode: write "standard" or "adaptive"`}},
		{wrong: wrong{"retries", func(c block) { c["max_retries"] = -1 }, "max_retries", `-1 is out of range: write 1 or more`}},
		{wrong: wrong{"no secret key", func(c block) { delete(c, "secret_key") }, "secret_key", `it is missing beside access_key: write both, or neither`}},
		{wrong: wrong{"no access key", func(c block) { delete(c, "access_key") }, "access_key", `it is missing beside secret_key or token: write all of them, or none`}},
		{wrong: wrong{"certificates that are not there", func(c block) { c["custom_ca_bundle"] = "/nonexistent/ca.pem" }, "custom_ca_bundle",
			`the file "/nonexistent/ca.pem" cannot be read (no such file or directory): write the path of a PEM file`}},
		{wrong: wrong{"an account's name", func(c block) { c["allowed_account_ids"] = []any{"123456789012", "acme-prod"} }, "allowed_account_ids[1]",
			`"acme-prod" is not the id of an account: write its 12 digits as text, such as "123456789012"`}},
		{wrong: wrong{"endpoint without scheme", func(c block) { endpoint(c)["glue"] = "localhost:4566" }, "endpoints[0].glue",
			`"localhost:4566" is not the address of an endpoint: write it with its scheme, such as "https://vpce-1234.glue.eu-west-1.vpce.amazonaws.com"`}},
		{wrong: wrong{"profile", func(c block) {
			delete(c, "access_key")
			delete(c, "secret_key")
			c["profile"] = "nobody"
		}, "profile", "there is no profile \"nobody\" in the shared configuration: correct the name, or add it with `aws configure --profile nobody`"}},
		{wrong: wrong{"role that is no ARN", func(c block) { c["assume_role"] = assume("deployer") }, "assume_role[0].role_arn",
			`"deployer" is not the ARN of a role: it has the form "arn:aws:iam::123456789012:role/deployer"`}},
		{wrong: wrong{"session too short", func(c block) {
			c["assume_role"] = []any{map[string]any{"role_arn": deployer, "duration": "5m"}}
		}, "assume_role[0].duration", `"5m" is not a length of a session: write 15m to 12h`}},
		{wrong: wrong{"role that STS refuses", func(c block) { c["assume_role"] = assume(deployer) }, "assume_role[0].role_arn",
			`the role "` + deployer + `" cannot be assumed (operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 0000, api error AccessDenied: not authorized to perform: sts:AssumeRole): its trust policy must name the caller, the caller needs sts:AssumeRole on it, and external_id must be the one it demands`},
			sts: tokens{refusedRole: deployer}},
		{wrong: wrong{"second role that STS refuses", func(c block) { c["assume_role"] = assume(deployer, landing) }, "assume_role[1].role_arn",
			`the role "` + landing + `" cannot be assumed (operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 0000, api error AccessDenied: not authorized to perform: sts:AssumeRole): its trust policy must name the caller, the caller needs sts:AssumeRole on it, and external_id must be the one it demands`},
			sts: tokens{refusedRole: landing}},
		{wrong: wrong{"expired token", func(c block) { c["token"] = "old" }, "",
			`the credentials have expired (validating provider credentials: retrieving caller identity from STS: operation error STS: GetCallerIdentity, https response error StatusCode: 403, RequestID: 0000, api error ExpiredToken: the token is not good): fetch new ones, such as with ` + "`aws sso login`" + `, and run again`},
			sts: tokens{caller: "ExpiredToken"}},
		{wrong: wrong{"unknown key", func(block) {}, "",
			`AWS does not accept the credentials (validating provider credentials: retrieving caller identity from STS: operation error STS: GetCallerIdentity, https response error StatusCode: 403, RequestID: 0000, api error InvalidClientTokenId: the token is not good): check access key, secret key and token`},
			sts: tokens{caller: "InvalidClientTokenId"}},
		{wrong: wrong{"account that is not allowed", func(c block) { c["allowed_account_ids"] = []any{"210987654321"} }, "allowed_account_ids",
			`the credentials belong to the account "123456789012", which is not among ["210987654321"]: use credentials of one of these, or add it`}},
		{wrong: wrong{"account that is forbidden", func(c block) { c["forbidden_account_ids"] = []any{"123456789012"} }, "forbidden_account_ids",
			`the credentials belong to the account "123456789012", which is forbidden: use credentials of another`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			isolate(t)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			sts := httptest.NewServer(row.sts)
			defer sts.Close()
			c := block{
				"region": "eu-west-1", "access_key": "AKIDEXAMPLE", "secret_key": "wJalrXUtnFEMI", "max_retries": 2,
				"endpoints": []any{map[string]any{"sts": sts.URL}},
			}
			if row.sts == (tokens{}) && row.path != "" {
				expectSaid(t, serve(t).heardAtConfigure(c))
			}
			row.fault(c)
			detail := row.detail
			if row.path != "" {
				detail = row.path + ": " + detail
			}
			got := serve(t).heardAtConfigure(c)
			expectSaid(t, got, said{isError, row.path, configuring, detail})
			for _, d := range got {
				if strings.Contains(d.String(), "wJalrXUtnFEMI") {
					t.Errorf("the secret key stands in %s", d)
				}
			}
		})
	}
}

// silence accepts connections and never answers.
func silence(t *testing.T) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-accepted
		for _, conn := range open {
			_ = conn.Close()
		}
	})
	return &url.URL{Scheme: "http", Host: listener.Addr().String()}
}

// Without credentials it is said so in under six seconds, also where the machine's metadata service never answers.
func TestNoCredentials(t *testing.T) {
	for _, tc := range []struct {
		name, disabled, last string
	}{
		{"without metadata service", "true", "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, access disabled to EC2 IMDS via client option, or \"AWS_EC2_METADATA_DISABLED\" environment variable"},
		{"with one that hangs", "false", "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			isolate(t)
			t.Setenv("AWS_EC2_METADATA_DISABLED", tc.disabled)
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", silence(t).String())
			s := serve(t)
			began := time.Now()
			got := s.heardAtConfigure(block{"region": "eu-west-1"})
			if took := time.Since(began); took >= 6*time.Second {
				t.Errorf("it took %s", took)
			}
			expectSaid(t, got, said{isError, "", configuring,
				"no credentials were found: write profile, or access_key and secret_key, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where AWS gives a role. The last source asked said: " + tc.last})
		})
	}
}
