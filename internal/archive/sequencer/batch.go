// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// material is what a batch is made of.
type material struct {
	state store.LogState
	month logproof.Month
	// tiles hold at least the edge of the month's tree, and hold that of the larger one after.
	tiles logproof.Tiles
	rows  []store.LogRow
	heads map[store.LogSubject]store.LogHead
	now   time.Time
	// random gives the salts.
	random io.Reader
}

// size is how many leaves the month's tree has.
func (m *material) size() int64 {
	if m.month == logproof.Month(m.state.Month) {
		return m.state.Size
	}
	return 0
}

// batch gives each row its place, its salt and its entry. Rows that cannot be committed to get none: left says which.
func (m *material) batch() (batch store.LeafBatch, left []uuid.UUID, err error) {
	batch = store.LeafBatch{After: m.state, Month: string(m.month)}
	size := m.size()
	var entries []logproof.Commitment
	for i := range m.rows {
		row := &m.rows[i]
		subject := row.Subject()
		head := m.heads[subject] // of no client: never there
		link := logproof.Link{Sequenced: store.Instant(m.now)}
		if subject != (store.LogSubject{}) {
			link.ClientSequence, link.ClientPrevious = head.Sequence+1, head.Entry
		}
		record, err := logproof.Encode(row, link)
		if err != nil {
			left = append(left, row.ID)
			continue
		}
		leaf := store.NewLeaf{Row: store.LogPosition{Time: row.Time, ID: row.ID}, Subject: subject, Leaf: store.Leaf{
			Month: batch.Month, Index: size + int64(len(entries)), Sequenced: link.Sequenced,
			ClientSequence: link.ClientSequence, ClientPrevious: link.ClientPrevious,
		}}
		if _, err := io.ReadFull(m.random, leaf.Salt[:]); err != nil {
			return store.LeafBatch{}, nil, fmt.Errorf("making a salt: %w", err)
		}
		leaf.Entry = logproof.Commit(leaf.Salt[:], record)
		if subject != (store.LogSubject{}) {
			m.heads[subject] = store.LogHead{Sequence: link.ClientSequence, Entry: leaf.Entry}
		}
		entries = append(entries, leaf.Entry)
		batch.Leaves = append(batch.Leaves, leaf)
	}
	changed, err := m.tiles.Append(size, entries)
	if err != nil {
		return store.LeafBatch{}, nil, err
	}
	for _, id := range changed {
		batch.Tiles = append(batch.Tiles, store.LogTile{Level: id.Level, Index: id.Index, Hashes: m.tiles[id]})
	}
	return batch, left, nil
}
