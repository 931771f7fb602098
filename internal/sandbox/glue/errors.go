package glue

import (
	"errors"
	"fmt"
	"net/http"
)

// Error codes that the sandbox answers with. The first group is modelled by Glue (AWS Glue API
// reference, "Exceptions"), the second is common to all AWS JSON services ("Common Errors").
const (
	codeAccessDenied           = "AccessDeniedException"
	codeAlreadyExists          = "AlreadyExistsException"
	codeConcurrentModification = "ConcurrentModificationException"
	codeConcurrentRunsExceeded = "ConcurrentRunsExceededException"
	codeEntityNotFound         = "EntityNotFoundException"
	codeIdempotentMismatch     = "IdempotentParameterMismatchException"
	codeInternalService        = "InternalServiceException"
	codeInvalidInput           = "InvalidInputException"
	codeLimitExceeded          = "ResourceNumberLimitExceededException"
	codeValidation             = "ValidationException"

	codeIncompleteSignature = "IncompleteSignatureException"
	codeInvalidSignature    = "InvalidSignatureException"
	codeMissingToken        = "MissingAuthenticationTokenException"
	codeRequestTooLarge     = "RequestEntityTooLargeException"
	codeSerialization       = "SerializationException"
	codeThrottling          = "ThrottlingException"
	codeUnknownOperation    = "UnknownOperationException"
	codeUnrecognizedClient  = "UnrecognizedClientException"
)

// apiError is an error that is answered to the client: a code, a message and an HTTP status.
type apiError struct {
	code    string
	message string
	status  int
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func newError(code string, status int, format string, args ...any) *apiError {
	return &apiError{code: code, message: fmt.Sprintf(format, args...), status: status}
}

func invalidInput(format string, args ...any) *apiError {
	return newError(codeInvalidInput, http.StatusBadRequest, format, args...)
}

func notFound(format string, args ...any) *apiError {
	return newError(codeEntityNotFound, http.StatusBadRequest, format, args...)
}

func alreadyExists(format string, args ...any) *apiError {
	return newError(codeAlreadyExists, http.StatusBadRequest, format, args...)
}

func forbidden(code, format string, args ...any) *apiError {
	return newError(code, http.StatusForbidden, format, args...)
}

// asAPIError returns err as an apiError. An error that is none is a fault of the sandbox itself
// and becomes InternalServiceException with its text.
func asAPIError(err error) *apiError {
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	return newError(codeInternalService, http.StatusInternalServerError, "sandbox: %v", err)
}

// detail is the ErrorDetail structure of the batch operations.
func (e *apiError) detail() *errorDetail {
	return &errorDetail{ErrorCode: e.code, ErrorMessage: e.message}
}

// errorDetail is Glue's ErrorDetail.
type errorDetail struct {
	ErrorCode    string
	ErrorMessage string
}
