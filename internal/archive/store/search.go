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

// SearchQuery asks for documents of one client, or of one matter. The visible set is what AllowedTasks,
// AllowedScopes and OldData leave of them in the registry; every other field narrows within it. The fields speak of the
// current version.
type SearchQuery struct {
	// Registry is the registry's OID.
	Registry string
	// ClientID or Matter is required; with both, both hold.
	ClientID uuid.UUID
	Matter   string

	// AllowedTasks and AllowedScopes are the access filter: a document is visible if at least one of its
	// service tasks is in the set and, with the document's type, in one of the scopes. A nil set or list does
	// not restrict; an empty one sees nothing.
	AllowedTasks  *[]string
	AllowedScopes *[]Scope

	// OldData is part of the access filter too: without it no old client data is visible.
	OldData bool

	// ServiceTask, Type and AuthorUnit narrow to equal codes; empty does not narrow.
	ServiceTask, Type, AuthorUnit string
	// StoredFrom (inclusive) and StoredUntil (exclusive) narrow by FirstStored; zero does not.
	StoredFrom, StoredUntil time.Time
	// CreatedFrom (inclusive) and CreatedUntil (exclusive) narrow by authoring time; zero does not.
	CreatedFrom, CreatedUntil time.Time
	// Annulled asks for annulled documents instead of those in force.
	Annulled bool

	// Limit is the page size, 1 to MaxPage.
	Limit int
	// Cursor is SearchResult.Next of the page before, or empty for the first page.
	Cursor string
	// CallerBinding ties cursors to the caller; a cursor made under another binding is ErrCursor.
	CallerBinding string
}

// SearchResult is one page.
type SearchResult struct {
	// Items are newest FirstStored first; ties by id, descending.
	Items []Facts
	// Total counts the visible documents that match, on all pages.
	Total int
	// Next continues after the last item; empty when there is nothing more.
	Next string
}

// Matches says whether the document is visible and matches the query, cursor and limit aside. It
// is what an engine's SQL must compute; tests hold them together.
func (q *SearchQuery) Matches(f Facts) bool {
	if f.Registry != q.Registry || (q.ClientID != uuid.Nil && !slices.Contains(f.ClientIDs, q.ClientID)) {
		return false
	}
	if f.OldData && !q.OldData || !slices.ContainsFunc(f.ServiceTasks, func(task string) bool { return q.sees(task, f.Type) }) {
		return false
	}
	return q.Annulled == (f.State == StateAnnulled) &&
		(q.Matter == "" || f.Matter == q.Matter) &&
		(q.Type == "" || f.Type == q.Type) &&
		(q.AuthorUnit == "" || f.Author.Unit == q.AuthorUnit) &&
		within(f.FirstStored, q.StoredFrom, q.StoredUntil) &&
		within(f.Created, q.CreatedFrom, q.CreatedUntil)
}

// sees says whether a document of the type is visible, and asked for, by its belonging to the service task.
func (q *SearchQuery) sees(task, documentType string) bool {
	return (q.ServiceTask == "" || q.ServiceTask == task) &&
		(q.AllowedTasks == nil || slices.Contains(*q.AllowedTasks, task)) &&
		(q.AllowedScopes == nil || slices.ContainsFunc(*q.AllowedScopes, func(s Scope) bool { return s.Covers(task, documentType) }))
}

// within says whether t is in the half-open span, of which a zero bound is open.
func within(t, from, until time.Time) bool {
	return (from.IsZero() || !t.Before(Instant(from))) && (until.IsZero() || t.Before(Instant(until)))
}

// Binding digests the caller and the query, so that a cursor serves neither another caller nor
// another query. The access filter is left out on purpose: it applies afresh on every page.
func (q *SearchQuery) Binding() [sha256.Size]byte {
	// JSON of strings and numbers is an injective encoding; joining by a separator is not.
	raw, err := json.Marshal([]any{
		q.CallerBinding, q.Registry, q.ClientID.String(), q.Matter, q.ServiceTask, q.Type, q.AuthorUnit,
		boundMicros(q.StoredFrom), boundMicros(q.StoredUntil), boundMicros(q.CreatedFrom), boundMicros(q.CreatedUntil),
		q.Annulled,
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
