// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// organization is what is kept of an organization.
type organization struct {
	oid        uint32
	mainJoiner uint32
	stands     bool
	joinedFrom time.Time
	endedAt    time.Time
}

func (s *state) newOrganization(o Organization) organization {
	return organization{
		oid: s.organizationOIDs.number(o.OID), mainJoiner: s.organizationOIDs.number(o.MainJoiner),
		stands: o.Accepted && !o.Deleting, joinedFrom: o.JoinedFrom, endedAt: o.EndedAt,
	}
}

func (s *state) organizationHooks() hooks[organization] {
	return hooks[organization]{
		link:   func(slot uint32, o *organization) { s.organizationOIDs.add(o.oid, slot) },
		unlink: func(slot uint32, o *organization) { s.organizationOIDs.drop(o.oid, slot) },
		loses:  func(last, next *organization) bool { return last.stands && (next == nil || last.loses(next)) },
		displaces: func(slot uint32, o *organization) bool {
			return o.stands && s.organizationOIDs.sole(o.oid, s.organizationStands) != slot
		},
	}
}

func (o *organization) loses(next *organization) bool {
	return !next.stands || next.oid != o.oid ||
		startsLater(o.joinedFrom, next.joinedFrom) || endsSooner(o.endedAt, next.endedAt) ||
		(next.mainJoiner != o.mainJoiner && next.mainJoiner != 0)
}

func (s *state) organizationStands(slot uint32) bool {
	return s.organizations.slots.at(slot).body.stands
}

// Organization implements access.View. An organization's handle is its OID's number, so that it may be
// referred to before it is known.
func (s *state) Organization(handle access.Handle) (access.Organization, bool) {
	slot := s.organizationOIDs.sole(uint32(handle), s.organizationStands)
	if slot == 0 {
		return access.Organization{}, false
	}
	o := &s.organizations.slots.at(slot).body
	return access.Organization{JoinedFrom: o.joinedFrom, EndedAt: o.endedAt, MainJoiner: access.Handle(o.mainJoiner)}, true
}
