package glue

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func jdbcInput(name string) *types.ConnectionInput {
	return &types.ConnectionInput{
		Name:           aws.String(name),
		Description:    aws.String("the shop"),
		ConnectionType: types.ConnectionTypeJdbc,
		MatchCriteria:  []string{"shop", "eu"},
		ConnectionProperties: map[string]string{
			"JDBC_CONNECTION_URL": "jdbc:postgresql://shop:5432/shop", "USERNAME": "lake", "PASSWORD": "hidden",
			"JDBC_ENFORCE_SSL": "true",
		},
		AthenaProperties: map[string]string{"a": "b"},
		PhysicalConnectionRequirements: &types.PhysicalConnectionRequirements{
			SubnetId: aws.String("subnet-1"), SecurityGroupIdList: []string{"sg-1", "sg-2"}, AvailabilityZone: aws.String("eu-west-1a"),
		},
	}
}

func networkInput(name string) *types.ConnectionInput {
	return &types.ConnectionInput{
		Name: aws.String(name), ConnectionType: types.ConnectionTypeNetwork, ConnectionProperties: map[string]string{},
		PhysicalConnectionRequirements: &types.PhysicalConnectionRequirements{SubnetId: aws.String("subnet-1")},
	}
}

func ignoreConnectionInternals() cmp.Option {
	return cmpopts.IgnoreUnexported(types.Connection{}, types.PhysicalConnectionRequirements{}, types.AuthenticationConfiguration{})
}

func createConnection(t *testing.T, client *awsglue.Client, in *types.ConnectionInput, tags map[string]string) {
	t.Helper()
	out, err := client.CreateConnection(t.Context(), &awsglue.CreateConnectionInput{ConnectionInput: in, Tags: tags})
	if err != nil {
		t.Fatalf("CreateConnection: %v", err)
	}
	diff(t, "status", types.ConnectionStatusReady, out.CreateConnectionStatus)
}

// TestConnectionLife: create, read with and without the password, replace, delete.
func TestConnectionLife(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	client := clientOf(startServer(t, Options{Clock: clock}))
	ctx := t.Context()
	in := jdbcInput("shop")
	createConnection(t, client, in, map[string]string{"team": "data"})
	get := func(hide bool) *types.Connection {
		t.Helper()
		return must[*awsglue.GetConnectionOutput](t)(client.GetConnection(ctx, &awsglue.GetConnectionInput{Name: aws.String("shop"), HidePassword: hide})).Connection
	}
	want := &types.Connection{
		Name: in.Name, Description: in.Description, ConnectionType: in.ConnectionType, MatchCriteria: in.MatchCriteria,
		ConnectionProperties: in.ConnectionProperties, AthenaProperties: in.AthenaProperties,
		PhysicalConnectionRequirements: in.PhysicalConnectionRequirements,
		CreationTime:                   aws.Time(epoch), LastUpdatedTime: aws.Time(epoch),
		LastUpdatedBy: aws.String("arn:aws:iam::123456789012:root"), Status: types.ConnectionStatusReady,
		ConnectionSchemaVersion: aws.Int32(1),
	}
	diff(t, "connection", want, get(false), ignoreConnectionInternals())
	hidden := *want
	hidden.ConnectionProperties = maps.Clone(want.ConnectionProperties)
	delete(hidden.ConnectionProperties, "PASSWORD")
	diff(t, "without password", &hidden, get(true), ignoreConnectionInternals())
	diff(t, "hiding changes nothing", want, get(false), ignoreConnectionInternals())

	_, err := client.CreateConnection(ctx, &awsglue.CreateConnectionInput{ConnectionInput: in})
	wantCode(t, err, codeAlreadyExists, "Connection already exists: shop")

	clock.Advance(time.Hour)
	update := &types.ConnectionInput{
		Name: aws.String("shop"), ConnectionType: types.ConnectionTypeJdbc,
		ConnectionProperties:        map[string]string{"HOST": "shop", "PORT": "5432", "JDBC_ENGINE": "postgresql"},
		AuthenticationConfiguration: &types.AuthenticationConfigurationInput{AuthenticationType: "BASIC", SecretArn: aws.String("arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop")},
	}
	_, err = client.UpdateConnection(ctx, &awsglue.UpdateConnectionInput{Name: aws.String("shop"), ConnectionInput: update})
	wantCode(t, err, "", "")
	diff(t, "replaced", &types.Connection{
		Name: in.Name, ConnectionType: in.ConnectionType, ConnectionProperties: update.ConnectionProperties,
		AuthenticationConfiguration: &types.AuthenticationConfiguration{AuthenticationType: "BASIC", SecretArn: update.AuthenticationConfiguration.SecretArn},
		CreationTime:                aws.Time(epoch), LastUpdatedTime: aws.Time(epoch.Add(time.Hour)),
		LastUpdatedBy: want.LastUpdatedBy, Status: types.ConnectionStatusReady, ConnectionSchemaVersion: aws.Int32(2),
	}, get(false), ignoreConnectionInternals())
	tags := must[*awsglue.GetTagsOutput](t)(client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: aws.String("arn:aws:glue:eu-west-1:123456789012:connection/shop")}))
	diff(t, "tags", map[string]string{"team": "data"}, tags.Tags)

	_, err = client.UpdateConnection(ctx, &awsglue.UpdateConnectionInput{Name: aws.String("shop"), ConnectionInput: networkInput("other")})
	wantCode(t, err, codeInvalidInput, "name of a connection cannot be changed")
	_, err = client.UpdateConnection(ctx, &awsglue.UpdateConnectionInput{Name: aws.String("none"), ConnectionInput: networkInput("none")})
	wantCode(t, err, codeEntityNotFound, "Connection not found: none")
	_, err = client.DeleteConnection(ctx, &awsglue.DeleteConnectionInput{ConnectionName: aws.String("shop")})
	wantCode(t, err, "", "")
	_, err = client.DeleteConnection(ctx, &awsglue.DeleteConnectionInput{ConnectionName: aws.String("shop")})
	wantCode(t, err, codeEntityNotFound, "Connection not found: shop")
	_, err = client.GetConnection(ctx, &awsglue.GetConnectionInput{Name: aws.String("shop")})
	wantCode(t, err, codeEntityNotFound, "Connection not found: shop")
}

// TestConnectionProperties: what each type needs.
func TestConnectionProperties(t *testing.T) {
	t.Parallel()
	client := clientOf(startServer(t, Options{}))
	secret := &types.AuthenticationConfigurationInput{SecretArn: aws.String("arn:aws:secretsmanager:eu-west-1:123456789012:secret:x")}
	for name, test := range map[string]struct {
		kind       types.ConnectionType
		properties map[string]string
		physical   *types.PhysicalConnectionRequirements
		auth       *types.AuthenticationConfigurationInput
		text       string // "" when it is accepted
	}{
		"jdbc-url-password":    {kind: "JDBC", properties: map[string]string{"JDBC_CONNECTION_URL": "u", "USERNAME": "n", "PASSWORD": "p"}},
		"jdbc-url-encrypted":   {kind: "JDBC", properties: map[string]string{"JDBC_CONNECTION_URL": "u", "USERNAME": "n", "ENCRYPTED_PASSWORD": "p"}},
		"jdbc-url-secret":      {kind: "JDBC", properties: map[string]string{"JDBC_CONNECTION_URL": "u", "SECRET_ID": "s"}},
		"jdbc-host-secret":     {kind: "JDBC", properties: map[string]string{"HOST": "h", "PORT": "1", "JDBC_ENGINE": "e", "SECRET_ID": "s"}},
		"jdbc-auth":            {kind: "JDBC", properties: map[string]string{"JDBC_CONNECTION_URL": "u"}, auth: secret},
		"jdbc-no-url":          {kind: "JDBC", properties: map[string]string{"SECRET_ID": "s"}, text: "needs JDBC_CONNECTION_URL, or HOST and PORT and JDBC_ENGINE"},
		"jdbc-half-host":       {kind: "JDBC", properties: map[string]string{"HOST": "h", "PORT": "1", "SECRET_ID": "s"}, text: "needs JDBC_CONNECTION_URL, or HOST"},
		"jdbc-no-credentials":  {kind: "JDBC", properties: map[string]string{"JDBC_CONNECTION_URL": "u"}, text: "needs USERNAME and PASSWORD"},
		"jdbc-no-password":     {kind: "JDBC", properties: map[string]string{"JDBC_CONNECTION_URL": "u", "USERNAME": "n"}, text: "or SECRET_ID"},
		"network":              {kind: "NETWORK", properties: map[string]string{}, physical: &types.PhysicalConnectionRequirements{SubnetId: aws.String("s")}},
		"network-nothing":      {kind: "NETWORK", properties: map[string]string{}, text: "needs PhysicalConnectionRequirements"},
		"network-no-subnet":    {kind: "NETWORK", properties: map[string]string{}, physical: &types.PhysicalConnectionRequirements{AvailabilityZone: aws.String("a")}, text: "with a SubnetId"},
		"kafka":                {kind: "KAFKA", properties: map[string]string{"KAFKA_BOOTSTRAP_SERVERS": "b"}},
		"kafka-nothing":        {kind: "KAFKA", properties: map[string]string{}, text: "needs KAFKA_BOOTSTRAP_SERVERS"},
		"mongodb":              {kind: "MONGODB", properties: map[string]string{"CONNECTION_URL": "u", "SECRET_ID": "s"}},
		"mongodb-nothing":      {kind: "MONGODB", properties: map[string]string{"SECRET_ID": "s"}, text: "needs CONNECTION_URL"},
		"other-types-are-free": {kind: "POSTGRESQL", properties: map[string]string{}},
		"inline-credentials": {kind: "POSTGRESQL", properties: map[string]string{}, text: "keeps no credentials", auth: &types.AuthenticationConfigurationInput{
			BasicAuthenticationCredentials: &types.BasicAuthenticationCredentials{Username: aws.String("n"), Password: aws.String("p")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.CreateConnection(t.Context(), &awsglue.CreateConnectionInput{ConnectionInput: &types.ConnectionInput{
				Name: aws.String(name), ConnectionType: test.kind, ConnectionProperties: test.properties,
				PhysicalConnectionRequirements: test.physical, AuthenticationConfiguration: test.auth,
			}})
			if test.text == "" {
				wantCode(t, err, "", "")
			} else {
				wantCode(t, err, codeInvalidInput, test.text)
			}
		})
	}
}

// TestGetConnections: the filter, and the password.
func TestGetConnections(t *testing.T) {
	t.Parallel()
	client := clientOf(startServer(t, Options{}))
	ctx := t.Context()
	createConnection(t, client, jdbcInput("b"), nil)
	createConnection(t, client, networkInput("a"), nil)
	names := func(in *awsglue.GetConnectionsInput) []string {
		t.Helper()
		out := []string{}
		for _, c := range must[*awsglue.GetConnectionsOutput](t)(client.GetConnections(ctx, in)).ConnectionList {
			_, shown := c.ConnectionProperties["PASSWORD"]
			if shown == in.HidePassword && c.ConnectionType == types.ConnectionTypeJdbc {
				t.Errorf("%s shows its password: %v", *c.Name, shown)
			}
			out = append(out, *c.Name)
		}
		return out
	}
	diff(t, "all", []string{"a", "b"}, names(&awsglue.GetConnectionsInput{HidePassword: true}))
	diff(t, "by type", []string{"b"}, names(&awsglue.GetConnectionsInput{Filter: &types.GetConnectionsFilter{ConnectionType: "JDBC"}}))
	diff(t, "by criteria", []string{"b"}, names(&awsglue.GetConnectionsInput{Filter: &types.GetConnectionsFilter{MatchCriteria: []string{"eu"}}}))
	diff(t, "by other criteria", []string{}, names(&awsglue.GetConnectionsInput{Filter: &types.GetConnectionsFilter{MatchCriteria: []string{"eu", "us"}}}))
	diff(t, "by version", []string{}, names(&awsglue.GetConnectionsInput{Filter: &types.GetConnectionsFilter{ConnectionSchemaVersion: aws.Int32(2)}}))
	_, err := client.GetConnection(ctx, &awsglue.GetConnectionInput{Name: aws.String("a"), ApplyOverrideForComputeEnvironment: "SPARK"})
	wantCode(t, err, codeInvalidInput, "no overrides")
}
