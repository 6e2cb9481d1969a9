// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

// Change tells what an event did to the view.
type Change struct {
	// Applied tells that the event changed what the index holds. An event that is older than what is
	// known, or of a deleted UID, is not applied.
	Applied bool
	// TookAway tells that the event may have taken access away from someone, so that its revision
	// ought to be acknowledged at once. It is never false when a decision turned from allow to deny.
	TookAway bool
	// Removed is how many entries went.
	Removed int
}
