package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// version is the provider's, in the mirror that it is installed from.
const version = "0.1.0"

// core is Terraform or OpenTofu in a copy of the example, with the provider in a mirror of its own.
type core struct {
	binary, folder string
	env            []string
}

func newCore(d *demo, binary, folder string) (*core, error) {
	c := &core{binary: binary, folder: filepath.Join(folder, "example")}
	if err := os.CopyFS(c.folder, os.DirFS(d.Example)); err != nil {
		return nil, fmt.Errorf("copying the example %s: %w", d.Example, err)
	}
	mirror := filepath.Join(folder, "mirror")
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} { // the hosts that "lakeland/lakeland" means to each core
		into := filepath.Join(mirror, host, "lakeland", "lakeland", version, runtime.GOOS+"_"+runtime.GOARCH)
		if err := install(d.Provider, filepath.Join(into, "terraform-provider-lakeland_v"+version)); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(folder, "cli.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("writing the core's configuration: %w", err)
	}
	variables, err := d.variables()
	if err != nil {
		return nil, err
	}
	c.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TF_CLI_CONFIG_FILE=" + config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}, d.sb.Env()...)
	c.env = append(c.env, variables...)
	return c, nil
}

func install(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("making the provider's mirror: %w", err)
	}
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("installing the provider: %w: build it with `make build`", err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("installing the provider: %w", err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("installing the provider: %w", err)
	}
	return nil
}

// variables are the example's, in the environment.
func (d *demo) variables() ([]string, error) {
	server := d.sb.Postgres()
	values := map[string]any{
		"region": sandbox.Region, "role_arn": d.account.role, "glue_database": glueDatabase,
		"buckets": map[string]string{"lake": lakeBucket, "artifacts": artifactsBucket},
		"database": map[string]any{
			"host": server.Host(), "port": server.Port(), "name": d.database.Name, "secret_arn": d.account.secret, "ca": string(server.CA()),
		},
	}
	var env []string
	for name, value := range values {
		text, ok := value.(string)
		if !ok {
			data, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("writing the variable %s: %w", name, err)
			}
			text = string(data)
		}
		env = append(env, "TF_VAR_"+name+"="+text)
	}
	return env, nil
}

// run runs the core and returns what it printed. An error carries it too.
func (c *core) run(ctx context.Context, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, c.binary, arguments...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Dir, command.Env = c.folder, c.env
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(c.binary), arguments[0], err, out.String())
	}
	return out.String(), nil
}

// quote prints the line of some output that holds a text.
func (d *demo) quote(out, text string) {
	for line := range strings.SplitSeq(out, "\n") {
		if strings.Contains(line, text) {
			_, _ = fmt.Fprintln(d.Out, "    "+strings.TrimSpace(line))
			return
		}
	}
}
