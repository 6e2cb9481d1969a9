// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "github.com/valtuus/valtuus/internal/access"

// names numbers the names by which objects refer to each other, known or not yet. The zero name has
// number 0, which stands for nothing. Numbers are not given back: there are few names.
type names[K comparable] struct {
	numbers map[K]uint32
	// ordered are the names by number, less one.
	ordered []K
}

func newNames[K comparable]() names[K] { return names[K]{numbers: map[K]uint32{}} }

// number numbers a name.
func (n *names[K]) number(name K) uint32 {
	var nothing K
	if name == nothing {
		return 0
	}
	if number, ok := n.numbers[name]; ok {
		return number
	}
	number := uint32(len(n.numbers) + 1)
	n.numbers[name] = number
	n.ordered = append(n.ordered, name)
	return number
}

// name returns the name with the number; the zero name for 0.
func (n *names[K]) name(number uint32) K {
	var nothing K
	if number == 0 || int(number) > len(n.ordered) {
		return nothing
	}
	return n.ordered[number-1]
}

// handle is the number of a name that is looked up by it.
func (n *names[K]) handle(name K) access.Handle { return access.Handle(n.number(name)) }

// find returns a name's number, or 0 if it has none.
func (n *names[K]) find(name K) uint32 { return n.numbers[name] }

// claims keeps which entries claim a name, and which one has it.
type claims struct {
	names[string]
	holders [][]uint32
	// soles are the holders' only one that counts, or 0 if there is none or there are several: who is
	// right is not for the archive to guess.
	soles []uint32
	// counts tells whether an entry's claim counts. An entry for which that changes is dropped and added.
	counts func(slot uint32) bool
}

func newClaims(counts func(slot uint32) bool) claims {
	return claims{names: newNames[string](), counts: counts}
}

// of returns the slots of the entries that claim the name.
func (c *claims) of(number uint32) []uint32 {
	if int(number) >= len(c.holders) {
		return nil
	}
	return c.holders[number]
}

// sole returns the slot of the entry that has the name, or 0.
func (c *claims) sole(number uint32) uint32 {
	if int(number) >= len(c.soles) {
		return 0
	}
	return c.soles[number]
}

// add enters a claim. Nobody can claim the zero name.
func (c *claims) add(number, slot uint32) {
	if number == 0 {
		return
	}
	for int(number) >= len(c.holders) {
		c.holders = append(c.holders, nil)
		c.soles = append(c.soles, 0)
	}
	c.holders[number] = append(c.holders[number], slot)
	c.settle(number)
}

// drop removes a claim.
func (c *claims) drop(number, slot uint32) {
	for i, s := range c.of(number) {
		if s == slot {
			held := c.holders[number]
			held[i] = held[len(held)-1]
			c.holders[number] = held[:len(held)-1]
			c.settle(number)
			return
		}
	}
}

// settle finds out who has the name.
func (c *claims) settle(number uint32) {
	c.soles[number] = 0
	for _, slot := range c.holders[number] {
		if !c.counts(slot) {
			continue
		}
		if c.soles[number] != 0 {
			c.soles[number] = 0
			return
		}
		c.soles[number] = slot
	}
}
