// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// purposeOf is what an identifier is sealed for: one kind is never read as another.
func purposeOf(kind identitycode.Kind) string { return "identifier/" + string(kind) }

// registration makes of an identifier what the store takes of it: a hash, and what seals it.
func (x *exchange) registration(identifier identitycode.Identifier) store.Registration {
	keys, registry := x.server.opts.ClientKeys, x.registry
	return store.Registration{
		Hash: x.server.hash(identifier), Kind: identifier.Kind(), BornOn: identifier.BornOn(),
		Seal: func(client uuid.UUID, key clientkey.Wrapped) (sealed []byte, kept clientkey.Wrapped, err error) {
			var under clientkey.DataKey
			if kept = key; key.IsZero() {
				under, kept, err = keys.New(client)
			} else {
				under, err = keys.Open(client, key)
			}
			if err != nil {
				return nil, clientkey.Wrapped{}, err
			}
			return under.Seal(registry, purposeOf(identifier.Kind()), []byte(identifier.Reveal())), kept, nil
		},
	}
}

// unseal gives the text of a client's identifiers, in their order; empty for one that was taken before identifiers
// were kept, and for all of a client whose data key is no more.
func (x *exchange) unseal(client uuid.UUID, sealed []store.SealedIdentifier, key clientkey.Wrapped) ([]string, error) {
	texts := make([]string, len(sealed))
	for i, one := range sealed {
		if len(one.Sealed) == 0 || key.IsZero() {
			continue
		}
		under, err := x.server.opts.ClientKeys.Open(client, key)
		if err != nil {
			return nil, err
		}
		text, err := under.Unseal(x.registry, purposeOf(one.Kind), one.Sealed)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	return texts, nil
}
