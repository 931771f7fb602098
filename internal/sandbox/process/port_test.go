package process

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
)

func TestOnFreePortTriesAgain(t *testing.T) {
	t.Parallel()
	var ports []int
	err := OnFreePort(t.Context(), func(port int) error {
		ports = append(ports, port)
		if len(ports) < 3 {
			return &EndedError{Name: "a server", Verb: "ended", Tail: "bind: Address already in use"}
		}
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return err
		}
		return listener.Close()
	})
	if err != nil || len(ports) != 3 {
		t.Errorf("%v after %d attempts", err, len(ports))
	}
}

func TestOnFreePortGivesUp(t *testing.T) {
	t.Parallel()
	attempts := 0
	taken := &EndedError{Name: "a server", Verb: "ended", Tail: "address already in use"}
	err := OnFreePort(t.Context(), func(int) error { attempts++; return taken })
	if !errors.Is(err, taken) || attempts != portAttempts {
		t.Errorf("%v after %d attempts", err, attempts)
	}
	other := errors.New("no such program")
	attempts = 0
	if err := OnFreePort(t.Context(), func(int) error { attempts++; return other }); !errors.Is(err, other) || attempts != 1 {
		t.Errorf("%v after %d attempts", err, attempts)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := OnFreePort(ctx, func(int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
