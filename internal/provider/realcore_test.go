package provider_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

const engineRole = "arn:aws:iam::" + sandbox.Account + ":role/engine"

// buildProvider builds the provider's command once per test binary.
var buildProvider = sync.OnceValues(func() (string, error) {
	folder, err := sandbox.TestFolder("provider")
	if err != nil {
		return "", err
	}
	return folder, buildProviderInto(folder)
})

func buildProviderInto(folder string, flags ...string) error {
	build := exec.Command("go", append(append([]string{"build"}, flags...), "-o", filepath.Join(folder, "terraform-provider-lakeland"), ".")...)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w: %s", err, out)
	}
	return nil
}

// core runs the real core in a folder of its own, with a trace of everything.
type core struct {
	a      *account
	folder string
	env    []string
	said   bytes.Buffer
}

func (a *account) core(configuration string) *core {
	a.t.Helper()
	provider, err := buildProvider()
	a.must(err)
	c := &core{a: a, folder: a.t.TempDir()}
	header := "terraform {\n  required_providers {\n    lakeland = { source = \"lakeland/lakeland\" }\n  }\n}\n"
	a.must(os.WriteFile(filepath.Join(c.folder, "main.tf"), []byte(header+configuration), 0o600))
	c.provide(provider)
	return c
}

// provide lets the core use the provider of a folder.
func (c *core) provide(folder string) {
	c.a.t.Helper()
	c.a.must(os.WriteFile(filepath.Join(c.folder, "cli.tfrc"), fmt.Appendf(nil, "provider_installation {\n  dev_overrides {\n    \"lakeland/lakeland\" = %q\n  }\n}\n", folder), 0o600))
}

// run runs the core and returns what it says.
func (c *core) run(arguments ...string) string {
	c.a.t.Helper()
	command := exec.CommandContext(c.a.t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), arguments...)
	command.Dir = c.folder
	command.Env = append(append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.folder, "TF_CLI_CONFIG_FILE=" + filepath.Join(c.folder, "cli.tfrc"), "CHECKPOINT_DISABLE=1",
		"TF_LOG=TRACE", "TF_LOG_PATH=" + filepath.Join(c.folder, "trace.log"),
	}, c.a.sb.EnvFor(c.a.endpoints)...), c.env...)
	out, err := command.CombinedOutput()
	c.said.Write(out)
	if err != nil {
		c.a.t.Fatalf("%s: %v: %s", arguments[0], err, out)
	}
	return string(out)
}

// nothingIsLeft checks that a destruction took everything that it should.
func (a *account) nothingIsLeft() {
	a.t.Helper()
	ctx := a.t.Context()
	for _, name := range []string{"ten-minutes", "hourly"} {
		physical := aws.String("lakeland-" + a.name + "-" + name)
		_, job := a.clients.Glue.GetJob(ctx, &glue.GetJobInput{JobName: physical})
		_, trigger := a.clients.Glue.GetTrigger(ctx, &glue.GetTriggerInput{Name: physical})
		if !awsclient.NotFound(job) || !awsclient.NotFound(trigger) {
			a.t.Errorf("job and trigger of %s: %v, %v", name, job, trigger)
		}
	}
	if _, err := a.clients.Glue.GetConnection(ctx, &glue.GetConnectionInput{Name: aws.String("lakeland-" + a.name + "-shop-db")}); !awsclient.NotFound(err) {
		a.t.Errorf("the connection: %v", err)
	}
	for _, d := range tracking.Definitions(a.name) {
		if _, err := a.clients.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(d.Name)}); !awsclient.NotFound(err) {
			a.t.Errorf("%s: %v", d.Name, err)
		}
	}
}
