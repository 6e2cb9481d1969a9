// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

// chunkSize is how many values a chunk holds. Chunks are small so that small kinds cost little, and
// growing by chunks neither copies nor leaves half of the memory unused, as doubling would.
const chunkSize = 256

// slab keeps values under small numbers. Number 0 is never given out.
type slab[T any] struct {
	chunks []*[chunkSize]T
	used   uint32
	free   []uint32
}

// take returns an unused number.
func (s *slab[T]) take() uint32 {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.used++
	if int(s.used/chunkSize) >= len(s.chunks) {
		s.chunks = append(s.chunks, new([chunkSize]T))
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
func (s *slab[T]) at(slot uint32) *T { return &s.chunks[slot/chunkSize][slot%chunkSize] }
