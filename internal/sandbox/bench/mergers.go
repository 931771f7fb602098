package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// merger is something that merges changes into trips.
type merger struct {
	// from and to are the rounds in which it takes part, to not included; round 0 is not counted.
	from, to int
	// before is what its folder holds before each merge.
	before *state
	// lake says that what it has come to is the lake's table; otherwise that are files.
	lake bool
	// prints says that it prints the files that it has left as they were; otherwise it writes all anew.
	prints  bool
	command func(s scenario) *exec.Cmd
}

// files are what holds the table's rows behind a merge that has added some and printed something.
func (m *merger) files(added []string, printed []byte) (out []string, err error) {
	if m.prints {
		if err := json.Unmarshal(printed, &out); err != nil {
			return nil, fmt.Errorf("reading what a merge has printed: %w", err)
		}
	}
	return append(out, slices.DeleteFunc(added, func(path string) bool { return !data(path) })...), nil
}

// mergers are those that the benchmark asks for, by their names.
func (b *bench) mergers(ctx context.Context, l *lake) (map[string]*merger, error) {
	written := filepath.Join(b.folder, "duckdb")
	if err := os.MkdirAll(written, 0o755); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	all := map[string]*merger{
		lakeland: {to: b.Rounds + 1, lake: true, command: func(s scenario) *exec.Cmd { return b.mergeCommand(ctx, l, s) }},
		onRead:   {to: b.Rounds + 1, lake: true, command: func(s scenario) *exec.Cmd { return b.mergeCommand(ctx, l, s, "--on-read") }},
		reference: {to: b.Rounds + 1, prints: true, command: func(s scenario) *exec.Cmd {
			return exec.CommandContext(ctx, b.python, append([]string{b.script("merge_duckdb"), mergeKey, l.changes(s), written}, l.files...)...)
		}},
	}
	folders := map[string]string{lakeland: l.folder, onRead: l.folder, reference: written}
	if b.SparkRounds > 0 && wanted(b.Only, "merge.spark") {
		var err error
		if all[spark], folders[spark], err = b.spark(ctx, l); err != nil {
			return nil, err
		}
	}
	for name, m := range all {
		var err error
		if m.before, err = remember(folders[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// mergeCommand is the engine's merge. Files as long as those that were landed are full, as they are in a table so large that
// it has as many: none are joined for being small.
func (b *bench) mergeCommand(ctx context.Context, l *lake, s scenario, more ...string) *exec.Cmd {
	return exec.CommandContext(ctx, b.Merger, append([]string{"merge", "--lake", l.folder, "--changes", "changes/" + s.name, "--file-bytes", fmt.Sprint(l.full)}, more...)...)
}

// spark makes Spark's table, of copies of the lake's files, in a folder.
func (b *bench) spark(ctx context.Context, l *lake) (_ *merger, folder string, err error) {
	installation, err := b.toolchain.Spark(ctx)
	if err != nil {
		return nil, "", err
	}
	folder = filepath.Join(b.folder, "spark")
	files, scratch := filepath.Join(folder, "files"), filepath.Join(b.folder, "spark-scratch")
	for _, made := range []string{files, scratch} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			return nil, "", fmt.Errorf("making a folder: %w", err)
		}
	}
	for _, path := range l.files {
		if err := os.Link(path, filepath.Join(files, filepath.Base(path))); err != nil {
			return nil, "", fmt.Errorf("making Spark's table: %w", err)
		}
	}
	settings, err := json.Marshal(sparkSettings(installation, folder, scratch))
	if err != nil {
		return nil, "", fmt.Errorf("making Spark's settings: %w", err)
	}
	command := func(arguments ...string) *exec.Cmd {
		return b.sparkCommand(ctx, installation, scratch, append([]string{b.script("merge_spark"), string(settings)}, arguments...)...)
	}
	_, _ = fmt.Fprintf(b.Out, "making Spark's table; Spark takes part in %d rounds\n", min(b.SparkRounds, b.Rounds))
	if _, _, err := measured(command("create", files)); err != nil {
		return nil, "", fmt.Errorf("making Spark's table: %w", err)
	}
	return &merger{from: 1, to: 1 + b.SparkRounds, command: func(s scenario) *exec.Cmd { return command("merge", mergeKey, l.changes(s)) }}, folder, nil
}

// sparkCommand runs a script of Spark's.
func (b *bench) sparkCommand(ctx context.Context, installation toolchain.Spark, scratch string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, installation.Python, append([]string{"-I"}, arguments...)...)
	c.Dir = scratch
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "TMPDIR=" + scratch, "JAVA_HOME=" + installation.JavaHome, "SPARK_LOCAL_IP=127.0.0.1",
		"SPARK_LOCAL_HOSTNAME=localhost", "PYTHONDONTWRITEBYTECODE=1", "PYSPARK_PYTHON=" + installation.Python,
	}
	return c
}

// sparkSettings are for a session as its users start one on two cores, with a catalogue in a folder.
func sparkSettings(installation toolchain.Spark, folder, scratch string) map[string]string {
	return map[string]string{
		"spark.master": "local[2]", "spark.driver.memory": "4g", "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
		"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
		"spark.driver.extraClassPath":   strings.Join(installation.Jars, string(os.PathListSeparator)),
		"spark.driver.extraJavaOptions": "-XX:ActiveProcessorCount=2 -XX:-UsePerfData -Duser.timezone=UTC -Djava.io.tmpdir=" + scratch,
		"spark.local.dir":               filepath.Join(scratch, "local"), "spark.sql.warehouse.dir": filepath.Join(scratch, "warehouse"),
		"spark.sql.session.timeZone":       "UTC",
		"spark.sql.shuffle.partitions":     "16", // as many as are of use on two cores; its own default of 200 is for clusters
		"spark.sql.extensions":             "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
		"spark.sql.catalog.lake":           "org.apache.iceberg.spark.SparkCatalog",
		"spark.sql.catalog.lake.type":      "hadoop",
		"spark.sql.catalog.lake.warehouse": "file://" + folder,
	}
}
