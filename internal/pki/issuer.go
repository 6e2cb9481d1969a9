// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"time"
)

var (
	// ErrSerial means a serial number that is missing, not positive or longer than 20 octets.
	ErrSerial = errors.New("serial number must be positive and at most 20 octets")
	// ErrValidity means a validity that ends before it begins, or after the issuer's own.
	ErrValidity = errors.New("validity is empty or ends after the issuer's own")
	// ErrNoName means a server certificate for no name and no address.
	ErrNoName = errors.New("server certificate needs a DNS name or an IP address")
)

// Issuer signs certificates. The built-in one is [NewBuiltIn]; others may put cert-manager or
// OpenBao behind the same methods.
type Issuer interface {
	// Issue signs a client certificate. Errors are [ErrIdentity], [ErrKeyType], [ErrSerial],
	// [ErrValidity], or those of the back-end.
	Issue(ctx context.Context, request ClientRequest) (Issued, error)
	// IssueServer signs a server certificate. Errors are those of Issue, and [ErrNoName].
	IssueServer(ctx context.Context, request ServerRequest) (Issued, error)
	// IssueSigner signs the certificate of a key that signs documents. Errors are those of Issue but ErrIdentity.
	IssueSigner(ctx context.Context, request SignerRequest) (Issued, error)
	// Bundle returns the certificates to trust, PEM.
	Bundle() []byte
	// Authority returns the certificate of the authority that signs.
	Authority() *x509.Certificate
}

// ClientRequest asks for a client certificate for mutual TLS.
type ClientRequest struct {
	// Identity becomes the only name in the certificate.
	Identity Identity
	// PublicKey is an *ecdsa.PublicKey on P-256.
	PublicKey crypto.PublicKey
	// Serial is chosen and recorded by the caller before it asks, so that a crash between
	// signing and recording leaves no unknown certificate.
	Serial *big.Int
	// NotBefore is backdated by the caller for peers whose clock is behind.
	NotBefore time.Time
	// NotAfter must not be after the issuer's own. Both times are cut to seconds.
	NotAfter time.Time
}

// SignerName is the subject of a certificate for signing documents.
const SignerName = "report"

// SignerRequest asks for a certificate for signing documents. It opens nothing: it names nobody and is for no connection.
type SignerRequest struct {
	// PublicKey, Serial, NotBefore and NotAfter are as in [ClientRequest].
	PublicKey crypto.PublicKey
	Serial    *big.Int
	NotBefore time.Time
	NotAfter  time.Time
}

// ServerRequest asks for a server certificate for the archive.
type ServerRequest struct {
	// DNSNames and IPs are the subject alternative names; one of any kind is needed.
	DNSNames []string
	IPs      []net.IP
	// PublicKey is an *ecdsa.PublicKey on P-256.
	PublicKey crypto.PublicKey
	// Serial, NotBefore and NotAfter are as in [ClientRequest].
	Serial    *big.Int
	NotBefore time.Time
	NotAfter  time.Time
}

// Issued is a signed certificate. Everything in it is public.
type Issued struct {
	Certificate *x509.Certificate
	// DER is the leaf certificate.
	DER []byte
	// PEM is the leaf certificate, followed by intermediate ones where the issuer has any.
	PEM []byte
	// Fingerprint is that of the leaf.
	Fingerprint Fingerprint
}
