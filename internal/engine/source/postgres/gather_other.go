//go:build !linux

package postgres

import "time"

func pause(d time.Duration) { time.Sleep(d) }
