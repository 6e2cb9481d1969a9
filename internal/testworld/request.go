// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"

	"github.com/valtuus/valtuus/internal/pki"
)

// CertificateRequest makes the certificate request, in PEM, of a unit that keeps its own key.
func CertificateRequest(key pki.Key) (string, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}
