package glue

import "slices"

type (
	getTableVersionRequest struct {
		tableRequest
		TableName string
		VersionID *string `json:"VersionId"`
	}
	tableVersion struct {
		Table     *tableView
		VersionID string `json:"VersionId"`
	}
	getTableVersionReply struct {
		TableVersion *tableVersion
	}
	getTableVersionsRequest struct {
		tableRequest
		TableName  string
		NextToken  *string
		MaxResults *int32
	}
	getTableVersionsReply struct {
		TableVersions []*tableVersion
		NextToken     *string `json:",omitzero"`
	}
	deleteTableVersionRequest struct {
		tableRequest
		TableName string
		VersionID string `json:"VersionId"`
	}
	batchDeleteTableVersionRequest struct {
		tableRequest
		TableName  string
		VersionIDs []string `json:"VersionIds"`
	}
	tableVersionError struct {
		TableName   string
		VersionID   string `json:"VersionId"`
		ErrorDetail *errorDetail
	}
	batchDeleteTableVersionReply struct {
		Errors []tableVersionError
	}
)

// versions returns the current version and the archived ones, newest first (reported).
func (t *table) versions() []*tableVersion {
	all := []*tableVersion{{Table: &t.current, VersionID: t.current.VersionID}}
	for i := range slices.Backward(t.archived) {
		all = append(all, &tableVersion{Table: &t.archived[i], VersionID: t.archived[i].VersionID})
	}
	return all
}

// getTableVersion implements GetTableVersion; without a VersionId it is the current version
// (our reading).
func (c *call) getTableVersion(in *getTableVersionRequest) (*getTableVersionReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	for _, v := range t.versions() {
		if in.VersionID == nil || *in.VersionID == v.VersionID {
			return &getTableVersionReply{TableVersion: v}, nil
		}
	}
	return nil, notFound("Version %s of table %s not found.", deref(in.VersionID), t.current.Name)
}

func (c *call) getTableVersions(in *getTableVersionsRequest) (*getTableVersionsReply, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	all := t.versions()
	// Newest first means by falling version: the key must rise where the version falls.
	key := func(v *tableVersion) string { return fallingKey(v.Table.version) }
	found, next, err := page(c, all, key, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &getTableVersionsReply{TableVersions: found, NextToken: next}, nil
}

// deleteTableVersion implements DeleteTableVersion. The current version cannot be deleted (our
// reading: DeleteTable is for that).
func (c *call) deleteTableVersion(in *deleteTableVersionRequest) (*empty, error) {
	_, t, err := c.table(&in.tableRequest, in.TableName)
	if err != nil {
		return nil, err
	}
	if in.VersionID == t.current.VersionID {
		return nil, invalidInput("Version %s is the current version of table %s", in.VersionID, t.current.Name)
	}
	i := slices.IndexFunc(t.archived, func(v tableView) bool { return v.VersionID == in.VersionID })
	if i < 0 {
		return nil, notFound("Version %s of table %s not found.", in.VersionID, t.current.Name)
	}
	t.archived = slices.Delete(t.archived, i, i+1)
	return &empty{}, nil
}

func (c *call) batchDeleteTableVersion(in *batchDeleteTableVersionRequest) (*batchDeleteTableVersionReply, error) {
	if _, _, err := c.table(&in.tableRequest, in.TableName); err != nil {
		return nil, err
	}
	out := &batchDeleteTableVersionReply{Errors: []tableVersionError{}}
	for _, id := range in.VersionIDs {
		one := &deleteTableVersionRequest{tableRequest: in.tableRequest, TableName: in.TableName, VersionID: id}
		if _, err := c.deleteTableVersion(one); err != nil {
			out.Errors = append(out.Errors, tableVersionError{TableName: in.TableName, VersionID: id, ErrorDetail: asAPIError(err).detail()})
		}
	}
	return out, nil
}
