// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// entry is one kept object.
type entry[T any] struct {
	body     T
	uid      access.UID
	revision uint64
	// epoch is the last relist during which an event named the object.
	epoch uint32
	used  bool
}

// ref names the object.
func (e *entry[T]) ref() access.Ref { return access.Ref{UID: e.uid, Revision: e.revision} }

// table keeps the objects of one kind and decides which events are news. What is peculiar to the kind
// it leaves to its hooks.
type table[T any] struct {
	slots    slab[entry[T]]
	byUID    finder
	byKey    map[Key]uint32
	keys     map[uint32]Key
	graves   graves
	epoch    uint32
	listing  bool
	revision uint64
	complete bool
	hooks    hooks[T]
}

// hooks are what a kind adds to its table.
type hooks[T any] struct {
	// link enters the object under the names it claims; unlink undoes that.
	link, unlink func(slot uint32, body *T)
	// loses tells whether going from one state to another can take access away; next is nil for a removal.
	loses func(last, next *T) bool
	// displaces tells whether the object stands in another's way.
	displaces func(slot uint32, body *T) bool
}

// newTable makes a table for objects that are few and have keys, or for ones that are many and have none.
func newTable[T any](keyed bool, h hooks[T]) *table[T] {
	t := &table[T]{slots: slab[entry[T]]{shift: 12}, byUID: newFinder(), hooks: h}
	if keyed {
		t.slots.shift = 6
		t.byKey, t.keys = map[Key]uint32{}, map[uint32]Key{}
	}
	return t
}

// slotOf returns the slot of the object with the UID, or 0.
func (t *table[T]) slotOf(uid access.UID) uint32 {
	return t.byUID.find(t.byUID.hash(uid[:]), func(slot uint32) bool { return t.slots.at(slot).uid == uid })
}

// event is which state of which object a feed reports.
type event struct {
	key      Key
	uid      access.UID
	revision uint64
}

// upsert takes in a state of an object, if it is news. Then build makes what is kept of it; with an error
// the object is kept out, and removed if it was in.
func (t *table[T]) upsert(ev event, build func() (T, error)) (Change, error) {
	t.reach(ev.revision)
	slot := t.slotOf(ev.uid)
	if slot != 0 {
		e := t.slots.at(slot)
		e.epoch = t.epoch
		if ev.revision <= e.revision {
			return Change{}, nil
		}
	} else if t.graves.bars(ev.uid, ev.revision) {
		return Change{}, nil
	}
	change, stands := t.evict(ev)
	if !stands {
		return change, nil
	}
	body, err := build()
	if err != nil {
		change = change.and(t.remove(ev.uid, ev.revision, false))
		change.Applied = true
		return change, err
	}
	return change.and(t.put(slot, ev, body)), nil
}

// put writes a new state over an entry, or into a new one if there is none.
func (t *table[T]) put(slot uint32, ev event, body T) Change {
	change := Change{Applied: true}
	if slot == 0 {
		slot = t.slots.take()
		t.byUID.swap(t.byUID.hash(ev.uid[:]), 0, slot)
		if t.byKey != nil {
			t.byKey[ev.key], t.keys[slot] = slot, ev.key
		}
		*t.slots.at(slot) = entry[T]{uid: ev.uid, epoch: t.epoch, used: true}
	} else {
		last := t.slots.at(slot).body
		change.TookAway = t.hooks.loses(&last, &body)
		t.hooks.unlink(slot, &last)
	}
	e := t.slots.at(slot)
	e.body, e.revision = body, ev.revision
	t.hooks.link(slot, &e.body)
	change.TookAway = change.TookAway || t.hooks.displaces(slot, &e.body)
	return change
}

// evict settles that a name belongs to one object at a time: of two with one key, the older was deleted
// even if its deletion has not been told. stands tells whether the event's object is the newer.
func (t *table[T]) evict(ev event) (change Change, stands bool) {
	holder := t.byKey[ev.key]
	if holder == 0 {
		return Change{}, true
	}
	e := t.slots.at(holder)
	if e.uid == ev.uid {
		return Change{}, true
	}
	if e.revision > ev.revision {
		t.graves.bury(ev.uid, ev.revision, true)
		return Change{}, false
	}
	return t.remove(e.uid, e.revision, true), true
}

// remove takes an object out, if it is in, and remembers that it is gone: forever, or as of the revision.
func (t *table[T]) remove(uid access.UID, revision uint64, forever bool) Change {
	t.graves.bury(uid, revision, forever)
	slot := t.slotOf(uid)
	if slot == 0 {
		return Change{}
	}
	e := t.slots.at(slot)
	change := Change{Applied: true, Removed: 1, TookAway: t.hooks.loses(&e.body, nil)}
	t.hooks.unlink(slot, &e.body)
	if t.byKey != nil {
		delete(t.byKey, t.keys[slot])
		delete(t.keys, slot)
	}
	t.byUID.swap(t.byUID.hash(uid[:]), slot, 0)
	t.slots.give(slot)
	return change
}

// reach records that the table has an event of the revision. During a relist events come in no order,
// so that having one says nothing about those before it.
func (t *table[T]) reach(revision uint64) {
	if !t.listing {
		t.revision = max(t.revision, revision)
	}
}

// and is the change of two events together.
func (c Change) and(other Change) Change {
	return Change{
		Applied:  c.Applied || other.Applied,
		TookAway: c.TookAway || other.TookAway,
		Removed:  c.Removed + other.Removed,
	}
}
