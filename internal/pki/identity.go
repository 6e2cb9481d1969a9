// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/valtuus/valtuus/internal/oid"
)

// ErrIdentity means that a URI or a certificate does not name a client of an archive in the
// one form that is accepted.
var ErrIdentity = errors.New("not an identity of an archive client")

const (
	segmentRegistry  = "registry"
	segmentUnit      = "unit"
	segmentOrganizer = "organizer"

	// maxTrustDomain is the SPIFFE-ID standard's limit (section 2.3), in bytes.
	maxTrustDomain = 255
)

// Identity names the holder of a client certificate: one producer unit towards one registry,
// or the system of the organizer that keeps the registry. Identities are comparable.
type Identity struct {
	// TrustDomain is the SPIFFE trust domain of the archive, such as "archive.example".
	TrustDomain string
	// Registry is the OID of the client registry.
	Registry string
	// Unit is the OID of the producer unit, empty for the organizer's own system.
	Unit string
}

// Organizer reports whether the identity is that of the organizer's own system.
func (i Identity) Organizer() bool { return i.Unit == "" }

// Validate returns [ErrIdentity] unless the trust domain and the OIDs are well formed.
func (i Identity) Validate() error {
	if len(i.TrustDomain) > maxTrustDomain || strings.Contains(i.TrustDomain, ":") {
		return ErrIdentity
	}
	if _, err := spiffeid.TrustDomainFromString(i.TrustDomain); err != nil {
		return ErrIdentity
	}
	if !oid.Valid(i.Registry) || (i.Unit != "" && !oid.Valid(i.Unit)) {
		return ErrIdentity
	}
	return nil
}

// URI returns spiffe://<trust domain>/registry/<OID>/unit/<OID> or
// spiffe://<trust domain>/registry/<OID>/organizer. It does not validate.
func (i Identity) URI() *url.URL {
	path := "/" + segmentRegistry + "/" + i.Registry + "/" + segmentOrganizer
	if i.Unit != "" {
		path = "/" + segmentRegistry + "/" + i.Registry + "/" + segmentUnit + "/" + i.Unit
	}
	return &url.URL{Scheme: "spiffe", Host: i.TrustDomain, Path: path}
}

// String returns the text of [Identity.URI].
func (i Identity) String() string { return i.URI().String() }

// ParseIdentity reads a URI of exactly the form that [Identity.URI] gives. Any other, a URI
// with a port, a query or an escape among them, is [ErrIdentity].
func ParseIdentity(uri *url.URL) (Identity, error) {
	if uri == nil {
		return Identity{}, ErrIdentity
	}
	id, err := spiffeid.FromURI(uri)
	if err != nil {
		return Identity{}, ErrIdentity
	}
	identity := Identity{TrustDomain: id.TrustDomain().Name()}
	segments := strings.Split(strings.TrimPrefix(id.Path(), "/"), "/")
	switch {
	case len(segments) == 3 && segments[0] == segmentRegistry && segments[2] == segmentOrganizer:
		identity.Registry = segments[1]
	case len(segments) == 4 && segments[0] == segmentRegistry && segments[2] == segmentUnit:
		identity.Registry, identity.Unit = segments[1], segments[3]
	default:
		return Identity{}, ErrIdentity
	}
	if err := identity.Validate(); err != nil {
		return Identity{}, err
	}
	return identity, nil
}

// IdentityOf reads the identity of a client certificate, which must be an end-entity
// certificate with exactly one URI name. It does not verify the certificate.
func IdentityOf(cert *x509.Certificate) (Identity, error) {
	// More than one URI is refused as in the X509-SVID standard, section 2: which of two
	// names counts must never depend on who reads the certificate.
	if cert == nil || cert.IsCA || len(cert.URIs) != 1 {
		return Identity{}, ErrIdentity
	}
	return ParseIdentity(cert.URIs[0])
}
