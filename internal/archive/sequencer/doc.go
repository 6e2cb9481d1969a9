// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sequencer makes the access log provable in the background: it gives rows their leaves, signs checkpoints of
// the trees and has witnesses cosign them. A request never waits for it.
//
// It keeps nothing that a restart would lose: what it needs it reads from the store, and a batch that was made for
// another state of the log is refused there. So any number of sequencers may run on one store; a lease saves them
// work that one of them would do in vain.
package sequencer
