// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/pki"
)

func signClaims() assertion.Claims {
	return assertion.Claims{
		Subject: registration, Role: "socialWorker", Audience: registryURN, TokenID: assertion.NewTokenID(),
		IssuedAt: now, ExpiresAt: now.Add(time.Minute), ClientCertificate: client,
	}
}

func TestSignedIsVerified(t *testing.T) {
	h := newHierarchy()
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for name, key := range map[string]crypto.Signer{"P-256": h.key, "P-384": p384, "RSA": rsaKey()} {
		leaf := certificate(leafTemplate(), h.middle, key.Public(), h.middleKey)
		token, err := assertion.Sign(signClaims(), key, []*x509.Certificate{leaf, h.middle})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := expectAccepted(t, token, h.opts); got.CardThumbprint != pki.FingerprintOf(leaf) {
			t.Errorf("%s: another card", name)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	f := newFixture()
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	p521Leaf := certificate(leafTemplate(), nil, p521.Public(), p521)
	leaf := f.card.Chain[0]
	for name, c := range map[string]struct {
		key   crypto.Signer
		chain []*x509.Certificate
	}{
		"no key":        {nil, f.card.Chain},
		"zero key":      {pki.Key{}, f.card.Chain},
		"no chain":      {f.card.Key, nil},
		"long chain":    {f.card.Key, []*x509.Certificate{leaf, leaf, leaf, leaf, leaf}},
		"another's key": {must(pki.NewKey()), f.card.Chain},
		"RSA key":       {rsaKey(), f.card.Chain},
		"P-521":         {p521, []*x509.Certificate{p521Leaf}},
	} {
		if token, err := assertion.Sign(signClaims(), c.key, c.chain); !errors.Is(err, assertion.ErrSigner) || token != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	f := newFixture()
	for b.Loop() {
		if _, err := assertion.Sign(signClaims(), f.card.Key, f.card.Chain); err != nil {
			b.Fatal(err)
		}
	}
}
