// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

// ClockSkew is how far iat may lie in the future.
const ClockSkew = 30 * time.Second

// ErrOptions means that [Options] are incomplete. It is the archive's fault, not the caller's.
var ErrOptions = errors.New("options for document signatures are incomplete")

// Options are what a signature is verified against. Every field but Revocations is required.
type Options struct {
	// Anchors are the authorities of professionals' cards.
	Anchors *x509.CertPool
	// Revocations are the cards that have been revoked; nil knows of none. One that was revoked after At was
	// good then.
	Revocations *card.Revocations
	// At is the time of judgement, at which the signature is known to exist: now for one that comes in, the
	// time when the archive stored it for one that is verified later. The card must be valid then and at iat,
	// so that nobody signs with an expired card by telling an earlier time.
	At time.Time
}

// complete guards against the zero values that crypto/x509 reads as "the system's authorities" and "the
// system's clock".
func (o Options) complete() bool { return o.Anchors != nil && !o.At.IsZero() }

// Signature is who signed, and when, as proved by a verified signature.
type Signature struct {
	// Signer is the serialNumber in the card's subject; empty where the card has none.
	Signer string
	// CardThumbprint is the fingerprint of the card's certificate.
	CardThumbprint pki.Fingerprint
	// SignedAt is when it was signed, by the signer's word, in UTC.
	SignedAt time.Time
}

// Verify checks that the signature was made over the body and its media type with a card that leads to an
// anchor. Refusals are *[Error]; incomplete options are [ErrOptions].
func (v *Verifier) Verify(jws string, body []byte, contentType string, opts Options) (Signature, error) {
	if !opts.complete() {
		return Signature{}, ErrOptions
	}
	p, err := parse(jws)
	if err != nil {
		return Signature{}, err
	}
	switch {
	case p.reference.contentType != contentType:
		return Signature{}, refuse(OtherContentType, "ctys names another media type")
	case p.reference.digest != digestOf(body):
		return Signature{}, refuse(OtherBytes, "hashV is not the digest of these bytes")
	case p.signedAt.After(opts.At.Add(ClockSkew)):
		return Signature{}, refuse(SignedInFuture, "iat is in the future")
	}
	leaf, err := v.trace(p.header, opts)
	if err != nil {
		return Signature{}, err
	}
	if !card.Fits(p.algorithm, leaf) {
		return Signature{}, refuse(AlgorithmRefused, "alg does not fit the key of the certificate")
	}
	if !signed(p, leaf.PublicKey) {
		return Signature{}, refuse(SignatureInvalid, "signature is not of the card's key")
	}
	return Signature{Signer: leaf.Subject.SerialNumber, CardThumbprint: p.thumbprint, SignedAt: p.signedAt}, nil
}

// signed tells whether the signature value is of the key, by an algorithm that fits it (RFC 7518, 3.3 to 3.5).
func signed(p parsed, key crypto.PublicKey) bool {
	digest := sha256.Sum256([]byte(p.input))
	switch p.algorithm {
	case jose.ES256:
		return signedECDSA(key, digest[:], p.value)
	case jose.ES384:
		digest := sha512.Sum384([]byte(p.input))
		return signedECDSA(key, digest[:], p.value)
	case jose.PS256:
		public, ok := key.(*rsa.PublicKey)
		pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return ok && rsa.VerifyPSS(public, crypto.SHA256, digest[:], p.value, pss) == nil
	case jose.RS256:
		public, ok := key.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], p.value) == nil
	default:
		return false
	}
}

func signedECDSA(key crypto.PublicKey, digest, value []byte) bool {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return false
	}
	size := (public.Curve.Params().BitSize + 7) / 8
	if len(value) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(value[:size]), new(big.Int).SetBytes(value[size:])
	return ecdsa.Verify(public, digest, r, s)
}
