// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
)

// ErrFingerprint means that a text is not a fingerprint.
var ErrFingerprint = errors.New("not a certificate fingerprint")

// Fingerprint is the SHA-256 over a certificate's DER: x5t#S256 of RFC 8705. It is public and
// usable as a map key.
type Fingerprint [sha256.Size]byte

// strictBase64 refuses the texts that differ only in unused trailing bits, so that one
// fingerprint has one text.
var strictBase64 = base64.RawURLEncoding.Strict()

// FingerprintOf returns the fingerprint of a certificate; the zero fingerprint for nil.
func FingerprintOf(cert *x509.Certificate) Fingerprint {
	if cert == nil {
		return Fingerprint{}
	}
	return sha256.Sum256(cert.Raw)
}

// ParseFingerprint reads what [Fingerprint.String] gives. The error is [ErrFingerprint].
func ParseFingerprint(s string) (Fingerprint, error) {
	var f Fingerprint
	if len(s) != strictBase64.EncodedLen(len(f)) {
		return Fingerprint{}, ErrFingerprint
	}
	// The length is checked again because the decoder skips line breaks.
	if n, err := strictBase64.Decode(f[:], []byte(s)); err != nil || n != len(f) {
		return Fingerprint{}, ErrFingerprint
	}
	return f, nil
}

// String returns 43 characters of base64url without padding.
func (f Fingerprint) String() string { return strictBase64.EncodeToString(f[:]) }

// IsZero reports whether f is the fingerprint of nothing.
func (f Fingerprint) IsZero() bool { return f == Fingerprint{} }

// MarshalText returns the text of [Fingerprint.String].
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what [Fingerprint.MarshalText] gives. The error is [ErrFingerprint].
func (f *Fingerprint) UnmarshalText(text []byte) error {
	parsed, err := ParseFingerprint(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}
