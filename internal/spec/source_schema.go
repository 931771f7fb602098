package spec

import (
	"fmt"
	"strings"
)

// SourceSchema says of which connection the tables are wanted, and where they are looked up.
type SourceSchema struct {
	Tracking   string   `json:"tracking"`
	Connection string   `json:"connection_name"` // Terraform keeps the name "connection" to itself
	Include    []string `json:"include,omitempty"`
	Exclude    []string `json:"exclude,omitempty"`
	// Document is the address of a discovery, or "" for the database itself: see DiscoveryAt.
	Document string `json:"document,omitempty"`
}

// Validate returns everything wrong with the request.
func (s *SourceSchema) Validate() Problems {
	var ps Problems
	if wrong := CheckTrackingName(s.Tracking); wrong != "" {
		ps.add(At("tracking"), "%s", wrong)
	}
	if wrong := CheckConnectionName(s.Connection); wrong != "" {
		ps.add(At("connection_name"), "%s", wrong)
	}
	if _, wrong := Select(s.Include, s.Exclude); len(wrong) > 0 {
		ps = append(ps, wrong...)
	}
	if s.Document != "" {
		if _, err := DiscoveryAt(s.Document, "t", "c"); err != nil {
			ps.add(At("document"), "%s", err)
		}
	}
	return ps
}

// discoverySuffix is how the names of discoveries end.
const discoverySuffix = ".json"

// DiscoveryKey is where the discovery of a connection lies below an artifacts location.
func DiscoveryKey(tracking, connection string) string {
	return "discovery/" + tracking + "/" + connection + discoverySuffix
}

// DiscoveryObject is where a discovery lies in S3.
type DiscoveryObject struct{ Bucket, Key string }

// String is the object's address.
func (o DiscoveryObject) String() string { return "s3://" + o.Bucket + "/" + o.Key }

// DiscoveryAt reads the address of a discovery: that of the object itself, which ends with ".json", or an artifacts
// location, below which the discovery of the connection has a place of its own.
func DiscoveryAt(address, tracking, connection string) (DiscoveryObject, error) {
	folder, name := address, DiscoveryKey(tracking, connection)
	if strings.HasSuffix(address, discoverySuffix) {
		end := strings.LastIndex(address, "/") + 1
		folder, name = address[:end], address[end:]
	}
	location, err := ParseLocation(folder)
	if err != nil {
		return DiscoveryObject{}, fmt.Errorf("%w; a discovery is named by its object (\"s3://bucket/prefix/shop.json\") or by the artifacts location that it lies in (\"s3://bucket/prefix/\")", err)
	}
	return DiscoveryObject{Bucket: location.Bucket, Key: location.Prefix + name}, nil
}
