// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Summary implements store.SummaryStore. Everything comes from one snapshot.
func (s *Store) Summary(ctx context.Context, query store.SummaryQuery) (facts store.SummaryFacts, err error) {
	if err := query.Validate(); err != nil {
		return store.SummaryFacts{}, err
	}
	snapshot, err := s.engine.Readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return store.SummaryFacts{}, s.failed("summarizing", err)
	}
	defer func() { _ = snapshot.Rollback() }()

	q := &query.Visible
	var nonDisclosure int
	err = snapshot.QueryRowContext(ctx, `SELECT c.non_disclosure FROM clients c JOIN registries r ON r.registry_id = c.registry_id
	  WHERE c.client_id = $1 AND r.oid = $2`, q.ClientID[:], q.Registry).Scan(&nonDisclosure)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.SummaryFacts{}, store.ErrNotFound
	case err != nil:
		return store.SummaryFacts{}, s.failed("finding a client", err)
	}
	facts.NonDisclosure = nonDisclosure != 0
	if facts.Matters, err = s.mattersOf(ctx, snapshot, q.Registry, q.ClientID, ` AND m.closed_us IS NULL`); err != nil {
		return store.SummaryFacts{}, err
	}
	facts.Newest = make([][]store.Facts, len(query.Sections))
	if scopes, all := q.EffectiveScopes(); !all && len(scopes) == 0 {
		return facts, nil
	}
	counts := countsSQL(q)
	err = s.each(ctx, snapshot, "counting documents by their types", counts.text(), counts.args, func(scan func(...any) error) error {
		var one store.TypeCount
		err := scan(&one.Type, &one.Count)
		facts.Counts = append(facts.Counts, one)
		facts.Total += one.Count
		return err
	})
	if err != nil {
		return store.SummaryFacts{}, err
	}
	for i, types := range query.Sections {
		if len(types) == 0 {
			continue
		}
		newest := newestSQL(q, types, query.Newest)
		if err := s.each(ctx, snapshot, "finding the newest documents", newest.text(), newest.args, appendFacts(q.Registry, &facts.Newest[i])); err != nil {
			return store.SummaryFacts{}, err
		}
	}
	return facts, nil
}

// countsSQL counts all that is visible by type.
func countsSQL(q *store.SearchQuery) *statement {
	b := &statement{}
	b.add(`SELECT d.document_type, count(*) FROM (`)
	addVisible(b, q, nil, 0)
	if narrows(q) {
		b.add(`) p` + joinVersions)
		addNarrowing(b, q)
	} else {
		b.add(`) p JOIN documents d ON d.document_id = p.document_id`)
	}
	b.add(` GROUP BY d.document_type ORDER BY d.document_type`)
	return b
}

// newestSQL reads the newest visible documents of the types.
func newestSQL(q *store.SearchQuery, types []string, limit int) *statement {
	b := &statement{}
	b.add(`SELECT ` + factsColumns + ` FROM (`)
	addVisible(b, q, nil, 0)
	b.add(`) p` + joinVersions)
	addNarrowing(b, q)
	b.addIn(`d.document_type`, types)
	b.add(` ORDER BY p.first_stored_us DESC, p.document_id DESC LIMIT ?`, limit)
	return b
}
