// Package sandbox is a local AWS and a local database for tests and for trying things out: real PostgreSQL,
// a real S3 server, moto for most AWS services, and an AWS Glue that runs jobs. Everything listens on
// loopback only, fetches itself on first use, and leaves nothing behind.
//
// A test package opts in with
//
//	func TestMain(m *testing.M) { sandbox.Main(m) }
//
// and its tests take what they need from the one sandbox of the test binary:
//
//	sb := sandbox.ForTest(t, sandbox.Moto)
//	bucket := sb.NewBucket(t)
//	database := sb.NewDatabase(t)
package sandbox
