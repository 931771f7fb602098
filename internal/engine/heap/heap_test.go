package heap

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// The heap grows by half of what is held at least, unless the environment says otherwise.
func TestTune(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer func() { debug.SetGCPercent(before); untouched = nil }()
	growth := func() (live, room uint64) {
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}}
		runtime.GC()
		metrics.Read(s)
		live = s[0].Value.Uint64()
		return live, s[1].Value.Uint64() - live
	}
	t.Setenv("GOGC", "200")
	if Tune(); untouched != nil {
		t.Error("what the environment says was passed over")
	}
	t.Setenv("GOGC", "")
	Tune()
	if live, room := growth(); live < held || live > held+held/2 || room < held/2 || room > held {
		t.Errorf("%d bytes are live, and the heap grows by %d", live, room)
	}
	runtime.KeepAlive(untouched)
}
