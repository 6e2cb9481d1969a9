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
