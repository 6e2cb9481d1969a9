// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/assertion/testjws"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	registration = "00012345678"
	contentType  = "application/json"
)

var (
	now  = testjws.Now
	body = []byte(`{"heading":"A visit","text":"All is well."}`)
)

type fields = testjws.Fields

var (
	rsaKey      = testjws.RSAKey
	ecdsaSigner = testjws.ECDSASigner
	certificate = testjws.Certificate
)

func must[T any](v T, err error) T { return testjws.Must(v, err) }

// fixture is an authority with a card and the options of a judgement at the time now.
type fixture struct {
	authority testcard.Authority
	card      testcard.Card
	opts      signature.Options
}

func newFixture() fixture {
	authority := must(testcard.New(now, 365*24*time.Hour))
	return fixture{
		authority: authority,
		card:      must(authority.Issue(registration, now.Add(-time.Hour), now.Add(time.Hour))),
		opts:      signature.Options{Anchors: authority.Anchors(), At: now},
	}
}

func goodReference() fields {
	digest := sha256.Sum256([]byte(base64.RawURLEncoding.EncodeToString(body)))
	return fields{
		"mId": "http://uri.etsi.org/19182/ObjectIdByURIHash", "pars": []string{""}, "hashM": "S256",
		"hashV": []string{base64.RawURLEncoding.EncodeToString(digest[:])}, "ctys": []string{contentType},
	}
}

func goodHeader(chain ...*x509.Certificate) fields {
	return fields{
		"alg": "ES256", "x5c": testjws.X5C(chain...), "x5t#S256": pki.FingerprintOf(chain[0]).String(), "iat": now.Unix(),
		"sigD": goodReference(), "crit": []string{"sigD"},
	}
}

// raw builds a signature without any code of the package under test.
func raw(header any, sign func(input []byte) []byte) string {
	return testjws.Raw(testjws.Encode(header), "", sign)
}

func rsaSigner(key *rsa.PrivateKey, salt int) func([]byte) []byte {
	return func(input []byte) []byte {
		digest := sha256.Sum256(input)
		if salt != 0 {
			return must(rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt}))
		}
		return must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]))
	}
}

// hierarchy is a root, an intermediate authority and the means to make cards under it.
type hierarchy struct {
	rootKey, middleKey, key pki.Key
	root, middle            *x509.Certificate
	opts                    signature.Options
}

func newHierarchy() hierarchy {
	h := hierarchy{rootKey: must(pki.NewKey()), middleKey: must(pki.NewKey()), key: must(pki.NewKey())}
	authority := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageCertSign, IsCA: true}
	}
	h.root = certificate(authority("root"), nil, h.rootKey.Public(), h.rootKey)
	h.middle = certificate(authority("middle"), h.root, h.middleKey.Public(), h.rootKey)
	h.opts = signature.Options{Anchors: x509.NewCertPool(), At: now}
	h.opts.Anchors.AddCert(h.root)
	return h
}

func (h hierarchy) leaf(change func(*x509.Certificate)) *x509.Certificate {
	return h.leafOf(h.key.Public(), change)
}

func (h hierarchy) leafOf(public crypto.PublicKey, change func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "card", SerialNumber: registration}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(template)
	}
	return certificate(template, h.middle, public, h.middleKey)
}

// verify judges with a verifier that remembers nothing yet.
func verify(jws string, opts signature.Options) (signature.Signature, error) {
	return new(signature.Verifier).Verify(jws, body, contentType, opts)
}

func expectProblem(t *testing.T, jws string, opts signature.Options, want signature.Problem) {
	t.Helper()
	got, err := verify(jws, opts)
	if refusal, ok := signature.RefusalOf(err); !ok || refusal.Problem != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got != (signature.Signature{}) {
		t.Error("a signature came with the refusal")
	}
}

func expectAccepted(t *testing.T, jws string, opts signature.Options) {
	t.Helper()
	if _, err := verify(jws, opts); err != nil {
		t.Error(err)
	}
}
