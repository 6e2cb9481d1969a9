// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// pendingSQL reads rows that wait. The limit is inside, so that no engine thinks of reading all of the log.
var pendingSQL = `SELECT ` + logColumnsOf("a") + ` FROM (SELECT time_us, log_id FROM log_pending ORDER BY time_us, log_id LIMIT $1) p
 JOIN access_log a ON a.time_us = p.time_us AND a.log_id = p.log_id ORDER BY a.time_us, a.log_id`

// PendingLog implements store.LogProofs. A row that is not there any more gets no leaf, and goes on waiting.
func (s *Store) PendingLog(ctx context.Context, limit int) (rows []store.LogRow, err error) {
	err = s.each(ctx, s.engine.Readers, "reading what waits for a leaf", pendingSQL, []any{limit}, func(scan func(...any) error) error {
		row, err := scanLogRow(scan)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

func scanPosition(scan func(...any) error) (store.LogPosition, error) {
	var (
		position store.LogPosition
		us       int64
	)
	err := scan(&us, &position.ID)
	position.Time = store.FromMicros(us)
	return position, err
}

// rowsAtOnce is how many rows one statement looks up.
const rowsAtOnce = 64

var rowsAtSQL = bySize(rowsAtOnce, func(n int) string {
	const one = `(time_us = ? AND log_id = ?)`
	b := &statement{}
	b.add(`SELECT `+logColumns+` FROM access_log WHERE `+one, nil, nil)
	for range n - 1 {
		b.add(` OR `+one, nil, nil)
	}
	return b.text()
})

// rowsAt gives the rows at the places, by their ids.
func (s *Store) rowsAt(ctx context.Context, positions []store.LogPosition) (map[uuid.UUID]*store.LogRow, error) {
	found := make(map[uuid.UUID]*store.LogRow, len(positions))
	for len(positions) > 0 {
		n := min(len(positions), rowsAtOnce)
		var args []any
		for i := range positions[:n] {
			args = append(args, store.Micros(positions[i].Time), positions[i].ID[:])
		}
		positions = positions[n:]
		if err := s.each(ctx, s.engine.Readers, "reading the access log", rowsAtSQL[n], args, func(scan func(...any) error) error {
			row, err := scanLogRow(scan)
			found[row.ID] = &row
			return err
		}); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// LogBacklog implements store.LogProofs.
func (s *Store) LogBacklog(ctx context.Context) (rows int, oldest time.Time, err error) {
	if _, err = s.one(ctx, "counting what waits for a leaf", `SELECT count(*) FROM log_pending`, nil, &rows); err != nil || rows == 0 {
		return rows, time.Time{}, err
	}
	var us int64
	found, err := s.one(ctx, "reading what waits for a leaf",
		`SELECT time_us FROM log_pending ORDER BY time_us, log_id LIMIT 1`, nil, &us)
	if err != nil || !found {
		return 0, time.Time{}, err
	}
	return rows, store.FromMicros(us), nil
}

// LostLog implements store.LogProofs.
func (s *Store) LostLog(ctx context.Context) (lost []store.LogPosition, err error) {
	err = s.each(ctx, s.engine.Readers, "reading what waits for a leaf",
		`SELECT p.time_us, p.log_id FROM log_pending p WHERE NOT EXISTS
		   (SELECT 1 FROM access_log a WHERE a.time_us = p.time_us AND a.log_id = p.log_id)
		 ORDER BY p.time_us, p.log_id LIMIT $1`, []any{store.MaxPage},
		func(scan func(...any) error) error {
			position, err := scanPosition(scan)
			lost = append(lost, position)
			return err
		})
	return lost, err
}

// LogHeads implements store.LogProofs.
func (s *Store) LogHeads(ctx context.Context, subjects []store.LogSubject) (map[store.LogSubject]store.LogHead, error) {
	heads := map[store.LogSubject]store.LogHead{}
	for len(subjects) > 0 {
		n := min(len(subjects), rowsAtOnce)
		b := &statement{}
		b.add(`SELECT client_id, registry_oid, client_sequence, entry FROM log_client_heads WHERE `)
		for i := range subjects[:n] {
			if i > 0 {
				b.add(` OR `)
			}
			b.add(`(client_id = ? AND registry_oid = ?)`, subjects[i].ClientID[:], subjects[i].Registry)
		}
		subjects = subjects[n:]
		if err := s.each(ctx, s.engine.Readers, "reading clients' last leaves", b.text(), b.args, func(scan func(...any) error) error {
			var (
				subject store.LogSubject
				head    store.LogHead
				entry   []byte
			)
			if err := scan(&subject.ClientID, &subject.Registry, &head.Sequence, &entry); err != nil {
				return err
			}
			if copy(head.Entry[:], entry) != len(entry) || len(entry) != len(head.Entry) {
				return fmt.Errorf("reading clients' last leaves: %w", store.ErrCorrupt)
			}
			heads[subject] = head
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// LogTile implements store.LogProofs.
func (s *Store) LogTile(ctx context.Context, month string, level int, index int64) (hashes []byte, err error) {
	found, err := s.one(ctx, "reading a tile of the log",
		`SELECT hashes FROM log_tiles WHERE month = $1 AND level = $2 AND tile_index = $3`, []any{month, level, index}, &hashes)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return hashes, err
}

// LogTrees implements store.LogProofs.
func (s *Store) LogTrees(ctx context.Context) (months []store.LogTree, err error) {
	err = s.each(ctx, s.engine.Readers, "reading the months of the log", `SELECT month, size FROM log_months ORDER BY month`, nil,
		func(scan func(...any) error) error {
			var one store.LogTree
			err := scan(&one.Month, &one.Size)
			months = append(months, one)
			return err
		})
	return months, err
}

// Leaves implements store.LogProofs.
func (s *Store) Leaves(ctx context.Context, month string, from int64, limit int) (leaves []store.LoggedLeaf, err error) {
	var positions []store.LogPosition
	err = s.each(ctx, s.engine.Readers, "reading leaves of the log",
		`SELECT time_us, log_id, `+leafColumns+` FROM log_leaves
		 WHERE month = $1 AND leaf_index >= $2 ORDER BY leaf_index LIMIT $3`, []any{month, from, limit},
		func(scan func(...any) error) error {
			var (
				us   int64
				read leafScan
				one  store.LoggedLeaf
			)
			if err := scan(append([]any{&us, &one.Position.ID}, read.dest()...)...); err != nil {
				return err
			}
			one.Position.Time = store.FromMicros(us)
			one.Leaf, err = read.leaf()
			leaves = append(leaves, one)
			positions = append(positions, one.Position)
			return err
		})
	if err != nil {
		return nil, err
	}
	rows, err := s.rowsAt(ctx, positions)
	if err != nil {
		return nil, err
	}
	for i := range leaves {
		leaves[i].Row = rows[leaves[i].Position.ID]
	}
	return leaves, nil
}

// withLeavesSQL reads the rows of another query, which is bounded, with their leaves and whether they wait for one.
func withLeavesSQL(rows string) string {
	return `SELECT ` + logColumnsOf("a") + `, l.month, l.leaf_index, l.salt, l.sequenced_us, l.client_sequence, l.client_previous, p.log_id
 FROM (` + rows + `) a
 LEFT JOIN log_leaves l ON l.time_us = a.time_us AND l.log_id = a.log_id
 LEFT JOIN log_pending p ON p.time_us = a.time_us AND p.log_id = a.log_id
 ORDER BY a.time_us, a.log_id`
}

var leavesAtSQL = bySize(rowsAtOnce, func(n int) string { return withLeavesSQL(rowsAtSQL[n]) })

// LeavesAt implements store.LogProofs.
func (s *Store) LeavesAt(ctx context.Context, places []store.LogPosition) ([]store.LoggedLeaf, error) {
	all, at := make([]store.LoggedLeaf, len(places)), map[uuid.UUID]*store.LoggedLeaf{}
	for i, place := range places {
		all[i].Position = place
		at[place.ID] = &all[i]
	}
	for batch := range slices.Chunk(places, rowsAtOnce) {
		var args []any
		for _, place := range batch {
			args = append(args, store.Micros(place.Time), place.ID[:])
		}
		if err := s.eachLeaf(ctx, leavesAtSQL[len(batch)], args, func(one store.LoggedLeaf) {
			if to := at[one.Position.ID]; to != nil {
				*to = one
			}
		}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// LeavesOf implements store.LogProofs.
func (s *Store) LeavesOf(ctx context.Context, query store.LogQuery) (page store.LeafPage, err error) {
	if err := query.Validate(); err != nil {
		return store.LeafPage{}, err
	}
	b := logSQL(&query)
	if err := s.eachLeaf(ctx, withLeavesSQL(b.text()), b.args, func(one store.LoggedLeaf) { page.Rows = append(page.Rows, one) }); err != nil {
		return store.LeafPage{}, err
	}
	if len(page.Rows) > query.Limit {
		page.Rows = page.Rows[:query.Limit]
		page.Next = &page.Rows[query.Limit-1].Position
	}
	return page, nil
}

// eachLeaf runs a query that withLeavesSQL has made.
func (s *Store) eachLeaf(ctx context.Context, query string, args []any, take func(store.LoggedLeaf)) error {
	return s.each(ctx, s.engine.Readers, "reading leaves of the log", query, args, func(scan func(...any) error) error {
		var (
			month                      *string
			index, sequenced, sequence *int64
			read                       leafScan
			pending                    []byte
		)
		row, err := scanLogRow(func(dest ...any) error {
			return scan(append(dest, &month, &index, &read.salt, &sequenced, &sequence, &read.previous, &pending)...)
		})
		if err != nil {
			return err
		}
		one := store.LoggedLeaf{Position: store.LogPosition{Time: row.Time, ID: row.ID}, Row: &row}
		if month != nil && index != nil && sequenced != nil && sequence != nil {
			read.one.Month, read.one.Index, read.sequenced, read.one.ClientSequence = *month, *index, *sequenced, *sequence
			if one.Leaf, err = read.leaf(); err != nil {
				return err
			}
		}
		one.Pending = one.Leaf == nil && pending != nil
		take(one)
		return nil
	})
}

// leafColumns are the columns that leafScan reads.
const leafColumns = `month, leaf_index, salt, sequenced_us, client_sequence, client_previous`

// leafScan takes in the columns of a leaf.
type leafScan struct {
	one            store.Leaf
	sequenced      int64
	salt, previous []byte
}

func (l *leafScan) dest() []any {
	return []any{&l.one.Month, &l.one.Index, &l.salt, &l.sequenced, &l.one.ClientSequence, &l.previous}
}

func (l *leafScan) leaf() (*store.Leaf, error) {
	l.one.Sequenced = store.FromMicros(l.sequenced)
	if copy(l.one.Salt[:], l.salt) != len(l.salt) || len(l.salt) != len(l.one.Salt) ||
		copy(l.one.ClientPrevious[:], l.previous) != len(l.previous) {
		return nil, fmt.Errorf("reading a leaf of the log: %w", store.ErrCorrupt)
	}
	return &l.one, nil
}
