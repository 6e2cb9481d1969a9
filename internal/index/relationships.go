// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// relationship is what is kept of a service relationship. There may be a million, so every byte counts:
// no name, no pointer, and the service tasks as the number of a set that many share.
type relationship struct {
	client   access.ClientID
	start    int64
	end      int64
	pair     uint32
	tasks    uint32
	next     uint32
	accepted bool
	deleting bool
}

func (s *state) newRelationship(r Relationship) (relationship, error) {
	number := s.newPair(r.Key.Namespace, r.RegistryName, r.Unit)
	tasks, err := s.newTasks(number).Set(r.Tasks)
	if err != nil {
		return relationship{}, err
	}
	kept := relationship{
		client: r.Client, start: nanos(r.Start), end: math.MaxInt64,
		pair: number, tasks: s.taskSets.number(tasks.Bits()),
		accepted: r.Accepted, deleting: r.Deleting,
	}
	if !r.End.IsZero() {
		kept.end = nanos(r.End)
	}
	return kept, nil
}

// The instants that 64 bits of nanoseconds reach; beyond them, years are as good as open.
var (
	firstNano = time.Unix(0, math.MinInt64)
	lastNano  = time.Unix(0, math.MaxInt64-1)
)

func nanos(t time.Time) int64 {
	switch {
	case t.Before(firstNano):
		return math.MinInt64
	case t.After(lastNano):
		return math.MaxInt64 - 1
	}
	return t.UnixNano()
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
		next.start > last.start || next.end < last.end ||
		bitsLost(s.taskSets.at(last.tasks), s.taskSets.at(next.tasks))
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
	if r.deleting {
		return
	}
	first, hash := s.caseOf(r.pair, r.client)
	r.next = first
	s.cases.swap(hash, first, slot)
}

func (s *state) unlinkRelationship(slot uint32, r *relationship) {
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
	return s.relationshipAt(slot)
}

// NextRelationship implements access.View.
func (s *state) NextRelationship(relationship access.Handle) (access.Relationship, bool) {
	return s.relationshipAt(s.relationships.slots.at(uint32(relationship)).body.next)
}

func (s *state) relationshipAt(slot uint32) (access.Relationship, bool) {
	if slot == 0 {
		return access.Relationship{}, false
	}
	e := s.relationships.slots.at(slot)
	r := &e.body
	shown := access.Relationship{
		Ref: e.ref(), Handle: access.Handle(slot), Accepted: r.accepted,
		Start: time.Unix(0, r.start), Tasks: s.tasksOf(r.pair).Restore(s.taskSets.at(r.tasks)),
	}
	if r.end != math.MaxInt64 {
		shown.End = time.Unix(0, r.end)
	}
	return shown, true
}
