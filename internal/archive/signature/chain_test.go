// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"sync"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestChainAccepted(t *testing.T) {
	h := newHierarchy()
	for name, leaf := range map[string]*x509.Certificate{
		"to log in with": h.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
		"to sign with":   h.leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }),
		"to sign documents with": h.leaf(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 36}}
		}),
		"valid from now on": h.leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now, now.Add(time.Second) }),
	} {
		t.Run(name, func(t *testing.T) {
			expectAccepted(t, raw(goodHeader(leaf, h.middle), ecdsaSigner(h.key)), h.opts)
		})
	}
}

func TestChainRefused(t *testing.T) {
	h, alien := newHierarchy(), newHierarchy()
	plain := h.leaf(nil)
	change := func(with func(*x509.Certificate)) []*x509.Certificate {
		return []*x509.Certificate{h.leaf(with), h.middle}
	}
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		want  signature.Problem
	}{
		"no intermediate":   {[]*x509.Certificate{plain}, signature.ChainRefused},
		"leaf not first":    {[]*x509.Certificate{h.middle, plain}, signature.ChainRefused},
		"five":              {[]*x509.Certificate{plain, h.middle, h.root, h.root, h.root}, signature.ChainRefused},
		"foreign authority": {[]*x509.Certificate{alien.leafOf(h.key.Public(), nil), alien.middle, alien.root}, signature.ChainRefused},
		"self-signed": {[]*x509.Certificate{certificate(&x509.Certificate{
			Subject: pkix.Name{CommonName: "x"}, KeyUsage: x509.KeyUsageDigitalSignature}, nil, h.key.Public(), h.key)}, signature.ChainRefused},
		"expired card": {change(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(-time.Second) }), signature.CardNotValid},
		"future card":  {change(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(time.Second), now.Add(time.Hour) }), signature.CardNotValid},
		"no key usage": {change(func(c *x509.Certificate) { c.KeyUsage = 0 }), signature.ChainRefused},
		"for keys":     {change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), signature.ChainRefused},
		"for servers":  {change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), signature.ChainRefused},
		"for something unknown": {change(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}}
		}), signature.ChainRefused},
		"an authority": {change(func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage |= x509.KeyUsageCertSign }), signature.ChainRefused},
	} {
		t.Run(name, func(t *testing.T) {
			expectProblem(t, raw(goodHeader(c.chain...), ecdsaSigner(h.key)), h.opts, c.want)
		})
	}
	t.Run("no anchor at all", func(t *testing.T) {
		expectProblem(t, raw(goodHeader(plain, h.middle), ecdsaSigner(h.key)), signature.Options{Anchors: x509.NewCertPool(), At: now}, signature.ChainRefused)
	})
}

// Even with one authority for both, a unit's machine does not sign for a person.
func TestClientCertificateIsNoCard(t *testing.T) {
	ca := must(pki.NewCA("both", now, time.Hour))
	key := must(pki.NewKey())
	issued := must(pki.NewBuiltIn(ca).Issue(context.Background(), pki.ClientRequest{
		Identity:  pki.Identity{TrustDomain: "archive.example", Registry: "1.2.246.1", Unit: "1.2.246.2"},
		PublicKey: key.Public(), Serial: pki.NewSerial(), NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Minute),
	}))
	anchors := x509.NewCertPool()
	anchors.AddCert(ca.Certificate())
	expectProblem(t, raw(goodHeader(issued.Certificate), ecdsaSigner(key)), signature.Options{Anchors: anchors, At: now}, signature.ChainRefused)
}

// TestTheCardMustBeValidAtBothTimes holds that nobody signs with an expired card by telling an earlier time, and that a
// signature outlives its card for who knows when the archive stored it.
func TestTheCardMustBeValidAtBothTimes(t *testing.T) {
	h := newHierarchy()
	leaf := h.leaf(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Minute), now.Add(time.Minute) })
	jws := raw(goodHeader(leaf, h.middle), ecdsaSigner(h.key))
	v := new(signature.Verifier) // one, so that the remembered chain is held to it as well
	for range 2 {
		for after, want := range map[time.Duration]signature.Problem{
			-29 * time.Second: "", 0: "", time.Minute: "",
			time.Minute + time.Second: signature.CardNotValid, 20 * time.Minute: signature.CardNotValid, 2 * time.Hour: signature.CardNotValid,
		} {
			_, err := v.Verify(jws, body, contentType, signature.Options{Anchors: h.opts.Anchors, At: now.Add(after)})
			refusal, refused := signature.RefusalOf(err)
			if refused != (want != "") || refused && refusal.Problem != want {
				t.Errorf("%s later: %v, want %q", after, err, want)
			}
		}
	}
}

// TestRememberedChains holds that what is remembered lets in nothing that is refused without it.
func TestRememberedChains(t *testing.T) {
	h, alien := newHierarchy(), newHierarchy()
	leaf := h.leaf(nil)
	good := raw(goodHeader(leaf, h.middle), ecdsaSigner(h.key))
	v := new(signature.Verifier)
	check := func(name, jws string, anchors *x509.CertPool, want signature.Problem) {
		t.Helper()
		_, err := v.Verify(jws, body, contentType, signature.Options{Anchors: anchors, At: now})
		if refusal, refused := signature.RefusalOf(err); refused != (want != "") || refused && refusal.Problem != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	check("first", good, h.opts.Anchors, "")
	check("remembered", good, h.opts.Anchors, "")
	check("other anchors", good, alien.opts.Anchors, signature.ChainRefused)
	check("anchors again", good, h.opts.Anchors, "")
	check("forged value", good[:len(good)-10]+"AAAAAAAAAA", h.opts.Anchors, signature.SignatureInvalid)
	check("shorter chain", raw(goodHeader(leaf), ecdsaSigner(h.key)), h.opts.Anchors, signature.ChainRefused)
	check("other thumbprint", raw(goodHeader(leaf, h.middle).With(fields{"x5t#S256": pki.FingerprintOf(h.middle).String()}), ecdsaSigner(h.key)),
		h.opts.Anchors, signature.ChainRefused)
}

func TestConcurrentVerification(t *testing.T) {
	h, alien := newHierarchy(), newHierarchy()
	good := raw(goodHeader(h.leaf(nil), h.middle), ecdsaSigner(h.key))
	v := new(signature.Verifier)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			anchors, accept := h.opts.Anchors, true
			if i%2 == 1 {
				anchors, accept = alien.opts.Anchors, false
			}
			for range 50 {
				if _, err := v.Verify(good, body, contentType, signature.Options{Anchors: anchors, At: now}); (err == nil) != accept {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// TestARevokedCard holds that a card is refused from its revocation on, remembered or not, and that what it signed
// before stays good for who knows when the archive stored it.
func TestARevokedCard(t *testing.T) {
	f := newFixture()
	jws := must(signature.Sign(body, contentType, f.card.Key, f.card.Chain, now))
	text := must(f.authority.Revoke(now.Add(time.Minute), now.Add(time.Hour), f.card))
	v := new(signature.Verifier)
	check := func(name string, lists []byte, after time.Duration, want signature.Problem) {
		t.Helper()
		opts := signature.Options{Anchors: f.opts.Anchors, At: now.Add(after)}
		if lists != nil {
			opts.Revocations = must(card.ParseRevocations(lists))
		}
		_, err := v.Verify(jws, body, contentType, opts)
		if refusal, refused := signature.RefusalOf(err); refused != (want != "") || refused && refusal.Problem != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	check("without lists", nil, 2*time.Minute, "")
	check("before", text, 0, "")
	check("after", text, 2*time.Minute, signature.CardRevoked)
	check("another card's", must(f.authority.Revoke(now, now.Add(time.Hour))), 2*time.Minute, "")
	check("list past its grace", must(f.authority.Revoke(now.Add(-50*time.Hour), now.Add(-25*time.Hour))), 0, signature.CardRevoked)
}
