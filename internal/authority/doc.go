// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package authority is the state machine by which one certificate authority takes the place of another while nobody
// notices. It is pure: no client, no clock, no key. A controller asks Next what to do, does that one thing, and asks
// again with what it then observes, so that a crash between any two writes is one more question.
//
// An authority comes into use in this order:
//   - its key and certificate are made in the spare Secret;
//   - Publishing: its certificate is made known beside the one that issues, to the servers and to every holder of a
//     credential. It issues nothing.
//   - Replacing: it issues. What the former one issued is accepted until it is renewed in its own time, so that a
//     replacement takes the life of a credential at most, and no renewal comes early.
//   - Retiring: nothing that the former one issued is accepted or served any more. Its certificate is withdrawn, then
//     its key destroyed: what the spare Secret holds is moved to the main one.
//   - Stable: one authority, in the main Secret.
//
// Rules worth knowing:
//   - An authority whose key is lost is never made again in silence: a person restores the Secret, or raises the number
//     of the rotation, by which another takes its place as any other would.
//   - One that has expired is replaced without being asked and without waiting: nothing that it issued is accepted any
//     more, so there is nobody to notice, and what a new one issues still opens nothing that is not in a ledger.
//   - What is begun is finished before another replacement is begun, unless the key that it rests on is lost.
package authority
