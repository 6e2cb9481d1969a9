// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// knownStep is how many slots one call of KnownRelationships looks at: as long as events wait for it.
const knownStep = 512

// Known is a relationship as the view has it, by itself: ends that documents say are not among it.
type Known struct {
	UID      access.UID
	Revision uint64
	// RegistryKey names the registry's object, Registry is the registry's OID; empty where the view knows no
	// accepted one.
	RegistryKey Key
	Registry    string
	// Unit is the producer unit's OID.
	Unit   string
	Client access.ClientID
	// Tasks are the service tasks, in no order.
	Tasks []string
	// Start is when it starts, End when it ends; zero means open.
	Start, End time.Time
	Document   DocumentID
	Accepted   bool
	Deleting   bool
}

// KnownRelationship returns the relationship with the UID.
func (x *Index) KnownRelationship(uid access.UID) (Known, bool) {
	defer x.reading()()
	slot := x.state.relationships.slotOf(uid)
	if slot == 0 {
		return Known{}, false
	}
	return x.state.known(slot), true
}

// KnownRelationships returns some of the relationships, and where to go on from; 0 when there are no more. It begins
// with 0. One that comes or goes between two calls may be missing; none comes twice.
func (x *Index) KnownRelationships(from uint32) (found []Known, next uint32) {
	defer x.reading()()
	slots := &x.state.relationships.slots
	for slot := max(from, 1); slot <= slots.used; slot++ {
		if slot >= from+knownStep {
			return found, slot
		}
		if slots.at(slot).used {
			found = append(found, x.state.known(slot))
		}
	}
	return found, 0
}

func (s *state) known(slot uint32) Known {
	e := s.relationships.slots.at(slot)
	r := &e.body
	pair := s.pairs.keys[r.pair]
	key := s.registryKeys.name(pair.registry)
	return Known{
		UID: e.uid, Revision: e.revision, RegistryKey: key, Registry: s.registryAt(key), Unit: s.unitOIDs.name(pair.unit),
		Client: r.client, Tasks: s.taskSets.at(r.tasks).Codes(), Start: r.start.time(), End: r.end.time(),
		Document: r.document, Accepted: r.accepted, Deleting: r.deleting,
	}
}
