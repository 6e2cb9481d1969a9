// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"time"
)

// MaxSignature is the longest signature in bytes.
const MaxSignature = 16 << 10

// Signature is a professional's signature over the bytes of a representation, verified by the caller.
type Signature struct {
	// JWS is kept verbatim.
	JWS string
	// Signer is the id of the professional, as the card says it; empty where the card has none.
	Signer string
	// Card is the SHA-256 fingerprint of the card's certificate.
	Card [sha256.Size]byte
	// SignedAt is when it was signed, by the signer's word.
	SignedAt time.Time
}

// SignatureFacts are what is known of a signature besides its text.
type SignatureFacts struct {
	Signer   string
	Card     [sha256.Size]byte
	SignedAt time.Time
	// Digest is SHA-256 of the JWS.
	Digest [sha256.Size]byte
}

// SignedVersion is a version with the signature over one of its representations, verbatim.
type SignedVersion struct {
	Facts
	// ContentType tells which representation was signed.
	ContentType string
	JWS         string
}

// Verify gives ErrCorrupt unless the signature matches its digest. It does not verify what was signed.
func (s *SignedVersion) Verify() error {
	r, ok := s.Representation(s.ContentType)
	if !ok || r.Signature == nil || sha256.Sum256([]byte(s.JWS)) != r.Signature.Digest {
		return ErrCorrupt
	}
	return nil
}

func (s *Signature) facts() *SignatureFacts {
	if s == nil {
		return nil
	}
	return &SignatureFacts{Signer: s.Signer, Card: s.Card, SignedAt: Instant(s.SignedAt), Digest: sha256.Sum256([]byte(s.JWS))}
}

func (s *Signature) validate() error {
	switch {
	case s == nil:
		return nil
	case s.JWS == "":
		return &InvalidError{"Signature.JWS", "is missing"}
	case len(s.JWS) > MaxSignature:
		return &InvalidError{"Signature.JWS", "is longer than 16 KiB"}
	}
	return firstError(
		checkText("Signature.JWS", s.JWS),
		checkCode("Signature.Signer", s.Signer, true),
		checkTime("Signature.SignedAt", s.SignedAt),
	)
}
