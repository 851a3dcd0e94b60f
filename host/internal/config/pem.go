package config

import (
	"crypto/x509"
	"encoding/pem"
)

// hasCertificate says whether PEM text holds at least one certificate, and
// nothing in it that claims to be one and is not.
func hasCertificate(b []byte) bool {
	found := false
	for {
		var p *pem.Block
		p, b = pem.Decode(b)
		if p == nil {
			return found
		}
		if p.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(p.Bytes); err != nil {
			return false
		}
		found = true
	}
}
