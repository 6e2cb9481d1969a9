// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger is the state machine of issued credentials. The ledger lives in
// the status of a grant (or of a registry, for the organizer's own credential)
// and is the archive's allow-list.
//
// It is pure: no client, no clock, no key material. A controller asks Next what
// to do, does that one thing, and asks again with what it then observes.
//
// The order of writes is finalizer, entry Issuing, Secret, entry Active. Each
// prefix can be replayed, and only an Active or Superseded entry is accepted, so
// a crash never leaves a usable key that the ledger does not list.
//
// Rules worth knowing:
//   - At most one entry is Issuing and one Active. A ledger that breaks this, or
//     holds a state it does not know, is revoked as a whole.
//   - The renewal point is chosen once and persisted; see RenewAt.
//   - A rotation overlaps: the old entry is Superseded, accepted until a persisted
//     instant. Everything else that ends an entry ends it at once.
//   - A Secret that has gone, or holds something else than the ledger says, takes
//     every credential of the ledger with it: a key may have been stolen with the
//     deletion, and deleting an object only ever takes access away. A new one is
//     issued after that, in a later step, so that revoking never waits for an
//     issuer.
//   - A Secret with our name that is not ours is never adopted or overwritten.
//   - A key is held in memory for one attempt to deliver it. Whatever became of
//     the attempt, the controller forgets the key; if the Secret does not hold it,
//     the entry is issued anew.
package ledger
