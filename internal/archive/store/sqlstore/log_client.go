// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// ClientLog implements store.LogSupervision. Rows of each of those whom the client shares something with are read page
// by page and merged: what is held does not grow with the log.
func (s *Store) ClientLog(ctx context.Context, query store.ClientLogQuery, take func(store.LogRow) error) error {
	documents, others, err := s.documentsOf(ctx, query.Registry, query.ClientID)
	if err != nil {
		return err
	}
	streams := []*rowStream{s.stream(&query, query.ClientID, func(*store.LogRow) bool { return true })}
	if len(documents) > 0 {
		streams = append(streams, s.stream(&query, uuid.Nil, elsewhere(query.ClientID, &shared{documents: documents})))
	}
	for other, theirs := range others {
		streams = append(streams, s.stream(&query, other, elsewhere(query.ClientID, theirs)))
	}
	for {
		// A document of three clients is there through each of the others only once: a row names one client.
		var first *rowStream
		for _, one := range streams {
			if err := one.fill(ctx); err != nil {
				return err
			}
			if len(one.page) > 0 && (first == nil || compareRows(one.page[0], first.page[0]) < 0) {
				first = one
			}
		}
		if first == nil {
			return nil
		}
		if err := take(first.page[0]); err != nil {
			return err
		}
		first.page = first.page[1:]
	}
}

// elsewhere gives what keeps a row that names another client, or none, if it is about what the client shares, and cuts
// it to that. The destruction of a document has a row for each of its clients.
func elsewhere(client uuid.UUID, theirs *shared) func(*store.LogRow) bool {
	return func(row *store.LogRow) bool {
		if row.Operation == store.OpDestroy {
			return false
		}
		handled := len(row.DocumentIDs)
		row.DocumentIDs = slices.DeleteFunc(row.DocumentIDs, func(id uuid.UUID) bool { return !theirs.documents[id] })
		row.DocumentCount, row.ClientID = len(row.DocumentIDs), client
		return row.DocumentCount > 0 || handled == 0 && theirs.matters[matterOf(row.Criteria)]
	}
}

// rowStream is the rows of one client, or of none, oldest first.
type rowStream struct {
	// read gives the next page and where the one after it begins, nil at the end.
	read func(ctx context.Context, after *store.LogPosition) ([]store.LogRow, *store.LogPosition, error)
	page []store.LogRow
	// after is where the next page begins; done that there is none.
	after *store.LogPosition
	done  bool
}

// fill reads until there is a row, or nothing more.
func (r *rowStream) fill(ctx context.Context) (err error) {
	for len(r.page) == 0 && !r.done {
		if r.page, r.after, err = r.read(ctx, r.after); err != nil {
			return err
		}
		r.done = r.after == nil
	}
	return nil
}

// stream reads the rows of a client, or of none, that keep keeps; it may cut them.
func (s *Store) stream(query *store.ClientLogQuery, of uuid.UUID, keep func(*store.LogRow) bool) *rowStream {
	return &rowStream{read: func(ctx context.Context, after *store.LogPosition) (page []store.LogRow, next *store.LogPosition, err error) {
		b, rows := clientLogSQL(query, of, after), 0
		err = s.each(ctx, s.engine.Readers, "reading a client's log", b.text(), b.args, func(scan func(...any) error) error {
			row, err := scanLogRow(scan)
			if err != nil {
				return err
			}
			if rows++; rows == store.MaxPage {
				next = &store.LogPosition{Time: row.Time, ID: row.ID}
			}
			if keep(&row) {
				page = append(page, row)
			}
			return nil
		})
		return page, next, err
	}}
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

// documentsOf gives the ids of the client's documents, destroyed ones too, and what the client shares with others.
func (s *Store) documentsOf(ctx context.Context, registry string, client uuid.UUID) (all map[uuid.UUID]bool, others sharing, err error) {
	all, others = map[uuid.UUID]bool{}, sharing{}
	add := func(id uuid.UUID, clients []uuid.UUID) {
		all[id] = true
		others.with(clients, client, func(s *shared) { s.documents[id] = true })
	}
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
			clients, err := splitIDs(raw)
			add(id, clients)
			return err
		})
	if err != nil {
		return nil, nil, err
	}
	if err := s.destroyedOf(ctx, registry, client, add); err != nil {
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

// destroyedOf gives the client's documents that were destroyed, with their clients: the client's own log names them,
// and the records of destruction tell whose they were.
func (s *Store) destroyedOf(ctx context.Context, registry string, client uuid.UUID, add func(uuid.UUID, []uuid.UUID)) error {
	var ids []string
	err := s.each(ctx, s.engine.Readers, "reading a client's log",
		`SELECT document_ids FROM access_log WHERE client_id = $1 AND coalesce(registry_oid, '') = $2
		   AND coalesce(operation, '') = $3 AND document_ids IS NOT NULL`,
		[]any{client[:], registry, store.OpDestroy}, func(scan func(...any) error) error {
			var (
				raw   []byte
				named []string
			)
			if err := scan(&raw); err != nil {
				return err
			}
			if json.Unmarshal(raw, &named) != nil {
				return store.ErrCorrupt
			}
			ids = append(ids, named...)
			return nil
		})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, store.MaxPage) {
		args := []any{registry}
		for _, id := range some {
			args = append(args, id)
		}
		records, err := s.destroyed(ctx,
			selectDestroyed+` WHERE kind = 'document' AND registry_oid = $1 AND subject IN (`+numbered(2, len(some))+`)`, args...)
		if err != nil {
			return err
		}
		for i := range records {
			if id, err := uuid.Parse(records[i].Subject); err == nil && slices.Contains(records[i].ClientIDs, client) {
				add(id, records[i].ClientIDs)
			}
		}
	}
	return nil
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

// clientLogSQL selects one page of the rows of a client, or of those that name none and have documents.
func clientLogSQL(q *store.ClientLogQuery, of uuid.UUID, after *store.LogPosition) *statement {
	b := &statement{}
	b.add(selectLog)
	if of == uuid.Nil {
		b.add(` AND registry_oid = ? AND client_id IS NULL AND document_count > 0`, q.Registry)
	} else {
		b.add(` AND client_id = ? AND coalesce(registry_oid, '') = ?`, of[:], q.Registry)
	}
	b.add(` AND time_us >= ? AND time_us < ?`, store.Micros(q.From), store.Micros(q.Until))
	if len(q.Entries) > 0 {
		b.add(` AND log_id IN (`)
		for i := range q.Entries {
			if i > 0 {
				b.add(`, `)
			}
			b.add(`?`, q.Entries[i][:])
		}
		b.add(`)`)
	}
	if after != nil {
		b.add(` AND (time_us, log_id) > (?, ?)`, store.Micros(after.Time), after.ID[:])
	}
	b.add(` ORDER BY time_us, log_id LIMIT ?`, store.MaxPage)
	return b
}

func compareRows(a, b store.LogRow) int {
	return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.ID[:], b.ID[:]))
}
