// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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

// shared is what a client has in common with another.
type shared struct {
	documents map[uuid.UUID]bool
	matters   map[string]bool
}

// sharing is what a client has in common with each other client.
type sharing map[uuid.UUID]*shared

func (s sharing) with(clients []uuid.UUID, client uuid.UUID, add func(*shared)) {
	for _, other := range clients {
		if other == client {
			continue
		}
		if s[other] == nil {
			s[other] = &shared{map[uuid.UUID]bool{}, map[string]bool{}}
		}
		add(s[other])
	}
}

// documentsOf gives the ids of the client's documents, and what the client shares with others.
func (s *Store) documentsOf(ctx context.Context, registry string, client uuid.UUID) (all map[uuid.UUID]bool, others sharing, err error) {
	all, others = map[uuid.UUID]bool{}, sharing{}
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
			others.with(clients, client, func(s *shared) { s.documents[id] = true })
			return err
		})
	if err != nil {
		return nil, nil, err
	}
	err = s.each(ctx, s.engine.Readers, "reading a client's matters",
		`SELECT m.matter, m.client_ids FROM matter_clients p JOIN matters m ON m.registry_id = p.registry_id AND m.matter = p.matter
		 WHERE p.client_id = $1 AND p.registry_id = (SELECT registry_id FROM registries WHERE oid = $2)`,
		[]any{client[:], registry}, func(scan func(...any) error) error {
			var (
				id  string
				raw []byte
			)
			if err := scan(&id, &raw); err != nil {
				return err
			}
			clients, err := splitIDs(raw)
			others.with(clients, client, func(s *shared) { s.matters[id] = true })
			return err
		})
	return all, others, err
}

// logElsewhere gives the rows that name another client, or none, and are about documents or a matter of the client.
func (s *Store) logElsewhere(ctx context.Context, registry string, client uuid.UUID, documents map[uuid.UUID]bool, others sharing, from, until time.Time) (rows []store.LogRow, err error) {
	read := func(b *statement, theirs *shared) error {
		return s.each(ctx, s.engine.Readers, "reading a client's log", b.text(), b.args, func(scan func(...any) error) error {
			row, err := scanLogRow(scan)
			if err != nil {
				return err
			}
			handled := len(row.DocumentIDs)
			row.DocumentIDs = slices.DeleteFunc(row.DocumentIDs, func(id uuid.UUID) bool { return !theirs.documents[id] })
			if row.DocumentCount = len(row.DocumentIDs); row.DocumentCount > 0 || handled == 0 && theirs.matters[matterOf(row.Criteria)] {
				row.ClientID = client
				rows = append(rows, row)
			}
			return nil
		})
	}
	if len(documents) > 0 {
		if err := read(namelessLogSQL(registry, from, until), &shared{documents: documents}); err != nil {
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

// matterOf gives the matter that a row is about and nothing else; a search has more criteria.
func matterOf(criteria json.RawMessage) string {
	if len(criteria) == 0 {
		return ""
	}
	var about struct {
		Matter string `json:"matter"`
	}
	decoder := json.NewDecoder(bytes.NewReader(criteria))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&about) != nil {
		return ""
	}
	return about.Matter
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
