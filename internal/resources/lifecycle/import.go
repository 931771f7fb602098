package lifecycle

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Import puts into the state what an import names: an id, whose parts are separated by slashes in the order of
// the keys, or an identity. Read then fills in the rest. A last key may hold slashes itself.
func (b *Base) Import(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse, keys ...string) {
	summary := Summary("importing", b.TypeName, req.ID)
	values := make([]string, len(keys))
	if req.ID != "" || req.Identity == nil {
		parts := strings.SplitN(req.ID, "/", len(keys))
		if len(parts) != len(keys) || strings.Contains("/"+req.ID+"/", "//") {
			resp.Diagnostics.AddError(summary, fmt.Sprintf("%q is not the id of a %s: write %q.", req.ID, b.TypeName, "<"+strings.Join(keys, ">/<")+">"))
			return
		}
		copy(values, parts)
	} else {
		for i, key := range keys {
			if values[i] = identityText(ctx, req, resp, key); values[i] == "" {
				resp.Diagnostics.AddError(summary, fmt.Sprintf("The identity has no %s: write identity = { %s }.", key, strings.Join(keys, " = \"...\", ")+" = \"...\""))
			}
		}
		if b.Session != nil {
			for name, mine := range map[string]string{"account_id": b.Session.AccountID, "region": b.Session.Region} {
				if given := identityText(ctx, req, resp, name); given != "" && given != mine {
					resp.Diagnostics.AddError(summary, fmt.Sprintf("The identity's %s is %q and the provider's is %q: import it through a provider configured for that one.", name, given, mine))
				}
			}
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	for i, key := range keys {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(key), values[i])...)
	}
}

func identityText(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse, name string) string {
	var value types.String
	resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root(name), &value)...)
	return value.ValueString()
}

// Imported reports whether a state is that of an import, which holds nothing but keys so far.
func Imported(state Tree) bool { return state.Text("id") == "" }

// OwnTags are the tags that are a resource's own and not the provider's default ones: what an import writes to
// the attribute tags.
func (b *Base) OwnTags(all map[string]string) types.Map {
	own := map[string]string{}
	for key, value := range all {
		if standard, ok := b.Session.DefaultTags[key]; !ok || standard != value {
			own[key] = value
		}
	}
	if len(own) == 0 {
		return types.MapNull(types.StringType)
	}
	return StringMap(own)
}
