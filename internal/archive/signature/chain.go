// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/archive/card"
)

// Verifier verifies signatures. It remembers the chains that led to an anchor. Safe for concurrent use; the zero
// value is ready.
type Verifier struct{ ways card.Ways }

// trace gives the certificate of the card, if it leads to an anchor at both times and is the one that the
// header names.
func (v *Verifier) trace(h header, opts Options) (*x509.Certificate, error) {
	found, err := v.at(h.signedAt, h.x5c, opts.Anchors)
	if err != nil {
		return nil, err
	}
	if found.Thumbprint != h.thumbprint {
		return nil, refuse(ChainRefused, "x5t#S256 is not of the first certificate in x5c")
	}
	now, err := v.at(opts.At, h.x5c, opts.Anchors)
	if err != nil {
		return nil, err
	}
	if err := opts.Revocations.Check(now.Certificates, opts.At); err != nil {
		return nil, refuse(CardRevoked, err.Error())
	}
	return found.Leaf, nil
}

// at traces a chain as of a time.
func (v *Verifier) at(at time.Time, x5c []string, anchors *x509.CertPool) (card.Way, error) {
	found, err := v.ways.Trace(x5c, anchors, at)
	switch {
	case card.Expired(err):
		return card.Way{}, refuse(CardNotValid, "the card is not valid at iat, or not at the time of judgement")
	case errors.Is(err, card.ErrUntrusted):
		return card.Way{}, refuse(ChainRefused, "certificate does not lead to a trust anchor")
	case err != nil:
		return card.Way{}, refuse(ChainRefused, err.Error())
	}
	return found, checkUse(found.Leaf)
}

// documentSigning is id-kp-documentSigning (RFC 9336).
var documentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// checkUse refuses a certificate that is not for a person's signatures. A card often has two: one to log in
// with, for digital signatures, and one to sign documents with, for what cannot be repudiated.
func checkUse(leaf *x509.Certificate) error {
	if leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return refuse(ChainRefused, "certificate is not for signatures")
	}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 {
		return nil
	}
	for _, use := range leaf.ExtKeyUsage {
		switch use {
		case x509.ExtKeyUsageAny, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection:
			return nil
		}
	}
	if slices.ContainsFunc(leaf.UnknownExtKeyUsage, documentSigning.Equal) {
		return nil
	}
	return refuse(ChainRefused, "certificate is not for a person's signatures")
}
