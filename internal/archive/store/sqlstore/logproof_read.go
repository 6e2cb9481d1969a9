// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// PendingLog implements store.LogProofs. A row that is not there any more gets no leaf, and goes on waiting.
func (s *Store) PendingLog(ctx context.Context, limit int) ([]store.LogRow, error) {
	var positions []store.LogPosition
	err := s.each(ctx, s.engine.Readers, "reading what waits for a leaf",
		`SELECT time_us, log_id FROM log_pending ORDER BY time_us, log_id LIMIT $1`, []any{limit},
		func(scan func(...any) error) error {
			position, err := scanPosition(scan)
			positions = append(positions, position)
			return err
		})
	if err != nil {
		return nil, err
	}
	found, err := s.rowsAt(ctx, positions)
	if err != nil {
		return nil, err
	}
	var rows []store.LogRow
	for _, position := range positions {
		if row, ok := found[position.ID]; ok {
			rows = append(rows, *row)
		}
	}
	return rows, nil
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

// LeavesAt implements store.LogProofs.
func (s *Store) LeavesAt(ctx context.Context, places []store.LogPosition) ([]store.LoggedLeaf, error) {
	rows, err := s.rowsAt(ctx, places)
	if err != nil {
		return nil, err
	}
	leaves := make([]store.LoggedLeaf, len(places))
	for i, place := range places {
		leaves[i] = store.LoggedLeaf{Position: place, Row: rows[place.ID]}
	}
	return leaves, s.readLeaves(ctx, leaves)
}

// LeavesOf implements store.LogProofs.
func (s *Store) LeavesOf(ctx context.Context, query store.LogQuery) (page store.LeafPage, err error) {
	rows, err := s.Log(ctx, query)
	if err != nil {
		return store.LeafPage{}, err
	}
	page.Next = rows.Next
	page.Rows = make([]store.LoggedLeaf, len(rows.Rows))
	for i := range rows.Rows {
		row := &rows.Rows[i]
		page.Rows[i] = store.LoggedLeaf{Position: store.LogPosition{Time: row.Time, ID: row.ID}, Row: row}
	}
	return page, s.readLeaves(ctx, page.Rows)
}

// readLeaves fills in the leaves of the rows, and whether they wait for one.
func (s *Store) readLeaves(ctx context.Context, rows []store.LoggedLeaf) error {
	at := make(map[uuid.UUID]*store.LoggedLeaf, len(rows))
	for i := range rows {
		at[rows[i].Position.ID] = &rows[i]
	}
	// Pending first: a row that gets its leaf in between has both, and counts as one that has it.
	if err := s.eachAt(ctx, rows, `SELECT log_id FROM log_pending WHERE `, func(scan func(...any) error) error {
		var id uuid.UUID
		err := scan(&id)
		if one := at[id]; one != nil {
			one.Pending = true
		}
		return err
	}); err != nil {
		return err
	}
	return s.eachAt(ctx, rows, `SELECT log_id, `+leafColumns+` FROM log_leaves WHERE `, func(scan func(...any) error) error {
		var (
			id   uuid.UUID
			read leafScan
		)
		if err := scan(append([]any{&id}, read.dest()...)...); err != nil {
			return err
		}
		leaf, err := read.leaf()
		if one := at[id]; one != nil {
			one.Leaf, one.Pending = leaf, false
		}
		return err
	})
}

// eachAt runs a query that ends in WHERE for the places of the rows.
func (s *Store) eachAt(ctx context.Context, rows []store.LoggedLeaf, query string, scan func(func(...any) error) error) error {
	for len(rows) > 0 {
		n := min(len(rows), rowsAtOnce)
		b := &statement{}
		b.add(query)
		for i := range rows[:n] {
			if i > 0 {
				b.add(` OR `)
			}
			b.add(`(time_us = ? AND log_id = ?)`, store.Micros(rows[i].Position.Time), rows[i].Position.ID[:])
		}
		rows = rows[n:]
		if err := s.each(ctx, s.engine.Readers, "reading leaves of the log", b.text(), b.args, scan); err != nil {
			return err
		}
	}
	return nil
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
