package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// postgresVariable names the major version of the sandbox's PostgreSQL server.
const postgresVariable = "LAKELAND_POSTGRES"

// defaultPostgres is that version where the variable names none.
const defaultPostgres = "17"

var postgresVersions = map[string]string{"13": toolchain.Postgres13, "17": toolchain.Postgres17, "18": toolchain.Postgres18}

// debian is where Debian installs a major version of PostgreSQL: others than those that are fetched run from there.
func debian(major string) string { return filepath.Join("/usr/lib/postgresql", major) }

// PostgresMajors are the major versions of PostgreSQL that there are: those that are fetched, and 15 where Debian has it.
func PostgresMajors() []string {
	majors := []string{"13", "17", "18"}
	if _, err := os.Stat(filepath.Join(debian("15"), "bin", "initdb")); err == nil {
		majors = slices.Insert(majors, 1, "15")
	}
	return majors
}

func postgresInstallation(ctx context.Context, tools *toolchain.Toolchain, major string) (string, error) {
	if version, ok := postgresVersions[major]; ok {
		return tools.Postgres(ctx, version)
	}
	if slices.Contains(PostgresMajors(), major) {
		return debian(major), nil
	}
	return "", fmt.Errorf("there is no PostgreSQL %q for the sandbox: write one of %v as %s", major, PostgresMajors(), postgresVariable)
}

// postgresMajor is the major version of the sandbox's PostgreSQL server.
func postgresMajor() string { return cmp.Or(os.Getenv(postgresVariable), defaultPostgres) }

// PostgresInstallation is the directory of the installation that the sandbox's PostgreSQL server runs from, for further
// servers of the same version.
func (sb *Sandbox) PostgresInstallation(ctx context.Context) (string, error) {
	return postgresInstallation(ctx, sb.tools, postgresMajor())
}

// otherServer is a server of another version than the sandbox's, started once.
type otherServer struct {
	start
	server *postgres.Server
}

// PostgresOf is a server of a major version that all tests of the binary share: the sandbox's own, or one beside it that
// cleans up nothing by itself.
func (sb *Sandbox) PostgresOf(tb testing.TB, major string) *postgres.Server {
	tb.Helper()
	if major == postgresMajor() {
		sb.require(tb, Postgres)
		return sb.Postgres()
	}
	sb.mu.Lock()
	other, running := sb.others[major]
	if !running && !sb.closed {
		other = &otherServer{start: start{done: make(chan struct{})}}
		if sb.others == nil {
			sb.others = map[string]*otherServer{}
		}
		sb.others[major] = other
	}
	sb.mu.Unlock()
	if other == nil {
		tb.Fatal(errClosed)
	}
	if running {
		<-other.done
	} else {
		other.err = sb.startOther(major, other)
		close(other.done)
	}
	if other.err != nil {
		tb.Fatal(other.err)
	}
	return other.server
}

func (sb *Sandbox) startOther(major string, other *otherServer) error {
	ctx := context.Background()
	installation, err := postgresInstallation(ctx, sb.tools, major)
	if err != nil {
		return err
	}
	server, err := postgres.Start(ctx, postgres.Options{Installation: installation, Settings: map[string]string{"autovacuum": "off"}})
	if err != nil {
		return err
	}
	return sb.keep(server.Stop, func() { other.server = server })
}
