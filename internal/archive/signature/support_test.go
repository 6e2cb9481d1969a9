// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	registration = "00012345678"
	contentType  = "application/json"
)

var (
	now  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	body = []byte(`{"heading":"A visit","text":"All is well."}`)
)

// rsaKey is made once: it is slow.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

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

// fields are the parts of a raw header; a nil value removes the field.
type fields map[string]any

func (f fields) with(changes fields) fields {
	out := maps.Clone(f)
	for name, value := range changes {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

func goodReference() fields {
	digest := sha256.Sum256([]byte(base64.RawURLEncoding.EncodeToString(body)))
	return fields{
		"mId": "http://uri.etsi.org/19182/ObjectIdByURIHash", "pars": []string{""}, "hashM": "S256",
		"hashV": []string{base64.RawURLEncoding.EncodeToString(digest[:])}, "ctys": []string{contentType},
	}
}

func goodHeader(chain ...*x509.Certificate) fields {
	x5c := make([]string, len(chain))
	for i, cert := range chain {
		x5c[i] = base64.StdEncoding.EncodeToString(cert.Raw)
	}
	return fields{
		"alg": "ES256", "x5c": x5c, "x5t#S256": pki.FingerprintOf(chain[0]).String(), "iat": now.Unix(),
		"sigD": goodReference(), "crit": []string{"sigD"},
	}
}

// raw builds a signature without any code of the package under test.
func raw(header any, sign func(input []byte) []byte) string {
	text, ok := header.(string)
	if !ok {
		text = string(must(json.Marshal(header)))
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(text)) + "."
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func ecdsaSigner(key crypto.Signer) func([]byte) []byte {
	return func(input []byte) []byte {
		size := (key.Public().(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
		var der []byte
		if size == 48 {
			digest := sha512.Sum384(input)
			der = must(key.Sign(rand.Reader, digest[:], crypto.SHA384))
		} else {
			digest := sha256.Sum256(input)
			der = must(key.Sign(rand.Reader, digest[:], crypto.SHA256))
		}
		var point struct{ R, S *big.Int }
		must(asn1.Unmarshal(der, &point))
		out := make([]byte, 2*size)
		point.R.FillBytes(out[:size])
		point.S.FillBytes(out[size:])
		return out
	}
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

// certificate signs a template with the parent's key; a nil parent makes it self-signed.
func certificate(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	template.SerialNumber = pki.NewSerial()
	template.BasicConstraintsValid = true
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	}
	if parent == nil {
		parent = template
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, parent, public, signer))))
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
