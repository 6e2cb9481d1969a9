// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/pki"
)

func TestKeyPEM(t *testing.T) {
	key := newKey(t)
	back, err := pki.ParseKeyPEM(key.PEM())
	if err != nil {
		t.Fatal(err)
	}
	if !key.Public().(*ecdsa.PublicKey).Equal(back.Public()) || !bytes.Equal(key.PEM(), back.PEM()) {
		t.Error("another key came back")
	}
}

func TestParseKeyPEMRefuses(t *testing.T) {
	good := newKey(t).PEM()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return block("PRIVATE KEY", der)
	}
	for name, text := range map[string][]byte{
		"empty":      nil,
		"no PEM":     []byte("secret"),
		"P-384":      pkcs8(p384),
		"RSA":        pkcs8(rsaKey),
		"other type": newCA(t).CertificatePEM(),
		"no key":     block("PRIVATE KEY", []byte("secret")),
		"two keys":   append(bytes.Clone(good), good...),
		"text after": append(bytes.Clone(good), "secret"...),
		"text first": append([]byte("secret\n"), good...),
	} {
		key, err := pki.ParseKeyPEM(text)
		if !errors.Is(err, pki.ErrKey) || !key.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error holds the input", name)
		}
	}
}

func TestZeroKey(t *testing.T) {
	var key pki.Key
	if key.Public() != nil || key.PEM() != nil || !key.IsZero() {
		t.Error("the zero value is a key")
	}
	if _, err := key.Sign(rand.Reader, make([]byte, 32), nil); !errors.Is(err, pki.ErrKey) {
		t.Errorf("signs: %v", err)
	}
}

func TestNothingPrintsAKey(t *testing.T) {
	ca := newCA(t)
	key, err := pki.ParseKeyPEM(ca.KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	needles := secretForms(t, key)
	type holder struct {
		Key     pki.Key
		CA      pki.CA
		key     pki.Key
		ca      pki.CA
		issuer  pki.BuiltIn
		Pointer *pki.Key
	}
	values := map[string]any{
		"key":         key,
		"key pointer": &key,
		"CA":          ca,
		"CA pointer":  &ca,
		"issuer":      pki.NewBuiltIn(ca),
		"struct":      holder{key, ca, key, ca, pki.NewBuiltIn(ca), &key},
		"slice":       []any{key, ca},
		"map":         map[pki.Key]pki.CA{key: ca},
		"error":       fmt.Errorf("with %v and %+v", key, ca),
	}
	for name, v := range values {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%p", "%T"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if text, err := json.Marshal(v); err == nil {
			out.Write(text)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", v)
		for form, needle := range needles {
			if strings.Contains(out.String(), needle) {
				t.Errorf("%s leaks the key (%s)", name, form)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if fmt.Sprintf(verb, key) != pki.Redacted || fmt.Sprintf(verb, ca) != pki.Redacted {
			t.Errorf("no placeholder for %s", verb)
		}
	}
	if key.LogValue().String() != pki.Redacted || ca.LogValue().String() != pki.Redacted {
		t.Error("no placeholder for slog")
	}
}

// secretForms gives the texts in which the private scalar could turn up.
func secretForms(t *testing.T, key pki.Key) map[string]string {
	t.Helper()
	block, _ := pem.Decode(key.PEM())
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := parsed.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"raw":     string(scalar),
		"hex":     fmt.Sprintf("%x", scalar),
		"HEX":     fmt.Sprintf("%X", scalar),
		"decimal": new(big.Int).SetBytes(scalar).String(),
		"bytes":   strings.Trim(fmt.Sprint(scalar), "[]"),
		"words":   fmt.Sprint(new(big.Int).SetBytes(scalar).Bits()[0]),
		"base64":  base64.StdEncoding.EncodeToString(scalar)[:40],
		"PEM":     strings.Split(string(key.PEM()), "\n")[1],
	}
}
