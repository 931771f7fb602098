package spec

// What a document may say but this release does not do yet. The provider refuses it at plan, the engine at
// run; each message names what to use instead. A part that becomes effective loses its lines here.

// Unsupported returns what this release does not do yet.
func (t *Tracking) Unsupported() Problems {
	var ps Problems
	if len(t.ReplicaRegions) > 0 {
		ps.add(At("replica_regions"), "is not supported yet: leave it out; point-in-time recovery is on, and a second Region can land from its own tracking")
	}
	return ps
}

// Unsupported returns what this release does not do yet.
func (c *Connection) Unsupported() Problems {
	var ps Problems
	if c.Engine != "postgresql" {
		ps.add(At("engine"), "%q is not supported yet: use \"postgresql\"", c.Engine)
	}
	return ps
}

// Unsupported returns what this release does not do yet.
func (c *Cadence) Unsupported() Problems {
	var ps Problems
	if c.MaxConcurrentBatches > 1 {
		ps.add(At("max_concurrent_batches"), "more than 1 is not supported yet: leave it out, and spread tables over several cadences to run them side by side")
	}
	if c.Runtime.Kind != "pythonshell" {
		ps.add(At("runtime", "kind"), "%q is not supported yet: use \"pythonshell\"", c.Runtime.Kind)
	}
	if c.Notify != nil {
		ps.add(At("notify"), "is not supported yet: leave it out; a run with a failed table ends FAILED, which an EventBridge rule on Glue job state changes can send to a topic")
	}
	if c.LogRetention != DefaultLogRetention {
		ps.add(At("log_retention"), "is not supported yet: leave it out, and set the retention of the log groups /aws-glue/python-jobs/output and /aws-glue/python-jobs/error")
	}
	return ps
}

// Unsupported returns what this release does not do yet.
func (t *Table) Unsupported() Problems {
	var ps Problems
	if t.Source.DMS != nil {
		ps.add(At("source", "dms"), "is not supported yet: use source = { database = ... }")
	}
	if t.Source.Files != nil {
		ps.add(At("source", "files"), "is not supported yet: use source = { database = ... }")
	}
	if t.Reconcile != nil && t.Reconcile.How != DefaultReconcileHow {
		ps.add(At("reconcile", "how"), "%q is not supported yet: use %q", t.Reconcile.How, DefaultReconcileHow)
	}
	if t.Freshness != nil {
		ps.add(At("freshness"), "is not supported yet: leave it out; the runs table holds the time of each success")
	}
	return ps
}
