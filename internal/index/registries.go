// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"github.com/valtuus/valtuus/internal/access"
)

// registry is what is kept of a client registry.
type registry struct {
	access.Registry
	key        uint32
	oid        uint32
	controller uint32
	ledger     ledger
	// test is what the registry was made for, nil where it was not made for a deployment test; testUnit is its unit.
	test     *Test
	testUnit uint32
}

func (s *state) newRegistry(r Registry) registry {
	kept := registry{
		Registry: access.Registry{
			Ref: access.Ref{UID: r.UID, Revision: r.Revision}, Purpose: r.Purpose, Accepted: r.Accepted && !r.Deleting,
			Organization: s.organizationOIDs.handle(r.Organization), ClientSystem: s.systemNames.handle(r.ClientSystem),
			ProducerBound: r.ProducerBound, OrganizerBound: r.OrganizerBound,
			ShowNonDisclosure: r.ShowNonDisclosure, ClosesAt: r.Test.ClosesAt,
		},
		key: s.registryKeys.number(r.Key), oid: s.registryOIDs.number(r.OID), controller: s.controllers.number(r.Controller),
		ledger: newLedger(r.Credentials),
	}
	if r.Test != (Test{}) {
		kept.test, kept.testUnit = &r.Test, s.unitOIDs.number(r.Test.Unit)
	}
	return kept
}

func (s *state) registryHooks() hooks[registry] {
	return hooks[registry]{
		link: func(slot uint32, r *registry) {
			r.Handle = access.Handle(slot)
			s.registryOIDs.add(r.oid, slot)
		},
		unlink: func(slot uint32, r *registry) { s.registryOIDs.drop(r.oid, slot) },
		loses: func(last, next *registry) bool {
			return last.Accepted && (next == nil || last.loses(next, &s.freshness))
		},
		displaces: func(slot uint32, r *registry) bool {
			return r.Accepted && s.registryOIDs.sole(r.oid) != slot
		},
	}
}

func (r *registry) loses(next *registry, f *access.Freshness) bool {
	return !next.Accepted || next.key != r.key || next.oid != r.oid ||
		next.Organization != r.Organization || next.ClientSystem != r.ClientSystem ||
		f.OfProducers(&next.Registry) < f.OfProducers(&r.Registry) ||
		f.OfOrganizer(&next.Registry) < f.OfOrganizer(&r.Registry) ||
		r.ShowNonDisclosure && !next.ShowNonDisclosure || r.losesTest(next) ||
		r.ledger.loses(&next.ledger)
}

// losesTest tells whether the next state rests on another test, or on the same for another time: a unit need not have
// accepted a longer one.
func (r *registry) losesTest(next *registry) bool {
	if r.test == nil || next.test == nil {
		return r.test != next.test
	}
	return *r.test != *next.test
}

func (s *state) registryStands(slot uint32) bool { return s.registries.slots.at(slot).body.Accepted }

// Registry implements access.View.
func (s *state) Registry(oid string) (*access.Registry, bool) {
	number := s.registryOIDs.find(oid)
	slot := s.registryOIDs.sole(number)
	if slot == 0 {
		slot = s.claimant(number)
	}
	if slot == 0 {
		return nil, false
	}
	return &s.registries.slots.at(slot).body.Registry, true
}

// claimant returns the registry to tell of when none is accepted: the one with the lowest UID, so that
// the answer does not hang on the order of events. Where several are accepted there is none to tell of.
func (s *state) claimant(number uint32) uint32 {
	var lowest uint32
	for _, slot := range s.registryOIDs.of(number) {
		if s.registryStands(slot) {
			return 0
		}
		if lowest == 0 || less(s.registries.slots.at(slot).uid, s.registries.slots.at(lowest).uid) {
			lowest = slot
		}
	}
	return lowest
}

// RegistryCredential implements access.View.
func (s *state) RegistryCredential(registry access.Handle, fingerprint access.Fingerprint) (access.Credential, bool) {
	return s.registries.slots.at(uint32(registry)).body.ledger.find(fingerprint)
}
