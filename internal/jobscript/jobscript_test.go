package jobscript_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/jobscript"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func parameters(engine string) jobscript.PythonShell {
	sum := sha256.Sum256([]byte(engine))
	return jobscript.PythonShell{
		Region: "eu-west-1", Version: "1.2.3", DPU: 0.0625,
		Payload: jobscript.Payload{Bucket: "acme-artifacts", Key: "lakeland/engine/x/lakeland-engine", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(engine))},
	}
}

// boto3 stands in for AWS's: it serves the engine from a file.
const boto3 = `
import os
class client:
    def __init__(self, service, region_name):
        assert service == "s3" and region_name == "eu-west-1", (service, region_name)
    def get_object(self, Bucket, Key):
        assert Bucket == "acme-artifacts" and Key == "lakeland/engine/x/lakeland-engine", (Bucket, Key)
        return {"Body": open(os.environ["ENGINE"], "rb")}
`

// refusal runs the script where no file may be executed, as on a /tmp mounted noexec.
const refusal = `
import runpy, subprocess, sys
real = subprocess.Popen
def refuse(command, **options):
    if not command[0].startswith("/proc/"):
        raise PermissionError(13, "Permission denied")
    return real(command, **options)
subprocess.Popen = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

// job is a rendered script in a folder of its own.
type job struct {
	t              *testing.T
	folder, python string
}

func newJob(t *testing.T, python, engine string, served ...string) *job {
	t.Helper()
	j := &job{t: t, folder: t.TempDir(), python: python}
	script, err := parameters(engine).Render()
	if err != nil {
		t.Fatal(err)
	}
	if len(served) == 0 {
		served = []string{engine}
	}
	for name, data := range map[string][]byte{"script.py": script, "boto3.py": []byte(boto3), "refusal.py": []byte(refusal), "engine": []byte(served[0])} {
		if err := os.WriteFile(filepath.Join(j.folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(j.folder, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *job) command(arguments ...string) *exec.Cmd {
	command := exec.CommandContext(j.t.Context(), j.python, arguments...)
	command.Dir = j.folder
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONPATH=" + j.folder, "PYTHONDONTWRITEBYTECODE=1", "TMPDIR=" + filepath.Join(j.folder, "tmp"), "ENGINE=" + filepath.Join(j.folder, "engine")}
	return command
}

// run runs the script as Glue does and returns what it printed and its exit code.
func (j *job) run(wrapper ...string) (stdout, stderr string, code int) {
	j.t.Helper()
	command := j.command(append(wrapper, "script.py", "--tracking", "shop", "--cadence", "ten-minutes", "--job-language", "python", "--TempDir", "s3://x/")...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		j.t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(j.folder, "tmp")); err != nil || len(left) != 0 {
		j.t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

const engine = "#!/bin/sh\necho '{\"msg\":\"said\",\"arguments\":\"'\"$*\"'\",\"region\":\"'$AWS_REGION'\"}'\necho trouble >&2\nexit 7\n"

// interpreters are the sandbox's Python and, where there is one, Glue's version.
func interpreters(t *testing.T) map[string]string {
	t.Helper()
	python, err := sandbox.ForTest(t).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{"newer": python}
	home, _ := os.UserHomeDir()
	candidates, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "3.9.*", "bin", "python3.9"))
	if path, err := exec.LookPath("python3.9"); err == nil {
		candidates = append(candidates, path)
	}
	for _, candidate := range candidates {
		if exec.CommandContext(t.Context(), candidate, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 9))").Run() == nil {
			found["3.9"] = candidate
		}
	}
	return found
}

// The script fetches, checks and runs the engine, hands on its output and its exit code, and cleans up; on the
// Python that Glue has, where the machine has it too.
func TestScriptRunsTheEngine(t *testing.T) {
	t.Parallel()
	found := interpreters(t)
	for _, version := range []string{"newer", "3.9"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			if found[version] == "" {
				t.Skip("no Python 3.9 on this machine")
			}
			stdout, stderr, code := newJob(t, found[version], engine).run()
			if code != 7 || stderr != "trouble\n" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			if !strings.Contains(stdout, `{"msg":"said","arguments":"dispatch --tracking shop --cadence ten-minutes --dpu 0.0625","region":"eu-west-1"}`) || !strings.Contains(stdout, `"rung": "tmp"`) {
				t.Errorf("stdout %s", stdout)
			}
			for line := range strings.Lines(stdout) {
				if !json.Valid([]byte(line)) {
					t.Errorf("a line of the log is not JSON: %s", line)
				}
			}
		})
	}
}

func TestScriptSucceedsQuietly(t *testing.T) {
	t.Parallel()
	if _, stderr, code := newJob(t, interpreters(t)["newer"], "#!/bin/sh\n").run(); code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// Where files may not be executed, the engine runs from memory.
func TestScriptRunsFromMemory(t *testing.T) {
	t.Parallel()
	for version, python := range interpreters(t) {
		stdout, stderr, code := newJob(t, python, engine).run("refusal.py")
		if code != 7 || !strings.Contains(stdout, `"rung": "memfd"`) || !strings.Contains(stdout, `"msg":"said"`) {
			t.Errorf("%s: exit code %d, %s%s", version, code, stdout, stderr)
		}
	}
}

// An engine that is not the one deployed is never run: one that was changed, cut or lengthened.
func TestScriptRefusesAnotherEngine(t *testing.T) {
	t.Parallel()
	python := interpreters(t)["newer"]
	for name, served := range map[string]string{"changed": strings.Replace(engine, "7", "0", 1), "cut": engine[:20], "empty": "", "longer": engine + "exit 0\n"} {
		stdout, stderr, code := newJob(t, python, engine, served).run()
		if code != 1 || !strings.Contains(stderr, "is not the engine that was deployed") || strings.Contains(stdout, "said") {
			t.Errorf("%s: exit code %d, %s%s", name, code, stdout, stderr)
		}
	}
}

// A signal reaches the engine, and the script ends with the engine's code.
func TestScriptForwardsSignals(t *testing.T) {
	t.Parallel()
	waiting := "#!/bin/sh\ntrap 'echo stopped; exit 9' TERM\necho ready\nwhile :; do sleep 0.05; done\n"
	j := newJob(t, interpreters(t)["newer"], waiting)
	command := j.command("script.py", "--tracking", "shop", "--cadence", "c")
	var out bytes.Buffer
	deadline := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	defer deadline.Stop()
	command.Stdout, command.Stderr = writer{&out, "ready", func() { _ = command.Process.Signal(syscall.SIGTERM) }}, io.Discard
	command.WaitDelay = 20 * time.Second
	_ = command.Run()
	if code := command.ProcessState.ExitCode(); code != 9 || !strings.Contains(out.String(), "stopped") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
	killed := "#!/bin/sh\nkill -KILL $$\n"
	if _, _, code := newJob(t, interpreters(t)["newer"], killed).run(); code != 128+9 {
		t.Errorf("a killed engine gives exit code %d", code)
	}
}

// writer calls when a text has passed.
type writer struct {
	out  *bytes.Buffer
	text string
	call func()
}

func (w writer) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	if bytes.Contains(p, []byte(w.text)) {
		w.call()
	}
	return n, err
}

func TestScriptNeedsItsArguments(t *testing.T) {
	t.Parallel()
	j := newJob(t, interpreters(t)["newer"], engine)
	out, err := j.command("script.py", "--tracking", "shop").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--cadence") {
		t.Errorf("%v: %s", err, out)
	}
}

// No text becomes code: whatever the values are, the script parses as Python 3.9 and reads back the same values,
// and the same values render the same bytes.
func TestNoTextBecomesCode(t *testing.T) {
	t.Parallel()
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"`, `\`, `'''`, `"""`, "\n", `\"); import os; os.system("x") #`, "{{.Config}}", "é日本🙂", "\u2028", "\x00", "%s"}))
	type sample struct {
		Script string `json:"script"`
		Want   any    `json:"want"`
	}
	var samples []sample
	rapid.Check(t, func(t *rapid.T) {
		p := jobscript.PythonShell{
			Region: texts.Draw(t, "region"), Version: texts.Draw(t, "version"), DPU: rapid.SampledFrom([]float64{0.0625, 1}).Draw(t, "dpu"),
			Payload: jobscript.Payload{Bucket: texts.Draw(t, "bucket"), Key: texts.Draw(t, "key"), SHA256: texts.Draw(t, "sha256"), Size: rapid.Int64Range(0, 1<<50).Draw(t, "size")},
		}
		first, err := p.Render()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := p.Render(); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the same values render other bytes: %v", err)
		}
		samples = append(samples, sample{string(first), p})
	})
	document, err := json.Marshal(samples)
	if err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), interpreters(t)["newer"], "-c", `
import ast, json, sys
shapes = set()
for sample in json.load(sys.stdin):
    tree = ast.parse(sample["script"], feature_version=(3, 9))
    call, = [n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "CONFIG"]
    got = json.loads(ast.literal_eval(call.args[0]))
    assert got == sample["want"], (got, sample["want"])
    call.args = []
    shapes.add(ast.dump(tree))
assert len(shapes) == 1, "%d different programs" % len(shapes)
`)
	check.Stdin = bytes.NewReader(document)
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
