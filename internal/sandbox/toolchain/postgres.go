package toolchain

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"strings"
)

// The versions of PostgreSQL that can be had.
const (
	Postgres13 = "13.22.0"
	Postgres17 = "17.6.0"
	Postgres18 = "18.1.0"
)

// archive is one of Maven's archives of PostgreSQL.
type archive struct {
	goos, goarch string // what its content runs on
	version      string
	sha256       string
}

var postgresArchives = []archive{
	{"linux", "amd64", Postgres13, "df102cd31047d65cd10a3394240cda388e2b9804074d707937ac5b7c5d5d8de5"},
	{"linux", "amd64", Postgres17, "23da5a044b4fb7a5a081a45008c95749c873305328d73f86aefd56922ce1d29d"},
	{"linux", "amd64", Postgres18, "65d0723e0274ad3ec6230dcbdfe034af6ee096fce15a77b0f9b8be71d2702934"},
}

// path is where the archive lies below the repository's base address.
func (a archive) path() string {
	artifact := "embedded-postgres-binaries-" + a.goos + "-" + a.goarch
	return path.Join("io/zonky/test/postgres", artifact, a.version, artifact+"-"+a.version+".jar")
}

// Postgres returns the directory of a PostgreSQL installation (bin, lib, share) of one of the versions above.
func (t *Toolchain) Postgres(ctx context.Context, version string) (string, error) {
	var known []string
	for _, a := range t.archives {
		if a.version == version && a.goos == runtime.GOOS && a.goarch == runtime.GOARCH {
			title := "PostgreSQL " + version
			return t.cache.fill(ctx, "postgresql-"+version+"-"+a.sha256[:12], title, func(ctx context.Context, directory string) error {
				return t.installArchive(ctx, title, a, directory)
			})
		}
		known = append(known, a.version+" for "+a.goos+"/"+a.goarch)
	}
	return "", fmt.Errorf("the sandbox has no PostgreSQL %s for %s/%s, only %s",
		version, runtime.GOOS, runtime.GOARCH, strings.Join(known, ", "))
}

// installArchive fetches an archive and unpacks it into the directory.
func (t *Toolchain) installArchive(ctx context.Context, title string, a archive, directory string) error {
	return t.progress.step(ctx, "fetching "+title, func(ctx context.Context, s *step) error {
		file, err := t.fetch(ctx, s, mavenFile{a.path(), a.sha256}, directory)
		if err != nil {
			return err
		}
		s.detail("unpacking")
		return unpackJar(ctx, file, directory)
	})
}
