// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/pki"
)

// Professional makes assertions of who acts. [Card] is one; a client system whose cards are behind a signing
// service of its own implements it. It is called for each attempt of each request.
type Professional interface {
	Assert(ctx context.Context, binding Binding) (string, error)
}

// Binding is what an assertion is good for: one registry, over connections with one client certificate.
type Binding struct {
	// Audience is the claim aud.
	Audience string
	// Thumbprint is that of the client certificate, for the claim cnf (x5t#S256).
	Thumbprint [sha256.Size]byte
}

// Card is a professional's card, with what the client system says of its holder.
type Card struct {
	// ID is the professional's identifier; the serialNumber of the card where it has one. Never an identity code.
	ID string
	// Role is the professional's role in the client system.
	Role string
	// Key signs. It may be a card behind PKCS #11.
	Key crypto.Signer
	// Chain is the card's certificate and the intermediate ones, leaf first.
	Chain []*x509.Certificate
	// Clock tells the time, the real one when left out.
	Clock func() time.Time
}

// assertionLife is how long an assertion is good for. It serves one request.
const assertionLife = time.Minute

// Assert makes an assertion for one request.
func (c Card) Assert(_ context.Context, binding Binding) (string, error) {
	now := time.Now
	if c.Clock != nil {
		now = c.Clock
	}
	at := now()
	return assertion.Sign(assertion.Claims{
		Subject: c.ID, Role: c.Role, Audience: binding.Audience, IssuedAt: at, ExpiresAt: at.Add(assertionLife),
		TokenID: assertion.NewTokenID(), ClientCertificate: pki.Fingerprint(binding.Thumbprint),
	}, c.Key, c.Chain)
}

// ReadCard reads a card whose key is in a file, such as a test card: a certificate chain, leaf first, and a P-256
// key in PKCS #8, both PEM.
func ReadCard(id, role string, chain, key []byte) (Card, error) {
	card := Card{ID: id, Role: role}
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return Card{}, fmt.Errorf("the card's certificate: %w", err)
		}
		card.Chain = append(card.Chain, certificate)
	}
	if len(card.Chain) == 0 {
		return Card{}, errors.New("the card has no certificate in PEM")
	}
	private, err := pki.ParseKeyPEM(key)
	if err != nil {
		return Card{}, fmt.Errorf("the card's key: %w", err)
	}
	card.Key = private
	return card, nil
}
