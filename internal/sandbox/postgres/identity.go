package postgres

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// serverUsers are the accounts that root gives the server to, the first that exists. It has to be an account
// with a passwd entry: initdb and postgres both look up the name of the user they run as.
var serverUsers = []string{"nobody", "postgres", "daemon"}

// serverCredential is whom the server runs as: this process's user, and another one where that is root.
func serverCredential() (*process.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range serverUsers {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil || uid == 0 {
			continue
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &process.Credential{UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and none of the users %s exists: "+
		"add one of them, or run this as an ordinary user", strings.Join(serverUsers, ", "))
}

// reachableInstallation returns the installation where the server's user can read it. One below a directory
// that is closed to other users, as root's home is, is linked (or copied) into the throw-away directory.
func reachableInstallation(installation string, l layout, credential *process.Credential) (string, error) {
	if err := l.makeCluster(credential); err != nil {
		return "", fmt.Errorf("preparing the server's directory: %w", err)
	}
	if credential == nil || process.Reachable(installation) {
		return installation, nil
	}
	target := l.installation()
	err := filepath.WalkDir(installation, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(installation, path)
		if err != nil {
			return err
		}
		return place(path, filepath.Join(target, relative), entry)
	})
	if err != nil {
		return "", fmt.Errorf("making PostgreSQL's files readable for the user it runs as: %w", err)
	}
	return target, nil
}

// place puts one file, directory or link at another path, readable for everyone.
func place(from, to string, entry fs.DirEntry) error {
	switch {
	case entry.IsDir():
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
		return os.Chmod(to, 0o755)
	case entry.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	default:
		if os.Link(from, to) == nil {
			return nil
		}
		return copyFile(from, to, entry)
	}
}

func copyFile(from, to string, entry fs.DirEntry) (err error) {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Chmod(info.Mode().Perm())
}

// hint adds what to do about the ways in which initdb fails on machines that are set up unusually.
func hint(err error) string {
	var ended *process.EndedError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "; the directory may be mounted noexec: set TMPDIR to another one"
	case errors.As(err, &ended) && strings.Contains(ended.Tail, "could not look up effective user ID"):
		return fmt.Sprintf("; user id %d has no entry in /etc/passwd: run this as a user that has one", os.Geteuid())
	case errors.As(err, &ended) && strings.Contains(ended.Tail, "invalid locale"):
		return "; the C.UTF-8 locale is missing: install it (glibc 2.35 and later bring it)"
	default:
		return ""
	}
}
