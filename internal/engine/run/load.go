package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

const (
	// fewUnits is up to how many units a load is not worth remembering.
	fewUnits = 4
	// loadAge is for how long after its beginning a load is taken up: its files are not so old then that anybody removes
	// them as orphans, and whoever wrote them has ended.
	loadAge = table.LongestJob
	// loadTries is how many runs may work at a load before one starts again, so that what keeps them from ending it, whatever
	// that is, does not for ever.
	loadTries = 6
	// recordsAtOnce is how many units' results are recorded at once.
	recordsAtOnce = 4
	// loadPlanVersion is the version of plans that this build knows.
	loadPlanVersion = 1
)

// load is the reading of all rows of a source, whose progress the tracker is told unit by unit. A nil load tells nobody.
type load struct {
	a      *attempt
	l      *landing
	memory Memory
	// word is what the tracker has of it.
	word tracking.Load
	// units are the names of all items that the tracker may have.
	units []string
	// plan is nil where no other run may take the load up.
	plan *loadPlan
	// kept are the results of earlier runs, rest what completes them; both are nil in a load's first run.
	kept []Result
	rest *postgres.Rest
	// changed are the results of the units that read what had changed since the first run.
	changed []Result

	writes  sync.WaitGroup
	slots   chan struct{}
	telling sync.Mutex
	mu      sync.Mutex // guards what follows, and units
	// safe are the keys of files that another run may take up, mine those of this run's objects beside them.
	safe map[string]bool
	mine []table.DataFile
}

// loadPlan is what a run has to know of a load to take it up. What it was planned on must be as it was.
type loadPlan struct {
	V      int    `json:"v"`
	Engine string `json:"engine"`
	// Exists and Commit say what the load replaces, Reload which reload it is.
	Exists bool   `json:"exists"`
	Commit string `json:"commit"`
	Reload string `json:"reload"`
	// ExtractHash and Columns say what is read, and which columns of the lake it becomes.
	ExtractHash string            `json:"extract_hash"`
	Columns     string            `json:"columns"`
	Footing     *postgres.Footing `json:"footing"`
	// Units are the cut of the first run: what each unit reads. Later runs read those that are missing.
	Units [][]postgres.Part `json:"units"`
}

// unitName is the name of a unit of a cut.
func unitName(i int) string { return fmt.Sprintf("%04d", i) }

// changedUnits begins the names of units that read what has changed since the first run.
const changedUnits = "c"

// remember begins to tell the tracker of a load of many units: lists are what they read, none where nobody can go on with
// them. What cannot be told does not hold up the load.
func (a *attempt) remember(ctx context.Context, l *landing, window *postgres.Window, shared bool, units int, lists [][]postgres.Part) *load {
	d := a.newLoad(l)
	if d.memory == nil || units <= fewUnits || l.untold {
		return nil
	}
	d.word = tracking.Load{ID: l.id, Table: l.head.TableID, Run: a.runID, Tries: 1, Units: units, Why: a.unkept(l, shared)}
	if d.word.Why == "" {
		footing, err := window.Footing(ctx)
		if err == nil {
			d.plan, err = a.loadPlan(l, footing, lists)
		}
		if err == nil {
			d.word.Key, d.word.SHA256, err = d.put(ctx, "plan", "plan", d.plan)
		}
		if err != nil {
			d.plan, d.word.Key, d.word.Why = nil, "", bounded(err.Error())
			a.log.Info("if this load does not end, the next run starts again", "why", d.word.Why)
		}
	}
	if err := d.memory.Loading(ctx, d.word); err != nil {
		a.log.Warn("the tracker could not be told of the load: if it does not end, the next run starts again", "error", err)
		return nil
	}
	return d
}

func (a *attempt) newLoad(l *landing) *load {
	memory, _ := a.lease.(Memory)
	return &load{a: a, l: l, memory: memory, slots: make(chan struct{}, recordsAtOnce), safe: map[string]bool{}}
}

// unkept says why a load of this table cannot be taken up by another run; "" when it can.
func (a *attempt) unkept(l *landing, shared bool) string {
	switch {
	case a.doc.Extract.Mode != "incremental":
		return "mode \"full\" shows the source as one snapshot has it"
	case a.doc.StorageMode == "historical":
		return "a historical table's versions are not read twice"
	case a.doc.Target.Format != "iceberg":
		return fmt.Sprintf("the format %q cannot take over files of another attempt", a.doc.Target.Format)
	case !shared:
		return "the source is read by one session, as on a replica, and units of a load need a snapshot that sessions share"
	case !l.keyUnique:
		return "no unique index of the source keeps the rows of two snapshots apart by their key"
	default:
		return ""
	}
}

func (a *attempt) loadPlan(l *landing, footing *postgres.Footing, lists [][]postgres.Part) (*loadPlan, error) {
	hash, err := a.doc.ExtractHash(a.connection.Database)
	if err != nil {
		return nil, err
	}
	planned := l.planned
	planned.Identity = "" // the footing tells one table from another
	columns, err := json.Marshal(planned)
	if err != nil {
		return nil, fmt.Errorf("writing the columns of %q: %w", a.name, err)
	}
	return &loadPlan{
		V: loadPlanVersion, Engine: a.r.Version, Exists: l.head.Exists, Commit: l.head.CheckpointCommit, Reload: a.doc.Reload,
		ExtractHash: hash, Columns: digest(columns), Footing: footing, Units: lists,
	}, nil
}

// done is told of units that are complete, one at a time.
func (d *load) done(ctx context.Context) func(Result) {
	if d == nil {
		return nil
	}
	return func(r Result) {
		if strings.HasPrefix(r.Unit, changedUnits) {
			return // it is of use to this run alone
		}
		d.mu.Lock()
		d.units = append(d.units, r.Unit)
		for i := 0; d.plan != nil && i < len(r.Files); i++ {
			d.safe[r.Files[i].Key] = true
		}
		d.mu.Unlock()
		d.writes.Go(func() {
			d.slots <- struct{}{}
			defer func() { <-d.slots }()
			if err := guard.Call(func() error { return d.record(ctx, r) }); err != nil {
				d.a.log.Warn("the tracker could not be told of a unit: if the load does not end, the next run reads it again", "unit", r.Unit, "error", err)
			}
		})
	}
}

// record tells the tracker of a unit, also in the last moments of a run that is stopped.
func (d *load) record(ctx context.Context, r Result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	unit := tracking.LoadUnit{Load: d.word.ID, Unit: r.Unit, Rows: r.Rows}
	if d.plan != nil {
		var err error
		if unit.Key, unit.SHA256, err = d.put(ctx, r.Unit, "result", r); err != nil {
			return err
		}
	}
	d.telling.Lock() // each transaction checks the lease, and two at once would meet there
	defer d.telling.Unlock()
	return d.memory.Loaded(ctx, unit)
}

// put writes a document beside the load's files, under a name that no other attempt has and that holds the table's id.
func (d *load) put(ctx context.Context, unit, kind string, document any) (key, sum string, err error) {
	data, err := json.Marshal(document)
	if err != nil {
		return "", "", fmt.Errorf("writing the %s of a load: %w", kind, err)
	}
	prefix, _ := d.l.target.DataKeys(d.l.head, d.l.id, unit)
	key = prefix + kind + ".json"
	d.mu.Lock()
	d.mine = append(d.mine, table.DataFile{Key: key})
	d.mu.Unlock()
	_, err = d.l.bucket.Put(ctx, key, data, store.Condition{})
	return key, digest(data), err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// wait returns when the tracker has been told of all units that were done.
func (d *load) wait() {
	if d != nil {
		d.writes.Wait()
	}
}

// useless are those of files that this attempt wrote and no other run may take up.
func (d *load) useless(files []table.DataFile) []table.DataFile {
	if d == nil {
		return files
	}
	return slices.DeleteFunc(slices.Clone(files), func(f table.DataFile) bool { return d.safe[f.Key] || !strings.Contains(f.Key, d.l.id) })
}

// forget has the tracker forget the load, and removes what this run wrote beside its files. What others wrote stays until
// orphans are removed, which know it by the table's id in its name.
func (d *load) forget(ctx context.Context) {
	if d == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	slices.Sort(d.units)
	err := d.memory.Unload(ctx, slices.Compact(d.units)) // some may have been read twice
	if err == nil {
		err = deleteFiles(ctx, d.l.bucket, d.mine)
	}
	if err != nil {
		d.a.log.Warn("a load could not be forgotten; it is not taken up again, and its items expire", "error", err)
	}
	clear(d.safe)
}

// began is when a load's first run began to read, by that run's clock.
func began(word *tracking.Load) time.Time {
	id, err := ulid.ParseStrict(word.ID)
	if err != nil {
		return time.Time{}
	}
	return ulid.Time(id.Time())
}
