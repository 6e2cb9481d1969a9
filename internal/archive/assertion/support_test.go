// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion_test

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

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	registryURN  = "urn:oid:1.2.246.10.12345678.19.1"
	registration = "00012345678"
	tokenID      = "0123456789abcdef"
)

var (
	now    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	client = pki.Fingerprint{1, 2, 3}
)

// rsaKey is made once: it is slow.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// fixture is an authority with a card and the options of a request at the time now.
type fixture struct {
	authority testcard.Authority
	card      testcard.Card
	opts      assertion.Options
}

func newFixture() fixture {
	authority := must(testcard.New(now, 365*24*time.Hour))
	return fixture{
		authority: authority,
		card:      must(authority.Issue(registration, now.Add(-time.Hour), now.Add(time.Hour))),
		opts: assertion.Options{
			Anchors: authority.Anchors(), Now: now, Audience: registryURN, ClientCertificate: client,
			Replay: assertion.NewReplayCache(100),
		},
	}
}

// fields are the parts of a raw token; a nil value removes the field.
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

func goodHeader(chain ...*x509.Certificate) fields {
	x5c := make([]string, len(chain))
	for i, cert := range chain {
		x5c[i] = base64.StdEncoding.EncodeToString(cert.Raw)
	}
	return fields{"alg": "ES256", "typ": assertion.TokenType, "x5c": x5c}
}

func goodClaims() fields {
	return fields{
		"sub": registration, "role": "socialWorker", "aud": registryURN, "jti": tokenID,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		"cnf": fields{"x5t#S256": client.String()},
	}
}

// raw builds a token without any of the checks of the package under test.
func raw(header, claims any, sign func(input []byte) []byte) string {
	encode := func(v any) string {
		if text, ok := v.(string); ok {
			return base64.RawURLEncoding.EncodeToString([]byte(text))
		}
		return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v)))
	}
	input := encode(header) + "." + encode(claims)
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

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: "card"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageCertSign, IsCA: true,
	}
}

func expectProblem(t *testing.T, token string, opts assertion.Options, want assertion.Problem) {
	t.Helper()
	professional, err := assertion.Verify(token, opts)
	if got, ok := assertion.ProblemOf(err); !ok || got != want {
		t.Errorf("%v, want %s", err, want)
	}
	if professional != (assertion.Professional{}) {
		t.Error("a professional came with the refusal")
	}
}

func expectAccepted(t *testing.T, token string, opts assertion.Options) assertion.Professional {
	t.Helper()
	professional, err := assertion.Verify(token, opts)
	if err != nil {
		t.Error(err)
	}
	return professional
}
