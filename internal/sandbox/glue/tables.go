package glue

import (
	"net/http"
	"regexp"
	"strconv"
)

// table is a table of the catalog with its archived versions and its partitions.
type table struct {
	current    tableView
	archived   []tableView // oldest first
	partitions map[string]*partition
}

// tableView is Glue's Table structure. A view is not changed after it has become current, so
// that archived ones stay what they were.
type tableView struct {
	tableInput
	DatabaseName                  string     `json:",omitzero"`
	CreateTime                    *timestamp `json:",omitzero"`
	UpdateTime                    *timestamp `json:",omitzero"`
	CreatedBy                     string     `json:",omitzero"`
	IsRegisteredWithLakeFormation *bool      `json:",omitzero"`
	CatalogID                     string     `json:"CatalogId,omitzero"`
	VersionID                     string     `json:"VersionId,omitzero"`

	version int64 // VersionID as a number
}

// tableInput is Glue's TableInput structure.
type tableInput struct {
	Name              string
	Description       *string            `json:",omitzero"`
	Owner             *string            `json:",omitzero"`
	LastAccessTime    *timestamp         `json:",omitzero"`
	LastAnalyzedTime  *timestamp         `json:",omitzero"`
	Retention         *int32             `json:",omitzero"`
	StorageDescriptor *storageDescriptor `json:",omitzero"`
	PartitionKeys     []column           `json:",omitzero"`
	ViewOriginalText  *string            `json:",omitzero"`
	ViewExpandedText  *string            `json:",omitzero"`
	TableType         *string            `json:",omitzero"`
	Parameters        map[string]string  `json:",omitzero"`
	TargetTable       opaque             `json:",omitzero"`
	FederatedTable    opaque             `json:",omitzero"`
	ViewDefinition    opaque             `json:",omitzero"`
}

// storageDescriptor is Glue's StorageDescriptor structure.
type storageDescriptor struct {
	Columns                []column          `json:",omitzero"`
	Location               *string           `json:",omitzero"`
	AdditionalLocations    []string          `json:",omitzero"`
	InputFormat            *string           `json:",omitzero"`
	OutputFormat           *string           `json:",omitzero"`
	Compressed             bool              // Glue always shows it
	NumberOfBuckets        int32             // Glue always shows it
	SerdeInfo              opaque            `json:",omitzero"`
	BucketColumns          []string          `json:",omitzero"`
	SortColumns            opaque            `json:",omitzero"`
	Parameters             map[string]string `json:",omitzero"`
	SkewedInfo             opaque            `json:",omitzero"`
	StoredAsSubDirectories bool              // Glue always shows it
	SchemaReference        opaque            `json:",omitzero"`
}

type column struct {
	Name       string
	Type       *string           `json:",omitzero"`
	Comment    *string           `json:",omitzero"`
	Parameters map[string]string `json:",omitzero"`
}

type (
	// tableRequest holds what the table operations have in common.
	tableRequest struct {
		CatalogID     *string `json:"CatalogId"`
		DatabaseName  string
		TransactionID *string `json:"TransactionId"`
		QueryAsOfTime *timestamp
	}
	createTableRequest struct {
		tableRequest
		Name                 *string
		TableInput           *tableInput
		PartitionIndexes     []opaque
		OpenTableFormatInput opaque
	}
	getTableRequest struct {
		tableRequest
		Name            string
		AttributesToGet []string
	}
	getTableReply struct {
		Table *tableView
	}
	getTablesRequest struct {
		tableRequest
		Expression        *string
		NextToken         *string
		MaxResults        *int32
		ResourceShareType *string
		AttributesToGet   []string
	}
	getTablesReply struct {
		TableList []*tableView
		NextToken *string `json:",omitzero"`
	}
	updateTableRequest struct {
		tableRequest
		Name                       *string
		TableInput                 *tableInput
		SkipArchive                bool
		VersionID                  *string `json:"VersionId"`
		ViewUpdateAction           *string
		UpdateOpenTableFormatInput opaque
	}
	deleteTableRequest struct {
		tableRequest
		Name string
	}
	batchDeleteTableRequest struct {
		tableRequest
		TablesToDelete []string
	}
	tableError struct {
		TableName   string
		ErrorDetail *errorDetail
	}
	batchDeleteTableReply struct {
		Errors []tableError
	}
)

// table returns the database and the named table, or EntityNotFoundException.
func (c *call) table(in *tableRequest, name string) (*database, *table, error) {
	db, err := c.tableDatabase(in)
	if err != nil {
		return nil, nil, err
	}
	t := db.tables[fold(name)]
	if t == nil {
		return nil, nil, notFound("Table %s not found.", fold(name))
	}
	return db, t, nil
}

func (c *call) tableDatabase(in *tableRequest) (*database, error) {
	if in.TransactionID != nil || in.QueryAsOfTime != nil {
		return nil, invalidInput("the sandbox knows no transactions and no time travel")
	}
	return c.database(in.CatalogID, in.DatabaseName)
}

// checkTableInput refuses what the sandbox would otherwise lose.
func checkTableInput(name *string, in *tableInput) error {
	switch {
	case in == nil:
		return invalidInput("TableInput cannot be null")
	case in.FederatedTable != nil || in.TargetTable != nil || in.ViewDefinition != nil:
		return invalidInput("the sandbox keeps no federated tables, resource links or multi-dialect views")
	case name != nil && fold(*name) != fold(in.Name):
		return invalidInput("Name %s and TableInput.Name %s differ", *name, in.Name)
	}
	return nil
}

// createTable implements CreateTable. The first VersionId is 0 (reported).
func (c *call) createTable(in *createTableRequest) (*empty, error) {
	if in.OpenTableFormatInput != nil || len(in.PartitionIndexes) > 0 {
		return nil, invalidInput("the sandbox knows no OpenTableFormatInput and no PartitionIndexes")
	}
	if err := checkTableInput(in.Name, in.TableInput); err != nil {
		return nil, err
	}
	db, err := c.tableDatabase(&in.tableRequest)
	if err != nil {
		return nil, err
	}
	name := fold(in.TableInput.Name)
	if db.tables[name] != nil {
		return nil, alreadyExists("Table already exists: %s", name)
	}
	t := &table{partitions: map[string]*partition{}}
	t.current = c.tableView(db, in.TableInput, 0)
	t.current.CreateTime, t.current.CreatedBy = timeOf(c.now), c.principal()
	db.tables[name] = t
	return &empty{}, nil
}

func (c *call) tableView(db *database, in *tableInput, version int64) tableView {
	view := tableView{
		tableInput:                    *in,
		DatabaseName:                  db.view.Name,
		UpdateTime:                    timeOf(c.now),
		IsRegisteredWithLakeFormation: ptr(false),
		CatalogID:                     c.region.account,
		VersionID:                     strconv.FormatInt(version, 10),
		version:                       version,
	}
	view.Name = fold(in.Name)
	fillIn(&view.Retention, 0) // Glue always shows it
	return view
}

func (c *call) getTable(in *getTableRequest) (*getTableReply, error) {
	_, t, err := c.table(&in.tableRequest, in.Name)
	if err != nil {
		return nil, err
	}
	view, err := t.current.only(in.AttributesToGet)
	if err != nil {
		return nil, err
	}
	return &getTableReply{Table: view}, nil
}

// only returns the view, reduced to the attributes asked for: NAME, or NAME and TABLE_TYPE (API
// reference, GetTables.AttributesToGet).
func (v *tableView) only(attributes []string) (*tableView, error) {
	if attributes == nil {
		return v, nil
	}
	out, named := &tableView{}, false
	for _, attribute := range attributes {
		switch attribute {
		case "NAME":
			out.Name, named = v.Name, true
		case "TABLE_TYPE":
			out.TableType = v.TableType
		}
	}
	if !named {
		return nil, invalidInput("AttributesToGet must include NAME")
	}
	return out, nil
}

// getTables implements GetTables. Expression is "A regular expression pattern. If present, only
// those tables whose names match the pattern are returned" (API reference); it must match the whole
// name (our reading).
func (c *call) getTables(in *getTablesRequest) (*getTablesReply, error) {
	if in.ResourceShareType != nil {
		return nil, invalidInput("the sandbox knows no ResourceShareType")
	}
	db, err := c.tableDatabase(&in.tableRequest)
	if err != nil {
		return nil, err
	}
	matches := func(string) bool { return true }
	if in.Expression != nil && *in.Expression != "" {
		re, err := regexp.Compile(`\A(?:` + *in.Expression + `)\z`)
		if err != nil {
			return nil, invalidInput("Invalid expression %s: %v", *in.Expression, err)
		}
		matches = re.MatchString
	}
	views := []*tableView{}
	for _, t := range sortedValues(db.tables) {
		if !matches(t.current.Name) {
			continue
		}
		view, err := t.current.only(in.AttributesToGet)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	views, next, err := page(c, views, func(v *tableView) string { return v.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &getTablesReply{TableList: views, NextToken: next}, nil
}

// updateTable implements UpdateTable: the TableInput replaces the table's definition. With a
// VersionId that is not the current one nothing happens but ConcurrentModificationException
// (reported, with this message): of several that name the same version exactly one succeeds. Every
// update makes the next VersionId; "By default, UpdateTable always creates an archived version of
// the table before updating it", not so with SkipArchive (API reference). A table cannot be renamed.
func (c *call) updateTable(in *updateTableRequest) (*empty, error) {
	if in.ViewUpdateAction != nil || in.UpdateOpenTableFormatInput != nil {
		return nil, invalidInput("the sandbox knows no ViewUpdateAction and no UpdateOpenTableFormatInput")
	}
	if err := checkTableInput(in.Name, in.TableInput); err != nil {
		return nil, err
	}
	db, t, err := c.table(&in.tableRequest, in.TableInput.Name)
	if err != nil {
		return nil, err
	}
	if in.VersionID != nil && *in.VersionID != t.current.VersionID {
		return nil, newError(codeConcurrentModification, http.StatusBadRequest,
			"Update table failed due to concurrent modifications.")
	}
	if !in.SkipArchive {
		t.archived = append(t.archived, t.current)
	}
	next := c.tableView(db, in.TableInput, t.current.version+1)
	next.CreateTime, next.CreatedBy = t.current.CreateTime, t.current.CreatedBy
	t.current = next
	return &empty{}, nil
}

func (c *call) deleteTable(in *deleteTableRequest) (*empty, error) {
	db, t, err := c.table(&in.tableRequest, in.Name)
	if err != nil {
		return nil, err
	}
	delete(db.tables, t.current.Name)
	return &empty{}, nil
}

func (c *call) batchDeleteTable(in *batchDeleteTableRequest) (*batchDeleteTableReply, error) {
	if _, err := c.tableDatabase(&in.tableRequest); err != nil {
		return nil, err
	}
	out := &batchDeleteTableReply{Errors: []tableError{}}
	for _, name := range in.TablesToDelete {
		if _, err := c.deleteTable(&deleteTableRequest{tableRequest: in.tableRequest, Name: name}); err != nil {
			out.Errors = append(out.Errors, tableError{TableName: name, ErrorDetail: asAPIError(err).detail()})
		}
	}
	return out, nil
}
