// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

// ErrSigner means that the key is of no accepted kind, or not that of the first certificate.
var ErrSigner = errors.New("key does not sign professional assertions or is not that of the certificate")

// Claims are what a client system puts into an assertion. [Sign] does not judge them: that is
// the archive's part.
type Claims struct {
	// Subject is the professional's identifier; the serialNumber on the card where there is one.
	Subject string
	// Role is the professional's role in the client system.
	Role string
	// Audience is the URN or URL of the registry.
	Audience string
	// IssuedAt and ExpiresAt are cut to seconds; at most [MaxLifetime] apart.
	IssuedAt, ExpiresAt time.Time
	// TokenID must not repeat: see [NewTokenID].
	TokenID string
	// ClientCertificate is the fingerprint of the certificate that the connection is made with.
	ClientCertificate pki.Fingerprint
}

// NewTokenID returns a random jti of 26 characters.
func NewTokenID() string { return rand.Text() }

// Sign makes an assertion. The key may be a card behind PKCS #11; chain is its certificate and
// the intermediate ones, leaf first. The algorithm follows from the key: ES256, ES384 or RS256.
// Errors are [ErrSigner] and those of the key.
func Sign(c Claims, key crypto.Signer, chain []*x509.Certificate) (string, error) {
	if key == nil || len(chain) == 0 || len(chain) > MaxChain {
		return "", ErrSigner
	}
	algorithm, ok := card.AlgorithmOf(key, chain[0])
	if !ok {
		return "", ErrSigner
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: cryptosigner.Opaque(key)},
		(&jose.SignerOptions{}).WithType(TokenType).WithHeader("x5c", card.Encode(chain)),
	)
	if err != nil {
		return "", fmt.Errorf("prepare to sign a professional assertion: %w", err)
	}
	payload, err := json.Marshal(map[string]any{
		"sub": c.Subject, "role": c.Role, "aud": c.Audience, "jti": c.TokenID,
		"iat": c.IssuedAt.Unix(), "exp": c.ExpiresAt.Unix(),
		"cnf": map[string]string{confirmation: c.ClientCertificate.String()},
	})
	if err != nil {
		return "", fmt.Errorf("encode a professional assertion: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign a professional assertion: %w", err)
	}
	return signed.CompactSerialize()
}
