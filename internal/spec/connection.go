package spec

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Defaults of a connection.
const (
	DefaultTLSMode        = "verify-full"
	DefaultMaxConnections = 4
)

// DefaultPorts are the engines' own ports; its keys are the engines there are.
var DefaultPorts = map[string]int{"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, "sqlserver": 1433}

// TLSModes are the ways a connection may be secured, the names being libpq's: verify-full checks the server's
// certificate and name, verify-ca the certificate alone, require encrypts without knowing to whom.
var TLSModes = []string{"verify-full", "verify-ca", "require"}

// maxCA bounds a bundle of certificates in bytes; the bundle of all RDS Regions has about 165,000.
const maxCA = 200_000

var (
	hostName        = formOf(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)
	subnetID        = formOf(`^subnet-[0-9a-f]{8,40}$`)
	securityGroupID = formOf(`^sg-[0-9a-f]{8,40}$`)
)

// Connection says where a source database is and how to reach it. It holds no secret: SecretARN names one in
// Secrets Manager, a JSON object with username and password, read at the start of each run.
type Connection struct {
	V              int      `json:"v"`
	Name           string   `json:"name"`
	Engine         string   `json:"engine"`
	Host           string   `json:"host"`
	Port           int      `json:"port"`
	Database       string   `json:"database"`
	SecretARN      string   `json:"secret_arn"`
	TLS            TLS      `json:"tls"`
	MaxConnections int      `json:"max_connections"`
	Network        *Network `json:"network,omitempty"`
}

// TLS says how a connection is secured.
type TLS struct {
	// Mode is one of TLSModes.
	Mode string `json:"mode"`
	// CA holds the certificates (PEM) that the server's must descend from; "" means the system's roots.
	CA string `json:"ca,omitempty"`
}

// Network places a job beside the database, in the words of a Glue connection.
type Network struct {
	SubnetID         string   `json:"subnet_id"`
	SecurityGroupIDs []string `json:"security_group_ids"`
	AvailabilityZone string   `json:"availability_zone,omitempty"`
}

// DecodeConnection reads a connection document strictly.
func DecodeConnection(data []byte) (*Connection, error) {
	c := &Connection{}
	if err := decode(data, KindConnection, c); err != nil {
		return nil, err
	}
	return c, nil
}

// Encode writes the document in its lowest version; a document that is not valid is refused.
func (c Connection) Encode() ([]byte, error) {
	c.Normalize()
	c.V = 1
	return encode(&c)
}

// Normal writes the document in the form in which two spellings of one thing are equal, valid or not.
func (c Connection) Normal() ([]byte, error) {
	c.Normalize()
	c.V = 1
	return json.Marshal(&c)
}

func (c *Connection) header() (Kind, string, int) { return KindConnection, c.Name, c.V }

// Normalize gives absent fields their defaults, and texts with several spellings their one form.
func (c *Connection) Normalize() {
	if c.Port == 0 {
		c.Port = DefaultPorts[c.Engine]
	}
	if c.TLS.Mode == "" {
		c.TLS.Mode = DefaultTLSMode
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = DefaultMaxConnections
	}
}

// Validate returns everything wrong with the document.
func (c *Connection) Validate() Problems {
	var ps Problems
	if wrong := checkThingName(c.Name); wrong != "" {
		ps.add(At("name"), "%s", wrong)
	}
	_, known := DefaultPorts[c.Engine]
	if !known {
		ps.add(At("engine"), "%s", notOneOf(c.Engine, slices.Sorted(maps.Keys(DefaultPorts))))
	}
	if _, notAddress := netip.ParseAddr(c.Host); notAddress != nil && !hostName.MatchString(c.Host) {
		ps.add(At("host"), "%q is not a host name or address: write the database's endpoint without scheme, port or path", c.Host)
	}
	if (c.Port < 1 || c.Port > 65535) && (known || c.Port != 0) {
		ps.add(At("port"), "%d is not a port: write 1 to 65535", c.Port)
		ps.needing(At("engine")) // which has a port of its own
	}
	if c.Database == "" || len(c.Database) > 128 || strings.ContainsFunc(c.Database, isControl) {
		ps.add(At("database"), "%q is not the name of a database: write 1 to 128 characters", c.Database)
	}
	checkARN(&ps, At("secret_arn"), c.SecretARN, "secretsmanager", `secret:[\w/+=.@-]+`, "eu-west-1:123456789012:secret:shop-db-AbCdEf")
	if !slices.Contains(TLSModes, c.TLS.Mode) {
		ps.add(At("tls", "mode"), "%s (a connection without TLS is not offered)", notOneOf(c.TLS.Mode, TLSModes))
	}
	c.checkCA(&ps)
	if c.MaxConnections < 1 || c.MaxConnections > 100 {
		ps.add(At("max_connections"), "%d is out of range: write 1 to 100", c.MaxConnections)
	}
	c.checkNetwork(&ps)
	return ps
}

func (c *Connection) checkCA(ps *Problems) {
	if c.TLS.CA == "" {
		return
	}
	at := At("tls", "ca")
	if len(c.TLS.CA) > maxCA {
		ps.add(at, "it has %d bytes, at most %d are stored: keep only the certificates of your Region", len(c.TLS.CA), maxCA)
		return
	}
	if c.TLS.Mode == "require" {
		ps.add(at, "mode \"require\" checks no certificate: leave ca out, or write mode = \"verify-full\"")
		ps.needing(At("tls", "mode"))
	}
	rest, found := []byte(c.TLS.CA), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil || block.Type != "CERTIFICATE" {
			ps.add(at, "PEM block %d (%s) is not a certificate; never put a private key here", found+1, block.Type)
			return
		}
		found++
	}
	if found == 0 {
		ps.add(at, "it holds no PEM certificate: write file(\"ca.pem\")")
	}
}

func (c *Connection) checkNetwork(ps *Problems) {
	if c.Network == nil {
		return
	}
	if !subnetID.MatchString(c.Network.SubnetID) {
		ps.add(At("network", "subnet_id"), "%q is not the id of a subnet: it has the form \"subnet-0123456789abcdef0\"", c.Network.SubnetID)
	}
	if n := len(c.Network.SecurityGroupIDs); n < 1 || n > 50 {
		ps.add(At("network", "security_group_ids"), "it has %d groups: write 1 to 50", n)
	}
	for i, id := range c.Network.SecurityGroupIDs {
		if !securityGroupID.MatchString(id) {
			ps.add(At("network", "security_group_ids", i), "%q is not the id of a security group: it has the form \"sg-0123456789abcdef0\"", id)
		}
	}
	if duplicate := firstDuplicate(c.Network.SecurityGroupIDs); duplicate != "" {
		ps.add(At("network", "security_group_ids"), "%q stands twice", duplicate)
	}
}

// notOneOf says that a word is not among the allowed ones, and which was perhaps meant.
func notOneOf(word string, allowed []string) string {
	if near := Nearest(word, allowed); near != "" {
		return fmt.Sprintf("%q is not known; did you mean %q?", word, near)
	}
	return fmt.Sprintf("%q is not known: write one of %s", word, strings.Join(allowed, ", "))
}

func firstDuplicate(words []string) string {
	seen := map[string]bool{}
	for _, word := range words {
		if seen[word] {
			return word
		}
		seen[word] = true
	}
	return ""
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }
