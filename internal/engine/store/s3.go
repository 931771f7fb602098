package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

const (
	// partSize is the size of a part of a streamed object, and the memory that one in flight takes up.
	partSize = 8 << 20
	// partsInFlight is how many parts of one object go out at once.
	partsInFlight = 2
	// putTries is how often a conditional write is sent that got no answer.
	putTries = 4
	// finishing bounds how long an upload that is being finished goes on when its context has ended.
	finishing = 20 * time.Second
)

// S3 keeps objects in one bucket.
type S3 struct {
	client *s3.Client
	bucket string
}

// NewS3 uses a bucket that exists.
func NewS3(client *s3.Client, bucket string) *S3 { return &S3{client: client, bucket: bucket} }

// Address is the object's s3:// address.
func (s *S3) Address(key string) string { return "s3://" + s.bucket + "/" + key }

// Get implements Store.
func (s *S3) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)}
	switch {
	case length == 0:
		return http.NoBody, nil
	case length > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	out, err := s.client.GetObject(ctx, in)
	if err != nil {
		return nil, s.wrap("reading", key, err)
	}
	return out.Body, nil
}

// Head implements Store.
func (s *S3) Head(ctx context.Context, key string) (Object, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return Object{}, s.wrap("looking at", key, err)
	}
	return Object{Key: key, Size: aws.ToInt64(out.ContentLength), Tag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified)}, nil
}

// Put implements Store. A conditional write goes out once at a time: the SDK's own retry would meet what its
// first try wrote and take it for another's. After a lost answer the object is read back, and one with these
// very bytes counts as written.
func (s *S3) Put(ctx context.Context, key string, data []byte, when Condition) (Object, error) {
	in := &s3.PutObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)}
	if when == (Condition{}) {
		in.Body = bytes.NewReader(data)
		out, err := s.client.PutObject(ctx, in)
		if err != nil {
			return Object{}, s.wrap("writing", key, err)
		}
		return Object{Key: key, Size: int64(len(data)), Tag: aws.ToString(out.ETag), Modified: time.Now()}, nil
	}
	if when.IfAbsent {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = aws.String(when.IfMatch)
	}
	var err error
	for try := range putTries {
		if try > 0 {
			if waitErr := pause(ctx, time.Duration(try)*100*time.Millisecond); waitErr != nil {
				break
			}
		}
		in.Body = bytes.NewReader(data)
		var out *s3.PutObjectOutput
		out, err = s.client.PutObject(ctx, in, func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })
		if err == nil {
			return Object{Key: key, Size: int64(len(data)), Tag: aws.ToString(out.ETag), Modified: time.Now()}, nil
		}
		err = s.refused(key, err, when)
		if definite := errors.Is(err, ErrExists) || errors.Is(err, ErrChanged); definite && try == 0 || !definite && !uncertain(err) {
			return Object{}, err
		}
		if there, readErr := s.holds(ctx, key, data); readErr == nil && there != nil {
			return *there, nil
		}
	}
	return Object{}, err
}

// holds describes the object when it has these very bytes.
func (s *S3) holds(ctx context.Context, key string, data []byte) (*Object, error) {
	object, err := s.Head(ctx, key)
	if err != nil || object.Size != int64(len(data)) {
		return nil, err
	}
	there, err := Read(ctx, s, key, int64(len(data)))
	if err != nil || !bytes.Equal(there, data) {
		return nil, err
	}
	return &object, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Create implements Store. At most partsInFlight parts of partSize are held in memory. Where the answer to the
// upload was lost, an object of the whole size counts as written: nobody else can have its key.
func (s *S3) Create(ctx context.Context, key string) (Writer, error) {
	r, w := io.Pipe()
	body := &counted{r: r}
	in := &transfermanager.UploadObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key), Body: body}
	caller := ctx
	ctx, cancel := context.WithCancel(context.WithoutCancel(caller))
	stream := &s3Writer{caller: caller, pipe: w, cancel: cancel, follow: context.AfterFunc(caller, cancel)}
	stream.done.Add(1)
	go func() {
		defer stream.done.Done()
		err := guard.Call(func() error {
			_, err := transfermanager.New(s.client, func(o *transfermanager.Options) {
				o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, partSize, partsInFlight
				o.FailTimeout = 10 * time.Second
			}).UploadObject(ctx, in)
			return err //nolint:wrapcheck // below
		})
		if err != nil {
			err = s.wrap("writing", key, err)
			if there, readErr := s.Head(ctx, key); readErr == nil && body.ended && there.Size == body.n {
				err = nil
			}
		}
		stream.err = err
		_ = r.CloseWithError(err)
	}()
	return stream, nil
}

// counted counts what is read, and notes whether that was all.
type counted struct {
	r     io.Reader
	n     int64
	ended bool
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.ended = c.ended || errors.Is(err, io.EOF)
	return n, err
}

type s3Writer struct {
	caller context.Context
	pipe   *io.PipeWriter
	cancel context.CancelFunc
	// follow stops the upload from ending with the caller's context; false when it has.
	follow func() bool
	done   sync.WaitGroup
	err    error
}

func (w *s3Writer) Write(p []byte) (int, error) { return w.pipe.Write(p) }

// Close sees the last requests through also when the caller's context ends meanwhile: S3 may carry out one whose
// answer nobody waits for, and the object would come to be behind its removal. Where the context has ended already, none
// is sent.
func (w *s3Writer) Close() error {
	if !w.follow() || w.caller.Err() != nil {
		w.Abort()
		return cmp.Or(context.Cause(w.caller), w.err)
	}
	defer context.AfterFunc(w.caller, func() { time.AfterFunc(finishing, w.cancel) })()
	_ = w.pipe.Close()
	w.done.Wait()
	w.cancel()
	return w.err
}

func (w *s3Writer) Abort() {
	w.follow()
	_ = w.pipe.CloseWithError(errors.New("the object was given up"))
	w.cancel()
	w.done.Wait()
}

// List implements Store.
func (s *S3) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: aws.String(s.bucket), Prefix: aws.String(prefix)}
		if after != "" {
			in.StartAfter = aws.String(after)
		}
		for pages := s3.NewListObjectsV2Paginator(s.client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, s.wrap("listing", prefix, err))
				return
			}
			for _, o := range page.Contents {
				if !yield(Object{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, keys ...string) error {
	const most = 1000 // keys in one call (Amazon S3 API reference, DeleteObjects)
	for start := 0; start < len(keys); start += most {
		part := keys[start:min(start+most, len(keys))]
		in := &s3.DeleteObjectsInput{Bucket: aws.String(s.bucket), Delete: &types.Delete{Quiet: aws.Bool(true)}}
		for _, key := range part {
			in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: aws.String(key)})
		}
		out, err := s.client.DeleteObjects(ctx, in)
		if err != nil {
			return s.wrap("deleting", part[0], err)
		}
		for _, failed := range out.Errors {
			if aws.ToString(failed.Code) != "NoSuchKey" {
				return fmt.Errorf("deleting %s: %s: %s", s.Address(aws.ToString(failed.Key)), aws.ToString(failed.Code), aws.ToString(failed.Message))
			}
		}
	}
	return nil
}

// refused gives a failed conditional write its name.
func (s *S3) refused(key string, err error, when Condition) error {
	status := httpStatus(err)
	switch {
	case when.IfAbsent && status == http.StatusPreconditionFailed:
		return fmt.Errorf("writing %s: %w", s.Address(key), ErrExists)
	case when.IfMatch != "" && (status == http.StatusPreconditionFailed || status == http.StatusNotFound):
		return fmt.Errorf("writing %s: %w", s.Address(key), ErrChanged)
	default:
		return s.wrap("writing", key, err)
	}
}

// uncertain reports whether a write that failed may have taken effect, as it may also when an answer below 400
// could not be read, or met another one in flight (409).
func uncertain(err error) bool {
	status := httpStatus(err)
	return status < http.StatusBadRequest || status == http.StatusConflict || status >= http.StatusInternalServerError
}

func httpStatus(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

func (s *S3) wrap(verb, key string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound") {
		return fmt.Errorf("%s %s: %w", verb, s.Address(key), ErrNotExist)
	}
	return fmt.Errorf("%s %s: %w", verb, s.Address(key), err)
}
