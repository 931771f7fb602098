package postgres

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// serverEnvironment is all that the server and initdb see: the locale of messages, and where programs are.
var serverEnvironment = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}

// layout is where a server's files lie below its throw-away directory.
type layout struct{ directory string }

func (l layout) data() string          { return filepath.Join(l.directory, "cluster", "data") }
func (l layout) socketHome() string    { return filepath.Join(l.directory, "s") }
func (l layout) password() string      { return filepath.Join(l.directory, "cluster", "password") }
func (l layout) serverKey() string     { return filepath.Join(l.directory, "cluster", "server.key") }
func (l layout) cluster() string       { return filepath.Join(l.directory, "cluster") }
func (l layout) passwords() string     { return filepath.Join(l.directory, "cluster", "passwords") }
func (l layout) installation() string  { return filepath.Join(l.directory, "postgresql") }
func (l layout) configuration() string { return filepath.Join(l.directory, "postgresql.conf") }
func (l layout) access() string        { return filepath.Join(l.directory, "pg_hba.conf") }
func (l layout) certificate() string   { return filepath.Join(l.directory, "server.pem") }
func (l layout) authority() string     { return filepath.Join(l.directory, "ca.pem") }

// maxSocketPath is the longest path of a Unix socket, on the systems with the least room for it.
const maxSocketPath = 103

// sockets is the directory of the server's Unix socket, empty where the socket's path would be too long.
func (l layout) sockets() string {
	if len(l.socketHome()+"/.s.PGSQL.65535") > maxSocketPath {
		return ""
	}
	return l.socketHome()
}

// accessRules refuse TCP without TLS, where the server has it, and any connection without the password.
const accessRules = `local   all         all                scram-sha-256
local   replication all                scram-sha-256
hostssl all         all  127.0.0.1/32  scram-sha-256
hostssl replication all  127.0.0.1/32  scram-sha-256
`

// settings make a cluster that nobody will miss fast, and one that any reader of changes can read from. It loses
// data when the machine crashes, never when the server does: commits stay synchronous.
var settings = map[string]string{
	"ssl":                       "on",
	"password_encryption":       "scram-sha-256",
	"max_connections":           "100",
	"max_prepared_transactions": "10",
	"wal_level":                 "logical",
	"max_wal_senders":           "10",
	"max_replication_slots":     "10",
	"shared_buffers":            "64MB",
	"fsync":                     "off",
	"full_page_writes":          "off",
	"timezone":                  "UTC",
	"log_timezone":              "UTC",
	"unix_socket_permissions":   "0700",
}

// writeConfiguration writes postgresql.conf and pg_hba.conf.
func (l layout) writeConfiguration(over map[string]string) error {
	all := maps.Clone(settings)
	all["ssl_cert_file"] = l.certificate()
	all["ssl_key_file"] = l.serverKey()
	maps.Copy(all, over)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(all[name], "'", "''"))
	}
	if err := writePublic(l.configuration(), []byte(text.String())); err != nil {
		return fmt.Errorf("configuring PostgreSQL: %w", err)
	}
	rules := accessRules
	if all["ssl"] == "off" {
		rules = strings.ReplaceAll(rules, "hostssl", "host   ")
	}
	if err := writePublic(l.access(), []byte(rules)); err != nil {
		return fmt.Errorf("configuring PostgreSQL: %w", err)
	}
	return nil
}

// makeCluster makes the directories that belong to the server's user.
func (l layout) makeCluster(owner *process.Credential) error {
	for _, directory := range []string{l.cluster(), l.socketHome()} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			return err
		}
		if err := give(directory, owner); err != nil {
			return err
		}
	}
	return nil
}

func (l layout) writePassword(password string, owner *process.Credential) (string, error) {
	if err := writePrivate(l.password(), []byte(password+"\n"), owner); err != nil {
		return "", fmt.Errorf("writing the superuser's password for initdb: %w", err)
	}
	return l.password(), nil
}

func (l layout) removePassword() error {
	if err := os.Remove(l.password()); err != nil {
		return fmt.Errorf("removing the superuser's password: %w", err)
	}
	return nil
}

// acceptsConnections reads what the server reports in its lock file: the eighth line is its state.
func (l layout) acceptsConnections() bool {
	file, err := os.Open(filepath.Join(l.data(), "postmaster.pid"))
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	const stateLine = 8
	scanner := bufio.NewScanner(file)
	for line := 1; scanner.Scan(); line++ {
		if line == stateLine {
			return strings.TrimSpace(scanner.Text()) == "ready"
		}
	}
	return false
}

// writePublic writes a file that the server's user can read, whatever the umask is.
func writePublic(path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644)
}

// writePrivate writes a file that only the server's user (and root) can read.
func writePrivate(path string, content []byte, owner *process.Credential) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return give(path, owner)
}

// give makes the server's user the owner of a file. Without another user, it is already.
func give(path string, owner *process.Credential) error {
	if owner == nil {
		return nil
	}
	return os.Chown(path, int(owner.UID), int(owner.GID))
}
