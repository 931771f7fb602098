// Package hudi is the Hudi format: copy on write, table version 6 with timeline layout 1, which Athena, Glue, EMR, Trino and all
// releases of Spark's bundle since 0.14 read. A table is its folder: hoodie.properties, the timeline of instants beside it, and
// in a folder per partition the data files, each of which is one version of a file group.
package hudi
