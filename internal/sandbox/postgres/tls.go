package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

const (
	certificateLife = 30 * 24 * time.Hour
	clockSkew       = time.Hour
	serialBits      = 120
)

// writeTLS makes an authority and a certificate of the server signed by it, and returns the authority's
// certificate in PEM. The authority's key is forgotten: it signs nothing else.
func (l layout) writeTLS(owner *process.Credential) ([]byte, error) {
	authority, certificate, key, err := newCertificates(time.Now())
	if err != nil {
		return nil, fmt.Errorf("making the server's certificate: %w", err)
	}
	if err := writePublic(l.authority(), authority); err != nil {
		return nil, fmt.Errorf("writing the authority's certificate: %w", err)
	}
	if err := writePublic(l.certificate(), certificate); err != nil {
		return nil, fmt.Errorf("writing the server's certificate: %w", err)
	}
	if err := writePrivate(l.serverKey(), key, owner); err != nil {
		return nil, fmt.Errorf("writing the server's key: %w", err)
	}
	return authority, nil
}

func newCertificates(now time.Time) (authority, certificate, key []byte, err error) {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	authorityTemplate, err := template("lakeland sandbox authority", now)
	if err != nil {
		return nil, nil, nil, err
	}
	authorityTemplate.IsCA = true
	authorityTemplate.BasicConstraintsValid = true
	authorityTemplate.KeyUsage = x509.KeyUsageCertSign
	authorityDER, err := x509.CreateCertificate(rand.Reader, authorityTemplate, authorityTemplate, authorityKey.Public(), authorityKey)
	if err != nil {
		return nil, nil, nil, err
	}

	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	serverTemplate, err := template("localhost", now)
	if err != nil {
		return nil, nil, nil, err
	}
	serverTemplate.DNSNames = []string{"localhost"}
	serverTemplate.IPAddresses = []net.IP{net.ParseIP(host)}
	serverTemplate.KeyUsage = x509.KeyUsageDigitalSignature
	serverTemplate.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	serverDER, err := x509.CreateCertificate(rand.Reader, serverTemplate, authorityTemplate, serverKey.Public(), authorityKey)
	if err != nil {
		return nil, nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		return nil, nil, nil, err
	}
	return encode("CERTIFICATE", authorityDER), encode("CERTIFICATE", serverDER), encode("PRIVATE KEY", keyDER), nil
}

func template(name string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(certificateLife),
	}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
