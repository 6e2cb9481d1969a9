// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"sync"
	"time"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

// maxTraced is how many chains a verifier remembers, some kilobytes each.
const maxTraced = 4096

// Verifier verifies signatures. It remembers the chains that led to an anchor, so that of a card that signs
// often only the signature itself is left to check. Safe for concurrent use; the zero value is ready.
type Verifier struct {
	mu      sync.Mutex
	anchors *x509.CertPool
	chains  map[[sha256.Size]byte]traced
}

// traced is a chain that leads to an anchor at any time from..until.
type traced struct {
	leaf        *x509.Certificate
	thumbprint  pki.Fingerprint
	way         []*x509.Certificate
	from, until time.Time
}

func (t *traced) valid(at time.Time) bool { return !at.Before(t.from) && !at.After(t.until) }

// trace gives the certificate of the card, if it leads to an anchor at both times and is the one that the
// header names.
func (v *Verifier) trace(h header, opts Options) (*x509.Certificate, error) {
	found, err := v.at(h.signedAt, h.x5c, opts.Anchors)
	if err != nil {
		return nil, err
	}
	if found.thumbprint != h.thumbprint {
		return nil, refuse(ChainRefused, "x5t#S256 is not of the first certificate in x5c")
	}
	now, err := v.at(opts.At, h.x5c, opts.Anchors)
	if err != nil {
		return nil, err
	}
	// A card may be revoked at any time: this is asked anew although the way is remembered.
	if err := opts.Revocations.Check(now.way, opts.At); err != nil {
		return nil, refuse(CardRevoked, err.Error())
	}
	return found.leaf, nil
}

// at traces a chain as of a time. One that was remembered may have other ways, so it is traced again where the
// remembered way does not hold.
func (v *Verifier) at(at time.Time, x5c []string, anchors *x509.CertPool) (traced, error) {
	key := chainKey(x5c)
	if found, ok := v.remembered(key, anchors); ok && found.valid(at) {
		return found, nil
	}
	found, err := lead(x5c, anchors, at)
	if err == nil {
		v.remember(key, anchors, found)
	}
	return found, err
}

// lead checks a chain as of a time, and finds between which times the same way holds.
func lead(x5c []string, anchors *x509.CertPool, at time.Time) (traced, error) {
	chain, err := card.Parse(x5c)
	if err != nil {
		return traced{}, refuse(ChainRefused, err.Error())
	}
	leaf := chain[0]
	if err := card.CheckHolder(leaf); err != nil {
		return traced{}, refuse(ChainRefused, err.Error())
	}
	if err := checkUse(leaf); err != nil {
		return traced{}, err
	}
	way, err := card.Trace(chain, anchors, at, x509.ExtKeyUsageAny)
	switch {
	case card.Expired(err):
		return traced{}, refuse(CardNotValid, "the card is not valid at iat, or not at the time of judgement")
	case err != nil:
		return traced{}, refuse(ChainRefused, "certificate does not lead to a trust anchor")
	}
	found := traced{leaf: leaf, thumbprint: pki.FingerprintOf(leaf), way: way, from: leaf.NotBefore, until: leaf.NotAfter}
	for _, cert := range way {
		if cert.NotBefore.After(found.from) {
			found.from = cert.NotBefore
		}
		if cert.NotAfter.Before(found.until) {
			found.until = cert.NotAfter
		}
	}
	return found, nil
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

// chainKey tells chains apart by all their certificates: the same card with other issuers is another chain.
func chainKey(x5c []string) (key [sha256.Size]byte) {
	sum := sha256.New()
	for _, text := range x5c {
		sum.Write([]byte(text))
		sum.Write([]byte{0}) // in no text that could be remembered
	}
	sum.Sum(key[:0])
	return key
}

func (v *Verifier) remembered(key [sha256.Size]byte, anchors *x509.CertPool) (traced, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.anchors != anchors {
		return traced{}, false
	}
	found, ok := v.chains[key]
	return found, ok
}

// remember keeps a chain as long as the anchors stay. Where there is no room it makes some by forgetting any
// other: that one is only to be traced again.
func (v *Verifier) remember(key [sha256.Size]byte, anchors *x509.CertPool, found traced) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.anchors != anchors {
		v.anchors, v.chains = anchors, nil
	}
	if v.chains == nil {
		v.chains = map[[sha256.Size]byte]traced{}
	}
	for other := range v.chains {
		if len(v.chains) < maxTraced {
			break
		}
		delete(v.chains, other)
	}
	v.chains[key] = found
}
