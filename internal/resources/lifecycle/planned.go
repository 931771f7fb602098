package lifecycle

import (
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Planned is what one process has planned and made so far. Terraform plans what refers to something after that
// something, in the same process; so a plan can look at what will be there, not only at what is. A nil Planned
// knows nothing.
type Planned struct {
	mu          sync.Mutex
	connections map[string]*spec.Connection
	engines     map[string]string
	made        map[string]bool
	// owners are the planned tables by their targets; below are those by every folder around their locations.
	owners, below map[string]string
}

// Connection remembers how a connection will be; nil when parts of it are not known yet.
func (p *Planned) Connection(id string, c *spec.Connection) {
	p.remember(func() { put(&p.connections, id, c) })
}

// PlannedConnection is what a connection will be. It is not ok when this process has not planned it, nil when
// parts of it are not known yet.
func (p *Planned) PlannedConnection(id string) (c *spec.Connection, ok bool) {
	p.remember(func() { c, ok = p.connections[id] })
	return c, ok
}

// Engine remembers which version of the engine a cadence will carry.
func (p *Planned) Engine(cadenceID, version string) {
	p.remember(func() { put(&p.engines, cadenceID, version) })
}

// PlannedEngine is the version of the engine that a cadence will carry, "" when this process has not planned it.
func (p *Planned) PlannedEngine(cadenceID string) (version string) {
	p.remember(func() { version = p.engines[cadenceID] })
	return version
}

// Made remembers that this process has made something, and reports whether it is the first time: two blocks of
// one configuration may describe the same thing.
func (p *Planned) Made(typeName, id string) (first bool) {
	first = true
	p.remember(func() {
		key := typeName + " " + id
		first = !p.made[key]
		put(&p.made, key, true)
	})
	return first
}

// Target remembers where a table will land, and names another planned table that lands there, in a folder around
// or in one inside.
func (p *Planned) Target(id string, target spec.Target) (other string) {
	location, err := spec.ParseLocation(target.Location)
	if p == nil || err != nil {
		return ""
	}
	entry := "catalogue " + target.Database + "." + target.Table
	p.remember(func() {
		around := location.Above()
		candidates := []string{p.owners[entry], p.owners[location.String()], p.below[location.String()]}
		for _, above := range around {
			candidates = append(candidates, p.owners[above.String()])
		}
		for _, candidate := range candidates {
			if candidate != "" && candidate != id {
				other = candidate
				return
			}
		}
		put(&p.owners, entry, id)
		put(&p.owners, location.String(), id)
		for _, above := range around {
			put(&p.below, above.String(), id)
		}
	})
	return other
}

func (p *Planned) remember(f func()) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}
