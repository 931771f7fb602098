package readback

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
)

//go:embed read.py
var script string

// request is a line of JSON that read.py answers.
type request struct {
	Environment map[string]string `json:"environment"`
	Arguments   []string          `json:"arguments"`
}

// server is a process that runs read.py: to import the engines takes much longer than to read most tables. It ends when this
// process does, since that closes its input.
type server struct {
	address string
	input   io.Closer
}

var (
	serversMu sync.Mutex
	servers   = map[string]func() (*server, error){} // by their interpreters
)

// serverOf is an interpreter's server, which is started once.
func serverOf(python string) (*server, error) {
	serversMu.Lock()
	start := servers[python]
	if start == nil {
		start = sync.OnceValues(func() (*server, error) { return startServer(python) })
		servers[python] = start
	}
	serversMu.Unlock()
	return start()
}

func startServer(python string) (*server, error) {
	command := exec.Command(python, "-c", script)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}
	said := &beginning{}
	command.Stderr = said
	input, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting a reader: %w", err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting a reader: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting a reader: %w", err)
	}
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		_ = command.Wait()
		return nil, fmt.Errorf("starting a reader with %s: %w: %s", python, err, said)
	}
	return &server{net.JoinHostPort("127.0.0.1", strings.TrimSpace(port)), input}, nil
}

// ask has the interpreter's server answer a request, and each line of the answer taken.
func ask(ctx context.Context, python string, r request, take func(line []byte) error) error {
	s, err := serverOf(python)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("asking the reader: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return fmt.Errorf("asking the reader: %w", err)
	}
	for lines := bufio.NewReader(conn); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return errors.Join(context.Cause(ctx), fmt.Errorf("the reader ended without an answer: %w", err))
		}
		var end struct {
			Done  bool
			Error string
		}
		if !bytes.HasPrefix(line, []byte(`{"count"`)) {
			if err := json.Unmarshal(line, &end); err != nil {
				return fmt.Errorf("the reader's answer: %w", err)
			}
		}
		switch {
		case end.Error != "":
			return errors.New(tail(end.Error))
		case end.Done:
			return nil
		}
		if err := take(line); err != nil {
			return fmt.Errorf("the reader's answer: %w", err)
		}
	}
}

func tail(text string) string {
	const most = 2000
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return strings.TrimSpace(text)
}

// beginning keeps the first of what is written to it.
type beginning struct {
	mu   sync.Mutex
	text []byte
}

func (b *beginning) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p[:min(len(p), 4096-len(b.text))]...)
	return len(p), nil
}

func (b *beginning) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
