// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"testing"

	"pgregory.net/rapid"
)

// A finder holds what a map would, even where hashes collide and probing wraps around.
func TestFinderIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFinder()
		held := map[uint32]uint64{}
		next := uint32(0)
		hashes := rapid.SampledFrom([]uint64{0, 1, 2, 6, 7, 8, 15, 1 << 56, 1<<56 + 7, 1<<32 - 1, 1<<33 + 7})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				next++
				hash := hashes.Draw(t, "hash")
				f.swap(hash, 0, next)
				held[next] = hash
			},
			"remove": func(t *rapid.T) {
				for slot := range held {
					f.swap(held[slot], slot, 0)
					delete(held, slot)
					return
				}
			},
			"replace": func(t *rapid.T) {
				for slot := range held {
					next++
					f.swap(held[slot], slot, next)
					held[next] = held[slot]
					delete(held, slot)
					return
				}
			},
			"": func(t *rapid.T) {
				if f.count != len(held) {
					t.Fatalf("it counts %d, there are %d", f.count, len(held))
				}
				for slot := uint32(1); slot <= next; slot++ {
					hash, ok := held[slot]
					if got := f.find(hash, func(s uint32) bool { return s == slot }); (got == slot) != ok {
						t.Fatalf("slot %d, held %t: found %d", slot, ok, got)
					}
				}
			},
		})
	})
}
