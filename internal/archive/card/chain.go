// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package card

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/pki"
)

// MaxChain is the largest number of certificates in x5c.
const MaxChain = 4

// RSA key sizes in bits. Below, the key is weak; above, checking is work for an attacker to order.
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// Errors of a chain.
var (
	ErrLength      = errors.New("x5c must hold one to four certificates")
	ErrBase64      = errors.New("x5c holds text that is not base64")
	ErrCertificate = errors.New("x5c holds something that is no certificate")
	ErrKeySize     = errors.New("x5c holds an RSA key below 2048 or above 4096 bits")
	ErrAuthority   = errors.New("certificate is that of an authority")
	ErrMachine     = errors.New("certificate is a client certificate of an archive, not a card")
	ErrUntrusted   = errors.New("certificate is not valid now or does not lead to a trust anchor")
)

// Parse reads the certificates of x5c, the card's first. It judges nothing but their form.
func Parse(x5c []string) ([]*x509.Certificate, error) {
	if len(x5c) == 0 || len(x5c) > MaxChain {
		return nil, ErrLength
	}
	chain := make([]*x509.Certificate, 0, len(x5c))
	for _, text := range x5c {
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, ErrBase64
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, ErrCertificate
		}
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && (key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits) {
			return nil, ErrKeySize
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// Encode makes x5c of a chain.
func Encode(chain []*x509.Certificate) []string {
	x5c := make([]string, len(chain))
	for i, cert := range chain {
		x5c[i] = base64.StdEncoding.EncodeToString(cert.Raw)
	}
	return x5c
}

// CheckHolder refuses a certificate that is no person's. It holds even where someone configures one authority
// for both: the key of a unit's machine must never speak for a person.
func CheckHolder(leaf *x509.Certificate) error {
	if leaf.IsCA {
		return ErrAuthority
	}
	if _, err := pki.IdentityOf(leaf); err == nil {
		return ErrMachine
	}
	return nil
}

// Trace leads a chain to an anchor as of a time, and gives the way, the card's certificate first and the
// anchor last. Where the card or its issuers limit the extended use, one of the uses must be in it. Whether
// one has been revoked is for Revocations to tell. Its error is ErrUntrusted, which wraps what crypto/x509 says.
func Trace(chain []*x509.Certificate, anchors *x509.CertPool, at time.Time, uses ...x509.ExtKeyUsage) ([]*x509.Certificate, error) {
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	ways, err := chain[0].Verify(x509.VerifyOptions{
		Roots: anchors, Intermediates: intermediates, CurrentTime: at, KeyUsages: uses,
	})
	if err != nil {
		return nil, &untrusted{err}
	}
	return ways[0], nil
}

// Expired tells whether Trace failed only because the time is outside a certificate's validity.
func Expired(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// untrusted hides the text of its cause, which quotes the certificate.
type untrusted struct{ cause error }

func (e *untrusted) Error() string   { return ErrUntrusted.Error() }
func (e *untrusted) Unwrap() []error { return []error{ErrUntrusted, e.cause} }
