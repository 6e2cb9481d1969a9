// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

func rsaSigner(key *rsa.PrivateKey, pss bool) func([]byte) []byte {
	return func(input []byte) []byte {
		digest := sha256.Sum256(input)
		if pss {
			return must(rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]))
	}
}

// hierarchy is a root, an intermediate authority and the means to make cards under it.
type hierarchy struct {
	rootKey, middleKey, key pki.Key
	root, middle            *x509.Certificate
	opts                    assertion.Options
}

func newHierarchy() hierarchy {
	h := hierarchy{rootKey: must(pki.NewKey()), middleKey: must(pki.NewKey()), key: must(pki.NewKey()), opts: newFixture().opts}
	h.root = certificate(caTemplate("root"), nil, h.rootKey.Public(), h.rootKey)
	h.middle = certificate(caTemplate("middle"), h.root, h.middleKey.Public(), h.rootKey)
	h.opts.Anchors = x509.NewCertPool()
	h.opts.Anchors.AddCert(h.root)
	return h
}

func (h hierarchy) leaf(change func(*x509.Certificate)) *x509.Certificate {
	template := leafTemplate()
	if change != nil {
		change(template)
	}
	return certificate(template, h.middle, h.key.Public(), h.middleKey)
}

func (h hierarchy) token(chain ...*x509.Certificate) string {
	claims := goodClaims().With(fields{"jti": assertion.NewTokenID()})
	return raw(goodHeader(chain...), claims, ecdsaSigner(h.key))
}

func TestChainAccepted(t *testing.T) {
	h := newHierarchy()
	plain := h.leaf(nil)
	for name, chain := range map[string][]*x509.Certificate{
		"with intermediate": {plain, h.middle},
		"root sent as well": {plain, h.middle, h.root},
		"four":              {plain, h.middle, h.root, h.root},
		"no extended use":   {h.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), h.middle},
		"any extended use":  {h.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), h.middle},
		"mail as well":      {h.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) }), h.middle},
		"more than one use": {h.leaf(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }), h.middle},
		"valid from now on": {h.leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now, now.Add(time.Second) }), h.middle},
	} {
		t.Run(name, func(t *testing.T) { expectAccepted(t, h.token(chain...), h.opts) })
	}
}

func TestChainRefused(t *testing.T) {
	h := newHierarchy()
	plain := h.leaf(nil)
	alien := newHierarchy()
	foreign := must(testcard.New(now, time.Hour))
	foreignCard := must(foreign.Issue(registration, now.Add(-time.Minute), now.Add(time.Minute)))
	selfSigned := certificate(leafTemplate(), nil, h.key.Public(), h.key)
	underLeaf := certificate(leafTemplate(), plain, h.key.Public(), h.key)
	oldMiddle := certificate(func() *x509.Certificate {
		c := caTemplate("middle")
		c.NotBefore, c.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Hour)
		return c
	}(), h.root, h.middleKey.Public(), h.rootKey)
	for name, chain := range map[string][]*x509.Certificate{
		"nothing":               {},
		"no intermediate":       {plain},
		"leaf not first":        {h.middle, plain},
		"five":                  {plain, h.middle, h.root, h.root, h.root},
		"foreign authority":     {certificate(leafTemplate(), alien.middle, h.key.Public(), alien.middleKey), alien.middle, alien.root},
		"foreign card":          foreignCard.Chain,
		"self-signed":           {selfSigned},
		"signed by a leaf":      {underLeaf, plain, h.middle},
		"expired intermediate":  {plain, oldMiddle},
		"expired card":          {h.leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(-time.Second) }), h.middle},
		"future card":           {h.leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(time.Second), now.Add(time.Hour) }), h.middle},
		"no digital signature":  {h.leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }), h.middle},
		"no key usage":          {h.leaf(func(c *x509.Certificate) { c.KeyUsage = 0 }), h.middle},
		"server authentication": {h.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), h.middle},
		"an authority":          {h.leaf(func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage |= x509.KeyUsageCertSign }), h.middle},
	} {
		t.Run(name, func(t *testing.T) { expectProblem(t, h.token(chain...), h.opts, assertion.ChainRefused) })
	}
	t.Run("no x5c", func(t *testing.T) {
		header := goodHeader().With(fields{"x5c": nil})
		expectProblem(t, raw(header, goodClaims(), ecdsaSigner(h.key)), h.opts, assertion.ChainRefused)
	})
	t.Run("no anchor at all", func(t *testing.T) {
		opts := h.opts
		opts.Anchors = x509.NewCertPool()
		expectProblem(t, h.token(plain, h.middle), opts, assertion.ChainRefused)
	})
}

func TestAnchorsFromPEM(t *testing.T) {
	f := newFixture()
	f.opts.Anchors = x509.NewCertPool()
	if !f.opts.Anchors.AppendCertsFromPEM(f.authority.AnchorsPEM()) {
		t.Fatal("no anchor")
	}
	expectAccepted(t, raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key)), f.opts)
}

// Even with one authority for both, a unit's machine does not speak for a person.
func TestClientCertificateIsNoCard(t *testing.T) {
	f := newFixture()
	ca := must(pki.NewCA("both", now, time.Hour))
	key := must(pki.NewKey())
	issued := must(pki.NewBuiltIn(ca).Issue(context.Background(), pki.ClientRequest{
		Identity:  pki.Identity{TrustDomain: "archive.example", Registry: "1.2.246.1", Unit: "1.2.246.2"},
		PublicKey: key.Public(), Serial: pki.NewSerial(), NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Minute),
	}))
	f.opts.Anchors = x509.NewCertPool()
	f.opts.Anchors.AddCert(ca.Certificate())
	f.opts.ClientCertificate = issued.Fingerprint
	claims := goodClaims().With(fields{"cnf": fields{"x5t#S256": issued.Fingerprint.String()}})
	expectProblem(t, raw(goodHeader(issued.Certificate), claims, ecdsaSigner(key)), f.opts, assertion.ChainRefused)
}

func TestOtherKeys(t *testing.T) {
	h := newHierarchy()
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	card := func(public crypto.PublicKey) []*x509.Certificate {
		return []*x509.Certificate{certificate(leafTemplate(), h.middle, public, h.middleKey), h.middle}
	}
	rsaCard, p384Card, p521Card := card(rsaKey().Public()), card(p384.Public()), card(p521.Public())
	token := func(alg string, chain []*x509.Certificate, sign func([]byte) []byte) string {
		claims := goodClaims().With(fields{"jti": assertion.NewTokenID()})
		return raw(goodHeader(chain...).With(fields{"alg": alg}), claims, sign)
	}
	expectAccepted(t, token("RS256", rsaCard, rsaSigner(rsaKey(), false)), h.opts)
	expectAccepted(t, token("PS256", rsaCard, rsaSigner(rsaKey(), true)), h.opts)
	expectAccepted(t, token("ES384", p384Card, ecdsaSigner(p384)), h.opts)
	expectProblem(t, token("RS256", rsaCard, rsaSigner(rsaKey(), true)), h.opts, assertion.SignatureInvalid)
	expectProblem(t, token("ES256", rsaCard, ecdsaSigner(h.key)), h.opts, assertion.AlgorithmRefused)
	expectProblem(t, token("ES256", p384Card, ecdsaSigner(p384)), h.opts, assertion.AlgorithmRefused)
	ed25519Key, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed25519Card := card(ed25519Key)
	expectProblem(t, token("ES256", ed25519Card, ecdsaSigner(h.key)), h.opts, assertion.AlgorithmRefused)
	expectProblem(t, token("ES256", p521Card, ecdsaSigner(h.key)), h.opts, assertion.AlgorithmRefused)
}

func TestWeakRSARefused(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip(err)
	}
	h := newHierarchy()
	leaf := certificate(leafTemplate(), h.middle, weak.Public(), h.middleKey)
	token := raw(goodHeader(leaf, h.middle).With(fields{"alg": "RS256"}), goodClaims(), rsaSigner(weak, false))
	expectProblem(t, token, h.opts, assertion.ChainRefused)
}

func TestHugeRSARefused(t *testing.T) {
	h := newHierarchy()
	n := new(big.Int).SetBit(big.NewInt(1), 8191, 1)
	leaf := certificate(leafTemplate(), h.middle, &rsa.PublicKey{N: n, E: 65537}, h.middleKey)
	header := goodHeader(leaf, h.middle).With(fields{"alg": "RS256"})
	expectProblem(t, raw(header, goodClaims(), func([]byte) []byte { return make([]byte, 1024) }), h.opts, assertion.ChainRefused)
}

func TestRevokedCardRefused(t *testing.T) {
	f := newFixture()
	token := raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key))
	f.opts.Revocations = must(card.ParseRevocations(must(f.authority.Revoke(now, now.Add(time.Hour), f.card))))
	expectProblem(t, token, f.opts, assertion.ChainRefused)
	f.opts.Revocations = must(card.ParseRevocations(must(f.authority.Revoke(now, now.Add(time.Hour)))))
	expectAccepted(t, token, f.opts)
}
