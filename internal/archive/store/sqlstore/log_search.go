// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
)

// SearchLog implements store.LogSupervision.
func (s *Store) SearchLog(ctx context.Context, query store.LogSearch) (found store.LogFound, err error) {
	if err := query.Validate(); err != nil {
		return store.LogFound{}, err
	}
	binding := query.Binding()
	var after *cursor.Position
	if query.Cursor != "" {
		position, err := s.cursors.Decode(binding, query.Cursor)
		if err != nil {
			return store.LogFound{}, err
		}
		after = &position
	}
	b := logSearchSQL(&query, after)
	err = s.each(ctx, s.engine.Readers, "searching the access log", b.text(), b.args, func(scan func(...any) error) error {
		row, err := scanLogRow(scan)
		found.Rows = append(found.Rows, row)
		return err
	})
	if err != nil {
		return store.LogFound{}, err
	}
	if len(found.Rows) > query.Limit {
		found.Rows = found.Rows[:query.Limit]
		last := found.Rows[query.Limit-1]
		found.Next = s.cursors.Encode(binding, cursor.Position{StoredMicros: store.Micros(last.Time), ID: last.ID})
	}
	return found, nil
}

// logSearchSQL selects one row more than the limit, to know whether a page follows. The narrowest filter is read by
// its index in the order of time; the others are put so that no engine reads by theirs and sorts.
func logSearchSQL(q *store.LogSearch, after *cursor.Position) *statement {
	b := &statement{}
	b.add(selectLog)
	driven := false
	narrow := func(given bool, column string, value any, index string) {
		switch {
		case !given:
		case driven || index == "":
			b.add(` AND coalesce(`+column+`, '') = ?`, value)
		default:
			b.add(` AND `+column+` = ?`+index, value)
			driven = true
		}
	}
	if q.ClientID != uuid.Nil { // a client's rows are few, and those of other registries fewer
		b.add(` AND client_id = ? AND coalesce(registry_oid, '') = ?`, q.ClientID[:], q.Registry)
		driven = true
	} else {
		b.add(` AND registry_oid = ?`, q.Registry)
	}
	const unusual = ` AND outcome <> 'allowed'`
	outcomeIndex, operationIndex := unusual, ` AND operation <> 'Read' AND operation <> 'Search'`
	if q.Outcome == store.OutcomeAllowed {
		outcomeIndex = ""
	}
	if q.Operation == "Read" || q.Operation == "Search" {
		operationIndex = ""
	}
	narrow(q.Reason != "", "reason", q.Reason, unusual)
	narrow(q.Professional != "", "professional", q.Professional, ` AND professional <> ''`)
	narrow(q.Outcome != "", "outcome", string(q.Outcome), outcomeIndex)
	narrow(q.Operation != "", "operation", q.Operation, operationIndex)
	narrow(q.Unit != "", "unit", q.Unit, ` AND unit <> ''`)
	if !q.From.IsZero() {
		b.add(` AND time_us >= ?`, store.Micros(q.From))
	}
	if !q.Until.IsZero() {
		b.add(` AND time_us < ?`, store.Micros(q.Until))
	}
	if after != nil {
		b.add(` AND (time_us, log_id) < (?, ?)`, after.StoredMicros, after.ID[:])
	}
	b.add(` ORDER BY time_us DESC, log_id DESC LIMIT ?`, q.Limit+1)
	return b
}

// LogFacts implements store.LogSupervision.
func (s *Store) LogFacts(ctx context.Context, span store.LogSpan, take func(store.LogFact) error) error {
	b := logFactsSQL(&span)
	return s.each(ctx, s.engine.Readers, "reading the access log", b.text(), b.args, func(scan func(...any) error) error {
		var (
			fact    store.LogFact
			us      int64
			outcome string
			client  []byte
		)
		if err := scan(&us, &fact.Operation, &outcome, &fact.Reason, &client, &fact.Unit, &fact.CertificateThumbprint,
			&fact.Professional); err != nil {
			return err
		}
		fact.Time, fact.Outcome = store.FromMicros(us), store.Outcome(outcome)
		if len(client) > 0 && copy(fact.ClientID[:], client) != len(fact.ClientID) {
			return fmt.Errorf("reading the access log: %w", store.ErrCorrupt)
		}
		return take(fact)
	})
}

// LogFirsts implements store.LogSupervision.
func (s *Store) LogFirsts(ctx context.Context, span store.LogSpan, take func(store.LogFact) error) error {
	b := logFirstsSQL(&span)
	return s.each(ctx, s.engine.Readers, "reading the access log", b.text(), b.args, func(scan func(...any) error) error {
		var (
			fact   store.LogFact
			us     int64
			client []byte
		)
		if err := scan(&fact.Unit, &client, &us); err != nil {
			return err
		}
		if copy(fact.ClientID[:], client) != len(fact.ClientID) {
			return fmt.Errorf("reading the access log: %w", store.ErrCorrupt)
		}
		fact.Time = store.FromMicros(us)
		return take(fact)
	})
}

func logFirstsSQL(span *store.LogSpan) *statement {
	b := &statement{}
	b.add(`SELECT unit, client_id, min(time_us) FROM access_log
	   WHERE registry_oid = ? AND time_us >= ? AND time_us < ? AND coalesce(outcome, '') = 'allowed' AND client_id IS NOT NULL`,
		span.Registry, store.Micros(span.From), store.Micros(span.Until))
	if len(span.Operations) > 0 {
		b.addIn(`coalesce(operation, '')`, span.Operations)
	}
	b.add(` GROUP BY unit, client_id`)
	return b
}

func logFactsSQL(span *store.LogSpan) *statement {
	b := &statement{}
	b.add(`SELECT time_us, operation, outcome, reason, client_id, unit, certificate_thumbprint, professional
	   FROM access_log WHERE registry_oid = ? AND time_us >= ? AND time_us < ?`,
		span.Registry, store.Micros(span.From), store.Micros(span.Until))
	if len(span.Operations) > 0 {
		b.addIn(`coalesce(operation, '')`, span.Operations)
	}
	b.add(` ORDER BY time_us DESC, log_id DESC`)
	return b
}
