// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

// ErrSigner means that the key is of no accepted kind, or not that of the first certificate.
var ErrSigner = errors.New("key does not sign documents or is not that of the certificate")

// Sign makes a signature over the body and its media type, as of a time, which is cut to seconds. The key may
// be a card behind PKCS #11; chain is its certificate and the intermediate ones, leaf first. The algorithm
// follows from the key: ES256, ES384 or RS256. Errors are [ErrSigner] and those of the key.
func Sign(body []byte, contentType string, key crypto.Signer, chain []*x509.Certificate, at time.Time) (string, error) {
	if key == nil || len(chain) == 0 || len(chain) > card.MaxChain {
		return "", ErrSigner
	}
	algorithm, ok := card.AlgorithmOf(key, chain[0])
	if !ok {
		return "", ErrSigner
	}
	digest := digestOf(body)
	options := (&jose.SignerOptions{}).WithType(joseType).WithCritical(critical).
		WithHeader("x5c", card.Encode(chain)).
		WithHeader(thumbprint, pki.FingerprintOf(chain[0]).String()).
		WithHeader("iat", at.Unix()).
		WithHeader(critical, wireReference{
			Mechanism: mechanism, URIs: []string{""}, HashMethod: hashMethod,
			Hashes: []string{base64.RawURLEncoding.EncodeToString(digest[:])}, ContentTypes: []string{contentType},
		})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: cryptosigner.Opaque(key)}, options)
	if err != nil {
		return "", fmt.Errorf("prepare to sign a document: %w", err)
	}
	signed, err := signer.Sign(nil)
	if err != nil {
		return "", fmt.Errorf("sign a document: %w", err)
	}
	return signed.DetachedCompactSerialize()
}
