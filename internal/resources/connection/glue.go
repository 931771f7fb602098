package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

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

// digest identifies a definition.
func (d definition) digest() string {
	data, err := json.Marshal(d)
	if err != nil {
		return "" // strings always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
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

// found is what is there of a Glue connection.
type found struct {
	definition string
	tags       map[string]string
}

// lookGlue reads the Glue connection. One that is gone has the definition "".
func (r *Resource) lookGlue(ctx context.Context, name string) (*found, error) {
	out, err := r.Session.Glue.GetConnection(ctx, &glue.GetConnectionInput{Name: aws.String(name), HidePassword: true})
	var gone *types.EntityNotFoundException
	if errors.As(err, &gone) {
		return &found{tags: map[string]string{}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Glue connection %q: %w", name, err)
	}
	c := out.Connection
	d := definition{Name: aws.ToString(c.Name), Type: string(c.ConnectionType), Description: aws.ToString(c.Description), Properties: maps.Clone(c.ConnectionProperties)}
	if p := c.PhysicalConnectionRequirements; p != nil {
		d.SubnetID, d.Groups, d.Zone = aws.ToString(p.SubnetId), slices.Sorted(slices.Values(p.SecurityGroupIdList)), aws.ToString(p.AvailabilityZone)
	}
	tags, err := lifecycle.GlueTags(ctx, r.Session, "connection/"+name)
	if err != nil {
		return nil, err
	}
	return &found{definition: d.digest(), tags: tags}, nil
}

func (r *Resource) dropGlue(ctx context.Context, name string) error {
	_, err := r.Session.Glue.DeleteConnection(ctx, &glue.DeleteConnectionInput{ConnectionName: aws.String(name)})
	var gone *types.EntityNotFoundException
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting the Glue connection %q: %w", name, err)
	}
	return nil
}
