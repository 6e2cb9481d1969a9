// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Errors of opening. Compare with errors.Is.
var (
	// ErrUnknownKey: a data key is wrapped by a key that the ring lacks.
	ErrUnknownKey = errors.New("the client key file lacks the key that wraps this client's data key")
	// ErrDamaged: what was wrapped or sealed is damaged, or belongs elsewhere.
	ErrDamaged = errors.New("what is sealed does not open: it is damaged, or another client's")
)

// Wrapped is a client's data key as it is kept. It is no secret without the wrapping key.
type Wrapped struct {
	// KeyID names the wrapping key; empty where there is no data key.
	KeyID string
	// Bytes are a nonce, the encrypted key and a tag.
	Bytes []byte
}

// IsZero tells whether there is no data key.
func (w Wrapped) IsZero() bool { return w.KeyID == "" }

// wrapper is one key-encryption key.
type wrapper struct {
	id   string
	aead cipher.AEAD
}

func newWrapper(secret []byte) (*wrapper, error) {
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, err
	}
	return &wrapper{id: idOf(secret), aead: aead}, nil
}

// newAEAD gives AES-256-GCM under the key, with random nonces: good for 2^32 messages.
func newAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bound is what a wrapped key is bound to.
func (w *wrapper) bound(client uuid.UUID) []byte {
	return append(append([]byte("valtuus data key v1\x00"), client[:]...), w.id...)
}

func (w *wrapper) wrap(client uuid.UUID, secret []byte) Wrapped {
	return Wrapped{KeyID: w.id, Bytes: w.aead.Seal(nil, nil, secret, w.bound(client))}
}

// New makes a data key for a client that has none, and gives it wrapped under the primary too.
func (k Keyring) New(client uuid.UUID) (DataKey, Wrapped, error) {
	secret := make([]byte, Size)
	if _, err := rand.Read(secret); err != nil {
		return DataKey{}, Wrapped{}, err
	}
	key, err := newDataKey(client, secret)
	if err != nil {
		return DataKey{}, Wrapped{}, err
	}
	wrapped := k.state.primary.wrap(client, secret)
	k.state.cache.put(client, wrapped, key)
	return key, wrapped, nil
}

// Open unwraps a client's data key, once for as long as it is cached. ErrUnknownKey, ErrDamaged.
func (k Keyring) Open(client uuid.UUID, wrapped Wrapped) (DataKey, error) {
	if key, ok := k.state.cache.get(client, wrapped); ok {
		return key, nil
	}
	secret, err := k.unwrap(client, wrapped)
	if err != nil {
		return DataKey{}, err
	}
	key, err := newDataKey(client, secret)
	if err != nil {
		return DataKey{}, err
	}
	k.state.cache.put(client, wrapped, key)
	return key, nil
}

// Rewrap gives a client's data key wrapped under the primary. ErrUnknownKey, ErrDamaged.
func (k Keyring) Rewrap(client uuid.UUID, wrapped Wrapped) (Wrapped, error) {
	secret, err := k.unwrap(client, wrapped)
	if err != nil {
		return Wrapped{}, err
	}
	return k.state.primary.wrap(client, secret), nil
}

func (k Keyring) unwrap(client uuid.UUID, wrapped Wrapped) ([]byte, error) {
	w := k.state.byID[wrapped.KeyID]
	if w == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownKey, wrapped.KeyID)
	}
	k.state.cache.unwraps.Add(1)
	secret, err := w.aead.Open(nil, nil, wrapped.Bytes, w.bound(client))
	if err != nil || len(secret) != Size {
		return nil, ErrDamaged
	}
	return secret, nil
}

// Unwraps is how many data keys have been unwrapped so far.
func (k Keyring) Unwraps() uint64 { return k.state.cache.unwraps.Load() }
