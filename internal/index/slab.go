// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

// slab keeps values under small numbers. Number 0 is never given out. It grows by chunks, which neither
// copies nor leaves half of the memory unused, as doubling would.
type slab[T any] struct {
	chunks [][]T
	// shift is the size of a chunk, as a power of two.
	shift uint8
	used  uint32
	free  []uint32
}

// take returns an unused number.
func (s *slab[T]) take() uint32 {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.used++
	if int(s.used>>s.shift) >= len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, 1<<s.shift))
	}
	return s.used
}

// give makes a number unused.
func (s *slab[T]) give(slot uint32) {
	var zero T
	*s.at(slot) = zero
	s.free = append(s.free, slot)
}

// at returns the value under a number.
func (s *slab[T]) at(slot uint32) *T {
	return &s.chunks[slot>>s.shift][slot&(1<<s.shift-1)]
}
