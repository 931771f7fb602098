package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

const portAttempts = 8

// OnFreePort calls start with a loopback port that was free a moment ago. Where the port was taken between
// the choice and the child's bind, start fails with a child that ended on "address already in use", and
// another port is tried.
func OnFreePort(ctx context.Context, start func(port int) error) error {
	var err error
	for range portAttempts {
		if err = ctx.Err(); err != nil {
			return err
		}
		var port int
		if port, err = freePort(ctx); err != nil {
			return err
		}
		if err = start(port); err == nil || !PortTaken(err) {
			return err
		}
	}
	return fmt.Errorf("no free port after %d attempts: %w", portAttempts, err)
}

// PortTaken tells whether a child ended because the address it was given was in use.
func PortTaken(err error) bool {
	var ended *EndedError
	return errors.As(err, &ended) && strings.Contains(strings.ToLower(ended.Tail), "address already in use")
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port on 127.0.0.1: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("looking for a free port on 127.0.0.1: %w", err)
	}
	if !ok {
		return 0, fmt.Errorf("looking for a free port on 127.0.0.1: the listener's address is %v", listener.Addr())
	}
	return address.Port, nil
}
