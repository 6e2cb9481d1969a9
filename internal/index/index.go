// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// Index is the view. Any number of goroutines may decide while events come in.
type Index struct {
	lock  lock
	state *state
	// epochs counts the relists, over resets too, so that one begun before a reset is void after it.
	epochs uint32
}

// New returns an empty, incomplete index: it denies everything.
func New() *Index { return &Index{state: newState()} }

// Reset forgets everything, tombstones included, and makes the index incomplete: it denies until it
// is loaded anew. What documents say outlasts it. The feed calls it when revisions can no longer be compared with what is known,
// as after the API server's store was restored from a backup.
func (x *Index) Reset() {
	x.lock.Lock()
	defer x.lock.Unlock()
	kept := x.state
	x.state = newState()
	x.state.freshness.ProducerBound, x.state.freshness.OrganizerBound = kept.freshness.ProducerBound, kept.freshness.OrganizerBound
	x.state.documentEnds = kept.documentEnds
}

// Decide answers the request from one consistent state of the view. It allocates nothing.
func (x *Index) Decide(req *access.Request, now time.Time) access.Decision {
	l := x.lock.forReader(req.Client[0] ^ req.Caller.Fingerprint[0])
	l.RLock()
	defer l.RUnlock()
	return access.Decide(req, x.state, now)
}

// Read calls look with the view held still. It must be short, as events wait for it, must not call the
// index, and must not keep the view.
func (x *Index) Read(look func(access.View)) {
	defer x.reading()()
	look(x.state)
}

// SetComplete tells that the kind has been loaded once.
func (x *Index) SetComplete(kind Kind) {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.state.tables[kind].load()
	x.state.freshness.Complete = true
	for _, t := range x.state.tables {
		x.state.freshness.Complete = x.state.freshness.Complete && t.status().Complete
	}
}

// SetFreshness tells that the view contains everything that was committed before the instant.
// The instant should carry a monotonic reading: the view is as old as the clock that says more, see access.Decide.
func (x *Index) SetFreshness(provenAt time.Time) {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.state.freshness.ProvenAt = provenAt
}

// Freshness tells how far the view can be believed.
func (x *Index) Freshness() access.Freshness {
	defer x.reading()()
	return x.state.freshness
}

// reading locks for reading and returns what unlocks.
func (x *Index) reading() func() {
	l := x.lock.forReader(0)
	l.RLock()
	return l.RUnlock
}

// load records that the kind has been loaded once.
func (t *table[T]) load() { t.complete = true }
