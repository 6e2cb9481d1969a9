// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bytes"

	"github.com/valtuus/valtuus/internal/access"
)

// state is all that the index knows. It implements access.View; the lock is the Index's.
type state struct {
	freshness access.Freshness

	registries    *table[registry]
	grants        *table[grant]
	relationships *table[relationship]
	units         *table[unit]
	organizations *table[organization]
	systems       *table[system]
	// tables are the same six, by kind.
	tables [kindEnd]anyTable

	registryKeys     names[Key]
	controllers      names[string]
	registryOIDs     claims
	unitOIDs         claims
	organizationOIDs claims
	systemNames      claims

	pairs    pairs
	cases    finder
	taskSets taskSets

	// documents finds relationships by their document.
	documents    finder
	documentEnds documentEnds

	// tasks are the task tables by the number of the registry's key.
	tasks []*access.TaskTable
}

var _ access.View = (*state)(nil)

func newState() *state {
	s := &state{
		registryKeys: newNames[Key](), controllers: newNames[string](),
		pairs: newPairs(), cases: newFinder(), taskSets: newTaskSets(),
		documents: newFinder(),
	}
	s.registryOIDs, s.unitOIDs = newClaims(s.registryStands), newClaims(s.unitStands)
	s.organizationOIDs, s.systemNames = newClaims(s.organizationStands), newClaims(s.systemStands)
	s.registries = newTable(true, s.registryHooks())
	s.grants = newTable(true, s.grantHooks())
	// A million names would cost more than all the rest. The API server tells of a relationship's deletion
	// before it tells of another one with the same name.
	s.relationships = newTable(false, s.relationshipHooks())
	s.units = newTable(true, s.unitHooks())
	s.organizations = newTable(true, s.organizationHooks())
	s.systems = newTable(true, s.systemHooks())
	s.tables = [kindEnd]anyTable{
		Registries: s.registries, Grants: s.grants, Relationships: s.relationships,
		Units: s.units, Organizations: s.organizations, ClientSystems: s.systems,
	}
	return s
}

// Freshness implements access.View.
func (s *state) Freshness() *access.Freshness { return &s.freshness }

func less(a, b access.UID) bool { return bytes.Compare(a[:], b[:]) < 0 }
