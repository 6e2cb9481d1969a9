// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// logSearchRequest is the body of a search of the use log.
type logSearchRequest struct {
	Client       string        `json:"client"`
	Professional string        `json:"professional"`
	Unit         string        `json:"unit"`
	Operation    string        `json:"operation"`
	Outcome      store.Outcome `json:"outcome"`
	Reason       string        `json:"reason"`
	From         string        `json:"from"`
	Until        string        `json:"until"`
	Limit        int           `json:"limit"`
	Cursor       string        `json:"cursor"`
}

// logPage is one page of rows.
type logPage struct {
	Items []logRowJSON `json:"items"`
	Next  string       `json:"next,omitempty"`
}

// logRowJSON is one row of the use log as the organizer is told it.
type logRowJSON struct {
	ID             uuid.UUID       `json:"id"`
	Time           time.Time       `json:"time"`
	RequestID      string          `json:"requestId"`
	Operation      string          `json:"operation"`
	Outcome        store.Outcome   `json:"outcome"`
	Reason         string          `json:"reason,omitempty"`
	Client         *uuid.UUID      `json:"client,omitempty"`
	Caller         string          `json:"caller,omitempty"`
	Organization   string          `json:"organization,omitempty"`
	Unit           string          `json:"unit,omitempty"`
	Certificate    string          `json:"certificate,omitempty"`
	Professional   string          `json:"professional,omitempty"`
	Role           string          `json:"role,omitempty"`
	Card           string          `json:"card,omitempty"`
	Criteria       json.RawMessage `json:"criteria,omitempty"`
	Documents      []uuid.UUID     `json:"documents,omitempty"`
	DocumentCount  int             `json:"documentCount"`
	RestsOn        restsOnJSON     `json:"restsOn"`
	ViewAgeSeconds float64         `json:"viewAgeSeconds"`
	CutAt          int64           `json:"cutAt,omitempty"`
}

// searchLog lists rows of this registry's use log, newest first, to its organizer.
func (x *exchange) searchLog() outcome {
	query, stopped := x.logQuery()
	if stopped != nil {
		return *stopped
	}
	x.about(query.ClientID)
	return x.supervising(func() (answer, *outcome) {
		found, err := x.server.opts.Store.SearchLog(x.context(), query)
		if err != nil {
			return answer{}, ended(x.storeFailed(err))
		}
		body := logPage{Items: []logRowJSON{}, Next: found.Next}
		for i := range found.Rows {
			body.Items = append(body.Items, describeRow(&found.Rows[i]))
		}
		return jsonAnswer(http.StatusOK, body), nil
	})
}

// supervising reads under the right to supervise, and releases what was read only under the same right: it may have
// ended meanwhile.
func (x *exchange) supervising(read func() (answer, *outcome)) outcome {
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	a, stopped := read()
	if stopped != nil {
		return *stopped
	}
	if d := x.decide(question{}); !d.Allowed {
		return refusedBy(d)
	}
	return allowed(a)
}

func describeRow(r *store.LogRow) logRowJSON {
	row := logRowJSON{
		ID: r.ID, Time: r.Time, RequestID: r.RequestID, Operation: r.Operation, Outcome: r.Outcome, Reason: r.Reason,
		Caller: r.Caller, Organization: r.Organization, Unit: r.Unit, Certificate: r.CertificateThumbprint,
		Professional: r.Professional, Role: r.Role, Card: r.CardThumbprint, Criteria: r.Criteria,
		Documents: r.DocumentIDs, DocumentCount: r.DocumentCount,
		RestsOn: restsOnJSON{
			Registry: loggedRef(r.RegistryObject), Grant: loggedRef(r.Grant), Relationship: loggedRef(r.Relationship),
		},
		ViewAgeSeconds: r.ViewAge.Seconds(), CutAt: r.CutAt,
	}
	if r.ClientID != uuid.Nil {
		row.Client = &r.ClientID
	}
	return row
}

func loggedRef(r store.ObjectRef) *refJSON {
	if r.UID == "" {
		return nil
	}
	return &refJSON{UID: r.UID, Revision: r.Revision}
}

// logQuery reads and checks the body, and notes the criteria in the row.
func (x *exchange) logQuery() (query store.LogSearch, stopped *outcome) {
	body := logSearchRequest{Limit: defaultLimit}
	if stopped := x.requestJSON(&body); stopped != nil {
		return query, stopped
	}
	f := fields{invalid: invalidField}
	query = store.LogSearch{
		Registry: x.registry, Professional: f.text("professional", body.Professional, store.MaxCode),
		Unit: f.oid("unit", body.Unit), Operation: f.code("operation", body.Operation), Outcome: body.Outcome,
		Reason: f.code("reason", body.Reason), From: f.time("from", body.From), Until: f.time("until", body.Until),
		Limit: body.Limit, Cursor: body.Cursor, CallerBinding: x.identity.String(),
	}
	if len(body.Professional) > store.MaxCode {
		f.fail("professional", "must be at most "+strconv.Itoa(store.MaxCode)+" bytes")
	}
	if body.Client != "" {
		query.ClientID = f.uuid("client", body.Client)
	}
	switch body.Outcome {
	case "", store.OutcomeAllowed, store.OutcomeRefused, store.OutcomeError:
	default:
		f.fail("outcome", "must be allowed, refused or error")
	}
	f.page(body.Limit, body.Cursor)
	if f.wrong == nil {
		x.noteCriteria(struct {
			Professional string        `json:"professional,omitempty"`
			Unit         string        `json:"unit,omitempty"`
			Operation    string        `json:"operation,omitempty"`
			Outcome      store.Outcome `json:"outcome,omitempty"`
			Reason       string        `json:"reason,omitempty"`
			From         *time.Time    `json:"from,omitempty"`
			Until        *time.Time    `json:"until,omitempty"`
			Limit        int           `json:"limit"`
			NextPage     bool          `json:"nextPage,omitempty"`
		}{
			query.Professional, query.Unit, query.Operation, query.Outcome, query.Reason,
			given(query.From), given(query.Until), query.Limit, query.Cursor != "",
		})
	}
	return query, f.wrong
}
