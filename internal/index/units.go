// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"

	"github.com/valtuus/valtuus/internal/access"
)

// unit is what is kept of a producer unit.
type unit struct {
	access.Unit
	oid    uint32
	stands bool
	// acceptFrom are the organizations whose clients the unit takes.
	acceptFrom []access.Handle
	// acceptTests are the deployment tests that the unit takes part in.
	acceptTests []AcceptedTest
}

func (s *state) newUnit(u Unit) unit {
	kept := unit{
		Unit: access.Unit{
			Ref:          access.Ref{UID: u.UID, Revision: u.Revision},
			Organization: s.organizationOIDs.handle(u.Organization), ClientSystem: s.systemNames.handle(u.ClientSystem),
		},
		oid: s.unitOIDs.number(u.OID), stands: u.Accepted && !u.Deleting, acceptTests: u.AcceptTests,
	}
	for _, oid := range u.AcceptFrom {
		kept.acceptFrom = append(kept.acceptFrom, s.organizationOIDs.handle(oid))
	}
	return kept
}

func (s *state) unitHooks() hooks[unit] {
	return hooks[unit]{
		link: func(slot uint32, u *unit) {
			u.Handle = access.Handle(slot)
			s.unitOIDs.add(u.oid, slot)
		},
		unlink: func(slot uint32, u *unit) { s.unitOIDs.drop(u.oid, slot) },
		loses:  func(last, next *unit) bool { return last.stands && (next == nil || last.loses(next)) },
		displaces: func(slot uint32, u *unit) bool {
			return u.stands && s.unitOIDs.sole(u.oid) != slot
		},
	}
}

func (u *unit) loses(next *unit) bool {
	return !next.stands || next.oid != u.oid || next.Organization != u.Organization || next.ClientSystem != u.ClientSystem ||
		slices.ContainsFunc(u.acceptFrom, func(o access.Handle) bool { return !slices.Contains(next.acceptFrom, o) }) ||
		slices.ContainsFunc(u.acceptTests, func(t AcceptedTest) bool { return !next.acceptsTest(t) })
}

// acceptsTest tells whether the unit takes part in the test for as long as it takes.
func (u *unit) acceptsTest(t AcceptedTest) bool {
	return slices.ContainsFunc(u.acceptTests, func(a AcceptedTest) bool {
		return a.Own == t.Own && a.Registry == t.Registry && a.StartsAt.Equal(t.StartsAt) && !a.ClosesAt.Before(t.ClosesAt)
	})
}

func (s *state) unitStands(slot uint32) bool { return s.units.slots.at(slot).body.stands }

// Unit implements access.View.
func (s *state) Unit(oid string) (*access.Unit, bool) {
	slot := s.unitOIDs.sole(s.unitOIDs.find(oid))
	if slot == 0 {
		return nil, false
	}
	return &s.units.slots.at(slot).body.Unit, true
}

// UnitAccepts implements access.View.
func (s *state) UnitAccepts(unit access.Handle, registry *access.Registry) bool {
	u := &s.units.slots.at(uint32(unit)).body
	if r := &s.registries.slots.at(uint32(registry.Handle)).body; r.test != nil {
		return u.oid == r.testUnit &&
			(r.test.Simulated || u.acceptsTest(AcceptedTest{
				Registry: r.test.Registry, Own: s.registryOIDs.name(r.oid), StartsAt: r.test.StartsAt, ClosesAt: r.test.ClosesAt,
			}))
	}
	return registry.Organization != 0 && slices.Contains(u.acceptFrom, registry.Organization)
}
