// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/binary"

	"github.com/valtuus/valtuus/internal/access"
)

// relationship is what is kept of a service relationship. There may be a million, so every byte counts:
// no name, no pointer, and the service tasks as the number of a set that many share.
type relationship struct {
	client   access.ClientID
	document DocumentID
	start    instant
	end      instant
	pair     uint32
	tasks    uint32
	next     uint32
	accepted bool
	deleting bool
}

func (s *state) newRelationship(r Relationship) (relationship, error) {
	number := s.newPair(r.Key.Namespace, r.RegistryName, r.Unit)
	table := s.newTasks(number)
	tasks, err := table.Set(r.Tasks)
	if err != nil {
		return relationship{}, err
	}
	return relationship{
		client: r.Client, document: r.Document, start: newInstant(r.Start), end: newInstant(r.End),
		pair: number, tasks: s.taskSets.number(table, tasks),
		accepted: r.Accepted, deleting: r.Deleting,
	}, nil
}

func (s *state) relationshipHooks() hooks[relationship] {
	return hooks[relationship]{
		link:   s.linkRelationship,
		unlink: s.unlinkRelationship,
		loses: func(last, next *relationship) bool {
			return last.gives() && (next == nil || s.relationshipLoses(last, next))
		},
		displaces: func(uint32, *relationship) bool { return false },
	}
}

func (r *relationship) gives() bool { return r.accepted && !r.deleting }

func (s *state) relationshipLoses(last, next *relationship) bool {
	return !next.gives() || next.pair != last.pair || next.client != last.client ||
		startsLater(last.start.time(), next.start.time()) || endsSooner(s.endOf(last).time(), s.endOf(next).time()) ||
		tasksLost(s.taskSets.at(last.tasks), s.taskSets.at(next.tasks))
}

// caseOf returns the first relationship of the client in the pair, or 0, and the hash it is found by.
// All of them form a chain.
func (s *state) caseOf(pair uint32, client access.ClientID) (slot uint32, hash uint64) {
	var key [4 + len(client)]byte
	binary.NativeEndian.PutUint32(key[:], pair)
	copy(key[4:], client[:])
	hash = s.cases.hash(key[:])
	return s.cases.find(hash, func(slot uint32) bool {
		r := &s.relationships.slots.at(slot).body
		return r.client == client && r.pair == pair
	}), hash
}

func (s *state) linkRelationship(slot uint32, r *relationship) {
	s.linkDocument(slot, r)
	if r.deleting {
		return
	}
	first, hash := s.caseOf(r.pair, r.client)
	r.next = first
	s.cases.swap(hash, first, slot)
}

func (s *state) unlinkRelationship(slot uint32, r *relationship) {
	s.unlinkDocument(slot, r)
	if r.deleting {
		return
	}
	first, hash := s.caseOf(r.pair, r.client)
	if first == slot {
		s.cases.swap(hash, slot, r.next)
		return
	}
	before := &s.relationships.slots.at(first).body
	for before.next != slot {
		before = &s.relationships.slots.at(before.next).body
	}
	before.next = r.next
}

// FirstRelationship implements access.View.
func (s *state) FirstRelationship(pair access.Handle, client access.ClientID) (access.Relationship, bool) {
	slot, _ := s.caseOf(uint32(pair), client)
	return s.Relationship(access.Handle(slot))
}

// Relationship implements access.View.
func (s *state) Relationship(next access.Handle) (access.Relationship, bool) {
	slot := uint32(next)
	if slot == 0 {
		return access.Relationship{}, false
	}
	e := s.relationships.slots.at(slot)
	r := &e.body
	return access.Relationship{
		Ref: e.ref(), Next: access.Handle(r.next), Accepted: r.accepted,
		Start: r.start.time(), End: s.endOf(r).time(), Tasks: s.taskSets.at(r.tasks),
	}, true
}
