package glue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// call is one operation in progress. The server's mu is held for as long as it lives.
type call struct {
	server *Server
	region *region
	now    time.Time
}

// operation decodes a request that has passed the model, does the work and returns the reply
// to be encoded.
type operation func(c *call, body []byte) (any, error)

// op makes an operation of a typed handler.
func op[In, Out any](handle func(c *call, in *In) (*Out, error)) operation {
	return func(c *call, body []byte) (any, error) {
		in := new(In)
		if len(bytes.TrimSpace(body)) > 0 { // nothing is an empty object, as for the model
			if err := json.Unmarshal(body, in); err != nil {
				return nil, fmt.Errorf("decode a request that the model allows: %w", err)
			}
		}
		return handle(c, in)
	}
}

// empty is a reply without members.
type empty struct{}

// operations lists what the sandbox implements. The extract of the service model holds exactly
// these operations.
func operations() map[string]operation {
	return map[string]operation{
		"CreateJob":    op((*call).createJob),
		"GetJob":       op((*call).getJob),
		"GetJobs":      op((*call).getJobs),
		"ListJobs":     op((*call).listJobs),
		"BatchGetJobs": op((*call).batchGetJobs),
		"UpdateJob":    op((*call).updateJob),
		"DeleteJob":    op((*call).deleteJob),

		"StartJobRun":     op((*call).startJobRun),
		"GetJobRun":       op((*call).getJobRun),
		"GetJobRuns":      op((*call).getJobRuns),
		"BatchStopJobRun": op((*call).batchStopJobRun),

		"CreateTrigger":    op((*call).createTrigger),
		"GetTrigger":       op((*call).getTrigger),
		"GetTriggers":      op((*call).getTriggers),
		"ListTriggers":     op((*call).listTriggers),
		"BatchGetTriggers": op((*call).batchGetTriggers),
		"UpdateTrigger":    op((*call).updateTrigger),
		"StartTrigger":     op((*call).startTrigger),
		"StopTrigger":      op((*call).stopTrigger),
		"DeleteTrigger":    op((*call).deleteTrigger),

		"CreateConnection": op((*call).createConnection),
		"GetConnection":    op((*call).getConnection),
		"GetConnections":   op((*call).getConnections),
		"UpdateConnection": op((*call).updateConnection),
		"DeleteConnection": op((*call).deleteConnection),

		"CreateDatabase": op((*call).createDatabase),
		"GetDatabase":    op((*call).getDatabase),
		"GetDatabases":   op((*call).getDatabases),
		"UpdateDatabase": op((*call).updateDatabase),
		"DeleteDatabase": op((*call).deleteDatabase),

		"CreateTable":      op((*call).createTable),
		"GetTable":         op((*call).getTable),
		"GetTables":        op((*call).getTables),
		"UpdateTable":      op((*call).updateTable),
		"DeleteTable":      op((*call).deleteTable),
		"BatchDeleteTable": op((*call).batchDeleteTable),

		"GetTableVersion":         op((*call).getTableVersion),
		"GetTableVersions":        op((*call).getTableVersions),
		"DeleteTableVersion":      op((*call).deleteTableVersion),
		"BatchDeleteTableVersion": op((*call).batchDeleteTableVersion),

		"CreatePartition":      op((*call).createPartition),
		"BatchCreatePartition": op((*call).batchCreatePartition),
		"GetPartition":         op((*call).getPartition),
		"GetPartitions":        op((*call).getPartitions),
		"BatchGetPartition":    op((*call).batchGetPartition),
		"UpdatePartition":      op((*call).updatePartition),
		"DeletePartition":      op((*call).deletePartition),
		"BatchDeletePartition": op((*call).batchDeletePartition),

		"TagResource":   op((*call).tagResource),
		"UntagResource": op((*call).untagResource),
		"GetTags":       op((*call).getTags),
	}
}

func unknownOperation(name string) *apiError {
	return newError(codeUnknownOperation, http.StatusBadRequest,
		"the sandbox has no operation %q", clip(name))
}

// invoke runs one operation: request check, handler, reply check.
func (s *Server) invoke(name string, at scope, body []byte) reply {
	handle, known := s.ops[name]
	modelled, inModel := s.model.Operations[name]
	if !known || !inModel {
		return errorReply(unknownOperation(name))
	}
	if refused := s.model.checkRequest(modelled.Input, body); refused != nil {
		return errorReply(refused)
	}
	out, err := s.apply(handle, at, body)
	if err != nil {
		refused := asAPIError(err)
		if !slices.Contains(modelled.Errors, refused.code) && !commonCode(refused.code) {
			s.violation("%s answered %s, which the model does not list", name, refused.code)
		}
		return errorReply(refused)
	}
	if err := s.model.checkResponse(modelled.Output, out); err != nil {
		s.violation("%s answered against the model: %v", name, err)
		return errorReply(newError(codeInternalService, http.StatusInternalServerError,
			"sandbox bug: the reply of %s violates the service model: %v", name, err))
	}
	return reply{status: http.StatusOK, body: out}
}

// apply runs a handler and encodes its reply as one atomic step. Encoding belongs to it, because
// replies refer to live state.
func (s *Server) apply(handle operation, at scope, body []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, newError(codeInternalService, http.StatusServiceUnavailable, "the sandbox is closed")
	}
	c := &call{server: s, region: s.regionOf(at), now: s.opts.Clock.Now()}
	out, err := handle(c, body)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode the reply: %w", err)
	}
	return encoded, nil
}

// commonCode reports whether any operation may answer the code (API reference, "Common
// Errors"); the model does not list these per operation.
func commonCode(code string) bool {
	return code == codeAccessDenied || code == codeValidation || code == codeInvalidInput
}

func (s *Server) violation(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// checkCatalog refuses a CatalogId other than the caller's account: one account has one
// catalog here. Without a CatalogId Glue uses the account (API reference, CatalogId).
func (c *call) checkCatalog(id *string) error {
	if id != nil && *id != c.region.account {
		return newError(codeAccessDenied, http.StatusBadRequest,
			"catalog %s is not that of account %s; the sandbox keeps one catalog per account", *id, c.region.account)
	}
	return nil
}

// arn returns the ARN of one of the caller's Glue resources, such as "job/nightly".
func (c *call) arn(resource string) string {
	return fmt.Sprintf("arn:%s:glue:%s:%s:%s", c.server.opts.Partition, c.region.region, c.region.account, resource)
}

// principal stands in for the identity of the caller, which a signature alone does not tell.
func (c *call) principal() string {
	return fmt.Sprintf("arn:%s:iam::%s:root", c.server.opts.Partition, c.region.account)
}
