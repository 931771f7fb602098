package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
)

const (
	// tick is how often a run under way says how far it is where there is no terminal.
	tick = 15 * time.Second
	// refresh is how often a bar is drawn.
	refresh = 100 * time.Millisecond
)

// display shows a run: a bar and a table on a terminal, lines of JSON elsewhere. It is safe for concurrent use.
type display struct {
	out      io.Writer
	bars     io.Writer
	terminal bool
	// tick and refresh are how often lines and bars are written.
	tick, refresh time.Duration
	log           *slog.Logger

	mu     sync.Mutex
	tables map[string]*meter
}

// meter counts one table's rows.
type meter struct {
	rows, bytes int64
	began, told time.Time
	bar         *progressbar.ProgressBar
}

func newDisplay(out io.Writer) *display {
	f, ok := out.(*os.File)
	d := newDisplayOf(out, os.Stderr, ok && term.IsTerminal(int(f.Fd())))
	slog.SetDefault(d.log) // what libraries log has the log's form too
	return d
}

func newDisplayOf(out, bars io.Writer, terminal bool) *display {
	d := &display{out: out, bars: bars, terminal: terminal, tick: tick, refresh: refresh, tables: map[string]*meter{}}
	if terminal {
		d.log = slog.New(slog.NewTextHandler(bars, &slog.HandlerOptions{Level: slog.LevelWarn}))
	} else {
		d.log = slog.New(slog.NewJSONHandler(out, nil))
	}
	return d
}

// start begins a table, whose rows the planner estimates.
func (d *display) start(table string, rows int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &meter{began: time.Now(), told: time.Now()}
	if d.terminal {
		m.bar = progressbar.NewOptions64(max(rows, -1), progressbar.OptionSetDescription(table), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"), progressbar.OptionSetWriter(d.bars),
			progressbar.OptionThrottle(d.refresh), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(24))
	}
	d.tables[table] = m
}

// add counts rows and bytes that were written.
func (d *display) add(table string, rows, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.tables[table]
	if m == nil {
		return
	}
	m.rows += rows
	m.bytes += bytes
	if m.bar != nil {
		if m.rows > m.bar.GetMax64() && m.bar.GetMax64() > 0 {
			m.bar.ChangeMax64(m.rows) // the estimate was low
		}
		m.bar.Describe(table + " " + humanize.IBytes(uint64(max(m.bytes, 0))))
		_ = m.bar.Set64(m.rows)
		return
	}
	if now := time.Now(); now.Sub(m.told) >= d.tick {
		m.told = now
		d.log.Info("progress", "table", table, "rows", m.rows, "bytes", m.bytes, "rows_per_second", int64(float64(m.rows)/now.Sub(m.began).Seconds()))
	}
}

// finish shows what became of the tables.
func (d *display) finish(outcomes []run.Outcome) {
	if !d.terminal {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.tables {
		if m.bar != nil {
			_ = m.bar.Clear()
		}
	}
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "table\tstate\trows\tbytes\tseconds\trows/s\t")
	for _, o := range outcomes {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.2f\t%s\t\n", o.Table, o.State, humanize.Comma(o.Rows), humanize.IBytes(uint64(max(o.Bytes, 0))), o.Seconds,
			humanize.Comma(int64(float64(o.Rows)/max(o.Seconds, 1e-9))))
	}
	_ = w.Flush()
}
