// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// isLast is the condition that a state is its object's last one.
const isLast = ` AND h.ordinal = (SELECT max(x.ordinal) FROM relationship_history x WHERE x.object_uid = h.object_uid)`

const undeletedSQL = `SELECT ` + stateColumns + ` FROM relationship_history h
 WHERE h.object_uid > $1 AND h.deleted = 0` + isLast + ` ORDER BY h.object_uid LIMIT $2`

// LastRelationshipStates implements store.RelationshipHistory.
func (s *Store) LastRelationshipStates(ctx context.Context, objects []string) ([]store.RelationshipState, error) {
	switch {
	case len(objects) == 0:
		return nil, nil
	case len(objects) > store.MaxPage:
		return nil, &store.InvalidError{Field: "objects", Problem: "are too many"}
	}
	b := lastStatesSQL(objects)
	return s.states(ctx, b.text(), b.args)
}

func lastStatesSQL(objects []string) *statement {
	b := &statement{}
	b.add(`SELECT ` + stateColumns + ` FROM relationship_history h WHERE 1 = 1`)
	b.addIn("h.object_uid", objects)
	b.add(isLast)
	return b
}

// UndeletedRelationshipStates implements store.RelationshipHistory.
func (s *Store) UndeletedRelationshipStates(ctx context.Context, after string, limit int) ([]store.RelationshipState, error) {
	return s.states(ctx, undeletedSQL, []any{after, limit})
}

// RelationshipStates implements store.RelationshipHistory.
func (s *Store) RelationshipStates(ctx context.Context, query store.RelationshipHistoryQuery) (page store.RelationshipHistoryPage, err error) {
	if err := query.Validate(); err != nil {
		return page, err
	}
	b := statesSQL(&query)
	if page.States, err = s.states(ctx, b.text(), b.args); err != nil {
		return store.RelationshipHistoryPage{}, err
	}
	if len(page.States) > query.Limit {
		page.States = page.States[:query.Limit]
		last := page.States[query.Limit-1]
		page.Next = &store.RelationshipHistoryPosition{Recorded: last.Recorded, ObjectUID: last.ObjectUID}
	}
	return page, nil
}

func statesSQL(q *store.RelationshipHistoryQuery) *statement {
	b := &statement{}
	b.add(`SELECT `+stateColumns+` FROM relationship_history h WHERE h.registry_oid = ?`, q.Registry)
	if q.ClientID != uuid.Nil {
		b.add(` AND h.client_id = ?`, q.ClientID[:])
	}
	if q.ObjectUID != "" {
		b.add(` AND h.object_uid = ?`, q.ObjectUID)
	}
	if q.Ended {
		// Word for word the condition of the index relationship_history_ended.
		b.add(` AND (end_us IS NOT NULL OR deleted = 1)`)
	}
	if !q.From.IsZero() {
		b.add(` AND h.recorded_us >= ?`, store.Micros(q.From))
	}
	if !q.Until.IsZero() {
		b.add(` AND h.recorded_us < ?`, store.Micros(q.Until))
	}
	if q.After != nil {
		b.add(` AND (h.recorded_us, h.object_uid) > (?, ?)`, store.Micros(q.After.Recorded), q.After.ObjectUID)
	}
	b.add(` ORDER BY h.recorded_us, h.object_uid LIMIT ?`, q.Limit+1)
	return b
}

func (s *Store) states(ctx context.Context, query string, args []any) (states []store.RelationshipState, err error) {
	err = s.each(ctx, s.engine.Readers, "reading the history of relationships", query, args,
		func(scan func(...any) error) error {
			var row stateRow
			if err := scan(row.dest()...); err != nil {
				return err
			}
			state, err := row.state()
			states = append(states, state)
			return err
		})
	return states, err
}

const wordsSQL = `SELECT v.version, w.stored_us, v.end_us, d.current_version, d.annulled_us FROM relationship_versions v
 JOIN document_versions w ON w.document_id = v.document_id AND w.version = v.version
 JOIN documents d ON d.document_id = v.document_id
 WHERE v.document_id = $1 ORDER BY v.version`

// RelationshipWords implements store.RelationshipHistory.
func (s *Store) RelationshipWords(ctx context.Context, document uuid.UUID) (words []store.RelationshipWord, err error) {
	err = s.each(ctx, s.engine.Readers, "reading what versions say of a relationship", wordsSQL, []any{document[:]},
		func(scan func(...any) error) error {
			var (
				word          = store.RelationshipWord{DocumentID: document}
				current       int
				stored        int64
				end, annulled *int64
			)
			if err := scan(&word.Version, &stored, &end, &current, &annulled); err != nil {
				return err
			}
			word.Stored, word.End = store.FromMicros(stored), orZero(end)
			if word.Version == current {
				word.Annulled = orZero(annulled)
			}
			words = append(words, word)
			return nil
		})
	return words, err
}
