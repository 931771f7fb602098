package glue

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
)

// orphanEnv makes TestHelperServer serve: its value is the port that the script connects to.
const orphanEnv = "GLUE_SANDBOX_TEST_PORT"

// TestRunDiesWithItsProgram: when the program that holds the server is killed, and can clean up
// nothing, the kernel ends the script.
func TestRunDiesWithItsProgram(t *testing.T) {
	t.Parallel()
	port, accept := listen(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperServer$", "-test.v")
	cmd.Env = append(os.Environ(), orphanEnv+"="+port, "TMPDIR="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	script := accept()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "serving") {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	awaitEOF(t, script)
}

// TestHelperServer is the other program of TestRunDiesWithItsProgram.
func TestHelperServer(t *testing.T) { //nolint:paralleltest // the body runs in a child process
	port := os.Getenv(orphanEnv)
	if port == "" {
		t.Skip("runs on behalf of another test")
	}
	l := newLab(t)
	l.start(t, holdingScript, func(in *awsglue.CreateJobInput) { in.DefaultArguments = map[string]string{"--port": port} })
	fmt.Println("serving")
	select {}
}
