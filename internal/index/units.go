// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"

	"github.com/valtuus/valtuus/internal/access"
)

// unit is what is kept of a producer unit.
type unit struct {
	oid          uint32
	organization uint32
	system       uint32
	stands       bool
	// acceptFrom are the organizations whose clients the unit takes.
	acceptFrom []uint32
}

func (s *state) newUnit(u Unit) unit {
	kept := unit{
		oid: s.unitOIDs.number(u.OID), organization: s.organizationOIDs.number(u.Organization),
		system: s.systemNames.number(u.ClientSystem), stands: u.Accepted && !u.Deleting,
	}
	for _, oid := range u.AcceptFrom {
		kept.acceptFrom = append(kept.acceptFrom, s.organizationOIDs.number(oid))
	}
	return kept
}

func (s *state) unitHooks() hooks[unit] {
	return hooks[unit]{
		link:   func(slot uint32, u *unit) { s.unitOIDs.add(u.oid, slot) },
		unlink: func(slot uint32, u *unit) { s.unitOIDs.drop(u.oid, slot) },
		loses:  func(last, next *unit) bool { return last.stands && (next == nil || last.loses(next)) },
		displaces: func(slot uint32, u *unit) bool {
			return u.stands && s.unitOIDs.sole(u.oid, s.unitStands) != slot
		},
	}
}

func (u *unit) loses(next *unit) bool {
	return !next.stands || next.oid != u.oid || next.organization != u.organization || next.system != u.system ||
		slices.ContainsFunc(u.acceptFrom, func(o uint32) bool { return !slices.Contains(next.acceptFrom, o) })
}

func (s *state) unitStands(slot uint32) bool { return s.units.slots.at(slot).body.stands }

// Unit implements access.View.
func (s *state) Unit(oid string) (access.Unit, bool) {
	slot := s.unitOIDs.sole(s.unitOIDs.find(oid), s.unitStands)
	if slot == 0 {
		return access.Unit{}, false
	}
	e := s.units.slots.at(slot)
	return access.Unit{
		Ref: e.ref(), Handle: access.Handle(slot),
		Organization: access.Handle(e.body.organization), ClientSystem: access.Handle(e.body.system),
	}, true
}

// UnitAccepts implements access.View.
func (s *state) UnitAccepts(unit, organization access.Handle) bool {
	return organization != 0 && slices.Contains(s.units.slots.at(uint32(unit)).body.acceptFrom, uint32(organization))
}
