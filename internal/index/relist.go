// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// sweepStep is how many entries a sweep looks at before it lets decisions pass.
const sweepStep = 4096

// Relist is one running relist of a kind.
type Relist struct {
	kind  Kind
	epoch uint32
}

// anyTable is a table of whatever kind.
type anyTable interface {
	drop(uid access.UID, revision uint64) Change
	begin(epoch uint32)
	sweep(epoch, from uint32, revision uint64) (change Change, next uint32)
	finish(epoch uint32, revision uint64)
	status() Stats
	load()
	reach(revision uint64)
}

// drop takes in that an object was deleted.
func (t *table[T]) drop(uid access.UID, revision uint64) Change {
	t.reach(revision)
	return t.remove(uid, revision, true)
}

// begin starts a relist.
func (t *table[T]) begin(epoch uint32) {
	t.epoch = epoch
	t.listing = true
}

// sweep removes the entries of some slots that the relist has not named, and returns the slot to go on
// from, or 0 when it is done or the relist is void.
func (t *table[T]) sweep(epoch, from uint32, revision uint64) (change Change, next uint32) {
	if t.epoch != epoch || !t.listing {
		return Change{}, 0
	}
	for slot := from; slot <= t.slots.used; slot++ {
		if slot == from+sweepStep {
			return change, slot
		}
		if e := t.slots.at(slot); e.used && e.epoch != epoch {
			change = change.and(t.lapse(slot, revision))
		}
	}
	return change, 0
}

// lapse removes an entry that a list of the revision does not have. A list older than the entry proves
// nothing about the entry's own revision: that may be told again, and then it counts.
func (t *table[T]) lapse(slot uint32, revision uint64) Change {
	e := t.slots.at(slot)
	if revision == 0 {
		revision = e.revision
	}
	return t.remove(e.uid, revision, false)
}

// finish ends a relist.
func (t *table[T]) finish(epoch uint32, revision uint64) {
	if t.epoch == epoch && t.listing {
		t.listing = false
		t.reach(revision)
	}
}
