package connection

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// definition is a Glue connection as far as it is managed here.
type definition struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Description string            `json:"description"`
	Properties  map[string]string `json:"properties"`
	SubnetID    string            `json:"subnet_id"`
	Groups      []string          `json:"groups"`
	Zone        string            `json:"zone"`
}

// leaves are those of a connection as it should be.
func leaves(trackingName string, c *spec.Connection) lifecycle.Leaves {
	out := glueDefinition(trackingName, c).leaves()
	out["document"] = lifecycle.Present
	return out
}

// properties is where a Glue connection may hold a login.
const properties = "connection.properties."

func (d definition) leaves() lifecycle.Leaves {
	out := lifecycle.Leaves{
		"connection": lifecycle.Present, "connection.type": d.Type, "connection.description": d.Description,
		"connection.subnet_id": d.SubnetID, "connection.security_group_ids": strings.Join(d.Groups, ", "), "connection.availability_zone": d.Zone,
	}
	for name, value := range d.Properties {
		out[properties+name] = value
	}
	return out
}

// glueDefinition is the Glue connection of a document. The login stays in its secret (AWS Glue developer guide,
// "Storing connection credentials in AWS Secrets Manager").
func glueDefinition(trackingName string, c *spec.Connection) definition {
	d := definition{
		Name: spec.PhysicalName(trackingName, c.Name), Type: string(types.ConnectionTypeJdbc),
		Description: "Connection " + c.Name + " of the lakeland tracking " + trackingName + "; managed by Terraform.",
		Properties: map[string]string{
			"JDBC_CONNECTION_URL": "jdbc:" + c.Engine + "://" + c.Host + ":" + strconv.Itoa(c.Port) + "/" + c.Database,
			"JDBC_ENFORCE_SSL":    "true",
			"SECRET_ID":           c.SecretARN,
		},
	}
	if n := c.Network; n != nil {
		d.SubnetID, d.Groups, d.Zone = n.SubnetID, slices.Sorted(slices.Values(n.SecurityGroupIDs)), n.AvailabilityZone
	}
	return d
}

func (d definition) input() *types.ConnectionInput {
	in := &types.ConnectionInput{
		Name: aws.String(d.Name), ConnectionType: types.ConnectionType(d.Type), Description: aws.String(d.Description), ConnectionProperties: d.Properties,
	}
	if d.SubnetID != "" {
		in.PhysicalConnectionRequirements = &types.PhysicalConnectionRequirements{SubnetId: aws.String(d.SubnetID), SecurityGroupIdList: d.Groups}
		if d.Zone != "" {
			in.PhysicalConnectionRequirements.AvailabilityZone = aws.String(d.Zone)
		}
	}
	return in
}

// ensureGlue makes the Glue connection, or changes it to the definition.
func (r *Resource) ensureGlue(ctx context.Context, want definition, tags map[string]string) error {
	_, err := r.Session.Glue.CreateConnection(ctx, &glue.CreateConnectionInput{ConnectionInput: want.input(), Tags: tags})
	var exists *types.AlreadyExistsException
	if err == nil {
		return nil
	}
	if !errors.As(err, &exists) {
		return fmt.Errorf("creating the Glue connection %q: %w", want.Name, err)
	}
	// The name is derived from a tracking and a name that this resource owns, so it is left from an apply that
	// was interrupted, or this is an update.
	if _, err := r.Session.Glue.UpdateConnection(ctx, &glue.UpdateConnectionInput{Name: aws.String(want.Name), ConnectionInput: want.input()}); err != nil {
		return fmt.Errorf("changing the Glue connection %q: %w", want.Name, err)
	}
	return lifecycle.SetGlueTags(ctx, r.Session, "connection/"+want.Name, tags)
}

// lookGlue reads the Glue connection and its tags; nil tags where it is gone. What somebody else wrote into its properties, which may be a
// login, is not repeated.
func (r *Resource) lookGlue(ctx context.Context, name string, want, known lifecycle.Leaves) (lifecycle.Leaves, map[string]string, error) {
	out, err := r.Session.Glue.GetConnection(ctx, &glue.GetConnectionInput{Name: aws.String(name), HidePassword: true})
	var gone *types.EntityNotFoundException
	if errors.As(err, &gone) {
		there := lifecycle.Leaves{}
		there.Gone("connection", known)
		return there, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the Glue connection %q: %w", name, err)
	}
	c := out.Connection
	d := definition{Name: aws.ToString(c.Name), Type: string(c.ConnectionType), Description: aws.ToString(c.Description), Properties: maps.Clone(c.ConnectionProperties)}
	if p := c.PhysicalConnectionRequirements; p != nil {
		d.SubnetID, d.Groups, d.Zone = aws.ToString(p.SubnetId), slices.Sorted(slices.Values(p.SecurityGroupIdList)), aws.ToString(p.AvailabilityZone)
	}
	tags, err := lifecycle.GlueTags(ctx, r.Session, "connection/"+name)
	if err != nil {
		return nil, nil, err
	}
	there := d.leaves()
	if len(c.MatchCriteria) > 0 {
		there["connection.match_criteria"] = lifecycle.ByHand
	}
	there.Conceal(properties, want)
	there.Conceal("connection.description", want)
	return there, tags, nil
}

func (r *Resource) dropGlue(ctx context.Context, name string) error {
	_, err := r.Session.Glue.DeleteConnection(ctx, &glue.DeleteConnectionInput{ConnectionName: aws.String(name)})
	var gone *types.EntityNotFoundException
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting the Glue connection %q: %w", name, err)
	}
	return nil
}
