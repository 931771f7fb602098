package provider_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// edit is a change that somebody makes behind Terraform's back.
type edit struct {
	// part is what it touches; two edits of one part hide each other.
	part     string
	resource string
	name     string
	// leaves are all that the next plan may show.
	leaves []string
	do     func(*world)
}

func leaf(name string) []string { return []string{`deployed["` + name + `"]`} }

func (w *world) ctx() context.Context { return w.t.Context() }

// edits are those of every leaf that the provider manages.
func edits() []edit {
	return slices.Concat(jobEdits(), triggerEdits(), artifactEdits(), connectionEdits(), documentEdits(), trackingEdits())
}

// console changes a job as the console does: everything else is sent back as it was.
func (w *world) console(change func(*gluetypes.JobUpdate)) {
	j := w.job()
	u := &gluetypes.JobUpdate{
		Command: j.Command, Connections: j.Connections, DefaultArguments: j.DefaultArguments, Description: j.Description,
		ExecutionProperty: j.ExecutionProperty, GlueVersion: j.GlueVersion, MaxCapacity: j.MaxCapacity, MaxRetries: j.MaxRetries,
		NonOverridableArguments: j.NonOverridableArguments, NotificationProperty: j.NotificationProperty, Role: j.Role,
		SecurityConfiguration: j.SecurityConfiguration, Timeout: j.Timeout, JobRunQueuingEnabled: j.JobRunQueuingEnabled, MaintenanceWindow: j.MaintenanceWindow,
	}
	change(u)
	_, err := w.clients.Glue.UpdateJob(w.ctx(), &glue.UpdateJobInput{JobName: j.Name, JobUpdate: u})
	w.must(err)
}

func jobEdits() []edit {
	of := func(name string, change func(*gluetypes.JobUpdate), leaves ...string) edit {
		if leaves == nil {
			leaves = leaf("job." + name)
		}
		part, _, _ := strings.Cut(name, ":")
		return edit{"job " + part, cadenceType, "the job's " + name, leaves, func(w *world) { w.console(change) }}
	}
	return []edit{
		of("description", func(u *gluetypes.JobUpdate) { u.Description = aws.String("mine") }),
		of("role", func(u *gluetypes.JobUpdate) { u.Role = aws.String("arn:aws:iam::123456789012:role/other") }),
		of("command", func(u *gluetypes.JobUpdate) { c := *u.Command; c.PythonVersion = aws.String("3"); u.Command = &c }),
		of("script_location", func(u *gluetypes.JobUpdate) {
			c := *u.Command
			c.ScriptLocation = aws.String("s3://elsewhere/script.py")
			u.Command = &c
		}),
		of("dpu", func(u *gluetypes.JobUpdate) { u.MaxCapacity = aws.Float64(1.0625 - *u.MaxCapacity) }),
		of("max_retries", func(u *gluetypes.JobUpdate) { u.MaxRetries = 3 }),
		of("timeout", func(u *gluetypes.JobUpdate) { u.Timeout = aws.Int32(*u.Timeout + 1) }),
		of("max_concurrent_runs", func(u *gluetypes.JobUpdate) {
			u.ExecutionProperty = &gluetypes.ExecutionProperty{MaxConcurrentRuns: 50}
		}),
		of("connections", func(u *gluetypes.JobUpdate) {
			u.Connections = &gluetypes.ConnectionsList{Connections: []string{"other"}}
		}),
		of("glue_version", func(u *gluetypes.JobUpdate) { u.GlueVersion = aws.String("1.0") }),
		of("arguments: one changed", func(u *gluetypes.JobUpdate) {
			u.DefaultArguments = map[string]string{"--tracking": u.DefaultArguments["--tracking"], "--cadence": "sesame"}
		}, leaf("job.arguments.--cadence")...),
		of("arguments: a foreign one", func(u *gluetypes.JobUpdate) {
			u.DefaultArguments = map[string]string{"--tracking": u.DefaultArguments["--tracking"], "--cadence": u.DefaultArguments["--cadence"], "--password": "sesame"}
		}, leaf("job.arguments.--password")...),
		of("arguments: one gone", func(u *gluetypes.JobUpdate) {
			u.DefaultArguments = map[string]string{"--cadence": u.DefaultArguments["--cadence"]}
		}, leaf("job.arguments.--tracking")...),
		of("arguments: a fixed one", func(u *gluetypes.JobUpdate) { u.NonOverridableArguments = map[string]string{"--key": "sesame"} }, leaf("job.non_overridable_arguments.--key")...),
		of("run_queuing", func(u *gluetypes.JobUpdate) { u.JobRunQueuingEnabled = aws.Bool(true) }),
		of("security_configuration", func(u *gluetypes.JobUpdate) { u.SecurityConfiguration = aws.String("other") }),
		of("notify_delay_after", func(u *gluetypes.JobUpdate) {
			u.NotificationProperty = &gluetypes.NotificationProperty{NotifyDelayAfter: aws.Int32(5)}
		}),
		{"job", cadenceType, "the job is gone", leaf("job"), func(w *world) {
			_, err := w.clients.Glue.DeleteJob(w.ctx(), &glue.DeleteJobInput{JobName: w.job().Name})
			w.must(err)
		}},
		{"job tag", cadenceType, "a tag of the job is gone", []string{`tags_all["purpose"]`}, func(w *world) { w.untag("job", "purpose") }},
		{"job foreign tag", cadenceType, "a foreign tag on the job", []string{`tags_all["colour"]`}, func(w *world) { w.tag("job", "colour", "red") }},
		{"job tag team", cadenceType, "another value of a tag of the job", []string{`tags_all["team"]`}, func(w *world) { w.tag("job", "team", "sea") }},
	}
}

func (w *world) arn(kind string) *string {
	name := "lakeland-" + w.name + "-ten-minutes"
	if kind == "connection" {
		name = "lakeland-" + w.name + "-shop-db"
	}
	return aws.String("arn:aws:glue:eu-west-1:123456789012:" + kind + "/" + name)
}

func (w *world) tag(kind, key, value string) {
	_, err := w.clients.Glue.TagResource(w.ctx(), &glue.TagResourceInput{ResourceArn: w.arn(kind), TagsToAdd: map[string]string{key: value}})
	w.must(err)
}

func (w *world) untag(kind, key string) {
	_, err := w.clients.Glue.UntagResource(w.ctx(), &glue.UntagResourceInput{ResourceArn: w.arn(kind), TagsToRemove: []string{key}})
	w.must(err)
}

// rewrite changes a trigger while it is stopped, as the console does, and starts it again.
func (w *world) rewrite(change func(*gluetypes.TriggerUpdate)) {
	t := w.trigger()
	running := t.State == gluetypes.TriggerStateActivated
	if running {
		_, err := w.clients.Glue.StopTrigger(w.ctx(), &glue.StopTriggerInput{Name: t.Name})
		w.must(err)
		w.settled()
	}
	u := &gluetypes.TriggerUpdate{Name: t.Name, Description: t.Description, Schedule: t.Schedule, Actions: t.Actions}
	change(u)
	_, err := w.clients.Glue.UpdateTrigger(w.ctx(), &glue.UpdateTriggerInput{Name: t.Name, TriggerUpdate: u})
	w.must(err)
	w.settled()
	if running {
		_, err := w.clients.Glue.StartTrigger(w.ctx(), &glue.StartTriggerInput{Name: t.Name})
		w.must(err)
	}
}

// settled waits until the trigger is in a state that lasts.
func (w *world) settled() gluetypes.TriggerState {
	for {
		switch state := w.trigger().State; state {
		case gluetypes.TriggerStateCreated, gluetypes.TriggerStateActivated, gluetypes.TriggerStateDeactivated:
			return state
		}
		w.must(w.ctx().Err())
	}
}

// dropTrigger deletes the trigger and waits until it is gone.
func (w *world) dropTrigger() {
	name := w.trigger().Name
	_, err := w.clients.Glue.DeleteTrigger(w.ctx(), &glue.DeleteTriggerInput{Name: name})
	w.must(err)
	for {
		_, err := w.clients.Glue.GetTrigger(w.ctx(), &glue.GetTriggerInput{Name: name})
		if awsclient.NotFound(err) {
			return
		}
		w.must(err)
	}
}

func triggerEdits() []edit {
	of := func(name string, change func(*gluetypes.TriggerUpdate), leaves ...string) edit {
		if leaves == nil {
			leaves = leaf("trigger." + name)
		}
		return edit{"trigger " + name, cadenceType, "the trigger's " + name, leaves, func(w *world) { w.rewrite(change) }}
	}
	action := func(u *gluetypes.TriggerUpdate, change func(*gluetypes.Action)) {
		a := u.Actions[0]
		change(&a)
		u.Actions = []gluetypes.Action{a}
	}
	return []edit{
		of("description", func(u *gluetypes.TriggerUpdate) { u.Description = aws.String("mine") }),
		of("schedule", func(u *gluetypes.TriggerUpdate) { u.Schedule = aws.String("cron(1 2 3 4 ? *)") }),
		of("arguments", func(u *gluetypes.TriggerUpdate) {
			action(u, func(a *gluetypes.Action) { a.Arguments = map[string]string{"--password": "sesame"} })
		}, leaf("trigger.arguments.--password")...),
		of("options", func(u *gluetypes.TriggerUpdate) { action(u, func(a *gluetypes.Action) { a.Timeout = aws.Int32(5) }) }),
		of("jobs", func(u *gluetypes.TriggerUpdate) { u.Actions = append(slices.Clone(u.Actions), u.Actions[0]) }),
		{"trigger state", cadenceType, "the trigger is started or stopped", leaf("trigger.state"), func(w *world) {
			var err error
			if w.settled() == gluetypes.TriggerStateActivated {
				_, err = w.clients.Glue.StopTrigger(w.ctx(), &glue.StopTriggerInput{Name: w.trigger().Name})
			} else {
				_, err = w.clients.Glue.StartTrigger(w.ctx(), &glue.StartTriggerInput{Name: w.trigger().Name})
			}
			w.must(err)
		}},
		{"trigger", cadenceType, "the trigger is gone", leaf("trigger"), func(w *world) {
			w.dropTrigger()
		}},
		{"trigger type", cadenceType, "a trigger of another type in its place", []string{`deployed["trigger.schedule"]`, `deployed["trigger.state"]`, `deployed["trigger.type"]`}, func(w *world) {
			t := w.trigger()
			w.dropTrigger()
			_, err := w.clients.Glue.CreateTrigger(w.ctx(), &glue.CreateTriggerInput{
				Name: t.Name, Type: gluetypes.TriggerTypeOnDemand, Description: t.Description, Actions: t.Actions, Tags: map[string]string{"team": "lake", "purpose": "landing"},
			})
			w.must(err)
		}},
		{"trigger tag", cadenceType, "a tag of the trigger is gone", leaf("trigger.tags.purpose"), func(w *world) { w.untag("trigger", "purpose") }},
		{"trigger foreign tag", cadenceType, "a foreign tag on the trigger", leaf("trigger.tags.colour"), func(w *world) { w.tag("trigger", "colour", "red") }},
	}
}

// artifact is the key of the script or engine that the cadence deployed.
func (w *world) artifact(kind string) *string {
	var script string
	w.must(fieldsOf(w.t, w.states[cadenceType])["script_location"].As(&script))
	out, err := w.clients.S3.ListObjectsV2(w.ctx(), &s3.ListObjectsV2Input{Bucket: aws.String(w.artifacts), Prefix: aws.String("lakeland/" + kind + "/")})
	w.must(err)
	for _, object := range out.Contents {
		if kind == "engine" || strings.HasSuffix(script, aws.ToString(object.Key)) {
			return object.Key
		}
	}
	w.t.Fatalf("there is no %s", kind)
	return nil
}

func (w *world) overwrite(kind string, checksum bool) {
	content := []byte("print('mine')")
	in := &s3.PutObjectInput{Bucket: aws.String(w.artifacts), Key: w.artifact(kind), Body: bytes.NewReader(content)}
	if checksum {
		sum := sha256.Sum256(content)
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	}
	_, err := w.clients.S3.PutObject(w.ctx(), in)
	w.must(err)
}

func (w *world) remove(kind string) {
	_, err := w.clients.S3.DeleteObject(w.ctx(), &s3.DeleteObjectInput{Bucket: aws.String(w.artifacts), Key: w.artifact(kind)})
	w.must(err)
}

func artifactEdits() []edit {
	return []edit{
		{"script", cadenceType, "the script is overwritten", leaf("script"), func(w *world) { w.overwrite("scripts", false) }},
		{"script", cadenceType, "the script is overwritten, with a digest", leaf("script"), func(w *world) { w.overwrite("scripts", true) }},
		{"script", cadenceType, "the script is deleted", leaf("script"), func(w *world) { w.remove("scripts") }},
		{"engine", cadenceType, "the engine is overwritten", leaf("engine"), func(w *world) { w.overwrite("engine", true) }},
		{"engine", cadenceType, "the engine is deleted", leaf("engine"), func(w *world) { w.remove("engine") }},
	}
}

func (w *world) reconnect(change func(*gluetypes.ConnectionInput)) {
	name := aws.String("lakeland-" + w.name + "-shop-db")
	out, err := w.clients.Glue.GetConnection(w.ctx(), &glue.GetConnectionInput{Name: name})
	w.must(err)
	c := out.Connection
	in := &gluetypes.ConnectionInput{
		Name: name, ConnectionType: c.ConnectionType, ConnectionProperties: c.ConnectionProperties, Description: c.Description,
		PhysicalConnectionRequirements: c.PhysicalConnectionRequirements, MatchCriteria: c.MatchCriteria,
	}
	change(in)
	_, err = w.clients.Glue.UpdateConnection(w.ctx(), &glue.UpdateConnectionInput{Name: name, ConnectionInput: in})
	w.must(err)
}

func connectionEdits() []edit {
	of := func(name, leaves string, change func(*gluetypes.ConnectionInput)) edit {
		return edit{"connection " + name, connectionType, name, leaf("connection." + leaves), func(w *world) { w.reconnect(change) }}
	}
	property := func(name, value string) edit {
		return of("the property "+name, "properties."+name, func(in *gluetypes.ConnectionInput) { in.ConnectionProperties[name] = value })
	}
	return []edit{
		property("JDBC_CONNECTION_URL", "jdbc:postgresql://elsewhere:5432/x?password=sesame"),
		property("SECRET_ID", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf"),
		property("JDBC_ENFORCE_SSL", "false"),
		property("CUSTOM_JDBC_CERT_STRING", "sesame"),
		of("the property JDBC_ENFORCE_SSL is gone", "properties.JDBC_ENFORCE_SSL", func(in *gluetypes.ConnectionInput) { delete(in.ConnectionProperties, "JDBC_ENFORCE_SSL") }),
		of("the description", "description", func(in *gluetypes.ConnectionInput) { in.Description = aws.String("mine") }),
		of("match criteria", "match_criteria", func(in *gluetypes.ConnectionInput) { in.MatchCriteria = []string{"mine"} }),
		{"connection", connectionType, "the Glue connection is gone", leaf("connection"), func(w *world) {
			_, err := w.clients.Glue.DeleteConnection(w.ctx(), &glue.DeleteConnectionInput{ConnectionName: aws.String("lakeland-" + w.name + "-shop-db")})
			w.must(err)
		}},
		{"connection tag", connectionType, "a tag of the connection is gone", []string{`tags_all["team"]`}, func(w *world) { w.untag("connection", "team") }},
		{"connection foreign tag", connectionType, "a foreign tag on the connection", []string{`tags_all["colour"]`}, func(w *world) { w.tag("connection", "colour", "red") }},
	}
}

// item changes an item of the configuration by hand.
func (w *world) item(kind, name, expression string, values map[string]string) {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(tracking.TableName(w.name, tracking.ConfigTable)), UpdateExpression: aws.String(expression),
		Key: tracking.Item{"kind": &dynamodbtypes.AttributeValueMemberS{Value: kind}, "name": &dynamodbtypes.AttributeValueMemberS{Value: name}},
	}
	for key, v := range values {
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = tracking.Item{}
		}
		in.ExpressionAttributeValues[key] = &dynamodbtypes.AttributeValueMemberS{Value: v}
	}
	_, err := w.clients.DynamoDB.UpdateItem(w.ctx(), in)
	w.must(err)
}

func (w *world) removeItem(kind, name string) {
	_, err := w.clients.DynamoDB.DeleteItem(w.ctx(), &dynamodb.DeleteItemInput{
		TableName: aws.String(tracking.TableName(w.name, tracking.ConfigTable)),
		Key:       tracking.Item{"kind": &dynamodbtypes.AttributeValueMemberS{Value: kind}, "name": &dynamodbtypes.AttributeValueMemberS{Value: name}},
	})
	w.must(err)
}

func documentEdits() []edit {
	things := []struct{ resource, kind, name string }{{connectionType, "connection", "shop-db"}, {cadenceType, "cadence", "ten-minutes"}, {tableType, "table", "shop.orders"}}
	var out []edit
	for _, thing := range things {
		of := func(what string, leaves []string, expression string, values map[string]string) edit {
			return edit{"document " + thing.kind, thing.resource, "the " + thing.kind + "'s document " + what, leaves, func(w *world) { w.item(thing.kind, thing.name, expression, values) }}
		}
		out = append(out,
			of("is no JSON", leaf("document"), "SET document = :d", map[string]string{":d": "{"}),
			of("is emptied", leaf("document"), "REMOVE document", nil),
			of("has a field that nobody knows", leaf("document"), "SET document = :d", map[string]string{":d": `{"v":1,"naem":"x"}`}),
			of("is marked as unfinished", leaf("document"), "SET unfinished = :d", map[string]string{":d": "x"}),
			of("is marked as leaving", leaf("document"), "SET leaving = :d", map[string]string{":d": "x"}),
			edit{"document " + thing.kind, thing.resource, "the " + thing.kind + " is gone", []string{"everything"}, func(w *world) { w.removeItem(thing.kind, thing.name) }},
		)
	}
	return append(out,
		edit{"document connection", connectionType, "another max_connections", []string{"max_connections"}, func(w *world) {
			c, err := w.tracking.Connection(w.ctx(), "shop-db")
			w.must(err)
			c.MaxConnections = 77
			w.must(w.tracking.UpdateConnection(w.ctx(), c))
		}},
		edit{"document cadence", cadenceType, "another batch_size", []string{"batch_size"}, func(w *world) {
			c, err := w.tracking.Cadence(w.ctx(), "ten-minutes")
			w.must(err)
			c.BatchSize = 77
			w.must(w.tracking.UpdateCadence(w.ctx(), c))
		}},
		edit{"document table", tableType, "another primary key", []string{"primary_key[0]"}, func(w *world) {
			doc, err := w.tracking.Table(w.ctx(), "shop.orders")
			w.must(err)
			doc.PrimaryKey = []string{"by_hand"}
			w.must(w.tracking.UpdateTable(w.ctx(), doc, "123456789012"))
		}},
		edit{"index table", tableType, "the index says another cadence", leaf("index"), func(w *world) {
			w.item("table", "shop.orders", "SET cadence = :c", map[string]string{":c": "other"})
		}},
		edit{"owner location", tableType, "nobody owns the location", leaf("target.location"), func(w *world) { w.removeItem("target", "s3://"+w.lake+"/raw/orders/") }},
		edit{"owner entry", tableType, "nobody owns the catalogue entry", leaf("target.entry"), func(w *world) {
			w.removeItem("target", "123456789012."+w.database+".orders")
		}},
	)
}
