// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/valtuus/valtuus/internal/pki"
)

func csr(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "ignored"}, DNSNames: []string{"ignored.example"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return request(der)
}

func request(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func TestParseCSR(t *testing.T) {
	key := newKey(t)
	public, err := pki.ParseCSR(csr(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if !key.Public().(*ecdsa.PublicKey).Equal(public) {
		t.Error("another key came back")
	}
}

func TestParseCSRRefuses(t *testing.T) {
	key := newKey(t)
	good := csr(t, key)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(good)
	forged := bytes.Clone(block.Bytes)
	forged[len(forged)-1] ^= 1
	withHeader := pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE REQUEST", Bytes: block.Bytes, Headers: map[string]string{"A": "b"},
	})
	for name, c := range map[string]struct {
		text []byte
		want error
	}{
		"empty":           {nil, pki.ErrCSRFormat},
		"no PEM":          {[]byte("hello"), pki.ErrCSRFormat},
		"DER":             {block.Bytes, pki.ErrCSRFormat},
		"rubbish in PEM":  {request([]byte("hello")), pki.ErrCSRFormat},
		"private key":     {key.PEM(), pki.ErrCSRFormat},
		"key and request": {append(key.PEM(), good...), pki.ErrCSRFormat},
		"request and key": {append(bytes.Clone(good), key.PEM()...), pki.ErrCSRFormat},
		"two requests":    {append(bytes.Clone(good), good...), pki.ErrCSRFormat},
		"broken block":    {append([]byte("-----BEGIN CERTIFICATE REQUEST-----\n"), good...), pki.ErrCSRFormat},
		"PEM headers":     {withHeader, pki.ErrCSRFormat},
		"forged":          {request(forged), pki.ErrCSRSignature},
		"another's key":   {request(swapKey(t, block.Bytes, key, newKey(t))), pki.ErrCSRSignature},
		"P-384":           {csr(t, p384), pki.ErrKeyType},
		"RSA":             {csr(t, rsaKey), pki.ErrKeyType},
		"over the size":   {append(bytes.Clone(good), bytes.Repeat([]byte("\n"), pki.MaxCSRSize)...), pki.ErrCSRSize},
	} {
		if public, err := pki.ParseCSR(c.text); !errors.Is(err, c.want) || public != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// swapKey puts another public key into a signed request.
func swapKey(t *testing.T, der []byte, old, other crypto.Signer) []byte {
	t.Helper()
	point := func(key crypto.Signer) []byte {
		public, err := key.Public().(*ecdsa.PublicKey).ECDH()
		if err != nil {
			t.Fatal(err)
		}
		return public.Bytes()
	}
	return bytes.Replace(der, point(old), point(other), 1)
}

func FuzzParseCSR(f *testing.F) {
	good := csr(f, newKey(f))
	f.Add(good)
	f.Add(append(good, good...))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----"))
	f.Fuzz(func(t *testing.T, text []byte) {
		public, err := pki.ParseCSR(text)
		if (err == nil) != (public != nil) {
			t.Fatal("a key and an error, or neither")
		}
		if err != nil {
			return
		}
		if key, ok := public.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
			t.Fatalf("key %T", public)
		}
	})
}
