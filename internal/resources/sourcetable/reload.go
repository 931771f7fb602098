package sourcetable

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// warnOfReload says in the plan of a change what it means for the rows that are in the lake.
func (r *Resource) warnOfReload(diags *diag.Diagnostics, state tftypes.Value, plan lifecycle.Tree) {
	before, _, err := lifecycle.Read(state)
	if err != nil {
		return // the plan writes all of it anew
	}
	summary := lifecycle.Summary("planning", r.TypeName, plan.Text("name"))
	if fixed := fixedInHudi(before, plan); len(fixed) > 0 {
		diags.AddAttributeWarning(lifecycle.AttributePath(fixed[0]), summary, "A table of Hudi keeps the record key, the partitions and the precombine field that it was made with, whatever reload says. Once a run has made the table, runs fail and leave it as it is "+
			"until this is set back: to have it otherwise, land into a new target.")
		return
	}
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

// fixedInHudi are the attributes whose change no run can follow in a table of Hudi.
func fixedInHudi(before, plan lifecycle.Tree) []spec.Path {
	format := func(t lifecycle.Tree) any {
		target, _ := t["target"].(map[string]any)
		return target["format"]
	}
	if format(before) != "hudi" || format(plan) != "hudi" {
		return nil
	}
	out := lifecycle.Changed(before, plan, spec.At("primary_key"), spec.At("partition_by"), spec.At("storage_mode"))
	if plan.Text("storage_mode") == "historical" || before.Text("ordering") != "" && plan.Text("ordering") != "" {
		out = append(out, lifecycle.Changed(before, plan, spec.At("ordering"))...)
	}
	return out
}

// incremental reports whether runs merge what changes.
func incremental(plan lifecycle.Tree) bool {
	extract, _ := plan["extract"].(map[string]any)
	return extract["mode"] == "incremental"
}
