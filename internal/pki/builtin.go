// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net/url"
	"time"
)

// BuiltIn is an [Issuer] over a [CA] in this process. It is safe for concurrent use.
type BuiltIn struct {
	ca CA
}

var _ Issuer = BuiltIn{}

// NewBuiltIn returns an issuer that signs with ca.
func NewBuiltIn(ca CA) BuiltIn { return BuiltIn{ca} }

// Bundle returns the authority's certificate.
func (b BuiltIn) Bundle() []byte { return b.ca.CertificatePEM() }

// Authority implements Issuer.
func (b BuiltIn) Authority() *x509.Certificate { return b.ca.certificate }

// Issue signs a client certificate: client authentication only, one URI name, and a subject
// that says "unit" or "organizer" and nothing about anyone.
func (b BuiltIn) Issue(ctx context.Context, request ClientRequest) (Issued, error) {
	if err := request.Identity.Validate(); err != nil {
		return Issued{}, err
	}
	name := segmentUnit
	if request.Identity.Organizer() {
		name = segmentOrganizer
	}
	return b.sign(ctx, request.PublicKey, &x509.Certificate{
		SerialNumber: request.Serial,
		Subject:      pkix.Name{CommonName: name},
		URIs:         []*url.URL{request.Identity.URI()},
		NotBefore:    request.NotBefore,
		NotAfter:     request.NotAfter,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// IssueServer signs a server certificate: server authentication only, names in the subject
// alternative names and none in the subject.
func (b BuiltIn) IssueServer(ctx context.Context, request ServerRequest) (Issued, error) {
	if len(request.DNSNames)+len(request.IPs) == 0 {
		return Issued{}, ErrNoName
	}
	return b.sign(ctx, request.PublicKey, &x509.Certificate{
		SerialNumber: request.Serial,
		DNSNames:     request.DNSNames,
		IPAddresses:  request.IPs,
		NotBefore:    request.NotBefore,
		NotAfter:     request.NotAfter,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// documentSigning is id-kp-documentSigning (RFC 9336).
var documentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// IssueSigner signs a certificate for signing documents and for nothing else.
func (b BuiltIn) IssueSigner(ctx context.Context, request SignerRequest) (Issued, error) {
	return b.sign(ctx, request.PublicKey, &x509.Certificate{
		SerialNumber:       request.Serial,
		Subject:            pkix.Name{CommonName: SignerName},
		NotBefore:          request.NotBefore,
		NotAfter:           request.NotAfter,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{documentSigning},
	})
}

func (b BuiltIn) sign(ctx context.Context, key crypto.PublicKey, template *x509.Certificate) (Issued, error) {
	if err := ctx.Err(); err != nil {
		return Issued{}, err
	}
	if b.ca.IsZero() {
		return Issued{}, ErrCA
	}
	public, err := checkPublicKey(key)
	if err != nil {
		return Issued{}, err
	}
	if err := checkSerial(template.SerialNumber); err != nil {
		return Issued{}, err
	}
	template.NotBefore = template.NotBefore.UTC().Truncate(time.Second)
	template.NotAfter = template.NotAfter.UTC().Truncate(time.Second)
	if !template.NotAfter.After(template.NotBefore) || template.NotAfter.After(b.ca.certificate.NotAfter) {
		return Issued{}, ErrValidity
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, b.ca.certificate, public, b.ca.key)
	if err != nil {
		return Issued{}, fmt.Errorf("sign a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return Issued{}, fmt.Errorf("read back a certificate: %w", err)
	}
	return Issued{
		Certificate: certificate,
		DER:         der,
		PEM:         pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der}),
		Fingerprint: FingerprintOf(certificate),
	}, nil
}
