// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
)

// countSQL counts all that is visible and matches.
func countSQL(q *store.SearchQuery) *statement {
	b := &statement{}
	b.add(`SELECT count(*) FROM (`)
	addVisible(b, q, nil, 0)
	b.add(`) p`)
	if narrows(q) {
		b.add(joinVersions)
		addNarrowing(b, q)
	}
	return b
}

// pageSQL reads the page after a position, and one row more.
func pageSQL(q *store.SearchQuery, after *cursor.Position) *statement {
	b := &statement{}
	b.add(`SELECT ` + factsColumns + ` FROM (`)
	enough := q.Limit + 1
	if narrows(q) {
		enough = 0
	}
	addVisible(b, q, after, enough)
	b.add(`) p` + joinVersions)
	addNarrowing(b, q)
	b.add(` ORDER BY p.first_stored_us DESC, p.document_id DESC LIMIT ?`, q.Limit+1)
	return b
}

const joinVersions = ` JOIN documents d ON d.document_id = p.document_id
  JOIN document_versions v ON v.document_id = d.document_id AND v.version = d.current_version WHERE 1 = 1`

// addVisible selects (first_stored_us, document_id) of the documents that the access filter leaves, from an
// index whose prefix is that filter and whose order is the page's. Where the first rows are enough, it may
// leave out later ones.
func addVisible(b *statement, q *store.SearchQuery, after *cursor.Position, enough int) {
	scopes, all := q.EffectiveScopes()
	if q.Matter != "" {
		addOfMatter(b, q, after, scopes, all)
		return
	}
	if all {
		addOfClient(b, q, after, nil)
		return
	}
	var branches []func()
	for _, scope := range scopes {
		if scope.Tasks == nil {
			branches = append(branches, func() { addOfClient(b, q, after, scope.Types) })
		}
		for _, task := range scope.Tasks {
			branches = append(branches, func() { addOfTask(b, q, after, task, scope.Types) })
		}
	}
	if len(branches) == 1 {
		branches[0]()
		return
	}
	for i, add := range branches { // UNION: a document with two of the tasks counts once
		if i > 0 {
			b.add(` UNION `)
		}
		b.add(`SELECT first_stored_us, document_id FROM (`)
		add()
		if enough > 0 {
			b.add(` ORDER BY p.first_stored_us DESC, p.document_id DESC LIMIT ?`, enough)
		}
		b.add(`) t`)
	}
}

func addOfClient(b *statement, q *store.SearchQuery, after *cursor.Position, types []string) {
	b.add(`SELECT p.first_stored_us, p.document_id FROM document_clients p WHERE p.client_id = ?`, q.ClientID[:])
	addPlace(b, q, after)
	addTypes(b, types)
}

func addOfTask(b *statement, q *store.SearchQuery, after *cursor.Position, task string, types []string) {
	b.add(`SELECT p.first_stored_us, p.document_id FROM document_tasks p WHERE p.client_id = ? AND p.service_task = ?`,
		q.ClientID[:], task)
	addPlace(b, q, after)
	addTypes(b, types)
}

// addTypes keeps the documents (as p) of the types; nil keeps all. A document's type never changes, so it is
// looked up where it is kept once.
func addTypes(b *statement, types []string) {
	if types != nil {
		b.addIn(`(SELECT k.document_type FROM documents k WHERE k.document_id = p.document_id)`, types)
	}
}

// addOfMatter selects from document_matters; the access filter and the client are a look-up by a whole key each.
func addOfMatter(b *statement, q *store.SearchQuery, after *cursor.Position, scopes []store.Scope, all bool) {
	b.add(`SELECT p.first_stored_us, p.document_id FROM document_matters p WHERE p.matter = ?`, q.Matter)
	addPlace(b, q, after)
	if all {
		if q.ClientID != uuid.Nil {
			b.add(` AND `)
			addPlacedIn(b, q, `document_clients`, nil)
		}
		return
	}
	b.add(` AND (`)
	for i, scope := range scopes {
		if i > 0 {
			b.add(` OR `)
		}
		b.add(`(`)
		if scope.Tasks == nil {
			addPlacedIn(b, q, `document_clients`, nil)
		} else {
			addPlacedIn(b, q, `document_tasks`, scope.Tasks)
		}
		addTypes(b, scope.Types)
		b.add(`)`)
	}
	b.add(`)`)
}

// addPlacedIn appends the condition that the place (as p) is in another index too: of the client if one is asked
// for, and of one of the service tasks if they are given.
func addPlacedIn(b *statement, q *store.SearchQuery, table string, tasks []string) {
	b.add(`EXISTS (SELECT 1 FROM ` + table + ` o WHERE o.registry_id = p.registry_id AND o.annulled = p.annulled
	  AND o.first_stored_us = p.first_stored_us AND o.document_id = p.document_id`)
	if q.ClientID == uuid.Nil {
		b.add(` AND o.client_id = p.client_id`)
	} else {
		b.add(` AND o.client_id = ?`, q.ClientID[:])
	}
	if tasks != nil {
		b.addIn(`o.service_task`, tasks)
	}
	b.add(`)`)
}

// addPlace appends what every index of places (as p) has in its key, and leaves out old client data that may not be
// seen.
func addPlace(b *statement, q *store.SearchQuery, after *cursor.Position) {
	b.add(` AND p.registry_id = (SELECT registry_id FROM registries WHERE oid = ?) AND p.annulled = ?`,
		q.Registry, flag(q.Annulled))
	if !q.OldData {
		b.add(` AND (SELECT k.old_data FROM documents k WHERE k.document_id = p.document_id) = 0`)
	}
	if !q.StoredFrom.IsZero() {
		b.add(` AND p.first_stored_us >= ?`, store.Micros(q.StoredFrom))
	}
	if !q.StoredUntil.IsZero() {
		b.add(` AND p.first_stored_us < ?`, store.Micros(q.StoredUntil))
	}
	if after != nil {
		b.add(` AND (p.first_stored_us, p.document_id) < (?, ?)`, after.StoredMicros, after.ID[:])
	}
}

// narrows says whether the query asks for more than the indexes of places know.
func narrows(q *store.SearchQuery) bool {
	return q.Type != "" || q.AuthorUnit != "" || !q.CreatedFrom.IsZero() || !q.CreatedUntil.IsZero()
}

// addNarrowing appends what narrows within the visible set.
func addNarrowing(b *statement, q *store.SearchQuery) {
	if q.Type != "" {
		b.add(` AND d.document_type = ?`, q.Type)
	}
	if q.AuthorUnit != "" {
		b.add(` AND v.author_unit = ?`, q.AuthorUnit)
	}
	if !q.CreatedFrom.IsZero() {
		b.add(` AND v.created_us >= ?`, store.Micros(q.CreatedFrom))
	}
	if !q.CreatedUntil.IsZero() {
		b.add(` AND v.created_us < ?`, store.Micros(q.CreatedUntil))
	}
}
