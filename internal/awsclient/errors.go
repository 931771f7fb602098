package awsclient

import (
	"errors"
	"net/http"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Code is the service's name for an error, such as EntityNotFoundException, or "" when no service answered.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Status is the HTTP status of the reply that an error came with, or 0 when there was none.
func Status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// Header is a header of the reply that an error came with, or "".
func Header(err error, name string) string {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		return response.Response.Header.Get(name)
	}
	return ""
}

// IsCode reports whether an error has one of the codes.
func IsCode(err error, codes ...string) bool {
	code := Code(err)
	return code != "" && slices.Contains(codes, code)
}

// NotFound reports whether what was asked for does not exist.
func NotFound(err error) bool {
	return IsCode(err, "EntityNotFoundException", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "NotFound") ||
		Code(err) == "" && Status(err) == http.StatusNotFound
}

// Denied reports whether credentials or permissions are what is missing.
func Denied(err error) bool {
	return IsCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InvalidClientTokenId",
		"UnrecognizedClientException", "ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch",
		"InvalidAccessKeyId", "MissingAuthenticationTokenException", "InvalidSignatureException")
}

// Throttled reports whether the service asked to be called less often.
func Throttled(err error) bool {
	return IsCode(err, "ThrottlingException", "Throttling", "ThrottledException", "RequestLimitExceeded", "SlowDown",
		"ProvisionedThroughputExceededException", "TooManyRequestsException", "LimitExceededException", "RequestThrottled")
}

// Unknown reports whether a call that failed may all the same have taken effect: nothing came back, or a server
// error did, or an answer that could not be read to its end. A caller for whom that matters reads back what it
// wrote before it concludes anything.
func Unknown(err error) bool {
	if err == nil {
		return false
	}
	switch status := Status(err); {
	case status != 0:
		// Below 400 the service said yes, and the error is about what followed.
		return status >= http.StatusInternalServerError || status < http.StatusBadRequest
	case Code(err) != "":
		return false
	default:
		var refused smithy.InvalidParamsError
		return !errors.As(err, &refused)
	}
}
