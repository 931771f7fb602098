// Package trino runs one Trino server with Iceberg over a Glue catalogue and an S3 server: an engine that is not
// Lakeland's and the one that Athena descends from. It reads tables and changes them. Its catalogue is called lake,
// so a table is lake.database.table; one of plain files is plain.database.table, and one of Hudi, which it only reads,
// hudi.database.table.
package trino

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

const (
	host       = "127.0.0.1"
	readyLimit = 3 * time.Minute
	stopGrace  = 20 * time.Second
	// Memory is the heap that the server's Java may take.
	Memory = "1g"
)

// Options configure a Server.
type Options struct {
	Installation toolchain.Trino
	// Glue and S3 are the addresses of the services.
	Glue, S3 string
	Region   string
	// AccessKey and SecretKey are for both.
	AccessKey, SecretKey string
}

// Server is a running Trino server. Its methods may be called from several goroutines.
type Server struct {
	options Options
	port    int
	scratch *process.Scratch
	child   *process.Process
	stop    sync.Once
	stopped error
}

// Start starts a server and waits until it answers a query.
func Start(ctx context.Context, options Options) (*Server, error) {
	scratch, err := process.NewScratch("trino")
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, scratch: scratch}
	err = process.OnFreePort(ctx, func(port int) error {
		s.port = port
		return s.launch(ctx)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting Trino: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Server) launch(ctx context.Context) error {
	folder := s.scratch.Path()
	if err := os.RemoveAll(filepath.Join(folder, "etc")); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(folder, "etc", "catalog"), 0o700); err != nil {
		return err
	}
	for name, settings := range map[string]map[string]string{"config.properties": s.config(), "catalog/lake.properties": s.catalog(), "catalog/plain.properties": s.plainFiles(), "catalog/hudi.properties": s.hudi()} {
		if err := writeProperties(filepath.Join(folder, "etc", name), settings); err != nil {
			return err
		}
	}
	// Plugins are looked for beside the working directory.
	child, err := process.Start(process.Command{
		Name: "Trino", Path: s.options.Installation.Java, Dir: folder,
		Args: []string{
			"-Xmx" + Memory, "-XX:+UseSerialGC", "-XX:ActiveProcessorCount=2", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
			"-XX:ReservedCodeCacheSize=256M", "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED",
			"-Duser.timezone=UTC", "-Djava.io.tmpdir=" + folder, "-Dfile.encoding=UTF-8",
			"-Dnode.environment=sandbox", "-Dnode.id=sandbox", "-Dnode.data-dir=" + folder, "-Dnode.internal-address=" + host, "-Dnode.bind-ip=" + host,
			"-Dplugin.dir=" + filepath.Join(s.options.Installation.Home, "plugin"),
			"-Dconfig=" + filepath.Join(folder, "etc", "config.properties"), "-Dlog.console-format=TEXT",
			"-cp", filepath.Join(s.options.Installation.Home, "lib", "*"), "io.trino.server.TrinoServer",
		},
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"},
	})
	if err != nil {
		return err
	}
	s.child = child
	if err := child.Ready(ctx, readyLimit, s.probe); err != nil {
		return errors.Join(err, child.Kill())
	}
	return nil
}

// probe runs a query that takes a worker: the server answers before it knows its own.
func (s *Server) probe(ctx context.Context) error {
	if _, err := s.Query(ctx, "SELECT count(*) FROM UNNEST(sequence(1, 10))"); err != nil {
		return err
	}
	return nil
}

func (s *Server) address() string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(s.port))
}

func (s *Server) config() map[string]string {
	return map[string]string{
		// The server need not ask whether it lives itself, and on a busy machine it would find that it does not.
		"failure-detector.enabled": "false",
		"coordinator":              "true", "node-scheduler.include-coordinator": "true", "discovery.uri": s.address(),
		"http-server.http.port": strconv.Itoa(s.port), "web-ui.enabled": "false", "catalog.management": "static",
		"query.max-memory": "512MB", "query.max-memory-per-node": "512MB", "memory.heap-headroom-per-node": "200MB", "task.concurrency": "2",
	}
}

// services say where Glue and S3 are.
func (s *Server) services(connector string) map[string]string {
	o := s.options
	return map[string]string{
		"connector.name":             connector,
		"hive.metastore.glue.region": o.Region, "hive.metastore.glue.endpoint-url": o.Glue,
		"hive.metastore.glue.aws-access-key": o.AccessKey, "hive.metastore.glue.aws-secret-key": o.SecretKey,
		"fs.native-s3.enabled": "true", "s3.region": o.Region, "s3.endpoint": o.S3, "s3.path-style-access": "true",
		"s3.aws-access-key": o.AccessKey, "s3.aws-secret-key": o.SecretKey,
	}
}

func (s *Server) catalog() map[string]string {
	out := s.services("iceberg")
	out["iceberg.catalog.type"] = "glue"
	out["iceberg.expire-snapshots.min-retention"], out["iceberg.remove-orphan-files.min-retention"] = "0s", "0s"
	return out
}

// plainFiles is the catalogue plain, of tables of plain files. Glue's timestamps have no precision of their own.
func (s *Server) plainFiles() map[string]string {
	out := s.services("hive")
	out["hive.metastore"], out["hive.timestamp-precision"] = "glue", "MICROSECONDS"
	return out
}

// hudi is the catalogue hudi, of tables of Hudi.
func (s *Server) hudi() map[string]string {
	out := s.services("hudi")
	out["hive.metastore"] = "glue"
	return out
}

// writeProperties writes a file of settings; it may hold keys.
func writeProperties(path string, settings map[string]string) error {
	lines := make([]string, 0, len(settings))
	for name, value := range settings {
		lines = append(lines, name+"="+value+"\n")
	}
	sort.Strings(lines)
	return os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600)
}

// Stop ends the server and removes its files. It may be called more than once.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		var err error
		if s.child != nil {
			err = s.child.Stop(stopGrace)
		}
		s.stopped = errors.Join(err, s.scratch.Close())
	})
	return s.stopped
}
