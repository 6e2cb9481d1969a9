// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"strconv"
	"strings"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
)

// statement is SQL text under construction with its arguments. Values only ever go in as arguments.
type statement struct {
	sql  strings.Builder
	args []any
}

func (b *statement) text() string { return b.sql.String() }

// add appends text; each %s-free "?" in it takes the next value, numbered as $n.
func (b *statement) add(text string, values ...any) {
	for _, v := range values {
		before, rest, _ := strings.Cut(text, "?")
		b.args = append(b.args, v)
		b.sql.WriteString(before + "$" + strconv.Itoa(len(b.args)))
		text = rest
	}
	b.sql.WriteString(text)
}

// countSQL counts all that is visible and matches.
func countSQL(q *store.SearchQuery) *statement {
	b := &statement{}
	b.add(`SELECT count(*) FROM (`)
	addVisible(b, q, nil)
	b.add(`) v`)
	if q.Type != "" || q.AuthorUnit != "" {
		b.add(` JOIN documents d ON d.document_id = v.document_id WHERE 1 = 1`)
		addNarrowing(b, q)
	}
	return b
}

// pageSQL reads the page after a position, and one row more.
func pageSQL(q *store.SearchQuery, after *cursor.Position) *statement {
	b := &statement{}
	b.add(`SELECT ` + factsColumns + ` FROM (`)
	addVisible(b, q, after)
	b.add(`) v JOIN documents d ON d.document_id = v.document_id WHERE 1 = 1`)
	addNarrowing(b, q)
	b.add(` ORDER BY v.stored_us DESC, v.document_id DESC LIMIT ?`, q.Limit+1)
	return b
}

// addVisible selects (stored_us, document_id) of the documents that the access filter leaves, from
// the index whose prefix is that filter and whose order is the page's.
func addVisible(b *statement, q *store.SearchQuery, after *cursor.Position) {
	tasks, all := q.EffectiveTasks()
	switch {
	case all:
		b.add(`SELECT stored_us, document_id FROM documents`)
	case len(tasks) == 1:
		b.add(`SELECT stored_us, document_id FROM document_tasks`)
	default: // a document with two of the tasks counts once
		b.add(`SELECT DISTINCT stored_us, document_id FROM document_tasks`)
	}
	b.add(` WHERE client_id = ? AND registry_id = (SELECT registry_id FROM registries WHERE oid = ?)`,
		q.ClientID[:], q.Registry)
	if !all {
		b.add(` AND service_task IN (`)
		for i, task := range tasks {
			if i > 0 {
				b.add(`, `)
			}
			b.add(`?`, task)
		}
		b.add(`)`)
	}
	if !q.StoredFrom.IsZero() {
		b.add(` AND stored_us >= ?`, store.Micros(q.StoredFrom))
	}
	if !q.StoredUntil.IsZero() {
		b.add(` AND stored_us < ?`, store.Micros(q.StoredUntil))
	}
	if after != nil {
		b.add(` AND (stored_us, document_id) < (?, ?)`, after.StoredMicros, after.ID[:])
	}
}

// addNarrowing appends what narrows within the visible set.
func addNarrowing(b *statement, q *store.SearchQuery) {
	if q.Type != "" {
		b.add(` AND d.document_type = ?`, q.Type)
	}
	if q.AuthorUnit != "" {
		b.add(` AND d.author_unit = ?`, q.AuthorUnit)
	}
}
