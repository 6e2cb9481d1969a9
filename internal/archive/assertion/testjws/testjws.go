// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package testjws makes signatures and certificates for tests, in order or not, without the code that is tested.
package testjws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"sync"
	"time"

	"github.com/valtuus/valtuus/internal/pki"
)

// Now is when the tests are; certificates hold an hour before and after it unless they say otherwise.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// RSAKey is made once: it is slow.
var RSAKey = sync.OnceValue(func() *rsa.PrivateKey { return Must(rsa.GenerateKey(rand.Reader, 2048)) })

// Must gives a value that there has to be.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Fields are the parts of a raw header or claims; a nil value removes the field.
type Fields map[string]any

// With gives them changed.
func (f Fields) With(changes Fields) Fields {
	out := maps.Clone(f)
	for name, value := range changes {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// X5C gives a chain as a header holds it.
func X5C(chain ...*x509.Certificate) []string {
	x5c := make([]string, len(chain))
	for i, cert := range chain {
		x5c[i] = base64.StdEncoding.EncodeToString(cert.Raw)
	}
	return x5c
}

// Encode gives a part as it stands in a token: text as it is, else JSON.
func Encode(part any) string {
	if text, ok := part.(string); ok {
		return base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	return base64.RawURLEncoding.EncodeToString(Must(json.Marshal(part)))
}

// Raw gives the parts, header and payload as they are encoded, with the signature over them.
func Raw(header, payload string, sign func(input []byte) []byte) string {
	input := header + "." + payload
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

// ECDSASigner signs as ES256, or as ES384 with a key of that curve.
func ECDSASigner(key crypto.Signer) func([]byte) []byte {
	return func(input []byte) []byte {
		size := (key.Public().(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
		var der []byte
		if size == 48 {
			digest := sha512.Sum384(input)
			der = Must(key.Sign(rand.Reader, digest[:], crypto.SHA384))
		} else {
			digest := sha256.Sum256(input)
			der = Must(key.Sign(rand.Reader, digest[:], crypto.SHA256))
		}
		var point struct{ R, S *big.Int }
		Must(asn1.Unmarshal(der, &point))
		out := make([]byte, 2*size)
		point.R.FillBytes(out[:size])
		point.S.FillBytes(out[size:])
		return out
	}
}

// Certificate signs a template with the parent's key; a nil parent makes it self-signed.
func Certificate(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	template.SerialNumber = pki.NewSerial()
	template.BasicConstraintsValid = true
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = Now.Add(-time.Hour), Now.Add(time.Hour)
	}
	if parent == nil {
		parent = template
	}
	return Must(x509.ParseCertificate(Must(x509.CreateCertificate(rand.Reader, template, parent, public, signer))))
}
