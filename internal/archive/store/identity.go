// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import "crypto/sha256"

// IdentityHash is HMAC-SHA-256 of a client's identifier under a key that the store never sees.
type IdentityHash [sha256.Size]byte

// String hides the hash: with the key leaked, it would name a person.
func (IdentityHash) String() string { return "[identity hash]" }

// GoString hides the hash from %#v as well.
func (h IdentityHash) GoString() string { return h.String() }
