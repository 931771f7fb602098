package hudi

import (
	"fmt"
	"strings"
)

// touchable refuses tables that this engine must not write to, or cannot without damage that nobody would see.
func (t *Table) touchable(p properties, tl *timeline) error {
	if err := t.supported(p, tl); err != nil {
		return err
	}
	if a := tl.foreign(); a != nil {
		out := ""
		if a.name == actionReplace {
			out = "; if it is a clustering that was only scheduled, have Spark carry it out (CALL run_clustering with op => 'execute')"
		}
		return t.refused("has a pending %s at the instant %s of another writer, over which no commit is made: if that writer is running, wait for it; if it died, let Spark's next write, or hudi-cli's commit rollback, take it back%s", a.name, a.instant, out)
	}
	return nil
}

func (t *Table) refused(format string, arguments ...any) error {
	return fmt.Errorf("the Hudi table %s at %s %s", t.name(), t.o.Store.Address(t.o.Prefix), fmt.Sprintf(format, arguments...))
}

// supported refuses tables of which the format, or what was made of it, is none that this engine writes to.
func (t *Table) supported(p properties, tl *timeline) error {
	switch {
	case p[propertyVersion] != "6":
		return t.refused("has the version %q, and this engine writes version 6: a writer of another release upgraded it (hoodie.write.auto.upgrade=false and hoodie.write.table.version=6 keep it from that); downgrade it with Spark (CALL downgrade_table with to_version => 'SIX') or hudi-cli, or land into a new target", p[propertyVersion])
	case p[propertyLayout] != "1":
		return t.refused("has the timeline layout %q, and this engine writes layout 1: downgrade it with Spark (CALL downgrade_table with to_version => 'SIX') or hudi-cli, or land into a new target", p[propertyLayout])
	case !strings.EqualFold(p[propertyType], "COPY_ON_WRITE"):
		return t.refused("is of the type %q, and this engine writes COPY_ON_WRITE: land into a new target", p[propertyType])
	case p[propertyMetadata] != "" || p[propertyMetadataNext] != "" || tl.hasMetadata:
		return t.refused("has a metadata table (%s=%q), which readers and writers would believe after this engine's commits: have Spark delete it, by a write with hoodie.metadata.enable=false, and let all its writers set that", propertyMetadata, p[propertyMetadata])
	case p.is(propertyDropColumns, false):
		return t.refused("has no partition columns in its files (%s=true): land into a new target", propertyDropColumns)
	case !p.is(propertyMetaFields, true):
		return t.refused("has no meta columns (%s=false): land into a new target", propertyMetaFields)
	case p[propertyBaseFormat] != "" && !strings.EqualFold(p[propertyBaseFormat], "PARQUET"):
		return t.refused("has data files of the format %q: land into a new target", p[propertyBaseFormat])
	case p[propertyChecksum] != "" && p[propertyChecksum] != p.checksum():
		return t.refused("has properties of which name or database were changed by hand: the checksum of %q is %s and they say %s, with which Spark refuses the table: restore them", p[propertyDatabase]+"."+p[propertyName], p.checksum(), p[propertyChecksum])
	case len(p.fields(propertyRecordKey)) == 0:
		return t.refused("has no record key (%s): land into a new target", propertyRecordKey)
	}
	return nil
}
