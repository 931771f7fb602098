package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// Standby shuts the server down, copies its data, starts it again, and starts another server in recovery on the copy. That
// one stays as it was copied: no changes reach it. It has the server's users and passwords, and is stopped by itself.
func (s *Server) Standby(ctx context.Context) (*Server, error) { return s.standby(ctx, false, nil) }

// Replica is a standby that changes reach as they are made, by streaming. Settings are put over its configuration.
func (s *Server) Replica(ctx context.Context, settings map[string]string) (*Server, error) {
	return s.standby(ctx, true, settings)
}

func (s *Server) standby(ctx context.Context, streaming bool, settings map[string]string) (*Server, error) {
	scratch, err := process.NewScratch("postgres")
	if err != nil {
		return nil, err
	}
	standby := &Server{user: s.user, password: s.password, credential: s.credential, scratch: scratch, layout: layout{directory: scratch.Path()}}
	if err := standby.follow(ctx, s, streaming, maps.Clone(settings)); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a standby of PostgreSQL on port %d: %w", s.port, err), standby.Stop())
	}
	return standby, nil
}

func (s *Server) follow(ctx context.Context, primary *Server, streaming bool, settings map[string]string) error {
	var err error
	if s.installation, err = reachableInstallation(primary.installation, s.layout, s.credential); err != nil {
		return err
	}
	if s.authority, err = s.layout.writeTLS(s.credential); err != nil {
		return err
	}
	if streaming {
		if settings == nil {
			settings = map[string]string{}
		}
		settings["primary_conninfo"] = fmt.Sprintf("host=%s port=%d user='%s' passfile='%s' sslmode=require", host, primary.port, primary.user, s.layout.passwords())
	}
	if err := s.layout.writeConfiguration(settings); err != nil {
		return err
	}
	err = primary.whileDown(ctx, func() error { return copyData(primary.layout.data(), s.layout.data(), s.credential) })
	if err != nil {
		return err
	}
	if streaming {
		if err := writePrivate(s.layout.passwords(), []byte("*:*:*:*:"+primary.password+"\n"), s.credential); err != nil {
			return err
		}
	}
	if err := writePrivate(filepath.Join(s.layout.data(), "standby.signal"), nil, s.credential); err != nil {
		return err
	}
	return process.OnFreePort(ctx, func(port int) error {
		s.port = port
		return s.launch(ctx)
	})
}

// whileDown does something to the server's files while it is shut down.
func (s *Server) whileDown(ctx context.Context, do func() error) error {
	s.mu.Lock()
	child := s.child
	s.child = nil
	s.mu.Unlock()
	if child != nil {
		if err := child.Stop(stopGrace); err != nil {
			return err
		}
	}
	return errors.Join(do(), s.launch(ctx))
}

// copyData copies the data of a server that is shut down.
func copyData(from, to string, owner *process.Credential) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			err = os.Mkdir(target, 0o700)
		case entry.Type().IsRegular():
			err = copyFile(path, target, entry)
		default:
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		if err != nil {
			return err
		}
		return give(target, owner)
	})
}
