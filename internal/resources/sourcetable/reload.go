package sourcetable

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
)

// warnOfReload says in the plan of a change what it means for the rows that are in the lake.
func (r *Resource) warnOfReload(diags *diag.Diagnostics, state tftypes.Value, plan lifecycle.Tree) {
	before, _, err := lifecycle.Read(state)
	if err != nil {
		return // the plan writes all of it anew
	}
	summary := lifecycle.Summary("planning", r.TypeName, plan.Text("name"))
	if reload := lifecycle.Changed(before, plan, effects.Paths(lifecycle.InPlaceWithReload)...); len(reload) > 0 && plan.Text("reload") != "" {
		diags.AddAttributeWarning(lifecycle.AttributePath(reload[0]), summary, "The next run lands the whole table afresh, in one commit; until then readers see it as it is.")
		return
	}
	if read := lifecycle.Changed(before, plan, effects.Paths(lifecycle.InPlaceOrReload)...); len(read) > 0 && incremental(plan) {
		diags.AddAttributeWarning(lifecycle.AttributePath(read[0]), summary, "Runs of this table go on from where the last one came, which means nothing for other rows or columns: they fail, and leave the lake's table as it is, until reload has a new value too.")
		return
	}
	if before.Text("storage_mode") == "historical" && plan.Text("storage_mode") != "historical" {
		diags.AddAttributeWarning(path.Root("storage_mode"), summary, "The next run replaces all versions of the rows by the ones that the source has; those of before are in the table's older snapshots alone, for as long as these are kept.")
		return
	}
	if source := lifecycle.Changed(before, plan, effects.Paths(lifecycle.RefusedUntilReload)...); len(source) > 0 {
		diags.AddAttributeWarning(lifecycle.AttributePath(source[0]), summary, "Where this leads to another table than the one that was landed, the next run fails and leaves the lake's table as it is: "+
			"to have the other table take its place, set reload to a new value too.")
	}
}

// incremental reports whether runs merge what changes.
func incremental(plan lifecycle.Tree) bool {
	extract, _ := plan["extract"].(map[string]any)
	return extract["mode"] == "incremental"
}
