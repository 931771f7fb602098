package glue

import "strings"

// database is a database of the catalog with its tables.
type database struct {
	view   databaseView
	tables map[string]*table
}

// databaseView is Glue's Database structure.
type databaseView struct {
	databaseInput
	CreateTime *timestamp
	CatalogID  string `json:"CatalogId"`
}

// databaseInput is Glue's DatabaseInput structure.
type databaseInput struct {
	Name                          string
	Description                   *string           `json:",omitzero"`
	LocationURI                   *string           `json:"LocationUri,omitzero"`
	Parameters                    map[string]string `json:",omitzero"`
	CreateTableDefaultPermissions opaque            `json:",omitzero"`
	TargetDatabase                opaque            `json:",omitzero"`
	FederatedDatabase             opaque            `json:",omitzero"`
}

type (
	createDatabaseRequest struct {
		CatalogID     *string `json:"CatalogId"`
		DatabaseInput databaseInput
		Tags          map[string]string
	}
	databaseRequest struct {
		CatalogID *string `json:"CatalogId"`
		Name      string
	}
	getDatabaseReply struct {
		Database databaseView
	}
	getDatabasesRequest struct {
		CatalogID         *string `json:"CatalogId"`
		NextToken         *string
		MaxResults        *int32
		ResourceShareType *string
		AttributesToGet   []string
	}
	getDatabasesReply struct {
		DatabaseList []databaseView
		NextToken    *string `json:",omitzero"`
	}
	updateDatabaseRequest struct {
		CatalogID     *string `json:"CatalogId"`
		Name          string
		DatabaseInput databaseInput
	}
)

// fold gives a database's or table's name as Glue keeps it: "For Hive compatibility, this is
// folded to lowercase when it is stored" (API reference, DatabaseInput and TableInput).
func fold(name string) string { return strings.ToLower(name) }

func (c *call) createDatabase(in *createDatabaseRequest) (*empty, error) {
	if err := c.checkCatalog(in.CatalogID); err != nil {
		return nil, err
	}
	name := fold(in.DatabaseInput.Name)
	if c.region.databases[name] != nil {
		return nil, alreadyExists("Database already exists: %s", name)
	}
	if err := checkNewTags(nil, in.Tags); err != nil {
		return nil, err
	}
	view, err := c.databaseView(name, &in.DatabaseInput)
	if err != nil {
		return nil, err
	}
	c.region.databases[name] = &database{view: view, tables: map[string]*table{}}
	c.region.setTags("database/"+name, in.Tags)
	return &empty{}, nil
}

func (c *call) databaseView(name string, in *databaseInput) (databaseView, error) {
	if in.FederatedDatabase != nil || in.TargetDatabase != nil {
		return databaseView{}, invalidInput("the sandbox keeps no federated databases and no resource links")
	}
	view := databaseView{databaseInput: *in, CreateTime: timeOf(c.now), CatalogID: c.region.account}
	view.Name = name
	return view, nil
}

// database returns the named database or EntityNotFoundException.
func (c *call) database(catalogID *string, name string) (*database, error) {
	if err := c.checkCatalog(catalogID); err != nil {
		return nil, err
	}
	db := c.region.databases[fold(name)]
	if db == nil {
		return nil, notFound("Database %s not found.", fold(name))
	}
	return db, nil
}

func (c *call) getDatabase(in *databaseRequest) (*getDatabaseReply, error) {
	db, err := c.database(in.CatalogID, in.Name)
	if err != nil {
		return nil, err
	}
	return &getDatabaseReply{Database: db.view}, nil
}

func (c *call) getDatabases(in *getDatabasesRequest) (*getDatabasesReply, error) {
	if err := c.checkCatalog(in.CatalogID); err != nil {
		return nil, err
	}
	if in.ResourceShareType != nil || in.AttributesToGet != nil {
		return nil, invalidInput("the sandbox knows no ResourceShareType and no AttributesToGet for databases")
	}
	views := []databaseView{}
	for _, db := range sortedValues(c.region.databases) {
		views = append(views, db.view)
	}
	views, next, err := page(c, views, func(v databaseView) string { return v.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &getDatabasesReply{DatabaseList: views, NextToken: next}, nil
}

// updateDatabase implements UpdateDatabase, which replaces the definition. The name cannot
// change (our reading).
func (c *call) updateDatabase(in *updateDatabaseRequest) (*empty, error) {
	db, err := c.database(in.CatalogID, in.Name)
	if err != nil {
		return nil, err
	}
	if fold(in.DatabaseInput.Name) != db.view.Name {
		return nil, invalidInput("The name of a database cannot be changed: %s to %s", db.view.Name, in.DatabaseInput.Name)
	}
	view, err := c.databaseView(db.view.Name, &in.DatabaseInput)
	if err != nil {
		return nil, err
	}
	view.CreateTime = db.view.CreateTime
	db.view = view
	return &empty{}, nil
}

// deleteDatabase implements DeleteDatabase: "you no longer have access to the tables (and all
// table versions and partitions that might belong to the tables)" (API reference).
func (c *call) deleteDatabase(in *databaseRequest) (*empty, error) {
	db, err := c.database(in.CatalogID, in.Name)
	if err != nil {
		return nil, err
	}
	delete(c.region.databases, db.view.Name)
	c.region.setTags("database/"+db.view.Name, nil)
	return &empty{}, nil
}
