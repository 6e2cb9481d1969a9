// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

// Kind is one of the kinds that the index holds.
type Kind uint8

// The kinds.
const (
	// Registries are client registries.
	Registries Kind = iota
	// Grants are register access grants.
	Grants
	// Relationships are service relationships.
	Relationships
	// Units are producer units.
	Units
	// Organizations are organizations.
	Organizations
	// ClientSystems are client systems.
	ClientSystems
	kindEnd
)

var kindNames = [kindEnd]string{"registries", "grants", "relationships", "units", "organizations", "clientsystems"}

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Registries, Grants, Relationships, Units, Organizations, ClientSystems}
}

// String is the kind's name in metrics.
func (k Kind) String() string {
	if k >= kindEnd {
		return "unknown"
	}
	return kindNames[k]
}
