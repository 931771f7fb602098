package glue

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Terms of AWS Signature Version 4 (IAM user guide, "Create a signed AWS API request").
const (
	signingAlgorithm  = "AWS4-HMAC-SHA256"
	signingService    = "glue"
	signingTerminator = "aws4_request"
	signingTimeFormat = "20060102T150405Z"
)

// scope is what state is kept apart by.
type scope struct {
	account, region string
}

// signature is a parsed Authorization header.
type signature struct {
	accessKeyID   string
	date          string
	region        string
	signedHeaders []string
}

// authenticate reads the request's signature and returns the account and Region that it
// speaks for. With Options.Secret the signature itself is verified.
func (s *Server) authenticate(r *http.Request, body []byte) (scope, *apiError) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return scope{}, forbidden(codeMissingToken, "Missing Authentication Token")
	}
	sig, err := parseAuthorization(header)
	if err != nil {
		return scope{}, err
	}
	if s.opts.Secret != nil {
		if err := s.verifySignature(r, header, sig, body); err != nil {
			return scope{}, err
		}
	}
	account := s.opts.Account(sig.accessKeyID)
	if account == "" {
		return scope{}, forbidden(codeUnrecognizedClient, "The security token included in the request is invalid.")
	}
	return scope{account: account, region: sig.region}, nil
}

func parseAuthorization(header string) (signature, *apiError) {
	algorithm, rest, _ := strings.Cut(header, " ")
	if algorithm != signingAlgorithm {
		return signature{}, forbidden(codeIncompleteSignature,
			"The Authorization header must use %s.", signingAlgorithm)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if found {
			fields[key] = value
		}
	}
	for _, key := range []string{"Credential", "SignedHeaders", "Signature"} {
		if fields[key] == "" {
			return signature{}, forbidden(codeIncompleteSignature,
				"Authorization header requires '%s' parameter.", key)
		}
	}
	// The access key id comes first; the credential scope is what follows it.
	credential := strings.Split(fields["Credential"], "/")
	if len(credential) != 5 || credential[4] != signingTerminator || credential[0] == "" {
		return signature{}, forbidden(codeIncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements and end in %s.", signingTerminator)
	}
	if credential[2] == "" {
		return signature{}, forbidden(codeInvalidSignature, "Credential should be scoped to a valid Region.")
	}
	if credential[3] != signingService {
		return signature{}, forbidden(codeInvalidSignature,
			"Credential should be scoped to correct service: '%s'.", signingService)
	}
	return signature{
		accessKeyID:   credential[0],
		date:          credential[1],
		region:        credential[2],
		signedHeaders: strings.Split(fields["SignedHeaders"], ";"),
	}, nil
}

// verifySignature signs the request again, with the headers that the caller signed and the
// secret that the key should have, and compares.
func (s *Server) verifySignature(r *http.Request, header string, sig signature, body []byte) *apiError {
	secret, ok := s.opts.Secret(sig.accessKeyID)
	if !ok {
		return forbidden(codeUnrecognizedClient, "The security token included in the request is invalid.")
	}
	signedAt, err := time.Parse(signingTimeFormat, r.Header.Get("X-Amz-Date"))
	if err != nil || !strings.HasPrefix(r.Header.Get("X-Amz-Date"), sig.date) {
		return forbidden(codeIncompleteSignature, "X-Amz-Date must be a basic ISO 8601 time of the credential's date.")
	}
	again := &http.Request{
		Method: r.Method,
		URL:    &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
		Host:   r.Host,
		Header: http.Header{},
	}
	for _, name := range sig.signedHeaders {
		switch key := http.CanonicalHeaderKey(name); key {
		case "Host":
		case "Content-Length":
			again.ContentLength = r.ContentLength
		default:
			if values := r.Header.Values(key); len(values) > 0 {
				again.Header[key] = values
			}
		}
	}
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{
		AccessKeyID:     sig.accessKeyID,
		SecretAccessKey: secret,
		SessionToken:    again.Header.Get("X-Amz-Security-Token"),
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, again,
		hex.EncodeToString(sum[:]), signingService, sig.region, signedAt); err != nil {
		return forbidden(codeInvalidSignature, "The request could not be signed for comparison: %v", err)
	}
	if subtle.ConstantTimeCompare([]byte(again.Header.Get("Authorization")), []byte(header)) != 1 {
		return forbidden(codeInvalidSignature,
			"The request signature we calculated does not match the signature you provided.")
	}
	return nil
}
