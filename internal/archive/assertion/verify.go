// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

// ErrOptions means that [Options] are incomplete. It is the archive's fault, not the caller's.
var ErrOptions = errors.New("options for professional assertions are incomplete")

// Options are what an assertion is verified against. Every field but Revocations and Ways is required.
type Options struct {
	// Anchors are the authorities of professionals' cards.
	Anchors *x509.CertPool
	// Revocations are the cards that have been revoked; nil knows of none.
	Revocations *card.Revocations
	// Ways remembers the chains that led to an anchor, see NewWays; nil remembers none.
	Ways *card.Ways
	// Now is the archive's clock at the request.
	Now time.Time
	// Audience is the URN or URL of the registry.
	Audience string
	// ClientCertificate is the fingerprint of the connection's client certificate.
	ClientCertificate pki.Fingerprint
	// Replay remembers used assertions.
	Replay ReplayGuard
}

// complete guards against the zero values that crypto/x509 reads as "the system's authorities"
// and "the system's clock".
func (o Options) complete() bool {
	return o.Anchors != nil && !o.Now.IsZero() && o.Audience != "" && !o.ClientCertificate.IsZero() && o.Replay != nil
}

// Professional is who acts, as proved by a verified assertion.
type Professional struct {
	// ID is the sub claim. It is the card holder's own word, except where the card carries a
	// serialNumber: then both are equal. CardThumbprint is proved in any case; log both.
	ID string
	// Role is the role claim: the card holder's own word.
	Role string
	// CardThumbprint is the fingerprint of the card's certificate.
	CardThumbprint pki.Fingerprint
	// TokenID is the jti claim.
	TokenID string
	// ExpiresAt is the exp claim, UTC. Reload a replay guard with it after a restart.
	ExpiresAt time.Time
}

// Verify checks an assertion in full and returns who acts. It claims the token with
// opts.Replay last, so that a token that is refused for another reason is not used up.
// Refusals are *[Error] with a [Problem]; incomplete options are [ErrOptions].
func Verify(token string, opts Options) (Professional, error) {
	if !opts.complete() {
		return Professional{}, ErrOptions
	}
	if token == "" {
		return Professional{}, refuse(Missing, "the request has no assertion")
	}
	if len(token) > MaxTokenSize {
		return Professional{}, refuse(Malformed, "longer than 16 KiB")
	}
	head, err := parseHeader(token)
	if err != nil {
		return Professional{}, err
	}
	way, err := verifyChain(head.chain, opts)
	if err != nil {
		return Professional{}, err
	}
	leaf, thumbprint := way.Leaf, way.Thumbprint
	payload, err := verifySignature(token, head.algorithm, leaf)
	if err != nil {
		return Professional{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return Professional{}, err
	}
	if err := c.judge(opts); err != nil {
		return Professional{}, err
	}
	if number := leaf.Subject.SerialNumber; number != "" && number != c.subject {
		return Professional{}, refuse(SubjectRefused, "sub is not the serialNumber on the card")
	}
	if !opts.Replay.Claim(ReplayKey(thumbprint, c.tokenID), c.expires, opts.Now) {
		return Professional{}, refuse(Replayed, "jti has been used before, or the guard against replay is full")
	}
	return Professional{
		ID: c.subject, Role: c.role, CardThumbprint: thumbprint, TokenID: c.tokenID, ExpiresAt: c.expires,
	}, nil
}

func verifySignature(token string, algorithm jose.SignatureAlgorithm, leaf *x509.Certificate) ([]byte, error) {
	if !card.Fits(algorithm, leaf) {
		return nil, refuse(AlgorithmRefused, "alg does not fit the key of the certificate")
	}
	// The list narrows to the one algorithm that was checked against the key.
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		return nil, refuse(Malformed, "not a compact JWS") // not wrapped: go-jose quotes the token
	}
	payload, err := parsed.Verify(leaf.PublicKey)
	if err != nil {
		return nil, refuse(SignatureInvalid, "signature is not of the card's key")
	}
	return payload, nil
}
