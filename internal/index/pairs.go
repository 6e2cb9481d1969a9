// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// pairKey is a registry, by its object's key, and a producer unit, by its OID, as their numbers.
type pairKey struct {
	registry uint32
	unit     uint32
}

// pair is what hangs on a registry and a unit together, whether or not these are known yet.
type pair struct {
	key pairKey
	// grants is the first of the chain of its grants.
	grants access.Handle
}

// pairs numbers the pairs.
type pairs struct {
	numbers map[pairKey]uint32
	pairs   []pair
}

func newPairs() pairs { return pairs{numbers: map[pairKey]uint32{}, pairs: make([]pair, 1)} }

// number numbers a pair.
func (p *pairs) number(key pairKey) uint32 {
	if number, ok := p.numbers[key]; ok {
		return number
	}
	number := uint32(len(p.pairs))
	p.pairs = append(p.pairs, pair{key: key})
	p.numbers[key] = number
	return number
}

// Pair implements access.View.
func (s *state) Pair(registry, unit access.Handle) access.Handle {
	return access.Handle(s.pairs.numbers[pairKey{
		registry: s.registries.slots.at(uint32(registry)).body.key,
		unit:     s.units.slots.at(uint32(unit)).body.oid,
	}])
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
	registry := s.pairs.pairs[pair].key.registry
	for int(registry) >= len(s.tasks) {
		s.tasks = append(s.tasks, new(access.TaskTable))
	}
	return s.tasks[registry]
}
