// Package spec holds the documents that the provider and the engine share: connection, cadence and source
// table. The provider builds them from configuration and stores them in the tracking tables; the engine reads
// them there at the start of a run. Both sides use the same strict decoder, the same defaults and the same
// Validate, so what a plan accepts a run accepts too.
//
// JSON field names are the names of the provider's attributes, so that a Path found by Validate is also the
// path of the attribute in a configuration.
package spec

import "fmt"

// Kind names a kind of document, and is the partition key of its item in the configuration table.
type Kind string

// The kinds of documents.
const (
	KindConnection Kind = "connection"
	KindCadence    Kind = "cadence"
	KindTable      Kind = "table"
)

// KindDiscovery is the kind of a document that lies beside script and engine, not in the configuration table.
const KindDiscovery Kind = "discovery"

// Version is the newest version of documents this build reads and writes. A document carries the lowest
// version that can express it; a field added later names the version that it came with.
const Version = 1

// MaxDocument bounds the encoded size of a document in bytes. A DynamoDB item may hold 400 KB.
const MaxDocument = 300 << 10

// NewerError says that a document was written by a newer release than the one that met it.
type NewerError struct {
	Kind    Kind
	Name    string
	Version int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("reading %s %q: its document has version %d and this release reads versions up to %d: "+
		"upgrade the provider, and apply its cadence so that the job carries the newer engine", e.Kind, e.Name, e.Version, Version)
}
