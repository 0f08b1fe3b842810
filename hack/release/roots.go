package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsFile is where Go programs on Linux look for certificate authorities.
const rootsFile = "etc/ssl/certs/ca-certificates.crt"

// rootCertificates are the authorities that Mozilla trusts, as Go's own module has them: on an empty base there are no
// others. Those with a constraint are left out, for a file can't say it.
func rootCertificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return out.Bytes()
}
