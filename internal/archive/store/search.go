// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// SearchQuery asks for one client's documents. The visible set is what AllowedTasks leaves of the
// client's documents in the registry; every other field narrows within it.
type SearchQuery struct {
	// Registry is the registry's OID; ClientID is required.
	Registry string
	ClientID uuid.UUID

	// AllowedTasks is the access filter: a document is visible if at least one of its service
	// tasks is in the set. Nil sees all (the organizer); an empty set sees nothing.
	AllowedTasks *[]string

	// ServiceTask, Type and AuthorUnit narrow to equal codes; empty does not narrow.
	ServiceTask, Type, AuthorUnit string
	// StoredFrom (inclusive) and StoredUntil (exclusive) narrow by storing time; zero does not.
	StoredFrom, StoredUntil time.Time

	// Limit is the page size, 1 to MaxPage.
	Limit int
	// Cursor is SearchResult.Next of the page before, or empty for the first page.
	Cursor string
	// CallerBinding ties cursors to the caller; a cursor made under another binding is ErrCursor.
	CallerBinding string
}

// SearchResult is one page.
type SearchResult struct {
	// Items are newest stored first; ties by id, descending.
	Items []Facts
	// Total counts the visible documents that match, on all pages.
	Total int
	// Next continues after the last item; empty when there is nothing more.
	Next string
}

// EffectiveTasks gives the service tasks to search for after both the access filter and the asked
// narrowing. all means no restriction; an empty set without all means nothing can match, as when
// the asked task is outside the allowed ones.
func (q *SearchQuery) EffectiveTasks() (tasks []string, all bool) {
	if q.AllowedTasks == nil {
		if q.ServiceTask == "" {
			return nil, true
		}
		return []string{q.ServiceTask}, false
	}
	for _, task := range *q.AllowedTasks {
		if (q.ServiceTask == "" || q.ServiceTask == task) && !slices.Contains(tasks, task) {
			tasks = append(tasks, task)
		}
	}
	return tasks, false
}

// Matches says whether the document is visible and matches the query, cursor and limit aside. It
// is what an engine's SQL must compute; tests hold them together.
func (q *SearchQuery) Matches(f Facts) bool {
	if f.Registry != q.Registry || f.ClientID != q.ClientID {
		return false
	}
	if tasks, all := q.EffectiveTasks(); !all &&
		!slices.ContainsFunc(f.ServiceTasks, func(t string) bool { return slices.Contains(tasks, t) }) {
		return false
	}
	switch {
	case q.Type != "" && f.Type != q.Type:
		return false
	case q.AuthorUnit != "" && f.Author.Unit != q.AuthorUnit:
		return false
	case !q.StoredFrom.IsZero() && f.Stored.Before(Instant(q.StoredFrom)):
		return false
	case !q.StoredUntil.IsZero() && !f.Stored.Before(Instant(q.StoredUntil)):
		return false
	}
	return true
}

// Binding digests the caller and the query, so that a cursor serves neither another caller nor
// another query. The access filter is left out on purpose: it applies afresh on every page.
func (q *SearchQuery) Binding() [sha256.Size]byte {
	// JSON of strings and numbers is an injective encoding; joining by a separator is not.
	raw, err := json.Marshal([]any{
		q.CallerBinding, q.Registry, q.ClientID.String(), q.ServiceTask, q.Type, q.AuthorUnit,
		boundMicros(q.StoredFrom), boundMicros(q.StoredUntil),
	})
	if err != nil {
		panic("store: strings and numbers always marshal: " + err.Error())
	}
	return sha256.Sum256(raw)
}

func boundMicros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return Micros(t)
}
