// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "sync"

// readers is how many readers can lock without touching each other's cache lines.
const readers = 16

// lock is a read-write lock whose readers scale with the cores: each takes one of several locks, the
// writer takes them all. Decisions are many and changes few, so that is the cheap way round.
type lock [readers]struct {
	sync.RWMutex
	_ [104]byte // to 128 bytes: two cache lines, which processors prefetch as a pair.
}

// forReader returns the lock for a reader with that much randomness.
func (l *lock) forReader(random byte) *sync.RWMutex { return &l[random%readers].RWMutex }

// Lock locks out every reader and writer.
func (l *lock) Lock() {
	for i := range l {
		l[i].Lock()
	}
}

// Unlock lets them in again.
func (l *lock) Unlock() {
	for i := range l {
		l[i].Unlock()
	}
}
