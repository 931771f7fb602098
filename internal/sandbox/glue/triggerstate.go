package glue

import "time"

// States of a trigger (API reference, Trigger.State).
const (
	triggerCreating     = "CREATING"
	triggerCreated      = "CREATED"
	triggerActivating   = "ACTIVATING"
	triggerActivated    = "ACTIVATED"
	triggerDeactivating = "DEACTIVATING"
	triggerDeactivated  = "DEACTIVATED"
	triggerDeleting     = "DELETING"
	triggerUpdating     = "UPDATING"
)

// triggerOperation is one of the operations that depend on a trigger's state.
type triggerOperation int

const (
	operationStart triggerOperation = iota
	operationStop
	operationUpdate
)

// trigger is a trigger with its state. mu guards it.
type trigger struct {
	name string
	kind string
	triggerDefinition
	schedule *schedule // of type SCHEDULED
	given    createTriggerRequest

	// settled is the lasting state, "" after DELETING. While passing is set, that transitional state is shown
	// instead, until it has been read readsLeft times and the time until has come.
	settled   string
	passing   string
	readsLeft int
	until     time.Time

	// arming changes whenever the trigger is armed or disarmed, so that a call of the clock
	// that could no longer be prevented is recognised and does nothing.
	arming int
	cancel func() bool
}

// pass puts the trigger into a transitional state that ends in settled, and arms or disarms it
// accordingly.
func (c *call) pass(t *trigger, passing, settled string) {
	transition := c.server.opts.TriggerTransition
	t.settled, t.passing = settled, passing
	t.readsLeft = transition.Reads
	t.until = c.now.Add(transition.Delay)
	c.rearm(t, c.now)
}

// state returns the state that the trigger shows.
func (t *trigger) state(now time.Time) string {
	if t.passing != "" && (t.readsLeft > 0 || now.Before(t.until)) {
		return t.passing
	}
	return t.settled
}

// lookupTrigger returns the named trigger, or nil. A trigger whose deletion has settled goes
// away here.
func (c *call) lookupTrigger(name string) *trigger {
	t := c.region.triggers[name]
	if t != nil && t.passing == triggerDeleting && t.state(c.now) != triggerDeleting {
		delete(c.region.triggers, name)
		c.region.setTags("trigger/"+name, nil)
		return nil
	}
	return t
}

// trigger returns the named trigger or EntityNotFoundException.
func (c *call) trigger(name string) (*trigger, error) {
	t := c.lookupTrigger(name)
	if t == nil {
		return nil, notFound("Trigger not found: %s", name)
	}
	return t, nil
}

// read returns the state that the trigger shows and counts that as one read.
func (c *call) read(t *trigger) string {
	state := t.state(c.now)
	if t.readsLeft > 0 {
		t.readsLeft--
	}
	return state
}

// show returns the trigger as Glue shows it, and counts as a read.
func (c *call) show(t *trigger) *triggerView { return t.view(c.read(t)) }

func (t *trigger) view(state string) *triggerView {
	return &triggerView{Name: t.name, Type: t.kind, State: state, triggerDefinition: t.triggerDefinition}
}

// checkState refuses an operation that the trigger's type or state does not allow. A refusal
// counts as a read: somebody who tries again gets through in the end.
//
//	             | start                             | stop      | update
//	EVENT        | never [1]                         | never [2] | CREATED
//	ON_DEMAND    | CREATED: fires, stays CREATED [3] | never [2] | CREATED
//	SCHEDULED,   | CREATED, DEACTIVATED              | ACTIVATED | CREATED, ACTIVATED [4],
//	CONDITIONAL  |                                   |           | DEACTIVATED
//
// [1] reported: "Trigger Type EVENT cannot be started". [2] reported: StopTrigger is refused in
// CREATED whatever the type, and these types never leave it. [3] reported. [4] reported: active
// triggers are updated in place. Everything else, and that no operation but DeleteTrigger is allowed
// in a transitional state, is our reading, with the message reported for StopTrigger.
func (c *call) checkState(t *trigger, operation triggerOperation) error {
	if operation == operationStart && t.kind == typeEvent {
		c.read(t)
		return invalidInput("Trigger Type %s cannot be started", t.kind)
	}
	state := t.state(c.now)
	allowed := false
	switch state {
	case triggerCreated, triggerDeactivated:
		allowed = operation == operationStart || operation == operationUpdate
	case triggerActivated:
		allowed = operation == operationStop || operation == operationUpdate
	}
	if !allowed {
		c.read(t)
		return invalidInput("The operation is not allowed when trigger is in state: %s", state)
	}
	return nil
}

// startTrigger implements StartTrigger.
func (c *call) startTrigger(in *triggerName) (*triggerName, error) {
	t, err := c.trigger(in.Name)
	if err != nil {
		return nil, err
	}
	if err := c.checkState(t, operationStart); err != nil {
		return nil, err
	}
	if t.kind == typeOnDemand {
		c.fire(t, c.now)
	} else {
		c.pass(t, triggerActivating, triggerActivated)
	}
	return in, nil
}

// stopTrigger implements StopTrigger.
func (c *call) stopTrigger(in *triggerName) (*triggerName, error) {
	t, err := c.trigger(in.Name)
	if err != nil {
		return nil, err
	}
	if err := c.checkState(t, operationStop); err != nil {
		return nil, err
	}
	c.pass(t, triggerDeactivating, triggerDeactivated)
	return in, nil
}

// deleteTrigger implements DeleteTrigger: "If the trigger is not found, no exception is thrown"
// (API reference). It is allowed in every state (our reading).
func (c *call) deleteTrigger(in *triggerName) (*triggerName, error) {
	t := c.lookupTrigger(in.Name)
	if t != nil && t.passing != triggerDeleting {
		c.pass(t, triggerDeleting, "")
		c.lookupTrigger(in.Name)
	}
	return in, nil
}

// rearm sets the clock to the trigger's next due time after base, if it is to fire at all.
func (c *call) rearm(t *trigger, base time.Time) {
	t.disarm()
	if t.kind != typeScheduled || t.settled != triggerActivated {
		return
	}
	if t.passing != triggerUpdating && t.until.After(base) {
		base = t.until // not active before
	}
	due := t.schedule.next(base)
	if due.IsZero() {
		return
	}
	server, region, arming := c.server, c.region, t.arming
	t.cancel = server.opts.Clock.AfterFunc(due.Sub(c.now), func() { server.due(region, t, arming, due) })
}

// disarm makes sure that the trigger does not fire any more.
func (t *trigger) disarm() {
	t.arming++
	if t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
}

// due is what the clock calls at a trigger's due time.
func (s *Server) due(region *region, t *trigger, arming int, at time.Time) {
	if !s.enter() {
		return
	}
	defer s.active.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || t.arming != arming {
		return
	}
	c := &call{server: s, region: region, now: s.opts.Clock.Now()}
	c.fire(t, at)
	// Times that passed unnoticed, while the machine slept, are not made up for.
	base := at
	if c.now.After(base) {
		base = c.now
	}
	c.rearm(t, base)
}

// fire starts the job of every action with the action's arguments. A start that is refused is
// recorded and hinders nothing else. For "exceeded its maximum allowed concurrent runs" it leaves a
// FAILED run, as the developer guide has it ("AWS Glue job run statuses").
func (c *call) fire(t *trigger, due time.Time) {
	for _, a := range t.Actions {
		firing := Firing{
			Account: c.region.account,
			Region:  c.region.region,
			Trigger: t.name,
			Due:     due.UTC(),
			JobName: deref(a.JobName),
		}
		in := &startJobRunRequest{
			Arguments:             a.Arguments,
			Timeout:               a.Timeout,
			SecurityConfiguration: a.SecurityConfiguration,
			NotificationProperty:  a.NotificationProperty,
		}
		j, err := c.job(firing.JobName)
		if err == nil {
			var r *run
			if r, err = c.start(j, in, nil, &t.name); err == nil {
				firing.RunID = r.ID
			}
		}
		if err != nil {
			refused := asAPIError(err)
			firing.Code = refused.code
			if refused.code == codeConcurrentRunsExceeded {
				firing.RunID = c.failedRun(j, in, &t.name, refused.message)
			}
		}
		c.server.firings = append(c.server.firings, firing)
	}
}

// failedRun books a run that could not start and returns its id, or "".
func (c *call) failedRun(j *job, in *startJobRunRequest, triggerName *string, message string) string {
	r, err := c.newRun(j, in, nil, triggerName)
	if err != nil {
		return ""
	}
	c.server.admit(r)
	c.server.end(r, runFailed, message)
	return r.ID
}
