// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// ErrCA means that a certificate and a key do not make a certificate authority.
var ErrCA = errors.New("not a certificate authority")

// caBackdate keeps a new CA valid for peers whose clock is behind, and older than the first
// leaf, which is backdated as well.
const caBackdate = time.Hour

// CA is a certificate authority: one self-signed certificate and its key. It shows neither
// when formatted or logged. The zero value is no authority.
type CA struct {
	certificate *x509.Certificate
	key         Key
}

// NewCA makes an authority that is valid from one hour before now until now + lifetime.
// It signs leaves only (path length zero).
func NewCA(commonName string, now time.Time, lifetime time.Duration) (CA, error) {
	if lifetime <= 0 {
		return CA{}, ErrValidity
	}
	key, err := NewKey()
	if err != nil {
		return CA{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          NewSerial(),
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-caBackdate).UTC(),
		NotAfter:              now.Add(lifetime).UTC(),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return CA{}, fmt.Errorf("sign the CA certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return CA{}, fmt.Errorf("read back the CA certificate: %w", err)
	}
	return CA{certificate, key}, nil
}

// LoadCA reads an authority from one certificate and its PKCS#8 key, both PEM. Errors are
// [ErrCA] and [ErrKey]. It does not look at the validity: [Issuer] does, at each certificate.
func LoadCA(certPEM, keyPEM []byte) (CA, error) {
	der, ok := singleBlock(certPEM, blockCertificate)
	if !ok {
		return CA{}, ErrCA
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return CA{}, ErrCA
	}
	key, err := ParseKeyPEM(keyPEM)
	if err != nil {
		return CA{}, err
	}
	public, err := checkPublicKey(certificate.PublicKey)
	if err != nil || !public.Equal(key.Public()) {
		return CA{}, ErrCA
	}
	if !certificate.BasicConstraintsValid || !certificate.IsCA || certificate.KeyUsage&x509.KeyUsageCertSign == 0 {
		return CA{}, ErrCA
	}
	return CA{certificate, key}, nil
}

// IsZero reports whether c is no authority.
func (c CA) IsZero() bool { return c.certificate == nil || c.key.IsZero() }

// Certificate returns the authority's certificate, which is public; nil for the zero value.
func (c CA) Certificate() *x509.Certificate { return c.certificate }

// CertificatePEM returns the authority's certificate; nil for the zero value.
func (c CA) CertificatePEM() []byte {
	if c.certificate == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: c.certificate.Raw})
}

// KeyPEM returns the authority's private key in PKCS#8, for its Secret; nil for the zero value.
func (c CA) KeyPEM() []byte { return c.key.PEM() }
