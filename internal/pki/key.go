// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
)

var (
	// ErrKey means that a private key cannot be read or is missing. It never tells what was read.
	ErrKey = errors.New("not a P-256 private key in PKCS#8 PEM")
	// ErrKeyType means that a public key is not ECDSA P-256.
	ErrKeyType = errors.New("public key is not ECDSA P-256")
)

const (
	blockKey         = "PRIVATE KEY"
	blockCertificate = "CERTIFICATE"
)

// Key holds an ECDSA P-256 private key and does not show it: formatting, encoding and logging
// give a placeholder. It signs as a crypto.Signer; [Key.PEM] is the only way out. The zero
// value is no key.
type Key struct {
	private *ecdsa.PrivateKey
}

var _ crypto.Signer = Key{}

// NewKey generates a key.
func NewKey() (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, err
	}
	return Key{private}, nil
}

// ParseKeyPEM reads one PKCS#8 block with a P-256 key. The error is [ErrKey].
func ParseKeyPEM(text []byte) (Key, error) {
	der, ok := singleBlock(text, blockKey)
	if !ok {
		return Key{}, ErrKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return Key{}, ErrKey // not wrapped: whatever it says, it says about a secret
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return Key{}, ErrKey
	}
	return Key{private}, nil
}

// IsZero reports whether k holds no key.
func (k Key) IsZero() bool { return k.private == nil }

// Public returns the *ecdsa.PublicKey, or nil for the zero value.
func (k Key) Public() crypto.PublicKey {
	if k.IsZero() {
		return nil
	}
	return &k.private.PublicKey
}

// Sign signs a digest, as crypto.Signer says.
func (k Key) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.IsZero() {
		return nil, ErrKey
	}
	return k.private.Sign(random, digest, opts)
}

// PEM returns the private key in PKCS#8, for a Secret or a key file; nil for the zero value.
func (k Key) PEM() []byte {
	if k.IsZero() {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil // cannot happen: the curve is one that the encoding knows
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})
}

// checkPublicKey returns the key if it is a point on P-256.
func checkPublicKey(key crypto.PublicKey) (*ecdsa.PublicKey, error) {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public == nil || public.Curve != elliptic.P256() {
		return nil, ErrKeyType
	}
	if _, err := public.ECDH(); err != nil {
		return nil, ErrKeyType
	}
	return public, nil
}

// singleBlock returns the content of a PEM text that holds one block of the given type, without
// headers, and nothing else but white space.
func singleBlock(text []byte, kind string) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("-----BEGIN "+kind+"-----")) {
		return nil, false
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != kind || len(block.Headers) != 0 || len(bytes.TrimSpace(rest)) != 0 {
		return nil, false
	}
	// The decoder skips what it cannot read, so a broken block may hide before the one found.
	if bytes.Count(text, []byte("-----BEGIN ")) != 1 {
		return nil, false
	}
	return block.Bytes, true
}
