package run_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// role makes a login role that may read numbers, and stores its login in the connection's secret.
func (l *lake) role(password string) string {
	l.t.Helper()
	role := "role_" + l.database
	l.sql(`CREATE ROLE "`+role+`" LOGIN PASSWORD '`+password+`'`, `GRANT SELECT ON numbers TO "`+role+`"`)
	l.t.Cleanup(func() { l.sqlAfter(`DROP OWNED BY "`+role+`"`, `DROP ROLE "`+role+`"`) })
	l.store(fmt.Sprintf(`{"username":%q,"password":%q,"host":"ignored.example"}`, role, password))
	return role
}

// store gives the connection's secret a value.
func (l *lake) store(value string) {
	l.t.Helper()
	_, err := l.clients.Secrets.PutSecretValue(l.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(l.secret), SecretString: aws.String(value)})
	l.must(err)
}

// A login that is rotated between the reading of the secret and the connection, by the planner or by a unit, is
// read again once, and the run ends well.
func TestRotationDuringARun(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	role := d.role("password-0")
	for i, who := range []string{"planner", "unit"} {
		password := fmt.Sprintf("password-%d", i+1)
		var reads atomic.Int32
		rotating := func(ctx context.Context, arn string) (postgres.Credentials, error) {
			held, err := d.worker().Secrets(ctx, arn)
			if reads.Add(1) == 1 {
				d.sql(`ALTER ROLE "` + role + `" PASSWORD '` + password + `'`)
				d.store(fmt.Sprintf(`{"username":%q,"password":%q}`, role, password))
			}
			return held, err
		}
		r, w := d.runner(), d.worker()
		if who == "planner" {
			r.Secrets = rotating
		} else {
			w.Secrets = rotating
			r.Executor = &run.Local{Worker: w}
		}
		d.must(d.tracking.CheckLayout(t.Context()))
		out := r.Table(t.Context(), "shop.numbers")
		if out.Err != nil || reads.Load() != 2 {
			t.Fatalf("the %s read the secret %d times: %v", who, reads.Load(), out.Err)
		}
		d.settled(who, out)
		d.change()
	}
}

// A login that is refused twice fails the run with what to do; the secret is read no third time, and not again
// after failures of another kind.
func TestSecretIsReadAgainExactlyOnce(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	role := d.role("password-old")
	d.sql(`ALTER ROLE "` + role + `" PASSWORD 'password-now'`)
	for _, tc := range []struct {
		name, second string
		reads        int32
		want         string
	}{
		{"the same login", "password-old", 2, "was read again and still holds the login that was refused: store the one that the server takes"},
		{"another login that is refused", "password-new", 2, "both logins were refused: store the one that the server takes"},
		{"another failure", "", 1, "GRANT CONNECT on the database"},
	} {
		if tc.second == "" {
			d.sql(`REVOKE CONNECT ON DATABASE "` + d.db.Name + `" FROM PUBLIC`)
		}
		var reads atomic.Int32
		r := d.runner()
		r.Secrets = func(context.Context, string) (postgres.Credentials, error) {
			switch {
			case tc.second == "":
				reads.Add(1)
				return postgres.Credentials{Username: role, Password: "password-now"}, nil
			case reads.Add(1) == 1:
				return postgres.Credentials{Username: role, Password: "password-old"}, nil
			default:
				return postgres.Credentials{Username: role, Password: tc.second}, nil
			}
		}
		d.must(d.tracking.CheckLayout(t.Context()))
		out := r.Table(t.Context(), "shop.numbers")
		if out.Err == nil || !strings.Contains(out.Err.Error(), tc.want) || strings.Contains(out.Err.Error(), "password-") || reads.Load() != tc.reads {
			t.Errorf("%s: the secret was read %d times: %v", tc.name, reads.Load(), out.Err)
		}
	}
}

// A secret that is not there, or holds no login, fails the run with what to do. Nothing that a run leaves behind
// says what the secret holds.
func TestSecretsWithoutALogin(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	c, err := d.tracking.Connection(t.Context(), "db")
	d.must(err)
	there := c.SecretARN
	for _, tc := range []struct{ name, value, want string }{
		{"not JSON", "sesame", "its value is not a JSON object of strings"},
		{"cut JSON", `{"username":"app","password":"sesame`, "its value is not a JSON object of strings"},
		{"another kind of JSON", `["app","sesame"]`, "its value is not a JSON object of strings"},
		{"a number for a password", `{"username":"app","password":5315}`, "its value is not a JSON object of strings"},
		{"no password", `{"username":"sesame"}`, `its JSON object has no "username" or no "password"`},
		{"an empty password", `{"username":"sesame","password":""}`, `its JSON object has no "username" or no "password"`},
		{"no username", `{"password":"sesame"}`, `its JSON object has no "username" or no "password"`},
		{"no secret", "", "create it in this account and Region, or correct the connection's secret_arn"},
	} {
		if tc.value == "" {
			c.SecretARN = strings.Replace(there, "secret:", "secret:absent-", 1)
			d.must(d.tracking.UpdateConnection(t.Context(), c))
		} else {
			d.store(tc.value)
		}
		var log strings.Builder
		r := d.runner()
		r.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := r.Dispatch(t.Context(), "c")
		runs, readErr := d.tracking.Runs(t.Context(), "shop.numbers", 1)
		d.must(readErr)
		if err == nil || len(runs) != 1 || !strings.Contains(runs[0].Error, tc.want) || !strings.Contains(runs[0].Error, c.SecretARN) || !strings.Contains(log.String(), "table failed") {
			t.Errorf("%s: %v: %+v", tc.name, err, runs)
		}
		for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", runs), log.String()} {
			if strings.Contains(text, "sesame") || strings.Contains(text, "5315") {
				t.Errorf("%s: what the secret holds is told: %s", tc.name, text)
			}
		}
	}
	c.SecretARN = there
	d.must(d.tracking.UpdateConnection(t.Context(), c))
	d.role("password")
	d.lands("with a login")
}
