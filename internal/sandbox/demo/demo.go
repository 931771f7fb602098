// Package demo shows the whole path once, on real parts: a database is loaded, Terraform applies the example, the
// cadence's trigger fires, the rendered script runs the engine, and an independent reader looks at the lake.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

var (
	//go:embed hr.sql
	hr string
	//go:embed taxi.sql
	taxi string
)

// Options configure a demo.
type Options struct {
	// Out is where the demo tells what it does.
	Out io.Writer
	// Keep leaves everything up, prints how to look around, and waits until the context ends.
	Keep bool
	// Provider is the provider's binary, built with the engine in it.
	Provider string
	// Example is the folder of the configuration.
	Example string
}

// demo is one under way.
type demo struct {
	Options
	sb       *sandbox.Sandbox
	clock    *glue.ManualClock
	database sandbox.Database
	account  *account
	core     *core
	step     int
	began    time.Time
}

// start is the time at which the sandbox's clock begins: the cadence fires nine minutes later.
var start = time.Date(2026, 11, 21, 12, 1, 0, 0, time.UTC)

// tables are those of the example's catalogue, with what they are compared by.
var tables = []string{"hr.regions", "hr.countries", "hr.locations", "hr.departments", "hr.jobs", "hr.employees", "hr.job_history", "taxi.trips"}

// Run shows the demo. It leaves nothing behind.
func Run(ctx context.Context, o Options) (err error) {
	d := &demo{Options: o, clock: glue.NewManualClock(start), began: time.Now()}
	folder, err := os.MkdirTemp("", "lakeland-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	d.say("start PostgreSQL, an S3 server, moto and the sandbox's Glue, on loopback")
	d.sb, err = sandbox.Start(ctx, sandbox.Options{Progress: o.Out, Glue: func(g *glue.Options) { g.Clock = d.clock }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.sb.Close()) }()
	for _, step := range []func(context.Context, string) error{d.load, d.prepare, d.apply, d.fire, d.compare, d.planAgain, d.drift} {
		if err := step(ctx, folder); err != nil {
			return err
		}
	}
	if o.Keep {
		d.lookAround(ctx)
	}
	return d.destroy(context.WithoutCancel(ctx))
}

// say begins a step, in one line.
func (d *demo) say(format string, args ...any) {
	d.step++
	_, _ = fmt.Fprintf(d.Out, "\n%2d. %s  [%.0f s]\n", d.step, fmt.Sprintf(format, args...), time.Since(d.began).Seconds())
}

func (d *demo) load(ctx context.Context, _ string) error {
	d.say("load the source: the HR sample schema (7 tables, 215 rows) and 200,000 taxi trips")
	d.database.Name = "company"
	server := d.sb.Postgres()
	if err := server.CreateDatabase(ctx, d.database.Name); err != nil {
		return err
	}
	d.database.ConnString = server.ConnString(d.database.Name)
	conn, err := pgx.Connect(ctx, d.database.ConnString)
	if err != nil {
		return fmt.Errorf("connecting to the source: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for name, script := range map[string]string{"the HR schema": hr, "the taxi trips": taxi} {
		if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
			return fmt.Errorf("loading %s: %w", name, err)
		}
	}
	return nil
}

func (d *demo) prepare(ctx context.Context, _ string) (err error) {
	d.say("prepare the account as a platform team would: two buckets, a Glue database, a role, a secret")
	d.account, err = prepare(ctx, d.sb)
	return err
}

func (d *demo) apply(ctx context.Context, folder string) (err error) {
	tools, err := toolchain.New(toolchain.Options{Progress: d.Out})
	if err != nil {
		return err
	}
	binary, err := tools.Terraform(ctx)
	if err != nil {
		return err
	}
	d.say("%s apply: one tracking, one connection, one cadence, eight source tables", filepath.Base(binary))
	if d.core, err = newCore(d, binary, folder); err != nil {
		return err
	}
	if _, err := d.core.run(ctx, "init", "-no-color", "-input=false"); err != nil {
		return err
	}
	out, err := d.core.run(ctx, "apply", "-no-color", "-input=false", "-auto-approve")
	d.quote(out, "Apply complete!")
	return err
}

func (d *demo) fire(ctx context.Context, _ string) error {
	if n := len(d.sb.Glue().Runs()); n != 0 {
		return fmt.Errorf("apply started %d runs; creating a cadence must never fire it", n)
	}
	d.say("let the sandbox's clock reach 12:10 UTC: the trigger fires, the job's script runs the engine")
	d.clock.Advance(9 * time.Minute)
	if err := d.sb.Glue().WaitIdle(ctx); err != nil {
		return err
	}
	runs := d.sb.Glue().Runs()
	if len(runs) != 1 || runs[0].State != "SUCCEEDED" {
		for _, r := range runs {
			out, errors := d.sb.Glue().RunLog(r.ID)
			_, _ = fmt.Fprintf(d.Out, "%s %s\n%s%s", r.State, r.ErrorMessage, out, errors)
		}
		return fmt.Errorf("the trigger started %d runs and not all ended well", len(runs))
	}
	_, _ = fmt.Fprintf(d.Out, "    job run %s: %s\n", runs[0].ID, runs[0].State)
	return nil
}

func (d *demo) planAgain(ctx context.Context, _ string) error {
	d.say("plan again: nothing has drifted")
	out, err := d.core.run(ctx, "plan", "-no-color", "-input=false", "-detailed-exitcode")
	d.quote(out, "No changes.")
	return err
}

func (d *demo) destroy(ctx context.Context) error {
	d.say("destroy: job, trigger, connection and tracking tables go; the lake's data stays")
	out, err := d.core.run(ctx, "destroy", "-no-color", "-input=false", "-auto-approve")
	d.quote(out, "Destroy complete!")
	if err != nil {
		return err
	}
	counts, err := d.reader(ctx)
	if err != nil {
		return err
	}
	rows, err := counts.Count(ctx, lakeNames()...)
	if err != nil {
		return fmt.Errorf("reading the lake after destroy: %w", err)
	}
	var sum int64
	for _, n := range rows {
		sum += n
	}
	_, _ = fmt.Fprintf(d.Out, "    the lake still holds %d rows in %d tables\n\nDone in %.0f s.\n", sum, len(rows), time.Since(d.began).Seconds())
	return nil
}

func (d *demo) reader(ctx context.Context) (readback.Reader, error) {
	python, err := d.sb.Python(ctx)
	return readback.Reader{Python: python, Env: d.sb.Env()}, err
}
