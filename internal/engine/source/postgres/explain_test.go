package postgres

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Failures that a test cannot make at a server of its own say what to do, and stay the errors they are.
func TestExplainSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: "no such host", Name: "absent.invalid", IsNotFound: true}, "check the connection's host, and that the job's network resolves it"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "the server did not answer: check routes and security groups"},
		{fmt.Errorf("dialling: %w", context.DeadlineExceeded), "the server did not answer: check routes and security groups"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "renew the server's certificate, or correct tls.ca"},
		{&pgconn.PgError{Code: "57P03"}, "the server is starting, stopping or recovering: the next run tries again"},
		{&pgconn.PgError{Code: "53300"}, "free some, or raise the role's or the database's CONNECTION LIMIT"},
	} {
		if got := explain(tc.err); !strings.Contains(got.Error(), tc.want) || !errors.Is(got, tc.err) {
			t.Errorf("%v is explained as %v; wanted %q", tc.err, got, tc.want)
		}
	}
	plain := errors.New("something else")
	if got := explain(plain); got != plain { //nolint:errorlint // the very error is meant
		t.Errorf("%v became %v", plain, got)
	}
}

// A login that is refused further on, such as a foreign server's, is not the connection's own.
func TestAuthenticationFailedIsAboutTheOpening(t *testing.T) {
	t.Parallel()
	if err := fmt.Errorf("reading: %w", &pgconn.PgError{Code: "28P01"}); AuthenticationFailed(err) {
		t.Errorf("%v counts as the connection's", err)
	}
}
