// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package clientkey seals clients' identifiers. Each client has a data key of its own, 32 random bytes, under which
// its identifiers are sealed with AES-256-GCM. The data key is kept wrapped, with AES-256-GCM too, by a key-encryption
// key that only a file holds. So a store without that file names nobody, and a client whose wrapped key is gone is
// named nowhere any more.
//
// What is sealed is bound to its client, registry and purpose, and a wrapped key to its client and to the wrapping
// key: moved to another row, neither opens. Nothing secret of this package prints.
package clientkey
