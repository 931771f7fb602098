// Package postgres runs a throw-away PostgreSQL server: a new cluster on a loopback port, which takes
// connections over TLS only, with a certificate authority of its own, and leaves nothing behind.
//
// Every server is initialised anew, although a copy of a prepared data directory would be there half a second
// earlier: copies share one system identifier, by which clients tell clusters apart.
package postgres
