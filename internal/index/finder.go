// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "hash/maphash"

// finder finds slots by a hash of what is in them. A Go map would keep each key a second time, which
// for a million relationships is more than all else; a finder keeps eight bytes, and a look-up touches one
// line of memory before the entry itself. It is split by hash, so that growing never holds decisions up.
type finder struct {
	seed  maphash.Seed
	count int
	parts [256]part
}

// part is a hash table with linear probing, at most three quarters full.
type part struct {
	cells []cell
	count int
}

// cell holds a slot; 0 is none.
type cell struct {
	hash uint32
	slot uint32
}

func newFinder() finder { return finder{seed: maphash.MakeSeed()} }

// hash is seeded, because those who write objects choose the ids in them.
func (f *finder) hash(key []byte) uint64 { return maphash.Bytes(f.seed, key) }

// find returns the slot with the hash for which same holds, or 0.
func (f *finder) find(hash uint64, same func(slot uint32) bool) uint32 {
	p := &f.parts[hash>>56]
	if p.count == 0 {
		return 0
	}
	mask := uint32(len(p.cells) - 1)
	for i := uint32(hash) & mask; ; i = (i + 1) & mask {
		c := p.cells[i]
		if c.slot == 0 || (c.hash == uint32(hash) && same(c.slot)) {
			return c.slot
		}
	}
}

// swap puts a slot in the place of another one that has the same hash: with 0 for the last it adds, with
// 0 for the next it removes.
func (f *finder) swap(hash uint64, last, next uint32) {
	p := &f.parts[hash>>56]
	switch {
	case last == 0:
		f.count++
		p.add(cell{uint32(hash), next})
	case next == 0:
		f.count--
		p.remove(p.position(uint32(hash), last))
	default:
		p.cells[p.position(uint32(hash), last)].slot = next
	}
}

// position returns where the slot is.
func (p *part) position(hash, slot uint32) uint32 {
	mask := uint32(len(p.cells) - 1)
	i := hash & mask
	for p.cells[i].slot != slot {
		i = (i + 1) & mask
	}
	return i
}

// add enters a cell that is not there yet.
func (p *part) add(c cell) {
	if 4*(p.count+1) > 3*len(p.cells) {
		grown := part{cells: make([]cell, max(8, 2*len(p.cells)))}
		for _, old := range p.cells {
			if old.slot != 0 {
				grown.add(old)
			}
		}
		*p = grown
	}
	p.count++
	mask := uint32(len(p.cells) - 1)
	i := c.hash & mask
	for p.cells[i].slot != 0 {
		i = (i + 1) & mask
	}
	p.cells[i] = c
}

// remove empties a position and moves up what had been pushed on by it, so that no gap hides a cell.
func (p *part) remove(gap uint32) {
	p.count--
	mask := uint32(len(p.cells) - 1)
	for i := (gap + 1) & mask; p.cells[i].slot != 0; i = (i + 1) & mask {
		if home := p.cells[i].hash & mask; (i-home)&mask >= (i-gap)&mask {
			p.cells[gap] = p.cells[i]
			gap = i
		}
	}
	p.cells[gap] = cell{}
}
