// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// ClientLog implements store.LogSupervision.
func (s *Store) ClientLog(ctx context.Context, registry string, client uuid.UUID, from, until time.Time, take func(store.LogRow) error) error {
	documents, others, err := s.documentsOf(ctx, registry, client)
	if err != nil {
		return err
	}
	elsewhere, err := s.logElsewhere(ctx, registry, client, documents, others, from, until)
	if err != nil {
		return err
	}
	b := ownLogSQL(registry, client, from, until)
	err = s.each(ctx, s.engine.Readers, "reading a client's log", b.text(), b.args, func(scan func(...any) error) error {
		row, err := scanLogRow(scan)
		if err != nil {
			return err
		}
		for len(elsewhere) > 0 && compareRows(elsewhere[0], row) < 0 {
			if err := take(elsewhere[0]); err != nil {
				return err
			}
			elsewhere = elsewhere[1:]
		}
		return take(row)
	})
	for err == nil && len(elsewhere) > 0 {
		err, elsewhere = take(elsewhere[0]), elsewhere[1:]
	}
	return err
}

// documentsOf gives the ids of the client's documents, and for each other client the ones that are both's.
func (s *Store) documentsOf(ctx context.Context, registry string, client uuid.UUID) (all map[uuid.UUID]bool, others map[uuid.UUID]map[uuid.UUID]bool, err error) {
	all, others = map[uuid.UUID]bool{}, map[uuid.UUID]map[uuid.UUID]bool{}
	err = s.each(ctx, s.engine.Readers, "reading a client's documents",
		`SELECT p.document_id, d.client_ids FROM document_clients p JOIN documents d ON d.document_id = p.document_id
		 WHERE p.client_id = $1 AND p.registry_id = (SELECT registry_id FROM registries WHERE oid = $2)`,
		[]any{client[:], registry}, func(scan func(...any) error) error {
			var (
				id  uuid.UUID
				raw []byte
			)
			if err := scan(&id, &raw); err != nil {
				return err
			}
			all[id] = true
			clients, err := splitIDs(raw)
			for _, other := range clients {
				if other == client {
					continue
				}
				if others[other] == nil {
					others[other] = map[uuid.UUID]bool{}
				}
				others[other][id] = true
			}
			return err
		})
	return all, others, err
}

// logElsewhere gives the rows that name another client, or none, and in which documents of the client were handled.
func (s *Store) logElsewhere(ctx context.Context, registry string, client uuid.UUID, documents map[uuid.UUID]bool, others map[uuid.UUID]map[uuid.UUID]bool, from, until time.Time) (rows []store.LogRow, err error) {
	read := func(b *statement, theirs map[uuid.UUID]bool) error {
		return s.each(ctx, s.engine.Readers, "reading a client's log", b.text(), b.args, func(scan func(...any) error) error {
			row, err := scanLogRow(scan)
			if err != nil {
				return err
			}
			row.DocumentIDs = slices.DeleteFunc(row.DocumentIDs, func(id uuid.UUID) bool { return !theirs[id] })
			if row.DocumentCount = len(row.DocumentIDs); row.DocumentCount > 0 {
				row.ClientID = client
				rows = append(rows, row)
			}
			return nil
		})
	}
	if len(documents) > 0 {
		if err := read(namelessLogSQL(registry, from, until), documents); err != nil {
			return nil, err
		}
	}
	for other, theirs := range others {
		if err := read(ownLogSQL(registry, other, from, until), theirs); err != nil {
			return nil, err
		}
	}
	// A document of three clients is there through each of the others only once: a row names one client.
	slices.SortFunc(rows, compareRows)
	return rows, nil
}

func ownLogSQL(registry string, client uuid.UUID, from, until time.Time) *statement {
	b := &statement{}
	b.add(selectLog)
	b.add(` AND client_id = ? AND coalesce(registry_oid, '') = ?`, client[:], registry)
	b.add(` AND time_us >= ? AND time_us < ? ORDER BY time_us, log_id`, store.Micros(from), store.Micros(until))
	return b
}

func namelessLogSQL(registry string, from, until time.Time) *statement {
	b := &statement{}
	b.add(selectLog)
	b.add(` AND registry_oid = ? AND client_id IS NULL AND document_count > 0`, registry)
	b.add(` AND time_us >= ? AND time_us < ? ORDER BY time_us, log_id`, store.Micros(from), store.Micros(until))
	return b
}

func compareRows(a, b store.LogRow) int {
	return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.ID[:], b.ID[:]))
}
