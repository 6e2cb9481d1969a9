// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// pairKey is a registry, by its object's key, and a producer unit, by its OID, as their numbers.
type pairKey struct {
	registry uint32
	unit     uint32
}

// pairs numbers the pairs, whether or not their registry and unit are known yet.
type pairs struct {
	// found is what a decision asks for, by key.
	found map[pairKey]access.Pair
	// keys are the keys by number; number 0 is not given out.
	keys []pairKey
}

func newPairs() pairs { return pairs{found: map[pairKey]access.Pair{}, keys: make([]pairKey, 1)} }

// number numbers a pair.
func (p *pairs) number(key pairKey) uint32 {
	if pair, ok := p.found[key]; ok {
		return uint32(pair.Handle)
	}
	number := uint32(len(p.keys))
	p.keys = append(p.keys, key)
	p.found[key] = access.Pair{Handle: access.Handle(number)}
	return number
}

// grant returns the first grant of the pair with the number.
func (p *pairs) grant(number uint32) access.Handle { return p.found[p.keys[number]].Grant }

// setGrant sets the first grant of the pair with the number.
func (p *pairs) setGrant(number uint32, grant access.Handle) {
	p.found[p.keys[number]] = access.Pair{Handle: access.Handle(number), Grant: grant}
}

// Pair implements access.View.
func (s *state) Pair(registry, unit access.Handle) access.Pair {
	return s.pairs.found[pairKey{
		registry: s.registries.slots.at(uint32(registry)).body.key,
		unit:     s.units.slots.at(uint32(unit)).body.oid,
	}]
}

// newPair numbers the pair that a grant or relationship names.
func (s *state) newPair(namespace, registryName, unitOID string) uint32 {
	return s.pairs.number(pairKey{
		registry: s.registryKeys.number(Key{Namespace: namespace, Name: registryName}),
		unit:     s.unitOIDs.number(unitOID),
	})
}

// newTasks returns the table of service task codes of the pair's registry and makes it if need be. Each registry
// has its own, so that one organizer's slips cannot use up the numbers of another.
func (s *state) newTasks(pair uint32) *access.TaskTable {
	registry := s.pairs.keys[pair].registry
	for int(registry) >= len(s.tasks) {
		s.tasks = append(s.tasks, new(access.TaskTable))
	}
	return s.tasks[registry]
}
