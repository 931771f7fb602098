package lifecycle

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Effect is what a change of an attribute does, in the words that end the attribute's description.
type Effect string

// The effects there are.
const (
	InPlace           Effect = "Change: in place."
	InPlaceAtNextRun  Effect = "Change: in place, effective at the next run."
	InPlaceWithReload Effect = "Change: in place, with a reload at the next run, of which the plan warns."
	// RefusedUntilReload is of what leads to a table at the source.
	RefusedUntilReload Effect = "Change: in place; where it leads to another table, runs fail until `reload` changes."
	// InPlaceOrReload is of what says which rows and columns are read.
	InPlaceOrReload Effect = "Change: in place, effective at the next run; runs with `mode = \"incremental\"` fail until `reload` changes too."
	// InPlaceWithinTracking is of what names a cadence, and with it a tracking.
	InPlaceWithinTracking Effect = "Change: in place, effective at the next run; a cadence of another tracking replaces the source table."
	Replace               Effect = "Change: replaces the resource."
	// OneValue is of what has no second value in this release.
	OneValue Effect = "Change: none, as this release has one value for it."
	// Refused is of what this release refuses altogether.
	Refused Effect = "Not supported yet: this release refuses it."
)

// Effects are those of a resource's attributes, by paths such as "target.location". One of an object holds for what
// is in it, where that has none of its own.
type Effects map[string]Effect

// Of is the effect of a change at a path, "" where there is none.
func (e Effects) Of(path string) Effect {
	for {
		if effect, ok := e[path]; ok {
			return effect
		}
		end := strings.LastIndexByte(path, '.')
		if end < 0 {
			return ""
		}
		path = path[:end]
	}
}

// Paths are those whose change has an effect.
func (e Effects) Paths(effect Effect) []spec.Path {
	var paths []spec.Path
	for _, path := range slices.Sorted(maps.Keys(e)) {
		if e[path] == effect {
			var p spec.Path
			for step := range strings.SplitSeq(path, ".") {
				p = p.With(step)
			}
			paths = append(paths, p)
		}
	}
	return paths
}

// Describe ends the description of each attribute with the effect of its change.
func (e Effects) Describe(attributes map[string]schema.Attribute) map[string]schema.Attribute {
	return e.describe("", attributes)
}

func (e Effects) describe(above string, attributes map[string]schema.Attribute) map[string]schema.Attribute {
	out := make(map[string]schema.Attribute, len(attributes))
	for name, attribute := range attributes {
		path := above + name
		effect := string(e.Of(path))
		text := func(description string) string { return strings.TrimSpace(description + " " + effect) }
		switch a := attribute.(type) {
		case schema.StringAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			attribute = a
		case schema.BoolAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			attribute = a
		case schema.Int64Attribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			attribute = a
		case schema.Float64Attribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			attribute = a
		case schema.ListAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			attribute = a
		case schema.MapAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			attribute = a
		case schema.SingleNestedAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			a.Attributes = e.describe(path+".", a.Attributes)
			attribute = a
		case schema.ListNestedAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			a.NestedObject.Attributes = e.describe(path+".", a.NestedObject.Attributes)
			attribute = a
		case schema.MapNestedAttribute:
			a.MarkdownDescription = text(a.MarkdownDescription)
			a.NestedObject.Attributes = e.describe(path+".", a.NestedObject.Attributes)
			attribute = a
		}
		out[name] = attribute
	}
	return out
}
