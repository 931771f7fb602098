package lifecycle

import (
	"context"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Deployed is the attribute that holds a resource's leaves.
const Deployed = "deployed"

// What a leaf says of a part as a whole.
const (
	Present = "present"
	Missing = "missing"
	// ByHand stands for a text that somebody else wrote. The text itself may be a secret and stays out of states.
	ByHand = "changed by hand"
)

// Leaves is everything that a resource deploys beside its document, leaf by leaf, such as "job.timeout". A plan
// knows beforehand what each should be, so one that differs is drift, and the plan shows just that one.
type Leaves map[string]string

// DeployedAttribute is the attribute deployed of a resource's schema.
func DeployedAttribute(what string) schema.Attribute {
	return schema.MapAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: "What is out there of " + what + ", leaf by leaf. A plan knows what each leaf should be: one that was changed or removed by hand shows as a change, and the next apply mends it. " +
			"A text that somebody else wrote shows as `" + ByHand + "`.",
	}
}

// Value is the attribute's value.
func (l Leaves) Value() attr.Value { return StringMap(l) }

// Tags adds the tags of a part.
func (l Leaves) Tags(part string, tags map[string]string) {
	for key, value := range tags {
		l[part+".tags."+key] = value
	}
}

// Gone says that a part is missing. Its own leaves stay as the state knew them: a plan then shows the part alone.
func (l Leaves) Gone(part string, known Leaves) {
	for name, value := range known {
		if strings.HasPrefix(name, part+".") {
			l[name] = value
		}
	}
	l[part] = Missing
}

// Conceal replaces the values below a prefix that are not the wanted ones.
func (l Leaves) Conceal(prefix string, want Leaves) {
	for name, value := range l {
		if strings.HasPrefix(name, prefix) && (want[name] != value || !has(want, name)) {
			l[name] = ByHand
		}
	}
}

// Differ reports whether leaves below a prefix differ, those below some others left out.
func (l Leaves) Differ(other Leaves, prefix string, except ...string) bool {
	below := func(from Leaves) Leaves {
		out := Leaves{}
		for name, value := range from {
			if strings.HasPrefix(name, prefix) && !anyPrefix(name, except) {
				out[name] = value
			}
		}
		return out
	}
	return !maps.Equal(below(l), below(other))
}

func anyPrefix(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func has(l Leaves, name string) bool {
	_, ok := l[name]
	return ok
}

// LeavesOf are the leaves that a state holds.
func LeavesOf(ctx context.Context, state tfsdk.State) Leaves {
	leaves := Leaves{}
	var value types.Map
	if diags := state.GetAttribute(ctx, path.Root(Deployed), &value); diags.HasError() {
		return leaves
	}
	for name, element := range value.Elements() {
		if text, ok := element.(types.String); ok {
			leaves[name] = text.ValueString()
		}
	}
	return leaves
}
