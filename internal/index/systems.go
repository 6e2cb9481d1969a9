// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// system is what is kept of a client system.
type system struct {
	access.ClientSystem
	name   uint32
	stands bool
}

func (s *state) newSystem(c ClientSystem) system {
	return system{
		ClientSystem: access.ClientSystem{ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil},
		name:         s.systemNames.number(c.Name), stands: !c.Deleting,
	}
}

func (s *state) systemHooks() hooks[system] {
	return hooks[system]{
		link:      func(slot uint32, c *system) { s.systemNames.add(c.name, slot) },
		unlink:    func(slot uint32, c *system) { s.systemNames.drop(c.name, slot) },
		loses:     func(last, next *system) bool { return last.stands && (next == nil || last.loses(next)) },
		displaces: func(uint32, *system) bool { return false },
	}
}

func (c *system) loses(next *system) bool {
	return !next.stands || next.name != c.name ||
		startsLater(c.ValidFrom, next.ValidFrom) || endsSooner(c.ValidUntil, next.ValidUntil)
}

func (s *state) systemStands(slot uint32) bool { return s.systems.slots.at(slot).body.stands }

// ClientSystem implements access.View. A client system's handle is its name's number.
func (s *state) ClientSystem(handle access.Handle) (*access.ClientSystem, bool) {
	slot := s.systemNames.sole(uint32(handle))
	if slot == 0 {
		return nil, false
	}
	return &s.systems.slots.at(slot).body.ClientSystem, true
}
