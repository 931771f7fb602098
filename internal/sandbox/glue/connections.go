package glue

import (
	"maps"
	"strings"
)

// connection is Glue's Connection structure.
type connection struct {
	Name                           string
	Description                    *string `json:",omitzero"`
	ConnectionType                 string
	MatchCriteria                  []string              `json:",omitzero"`
	ConnectionProperties           map[string]string     `json:",omitzero"`
	SparkProperties                map[string]string     `json:",omitzero"`
	AthenaProperties               map[string]string     `json:",omitzero"`
	PythonProperties               map[string]string     `json:",omitzero"`
	PhysicalConnectionRequirements *physicalRequirements `json:",omitzero"`
	AuthenticationConfiguration    *authentication       `json:",omitzero"`
	CreationTime                   *timestamp
	LastUpdatedTime                *timestamp
	LastUpdatedBy                  string
	Status                         string
	ConnectionSchemaVersion        int32
}

type physicalRequirements struct {
	SubnetID            *string  `json:"SubnetId,omitzero"`
	SecurityGroupIDList []string `json:"SecurityGroupIdList,omitzero"`
	AvailabilityZone    *string  `json:",omitzero"`
}

// authentication is the part of AuthenticationConfiguration that Glue gives back as it got it.
type authentication struct {
	AuthenticationType *string `json:",omitzero"`
	SecretARN          *string `json:"SecretArn,omitzero"`
	KmsKeyARN          *string `json:"KmsKeyArn,omitzero"`
}

// authenticationInput has besides it what Glue would turn into a secret of its own.
type authenticationInput struct {
	authentication
	OAuth2Properties                opaque
	BasicAuthenticationCredentials  opaque
	CustomAuthenticationCredentials opaque
}

type connectionInput struct {
	Name                           string
	Description                    *string
	ConnectionType                 string
	MatchCriteria                  []string
	ConnectionProperties           map[string]string
	SparkProperties                map[string]string
	AthenaProperties               map[string]string
	PythonProperties               map[string]string
	PhysicalConnectionRequirements *physicalRequirements
	AuthenticationConfiguration    *authenticationInput
}

type (
	createConnectionRequest struct {
		CatalogID       *string `json:"CatalogId"`
		ConnectionInput connectionInput
		Tags            map[string]string
	}
	createConnectionReply struct {
		CreateConnectionStatus string
	}
	getConnectionRequest struct {
		CatalogID                          *string `json:"CatalogId"`
		Name                               string
		HidePassword                       bool
		ApplyOverrideForComputeEnvironment *string
	}
	getConnectionReply struct {
		Connection *connection
	}
	getConnectionsRequest struct {
		CatalogID    *string `json:"CatalogId"`
		Filter       connectionsFilter
		HidePassword bool
		NextToken    *string
		MaxResults   *int32
	}
	connectionsFilter struct {
		MatchCriteria           []string
		ConnectionType          *string
		ConnectionSchemaVersion *int32
	}
	getConnectionsReply struct {
		ConnectionList []*connection
		NextToken      *string `json:",omitzero"`
	}
	updateConnectionRequest struct {
		CatalogID       *string `json:"CatalogId"`
		Name            string
		ConnectionInput connectionInput
	}
	deleteConnectionRequest struct {
		CatalogID      *string `json:"CatalogId"`
		ConnectionName string
	}
)

// connectionReady is the status of every connection: nothing is connected to here.
const connectionReady = "READY"

// requiredProperties says which ConnectionProperties a type needs: one of the alternatives of
// each group, complete (API reference, ConnectionInput.ConnectionType).
func requiredProperties() map[string][][][]string {
	credentials := [][]string{{"USERNAME", "PASSWORD"}, {"USERNAME", "ENCRYPTED_PASSWORD"}, {"SECRET_ID"}}
	return map[string][][][]string{
		"JDBC":    {{{"JDBC_CONNECTION_URL"}, {"HOST", "PORT", "JDBC_ENGINE"}}, credentials},
		"KAFKA":   {{{"KAFKA_BOOTSTRAP_SERVERS"}}},
		"MONGODB": {{{"CONNECTION_URL"}}, credentials},
	}
}

// connectionOf checks an input and makes a connection of it.
func (c *call) connectionOf(in *connectionInput) (*connection, error) {
	for _, group := range requiredProperties()[in.ConnectionType] {
		if !anyComplete(group, in) {
			return nil, invalidInput("Connection %s of type %s needs %s", in.Name, in.ConnectionType, alternatives(group))
		}
	}
	// "NETWORK Connections do not require ConnectionParameters. Instead, provide a
	// PhysicalConnectionRequirements" (API reference, ConnectionInput.ConnectionType).
	if in.ConnectionType == "NETWORK" && (in.PhysicalConnectionRequirements == nil || in.PhysicalConnectionRequirements.SubnetID == nil) {
		return nil, invalidInput("Connection %s of type NETWORK needs PhysicalConnectionRequirements with a SubnetId", in.Name)
	}
	out := &connection{
		Name:                           in.Name,
		Description:                    in.Description,
		ConnectionType:                 in.ConnectionType,
		MatchCriteria:                  in.MatchCriteria,
		ConnectionProperties:           in.ConnectionProperties,
		SparkProperties:                in.SparkProperties,
		AthenaProperties:               in.AthenaProperties,
		PythonProperties:               in.PythonProperties,
		PhysicalConnectionRequirements: in.PhysicalConnectionRequirements,
		CreationTime:                   timeOf(c.now),
		LastUpdatedTime:                timeOf(c.now),
		LastUpdatedBy:                  c.principal(),
		Status:                         connectionReady,
		ConnectionSchemaVersion:        1,
	}
	if auth := in.AuthenticationConfiguration; auth != nil {
		if auth.OAuth2Properties != nil || auth.BasicAuthenticationCredentials != nil || auth.CustomAuthenticationCredentials != nil {
			return nil, invalidInput("the sandbox keeps no credentials: use a SecretArn in AuthenticationConfiguration")
		}
		out.AuthenticationConfiguration = &auth.authentication
		out.ConnectionSchemaVersion = 2
	}
	return out, nil
}

// anyComplete reports whether one of the alternatives has all its properties. A secret in the
// AuthenticationConfiguration stands for SECRET_ID.
func anyComplete(group [][]string, in *connectionInput) bool {
	for _, keys := range group {
		complete := true
		for _, key := range keys {
			byConfiguration := key == "SECRET_ID" && in.AuthenticationConfiguration != nil && in.AuthenticationConfiguration.SecretARN != nil
			if in.ConnectionProperties[key] == "" && !byConfiguration {
				complete = false
			}
		}
		if complete {
			return true
		}
	}
	return false
}

func alternatives(group [][]string) string {
	texts := make([]string, len(group))
	for i, keys := range group {
		texts[i] = strings.Join(keys, " and ")
	}
	return strings.Join(texts, ", or ")
}

func (c *call) createConnection(in *createConnectionRequest) (*createConnectionReply, error) {
	if err := c.checkCatalog(in.CatalogID); err != nil {
		return nil, err
	}
	name := in.ConnectionInput.Name
	if c.region.connections[name] != nil {
		return nil, alreadyExists("Connection already exists: %s", name)
	}
	made, err := c.connectionOf(&in.ConnectionInput)
	if err != nil {
		return nil, err
	}
	if err := checkNewTags(nil, in.Tags); err != nil {
		return nil, err
	}
	c.region.connections[name] = made
	c.region.setTags("connection/"+name, in.Tags)
	return &createConnectionReply{CreateConnectionStatus: connectionReady}, nil
}

func (c *call) connection(catalogID *string, name string) (*connection, error) {
	if err := c.checkCatalog(catalogID); err != nil {
		return nil, err
	}
	found := c.region.connections[name]
	if found == nil {
		return nil, notFound("Connection not found: %s", name)
	}
	return found, nil
}

func (c *call) getConnection(in *getConnectionRequest) (*getConnectionReply, error) {
	if in.ApplyOverrideForComputeEnvironment != nil {
		return nil, invalidInput("the sandbox applies no overrides for compute environments")
	}
	found, err := c.connection(in.CatalogID, in.Name)
	if err != nil {
		return nil, err
	}
	return &getConnectionReply{Connection: found.shown(in.HidePassword)}, nil
}

// shown returns the connection as it is given back: HidePassword "Allows you to retrieve the
// connection metadata without returning the password" (API reference, GetConnection).
func (conn *connection) shown(hidePassword bool) *connection {
	if !hidePassword {
		return conn
	}
	out := *conn
	out.ConnectionProperties = maps.Clone(conn.ConnectionProperties)
	maps.DeleteFunc(out.ConnectionProperties, func(key, _ string) bool { return strings.HasSuffix(key, "PASSWORD") })
	return &out
}

func (c *call) getConnections(in *getConnectionsRequest) (*getConnectionsReply, error) {
	if err := c.checkCatalog(in.CatalogID); err != nil {
		return nil, err
	}
	found := []*connection{}
	for _, conn := range sortedValues(c.region.connections) {
		if in.Filter.matches(conn) {
			found = append(found, conn.shown(in.HidePassword))
		}
	}
	found, next, err := page(c, found, func(conn *connection) string { return conn.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &getConnectionsReply{ConnectionList: found, NextToken: next}, nil
}

// matches applies the filter; all criteria must be among the connection's (API reference,
// GetConnectionsFilter.MatchCriteria).
func (f *connectionsFilter) matches(conn *connection) bool {
	if f.ConnectionType != nil && *f.ConnectionType != conn.ConnectionType {
		return false
	}
	if f.ConnectionSchemaVersion != nil && *f.ConnectionSchemaVersion != conn.ConnectionSchemaVersion {
		return false
	}
	have := map[string]bool{}
	for _, criterion := range conn.MatchCriteria {
		have[criterion] = true
	}
	for _, criterion := range f.MatchCriteria {
		if !have[criterion] {
			return false
		}
	}
	return true
}

// updateConnection implements UpdateConnection, which replaces the connection: what the input
// does not name, a password too, is gone (reported). The name cannot change (our reading).
func (c *call) updateConnection(in *updateConnectionRequest) (*empty, error) {
	old, err := c.connection(in.CatalogID, in.Name)
	if err != nil {
		return nil, err
	}
	if in.ConnectionInput.Name != in.Name {
		return nil, invalidInput("The name of a connection cannot be changed: %s to %s", in.Name, in.ConnectionInput.Name)
	}
	made, err := c.connectionOf(&in.ConnectionInput)
	if err != nil {
		return nil, err
	}
	made.CreationTime = old.CreationTime
	c.region.connections[in.Name] = made
	return &empty{}, nil
}

// deleteConnection implements DeleteConnection; of an absent one it is EntityNotFoundException
// (API reference), unlike DeleteJob and DeleteTrigger.
func (c *call) deleteConnection(in *deleteConnectionRequest) (*empty, error) {
	if _, err := c.connection(in.CatalogID, in.ConnectionName); err != nil {
		return nil, err
	}
	delete(c.region.connections, in.ConnectionName)
	c.region.setTags("connection/"+in.ConnectionName, nil)
	return &empty{}, nil
}
