// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// leavesAtOnce is how many leaves one statement writes.
const leavesAtOnce = 32

var leavesSQL = bySize(leavesAtOnce, func(n int) string {
	const columns = 8
	text := `INSERT INTO log_leaves (month, leaf_index, time_us, log_id, salt, sequenced_us, client_sequence, client_previous)
	 VALUES `
	for i := range n {
		if i > 0 {
			text += ", "
		}
		text += "(" + numbered(i*columns+1, columns) + ")"
	}
	return text
})

// AppendLeaves implements store.LogProofs. Every batch writes the one row that counts them: of two that were made for
// one state of the log, an engine lets one win, and the other runs again and finds itself stale.
func (s *Store) AppendLeaves(ctx context.Context, batch store.LeafBatch) error {
	first := int64(0)
	if batch.Month == batch.After.Month {
		first = batch.After.Size
	}
	if len(batch.Leaves) == 0 || batch.Month < batch.After.Month {
		return &store.InvalidError{Field: "Leaves", Problem: "are none, or of a month before the newest"}
	}
	weight := 0
	for i := range batch.Leaves {
		if batch.Leaves[i].Index != first+int64(i) || batch.Leaves[i].Month != batch.Month {
			return &store.InvalidError{Field: "Leaves", Problem: fmt.Sprintf("do not go on from %s/%d", batch.Month, first)}
		}
		weight += 200
	}
	for i := range batch.Tiles {
		weight += len(batch.Tiles[i].Hashes)
	}
	return s.queue.Do(ctx, weight, func(t Tx) error { return appendLeaves(t, &batch) })
}

func appendLeaves(t Tx, batch *store.LeafBatch) error {
	state, err := logState(t)
	if err != nil {
		return err
	}
	if state != batch.After {
		return store.ErrStale
	}
	if err := insertLeaves(t, batch); err != nil {
		return err
	}
	for i := range batch.Leaves {
		row := batch.Leaves[i].Row
		if err := t.Exec("giving a row its leaf",
			`DELETE FROM log_pending WHERE time_us = $1 AND log_id = $2`, store.Micros(row.Time), row.ID[:]); err != nil {
			return err
		}
	}
	if err := moveHeads(t, batch); err != nil {
		return err
	}
	for i := range batch.Tiles {
		tile := &batch.Tiles[i]
		if err := t.Exec("writing a tile of the log",
			`INSERT INTO log_tiles (month, level, tile_index, hashes) VALUES ($1, $2, $3, $4)
			 ON CONFLICT (month, level, tile_index) DO UPDATE SET hashes = excluded.hashes`,
			batch.Month, tile.Level, tile.Index, tile.Hashes); err != nil {
			return err
		}
	}
	last := batch.Leaves[len(batch.Leaves)-1]
	if err := t.Exec("writing the size of the log",
		`INSERT INTO log_months (month, size) VALUES ($1, $2) ON CONFLICT (month) DO UPDATE SET size = excluded.size`,
		batch.Month, last.Index+1); err != nil {
		return err
	}
	return t.Exec("counting the batches of the log",
		`INSERT INTO log_lease (lease_id, holder, until_us, batch) VALUES (1, '', 0, $1)
		 ON CONFLICT (lease_id) DO UPDATE SET batch = excluded.batch`, batch.After.Batch+1)
}

func insertLeaves(t Tx, batch *store.LeafBatch) error {
	for rest := batch.Leaves; len(rest) > 0; {
		n := min(len(rest), leavesAtOnce)
		var args []any
		for i := range rest[:n] {
			leaf := &rest[i]
			var previous any
			if leaf.ClientPrevious != ([32]byte{}) {
				previous = leaf.ClientPrevious[:]
			}
			args = append(args, leaf.Month, leaf.Index, store.Micros(leaf.Row.Time), leaf.Row.ID[:], leaf.Salt[:],
				store.Micros(leaf.Sequenced), leaf.ClientSequence, previous)
		}
		if err := t.Exec("writing leaves of the log", leavesSQL[n], args...); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// moveHeads writes the last leaf of each subject of the batch.
func moveHeads(t Tx, batch *store.LeafBatch) error {
	last := map[store.LogSubject]int{}
	for i := range batch.Leaves {
		last[batch.Leaves[i].Subject] = i
	}
	for i := range batch.Leaves {
		leaf := &batch.Leaves[i]
		if leaf.Subject == (store.LogSubject{}) || last[leaf.Subject] != i {
			continue
		}
		if err := t.Exec("writing a client's last leaf",
			`INSERT INTO log_client_heads (client_id, registry_oid, client_sequence, entry) VALUES ($1, $2, $3, $4)
			 ON CONFLICT (client_id, registry_oid) DO UPDATE SET client_sequence = excluded.client_sequence, entry = excluded.entry`,
			leaf.Subject.ClientID[:], leaf.Subject.Registry, leaf.ClientSequence, leaf.Entry[:]); err != nil {
			return err
		}
	}
	return nil
}

// logState reads the state in the transaction.
func logState(t Tx) (state store.LogState, err error) {
	if _, err := t.Get("reading how far the log is", logStateSQL, nil, &state.Batch, &state.Month, &state.Size); err != nil {
		return store.LogState{}, err
	}
	return state, nil
}

const logStateSQL = `SELECT coalesce((SELECT batch FROM log_lease WHERE lease_id = 1), 0), m.month, m.size
 FROM log_months m ORDER BY m.month DESC LIMIT 1`

// LogState implements store.LogProofs.
func (s *Store) LogState(ctx context.Context) (state store.LogState, err error) {
	_, err = s.one(ctx, "reading how far the log is", logStateSQL, nil, &state.Batch, &state.Month, &state.Size)
	return state, err
}

// TakeLogLease implements store.LogProofs.
func (s *Store) TakeLogLease(ctx context.Context, holder string, now, until time.Time) (bool, error) {
	taken := new(bool) // the operation may outlive a caller that gave up
	err := s.queue.Do(ctx, 0, func(t Tx) error {
		var (
			present string
			ends    int64
		)
		found, err := t.Get("reading who gives leaves",
			`SELECT holder, until_us FROM log_lease WHERE lease_id = 1`, nil, &present, &ends)
		if err != nil {
			return err
		}
		if left := ends - store.Micros(now); found && present != holder && left > 0 && left <= store.MaxLogLease.Microseconds() {
			*taken = false
			return nil
		}
		*taken = true
		return t.Exec("taking over the giving of leaves",
			`INSERT INTO log_lease (lease_id, holder, until_us, batch) VALUES (1, $1, $2, 0)
			 ON CONFLICT (lease_id) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us`,
			holder, store.Micros(until))
	})
	return err == nil && *taken, err
}
