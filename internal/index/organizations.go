// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// organization is what is kept of an organization.
type organization struct {
	access.Organization
	oid    uint32
	stands bool
}

func (s *state) newOrganization(o Organization) organization {
	return organization{
		Organization: access.Organization{
			JoinedFrom: o.JoinedFrom, EndedAt: o.EndedAt, MainJoiner: s.organizationOIDs.handle(o.MainJoiner),
		},
		oid: s.organizationOIDs.number(o.OID), stands: o.Accepted && !o.Deleting,
	}
}

func (s *state) organizationHooks() hooks[organization] {
	return hooks[organization]{
		link:   func(slot uint32, o *organization) { s.organizationOIDs.add(o.oid, slot) },
		unlink: func(slot uint32, o *organization) { s.organizationOIDs.drop(o.oid, slot) },
		loses:  func(last, next *organization) bool { return last.stands && (next == nil || last.loses(next)) },
		displaces: func(slot uint32, o *organization) bool {
			return o.stands && s.organizationOIDs.sole(o.oid) != slot
		},
	}
}

func (o *organization) loses(next *organization) bool {
	return !next.stands || next.oid != o.oid ||
		startsLater(o.JoinedFrom, next.JoinedFrom) || endsSooner(o.EndedAt, next.EndedAt) ||
		(next.MainJoiner != o.MainJoiner && next.MainJoiner != 0)
}

func (s *state) organizationStands(slot uint32) bool {
	return s.organizations.slots.at(slot).body.stands
}

// Organization implements access.View. An organization's handle is its OID's number, so that it may be
// referred to before it is known.
func (s *state) Organization(handle access.Handle) (*access.Organization, bool) {
	slot := s.organizationOIDs.sole(uint32(handle))
	if slot == 0 {
		return nil, false
	}
	return &s.organizations.slots.at(slot).body.Organization, true
}
