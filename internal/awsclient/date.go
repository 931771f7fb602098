package awsclient

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// dateReader hands on the Date header of each reply, failures included.
type dateReader struct {
	report func(time.Time)
}

func (dateReader) ID() string { return "LakelandDateReader" }

func (d dateReader) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response != nil {
		if at, parseErr := http.ParseTime(response.Header.Get("Date")); parseErr == nil {
			d.report(at)
		}
	}
	return out, metadata, err
}
