// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// IdentityKeySize is the size of an identity key in bytes.
const IdentityKeySize = 32

// ErrIdentityKey means that an identity key has not IdentityKeySize bytes.
var ErrIdentityKey = errors.New("the identity key must have 32 bytes")

// IdentityKey is the archive's secret for hashing identity codes. It has to stay the same for as long as
// the store lives: with another key no client is found again. It never prints.
type IdentityKey struct {
	// A pointer, because fmt does not follow one inside a struct whose methods it cannot call.
	secret *[IdentityKeySize]byte
}

// NewIdentityKey makes a key from its bytes.
func NewIdentityKey(secret []byte) (IdentityKey, error) {
	if len(secret) != IdentityKeySize {
		return IdentityKey{}, ErrIdentityKey
	}
	return IdentityKey{secret: (*[IdentityKeySize]byte)(append([]byte(nil), secret...))}, nil
}

// IsZero tells whether there is no key.
func (k IdentityKey) IsZero() bool { return k.secret == nil }

// CursorKey derives the key that search cursors are signed with.
func (k IdentityKey) CursorKey() ([]byte, error) { return k.derive("valtuus search cursor v1") }

// Check derives what tells this key from another without telling the key.
func (k IdentityKey) Check() ([]byte, error) { return k.derive("valtuus identity key check v1") }

// hasher derives what hashes identifiers, of which no two kinds share a text. The registry is not part of the hash: a client keeps its
// row when a registry changes hands.
func (k IdentityKey) hasher() (func(identitycode.Identifier) store.IdentityHash, error) {
	key, err := k.derive("valtuus identity code v1")
	if err != nil {
		return nil, err
	}
	return func(identifier identitycode.Identifier) (hash store.IdentityHash) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(identifier.Reveal()))
		mac.Sum(hash[:0])
		return hash
	}, nil
}

func (k IdentityKey) derive(purpose string) ([]byte, error) {
	if k.IsZero() {
		return nil, ErrIdentityKey
	}
	return hkdf.Key(sha256.New, k.secret[:], nil, purpose, sha256.Size)
}

const redactedKey = "[identity key]"

// String hides the key.
func (IdentityKey) String() string { return redactedKey }

// GoString hides the key.
func (IdentityKey) GoString() string { return redactedKey }

// Format hides the key for every verb.
func (IdentityKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedKey) }

// MarshalText hides the key.
func (IdentityKey) MarshalText() ([]byte, error) { return []byte(redactedKey), nil }
