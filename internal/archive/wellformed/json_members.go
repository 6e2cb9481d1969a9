// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package wellformed

import "slices"

// fewNames is up to how many names are looked through one by one.
const fewNames = 16

// members are what an open object has so far.
type members struct {
	parser *parser
	built  map[string]any      // when the values are wanted
	first  int                 // else: where the object's names begin in parser.names
	many   map[string]struct{} // and, of an object with many, the names as a set
}

func (p *parser) open() *members {
	m := &members{parser: p, first: len(p.names)}
	if p.build {
		m.built = map[string]any{}
	}
	return m
}

func (m *members) has(name string) bool {
	if m.parser.build {
		_, has := m.built[name]
		return has
	}
	if m.many != nil {
		_, has := m.many[name]
		return has
	}
	return slices.Contains(m.parser.names[m.first:], name)
}

func (m *members) add(name string, value any) {
	if m.parser.build {
		m.built[name] = value
		return
	}
	if m.many != nil {
		m.many[name] = struct{}{}
		return
	}
	m.parser.names = append(m.parser.names, name)
	if names := m.parser.names[m.first:]; len(names) > fewNames {
		m.many = make(map[string]struct{}, 4*fewNames)
		for _, name := range names {
			m.many[name] = struct{}{}
		}
	}
}

func (m *members) close() { m.parser.names = m.parser.names[:m.first] }
