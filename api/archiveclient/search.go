// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Query says which documents to find. The criteria speak of the current versions; an empty one does not narrow.
type Query struct {
	// Client is whose documents to find. The organizer may leave it out where a matter is named.
	Client uuid.UUID
	// Matter is the identifier of a matter.
	Matter string
	// Type and ServiceTask are codes of the catalog.
	Type, ServiceTask string
	// AuthorUnit is the OID of a unit.
	AuthorUnit string
	// StoredFrom and StoredUntil bound when the first version was stored; CreatedFrom and CreatedUntil when the
	// current one was authored. The beginnings are inclusive, the ends are not.
	StoredFrom, StoredUntil, CreatedFrom, CreatedUntil time.Time
	// Annulled finds annulled documents instead of the others; the organizer only.
	Annulled bool
	// PageSize is how many documents a page has, 50 without one, 200 at most.
	PageSize int
}

// Page is one page of found documents, newest stored first.
type Page = openapi.SearchPage

// Search finds documents, newest stored first. It asks for a page when the one before is used up; after an error,
// which is given with an empty document, there is nothing more.
func (c *Client) Search(ctx context.Context, q Query) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for cursor, more := "", true; more; more = cursor != "" {
			page, err := c.SearchPage(ctx, q, cursor)
			if err != nil {
				yield(Document{}, err)
				return
			}
			for _, document := range page.Items {
				if !yield(document, nil) {
					return
				}
			}
			cursor = page.Next
		}
	}
}

// SearchPage finds one page of documents, with the number of documents on all pages. The cursor is the page
// before's Next; empty for the first.
func (c *Client) SearchPage(ctx context.Context, q Query, cursor string) (Page, error) {
	request := openapi.SearchRequest{
		Client: q.Client, Matter: q.Matter, Type: q.Type, ServiceTask: q.ServiceTask, AuthorUnit: q.AuthorUnit,
		StoredFrom: bound(q.StoredFrom), StoredUntil: bound(q.StoredUntil),
		CreatedFrom: bound(q.CreatedFrom), CreatedUntil: bound(q.CreatedUntil),
		Limit: q.PageSize, Cursor: cursor,
	}
	if q.Annulled {
		request.State = openapi.SearchRequestStateAnnulled
	}
	return answer[Page](c.requests.SearchDocuments(ctx, c.registry, request))
}

func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
