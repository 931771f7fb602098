package glue

import (
	"testing"
	"time"
)

// TestManualClockOrder: Advance makes due calls in the order of their times, each at its own
// time, also those that calls add, and leaves later and stopped ones alone.
func TestManualClockOrder(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, name+" "+clock.Now().Format("15:04:05")) }
	}
	clock.AfterFunc(3*time.Second, note("third"))
	clock.AfterFunc(1*time.Second, func() {
		note("first")()
		clock.AfterFunc(1*time.Second, note("second, added"))
		clock.AfterFunc(time.Hour, note("never"))
	})
	clock.AfterFunc(3*time.Second, note("third, too"))
	stop := clock.AfterFunc(2*time.Second, note("stopped"))
	if !stop() {
		t.Error("stop of a pending call reported false")
	}
	if stop() {
		t.Error("stop of a stopped call reported true")
	}
	overdue := clock.AfterFunc(-time.Hour, note("at once"))
	clock.Advance(0)
	if overdue() {
		t.Error("stop of a made call reported true")
	}
	clock.Advance(10 * time.Second)
	diff(t, "calls", []string{
		"at once 09:00:00", "first 09:00:01", "second, added 09:00:02", "third 09:00:03", "third, too 09:00:03",
	}, got)
	diff(t, "time", epoch.Add(10*time.Second), clock.Now())
}

// TestRealClock: the machine's clock calls, and stops.
func TestRealClock(t *testing.T) {
	t.Parallel()
	clock := RealClock()
	before := time.Now()
	if now := clock.Now(); now.Before(before) {
		t.Errorf("Now %v is before %v", now, before)
	}
	called := make(chan struct{})
	clock.AfterFunc(0, func() { close(called) })
	<-called
	if stop := clock.AfterFunc(time.Hour, func() {}); !stop() {
		t.Error("stop of a pending call reported false")
	}
}
