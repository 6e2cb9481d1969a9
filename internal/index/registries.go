// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// registry is what is kept of a client registry.
type registry struct {
	key          uint32
	oid          uint32
	organization uint32
	system       uint32
	purpose      access.Purpose
	stands       bool
	producers    time.Duration
	organizer    time.Duration
	ledger       ledger
}

func (s *state) newRegistry(r Registry) registry {
	return registry{
		key: s.registryKeys.number(r.Key), oid: s.registryOIDs.number(r.OID),
		organization: s.organizationOIDs.number(r.Organization), system: s.systemNames.number(r.ClientSystem),
		purpose: r.Purpose, stands: r.Accepted && !r.Deleting,
		producers: r.ProducerBound, organizer: r.OrganizerBound,
		ledger: newLedger(r.Credentials),
	}
}

func (s *state) registryHooks() hooks[registry] {
	return hooks[registry]{
		link:   func(slot uint32, r *registry) { s.registryOIDs.add(r.oid, slot) },
		unlink: func(slot uint32, r *registry) { s.registryOIDs.drop(r.oid, slot) },
		loses:  func(last, next *registry) bool { return last.stands && (next == nil || last.loses(next)) },
		displaces: func(slot uint32, r *registry) bool {
			return r.stands && s.registryOIDs.sole(r.oid, s.registryStands) != slot
		},
	}
}

func (r *registry) loses(next *registry) bool {
	return !next.stands || next.key != r.key || next.oid != r.oid ||
		next.organization != r.organization || next.system != r.system ||
		orDefault(next.producers, access.DefaultProducerBound) < orDefault(r.producers, access.DefaultProducerBound) ||
		orDefault(next.organizer, access.DefaultOrganizerBound) < orDefault(r.organizer, access.DefaultOrganizerBound) ||
		r.ledger.loses(next.ledger)
}

func orDefault(bound, otherwise time.Duration) time.Duration {
	if bound == 0 {
		return otherwise
	}
	return bound
}

func (s *state) registryStands(slot uint32) bool { return s.registries.slots.at(slot).body.stands }

// Registry implements access.View.
func (s *state) Registry(oid string) (access.Registry, bool) {
	number := s.registryOIDs.find(oid)
	slot := s.registryOIDs.sole(number, s.registryStands)
	if slot == 0 {
		slot = s.claimant(number)
	}
	if slot == 0 {
		return access.Registry{}, false
	}
	e := s.registries.slots.at(slot)
	return access.Registry{
		Ref: e.ref(), Handle: access.Handle(slot), Purpose: e.body.purpose, Accepted: e.body.stands,
		Organization: access.Handle(e.body.organization), ClientSystem: access.Handle(e.body.system),
		ProducerBound: orDefault(e.body.producers, s.bounds.producers), OrganizerBound: orDefault(e.body.organizer, s.bounds.organizer),
	}, true
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
