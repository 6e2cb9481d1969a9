// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"crypto/cipher"
	"encoding/binary"

	"github.com/google/uuid"
)

// DataKey seals and opens what belongs to one client.
type DataKey struct {
	state *dataKey // see Keyring
}

type dataKey struct {
	client uuid.UUID
	aead   cipher.AEAD
}

func newDataKey(client uuid.UUID, secret []byte) (DataKey, error) {
	aead, err := newAEAD(secret)
	return DataKey{&dataKey{client, aead}}, err
}

// Seal seals text for the client in a registry. purpose tells what it is, so that one thing is never taken for another.
func (k DataKey) Seal(registry, purpose string, text []byte) []byte {
	return k.state.aead.Seal(nil, nil, text, k.bound(registry, purpose))
}

// Unseal opens what Seal gave for the same client, registry and purpose; else ErrDamaged.
func (k DataKey) Unseal(registry, purpose string, sealed []byte) ([]byte, error) {
	text, err := k.state.aead.Open(nil, nil, sealed, k.bound(registry, purpose))
	if err != nil {
		return nil, ErrDamaged
	}
	return text, nil
}

// bound is what sealed text is bound to; the lengths keep one part from running into the next.
func (k DataKey) bound(registry, purpose string) []byte {
	b := append([]byte("valtuus client data v1\x00"), k.state.client[:]...)
	for _, part := range []string{registry, purpose} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}
