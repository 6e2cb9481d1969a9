// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

// OrganizationOf is the OID of the organization that a caller acts for: the producer of the unit, or the
// organizer of the registry where unit is empty. It is "" where the view knows no accepted such unit or registry.
func (x *Index) OrganizationOf(registry, unit string) string {
	defer x.reading()()
	s := x.state
	if unit == "" {
		if r, ok := s.Registry(registry); ok && r.Accepted {
			return s.organizationOIDs.name(uint32(r.Organization))
		}
		return ""
	}
	u, ok := s.Unit(unit)
	if !ok {
		return ""
	}
	return s.organizationOIDs.name(uint32(u.Organization))
}

// ControllerOf is the OID of the registry controller of a registry. It is "" where the view knows no accepted one.
func (x *Index) ControllerOf(registry string) string {
	defer x.reading()()
	if slot := x.state.accepted(registry); slot != 0 {
		return x.state.controllers.name(x.state.registries.slots.at(slot).body.controller)
	}
	return ""
}

// RegistryKey names the object of the accepted registry with the OID.
func (x *Index) RegistryKey(registry string) (Key, bool) {
	defer x.reading()()
	slot := x.state.accepted(registry)
	return x.state.registries.keys[slot], slot != 0
}

// RegistryAt is the OID of the accepted registry with that object. It is "" where the view knows none.
func (x *Index) RegistryAt(key Key) string {
	defer x.reading()()
	return x.state.registryAt(key)
}

func (s *state) registryAt(key Key) string {
	slot := s.registries.byKey[key]
	if slot == 0 {
		return ""
	}
	oid := s.registries.slots.at(slot).body.oid
	if s.registryOIDs.sole(oid) != slot {
		return ""
	}
	return s.registryOIDs.name(oid)
}

// accepted returns the slot of the one accepted registry with the OID, or 0.
func (s *state) accepted(registry string) uint32 {
	return s.registryOIDs.sole(s.registryOIDs.find(registry))
}
