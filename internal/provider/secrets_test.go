package provider_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// forms are the ways in which a secret may stand in bytes.
func forms(secret string) map[string][]byte {
	quoted, _ := json.Marshal(secret) //nolint:errchkjson // a string always marshals
	out := map[string][]byte{
		"as it is":  []byte(secret),
		"in JSON":   bytes.Trim(quoted, `"`),
		"in a URL":  []byte(url.QueryEscape(secret)),
		"in a path": []byte(url.PathEscape(secret)),
		"in hex":    []byte(hex.EncodeToString([]byte(secret))),
	}
	for shift := range 3 {
		// Three bytes are four characters: of every alignment the characters that depend on the secret alone.
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		out[fmt.Sprintf("in base64, shifted by %d", shift)] = []byte(text[4 : len(text)-4])
	}
	return out
}

func found(secret string, in []byte) string {
	for form, text := range forms(secret) {
		if bytes.Contains(in, text) {
			return form
		}
	}
	return ""
}

func TestSecretsAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = `c4nary-"é\-0123456789`
	for _, text := range []string{
		secret, fmt.Sprintf("%q", "x"), base64.StdEncoding.EncodeToString([]byte("a" + secret + "b")), base64.StdEncoding.EncodeToString([]byte("ab" + secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape("?p=" + secret), hex.EncodeToString([]byte(secret)), `{"password":"c4nary-\"é\\-0123456789"}`,
	} {
		if got := found(secret, []byte("before "+text+" after")); (got == "") != (text == `"x"`) {
			t.Errorf("in %s: found %q", text, got)
		}
	}
}

// A password, and the one it is rotated to, are nowhere: not in plans, states and traces, not in job, script, log and
// tracking, not in the lake, whether runs go well or the database refuses them.
func TestNoSecretGetsThrough(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int PRIMARY KEY, note text)`, `INSERT INTO orders SELECT i, 'note' FROM generate_series(1, 100) i`)
	user := strings.ReplaceAll(a.sb.NewName(t), "-", "_")
	first, second, refused := `c4nary-1-"é\-`+user, `c4nary-2-'%&-`+user, `c4nary-3-\u0000-`+user
	quote := func(secret string) string { return "'" + strings.ReplaceAll(secret, "'", "''") + "'" }
	a.sql(fmt.Sprintf(`CREATE ROLE %q LOGIN PASSWORD %s`, user, quote(first)), fmt.Sprintf(`GRANT SELECT ON orders TO %q`, user))
	t.Cleanup(func() { a.sqlAfter(fmt.Sprintf(`DROP OWNED BY %q`, user), fmt.Sprintf(`DROP ROLE %q`, user)) })
	rotate := func(password string) {
		login, err := json.Marshal(map[string]string{"username": user, "password": password})
		a.must(err)
		_, err = a.clients.Secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(a.secret), SecretString: aws.String(string(login))})
		a.must(err)
	}
	rotate(first)
	core := a.core(a.base() + a.tables("orders"))
	core.run("plan", "-out=plan", "-no-color")
	core.run("show", "-json", "plan")
	core.run("apply", "-no-color", "plan")
	outcomes := []string{a.fire()[0].State}
	a.equal("orders")
	a.sql(fmt.Sprintf(`ALTER ROLE %q PASSWORD %s`, user, quote(second)))
	rotate(second)
	outcomes = append(outcomes, a.fire()[0].State)
	rotate(refused)
	outcomes = append(outcomes, a.fire()[0].State)
	if got := strings.Join(outcomes, " "); got != "SUCCEEDED SUCCEEDED FAILED" {
		t.Fatalf("the runs ended as %s", got)
	}
	core.run("plan", "-no-color", "-detailed-exitcode")
	core.run("show", "-json")
	everything := a.everything(core)
	for place, content := range everything {
		for name, secret := range map[string]string{"the first password": first, "the second": second, "the one that was refused": refused} {
			if form := found(secret, content); form != "" {
				t.Errorf("%s stands in %s, %s", name, place, form)
			}
		}
	}
	for _, place := range []string{"trace.log", "terraform.tfstate", "plan", "the log of run 3", "state of the tracking", "lake/raw/orders/", "script", "calls to Glue"} {
		if !containsPlace(everything, place) {
			t.Errorf("%s was not looked into", place)
		}
	}
}

func containsPlace(everything map[string][]byte, part string) bool {
	for place, content := range everything {
		if strings.Contains(place, part) && len(content) > 0 {
			return true
		}
	}
	return false
}

// everything is all that a deployment leaves anywhere, by its place.
func (a *account) everything(c *core) map[string][]byte {
	a.t.Helper()
	ctx := a.t.Context()
	out := map[string][]byte{"what the core said": c.said.Bytes()}
	a.must(filepath.WalkDir(c.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	}))
	for i, run := range a.glue.Runs() {
		log, errors := a.glue.RunLog(run.ID)
		out[fmt.Sprintf("the log of run %d", i+1)] = []byte(log + errors)
		described, err := json.Marshal(run)
		a.must(err)
		out[fmt.Sprintf("run %d", i+1)] = described
	}
	var calls bytes.Buffer
	for _, call := range a.glue.Calls() {
		calls.Write(call.Request)
	}
	out["calls to Glue"] = calls.Bytes()
	for _, suffix := range []string{tracking.ConfigTable, tracking.StateTable, tracking.FilesTable, tracking.RunsTable} {
		items, err := a.clients.DynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(tracking.TableName(a.name, suffix))})
		a.must(err)
		for i, item := range items.Items {
			text, err := json.Marshal(item)
			a.must(err)
			out[fmt.Sprintf("item %d of %s of the tracking", i, suffix)] = text
		}
	}
	for _, bucket := range []string{a.lake, a.artifacts} {
		list, err := a.clients.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
		a.must(err)
		for _, object := range list.Contents {
			got, err := a.clients.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: object.Key})
			a.must(err)
			content, err := io.ReadAll(got.Body)
			a.must(err)
			out[strings.TrimPrefix(bucket, a.artifacts)+map[bool]string{true: "lake/", false: "script and engine/"}[bucket == a.lake]+*object.Key] = content
		}
	}
	return out
}
