// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/oid"
)

const (
	defaultLimit = 50
	// searchAttempts bounds how often a search is made again because the right changed meanwhile.
	searchAttempts = 3
	maxCursor      = 256
)

// searchRequest is the body of a search for documents.
type searchRequest struct {
	Client       string      `json:"client"`
	Matter       string      `json:"matter"`
	Type         string      `json:"type"`
	ServiceTask  string      `json:"serviceTask"`
	AuthorUnit   string      `json:"authorUnit"`
	StoredFrom   string      `json:"storedFrom"`
	StoredUntil  string      `json:"storedUntil"`
	CreatedFrom  string      `json:"createdFrom"`
	CreatedUntil string      `json:"createdUntil"`
	State        store.State `json:"state"`
	Limit        int         `json:"limit"`
	Cursor       string      `json:"cursor"`
}

// searchAnswer is one page.
type searchAnswer struct {
	Items []documentJSON `json:"items"`
	// Total counts what the caller may see, on all pages.
	Total int    `json:"total"`
	Next  string `json:"next,omitempty"`
}

// searchDocuments lists what the caller may see of the documents of a client or a matter. What the decision
// allows is the filter of the query itself. Only the organizer may search by a matter alone, because only the
// client tells what a unit may see, and only it may see annulled documents.
func (x *exchange) searchDocuments() outcome {
	query, stopped := x.searchQuery()
	if stopped != nil {
		return *stopped
	}
	x.about(query.ClientID)
	ask := question{
		Request:      access.Request{Client: access.ClientID(query.ClientID), ServiceTask: query.ServiceTask},
		documentType: query.Type,
	}
	d := x.decide(ask)
	if d.Allowed && query.Annulled && !x.identity.Organizer() {
		return refused(access.ReasonExtentInsufficient)
	}
	for range searchAttempts {
		if !d.Allowed {
			return refusedBy(d)
		}
		query.AllowedTasks, query.AllowedScopes = visible(d.Tasks), &d.scopes
		page, err := x.server.opts.Store.Search(x.context(), query)
		if err != nil {
			return x.storeFailed(err)
		}
		// What was found is released only under the right that it was searched by.
		used := d
		if d = x.decide(ask); d.Allowed && sameTasks(d.Tasks, used.Tasks) && reflect.DeepEqual(d.scopes, used.scopes) {
			return x.found(page, query)
		}
	}
	if !d.Allowed {
		return refusedBy(d)
	}
	return failed(problem.Of(problem.StoreUnavailable)) // the right changed each time: try again
}

func (x *exchange) found(page store.SearchResult, query store.SearchQuery) outcome {
	if page.Total == 0 && query.Cursor == "" && query.ClientID != uuid.Nil {
		// An empty list for a mistaken id would look like a client without documents.
		if stopped := x.knownClient(query.ClientID); stopped != nil {
			return *stopped
		}
	}
	body := searchAnswer{Items: []documentJSON{}, Total: page.Total, Next: page.Next}
	ids := make([]uuid.UUID, 0, len(page.Items))
	for _, item := range page.Items {
		body.Items = append(body.Items, x.describe(item, x.visibleClients(item, query.ClientID), nil))
		ids = append(ids, item.ID)
	}
	x.handled(ids...)
	return allowed(jsonAnswer(http.StatusOK, body))
}

// visible gives the store's filter for a set of service tasks.
func visible(tasks access.TaskSet) *[]string {
	if tasks.All() {
		return nil
	}
	codes := tasks.Codes()
	return &codes
}

func sameTasks(a, b access.TaskSet) bool {
	return a.All() == b.All() && slices.Equal(a.Codes(), b.Codes())
}

// searchQuery reads and checks the body, and notes the criteria in the row.
func (x *exchange) searchQuery() (query store.SearchQuery, stopped *outcome) {
	body := searchRequest{Limit: defaultLimit, State: store.StateStored}
	if stopped := x.requestJSON(&body); stopped != nil {
		return query, stopped
	}
	f := fields{invalid: invalidField}
	query = store.SearchQuery{
		Registry: x.registry, Matter: f.matter("matter", body.Matter),
		Type: f.code("type", body.Type), ServiceTask: f.code("serviceTask", body.ServiceTask),
		AuthorUnit: body.AuthorUnit,
		StoredFrom: f.time("storedFrom", body.StoredFrom), StoredUntil: f.time("storedUntil", body.StoredUntil),
		CreatedFrom: f.time("createdFrom", body.CreatedFrom), CreatedUntil: f.time("createdUntil", body.CreatedUntil),
		Annulled: body.State == store.StateAnnulled, OldData: x.identity.Organizer(),
		Limit: body.Limit, Cursor: body.Cursor, CallerBinding: x.identity.String(),
	}
	if body.Client != "" || query.Matter == "" {
		query.ClientID = f.uuid("client", body.Client)
	}
	if body.State != store.StateStored && body.State != store.StateAnnulled {
		f.fail("state", "must be stored or annulled")
	}
	f.clean(body.AuthorUnit)
	if body.AuthorUnit != "" && !oid.Valid(body.AuthorUnit) {
		f.fail("authorUnit", "must be an OID")
	}
	if body.Limit < 1 || body.Limit > store.MaxPage {
		f.fail("limit", "must be 1 to 200")
	}
	if len(body.Cursor) > maxCursor {
		f.fail("cursor", "is too long")
	}
	if f.wrong == nil {
		x.row.Criteria = criteria(query)
	}
	return query, f.wrong
}

// criteria gives the search criteria as the use log keeps them.
func criteria(q store.SearchQuery) json.RawMessage {
	raw, err := json.Marshal(struct {
		Matter       string     `json:"matter,omitempty"`
		Type         string     `json:"type,omitempty"`
		ServiceTask  string     `json:"serviceTask,omitempty"`
		AuthorUnit   string     `json:"authorUnit,omitempty"`
		StoredFrom   *time.Time `json:"storedFrom,omitempty"`
		StoredUntil  *time.Time `json:"storedUntil,omitempty"`
		CreatedFrom  *time.Time `json:"createdFrom,omitempty"`
		CreatedUntil *time.Time `json:"createdUntil,omitempty"`
		Annulled     bool       `json:"annulled,omitempty"`
		Limit        int        `json:"limit"`
		NextPage     bool       `json:"nextPage,omitempty"`
	}{
		q.Matter, q.Type, q.ServiceTask, q.AuthorUnit, given(q.StoredFrom), given(q.StoredUntil),
		given(q.CreatedFrom), given(q.CreatedUntil), q.Annulled, q.Limit, q.Cursor != "",
	})
	if err != nil {
		return nil // checked times and codes always marshal
	}
	return raw
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
