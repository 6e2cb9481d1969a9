// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	joseType = "valtuus-deployment-test-report+jws"
	// keyLife is how long the certificate of a report's key is valid: the key signs once and is forgotten. A report is
	// judged as of the time when it was signed.
	keyLife = time.Hour
	// backdate keeps the certificate valid where a clock is behind.
	backdate = 5 * time.Minute
)

// Signed is a signed report.
type Signed struct {
	// JWS is the compact form.
	JWS string
	// Digest is the SHA-256 of the JWS in base64url without padding.
	Digest string
}

// Sign signs a report with a key that is made for it, under the authority. The document says when.
func Sign(ctx context.Context, d Document, authority pki.Issuer) (Signed, error) {
	key, err := pki.NewKey()
	if err != nil {
		return Signed{}, err
	}
	at := d.Times.SignedAt.Time
	issued, err := authority.IssueSigner(ctx, pki.SignerRequest{
		PublicKey: key.Public(), Serial: pki.NewSerial(), NotBefore: at.Add(-backdate), NotAfter: at.Add(keyLife),
	})
	if err != nil {
		return Signed{}, fmt.Errorf("certify the key of a report: %w", err)
	}
	payload, err := d.encode()
	if err != nil {
		return Signed{}, err
	}
	options := (&jose.SignerOptions{}).WithType(joseType).WithHeader("x5c", card.Encode([]*x509.Certificate{issued.Certificate}))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(key)}, options)
	if err != nil {
		return Signed{}, fmt.Errorf("prepare to sign a report: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return Signed{}, fmt.Errorf("sign a report: %w", err)
	}
	text, err := signed.CompactSerialize()
	return Signed{JWS: text, Digest: DigestOf(text)}, err
}

// DigestOf gives the digest of a signed report.
func DigestOf(jws string) string {
	sum := sha256.Sum256([]byte(jws))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
