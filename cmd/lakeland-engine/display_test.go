package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// On a terminal, work shows its rows, rows a second and bytes, and ends with a table.
func TestTerminalShowsProgress(t *testing.T) {
	t.Parallel()
	var out, bars bytes.Buffer
	d := newDisplayOf(&out, &bars, true)
	d.refresh = 0
	d.start("shop.orders", 100)
	d.add("shop.orders", 80, 4<<20)
	d.add("shop.orders", 80, 4<<20) // more than was estimated
	d.add("shop.unknown", 1, 1)
	d.finish([]run.Outcome{{Table: "shop.orders", State: tracking.RunSucceeded, Rows: 1234567, Bytes: 5 << 20, Seconds: 2}, {Table: "shop.b", State: tracking.RunFailed, Err: errors.New("x")}})
	for _, want := range []string{"shop.orders 8.0 MiB", "80/160", "rows/"} {
		if !strings.Contains(bars.String(), want) {
			t.Errorf("%q is not shown: %q", want, bars.String())
		}
	}
	for _, want := range []string{"1,234,567", "5.0 MiB", "617,283", "failed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the table:\n%s", want, out.String())
		}
	}
}

// Elsewhere, all there is are lines of JSON.
func TestLogIsLinesOfJSON(t *testing.T) {
	t.Parallel()
	var out, bars bytes.Buffer
	d := newDisplayOf(&out, &bars, false)
	d.tick = 0
	d.start("shop.orders", -1)
	d.add("shop.orders", 10, 2000)
	d.add("shop.orders", 10, 2000)
	d.log.Warn("text with \"quotes\"\nand a second line")
	d.finish([]run.Outcome{{Table: "shop.orders"}})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || bars.Len() != 0 {
		t.Fatalf("%d lines, %q beside", len(lines), bars.String())
	}
	var last struct {
		Msg, Table  string
		Rows, Bytes int64
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if err := json.Unmarshal([]byte(lines[1]), &last); err != nil || last.Msg != "progress" || last.Rows != 20 || last.Bytes != 4000 || last.Table != "shop.orders" {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestMisuseEndsWithItsOwnStatus(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"dispatch", "--tracking", "Shop", "--cadence", "c"}, {"dispatch", "--tracking", "shop", "--cadence", "c", "--lease", "1s"}, {"run", "--nonsense"}} {
		root := rootCommand()
		root.SetArgs(arguments)
		var wrong misuse
		if err := root.ExecuteContext(t.Context()); !errors.As(err, &wrong) {
			t.Errorf("%v: %v", arguments, err)
		}
	}
}
