// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/history"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// relationshipHistoryRequest asks about the relationships of one client: those that held at an instant, or all states.
type relationshipHistoryRequest struct {
	Client  string `json:"client"`
	At      string `json:"at"`
	KnownAt string `json:"knownAt"`
	Limit   int    `json:"limit"`
	Cursor  string `json:"cursor"`
}

// relationshipHistoryAnswer has relationships where an instant was asked for, else one page of states.
type relationshipHistoryAnswer struct {
	Client        uuid.UUID    `json:"client"`
	At            *time.Time   `json:"at,omitempty"`
	KnownAt       *time.Time   `json:"knownAt,omitempty"`
	Relationships *[]knownJSON `json:"relationships,omitempty"`
	States        *[]stateJSON `json:"states,omitempty"`
	Next          string       `json:"next,omitempty"`
}

// knownJSON is a relationship as it was known.
type knownJSON struct {
	Relationship string     `json:"relationship"`
	Revision     uint64     `json:"revision"`
	Unit         string     `json:"unit"`
	ServiceTasks []string   `json:"serviceTasks"`
	Start        time.Time  `json:"start"`
	End          *time.Time `json:"end,omitempty"`
	// EndSaidBy tells whose word the end is.
	EndSaidBy       history.Ground `json:"endSaidBy,omitempty"`
	Document        *uuid.UUID     `json:"document,omitempty"`
	DocumentVersion int            `json:"documentVersion,omitempty"`
	RecordedAt      time.Time      `json:"recordedAt"`
}

// stateJSON is one recorded state.
type stateJSON struct {
	Relationship string     `json:"relationship"`
	Revision     uint64     `json:"revision"`
	RecordedAt   time.Time  `json:"recordedAt"`
	Unit         string     `json:"unit"`
	ServiceTasks []string   `json:"serviceTasks"`
	Start        time.Time  `json:"start"`
	End          *time.Time `json:"end,omitempty"`
	Accepted     bool       `json:"accepted"`
	Deleted      bool       `json:"deleted"`
	Missed       bool       `json:"missed"`
}

// historyQuestion is a checked relationshipHistoryRequest.
type historyQuestion struct {
	client      uuid.UUID
	at, knownAt time.Time
	limit       int
	cursor      string
}

// relationshipHistory tells the organizer who could see a client, as it was known at some time. It is told from what is
// recorded, also of what is no longer there.
func (x *exchange) relationshipHistory() outcome {
	ask, stopped := x.historyQuestion()
	if stopped != nil {
		return *stopped
	}
	x.about(ask.client)
	if stopped := x.decideOnHistory(ask.client); stopped != nil {
		return *stopped
	}
	answer := relationshipHistoryAnswer{Client: ask.client}
	if ask.at.IsZero() {
		stopped = x.tellStates(&ask, &answer)
	} else {
		stopped = x.tellKnown(&ask, &answer)
	}
	if stopped != nil {
		return *stopped
	}
	// What was read is released only under a right that still holds.
	if stopped := x.decideOnHistory(ask.client); stopped != nil {
		return *stopped
	}
	return allowed(jsonAnswer(http.StatusOK, answer))
}

// decideOnHistory lets only the organizer through, with a role that manages relationships.
func (x *exchange) decideOnHistory(client uuid.UUID) *outcome {
	ask := question{Request: access.Request{Client: access.ClientID(client)}}
	if !x.identity.Organizer() {
		// What no unit may do is refused alike, whoever the client is.
		ask.Request = access.Request{Operation: access.RegisterClient}
	} else if form, ok := x.server.opts.Catalog().RelationshipType(x.now()); ok {
		ask.documentType = form.Code()
	}
	d := x.decide(ask)
	switch {
	case !d.Allowed:
		return ended(refusedBy(d))
	case !x.identity.Organizer():
		return ended(refused(access.ReasonExtentInsufficient))
	}
	return nil
}

func (x *exchange) tellKnown(ask *historyQuestion, answer *relationshipHistoryAnswer) *outcome {
	recorded, stopped := x.historyOf(store.RelationshipHistoryQuery{ClientID: ask.client})
	if stopped != nil {
		return stopped
	}
	if len(recorded.States) == 0 {
		if stopped := x.knownClient(ask.client); stopped != nil {
			return stopped
		}
	}
	relationships := []knownJSON{}
	for _, k := range history.AsOf(recorded, ask.at, ask.knownAt) {
		one := knownJSON{
			Relationship: k.ObjectUID, Revision: k.Revision, Unit: k.Unit, ServiceTasks: k.ServiceTasks,
			Start: k.Start, End: given(k.EndsAt), EndSaidBy: k.Ground, DocumentVersion: k.Version, RecordedAt: k.Recorded,
		}
		if hasDocument(recorded.Words, k.DocumentID) {
			one.Document = &k.DocumentID
		}
		relationships = append(relationships, one)
	}
	at, knownAt := ask.at.UTC(), ask.knownAt.UTC()
	answer.At, answer.KnownAt, answer.Relationships = &at, &knownAt, &relationships
	return nil
}

func (x *exchange) tellStates(ask *historyQuestion, answer *relationshipHistoryAnswer) *outcome {
	query := store.RelationshipHistoryQuery{Registry: x.registry, ClientID: ask.client, Limit: ask.limit}
	binding := x.cursorBinding(ask.client.String())
	if ask.cursor != "" {
		query.After = new(store.RelationshipHistoryPosition)
		if stopped := x.openCursor(binding, ask.cursor, query.After); stopped != nil {
			return stopped
		}
	}
	page, err := x.server.opts.Store.RelationshipStates(x.context(), query)
	if err != nil {
		return ended(x.storeFailed(err))
	}
	if len(page.States) == 0 && ask.cursor == "" {
		if stopped := x.knownClient(ask.client); stopped != nil {
			return stopped
		}
	}
	states := []stateJSON{}
	for _, s := range page.States {
		states = append(states, stateJSON{
			Relationship: s.ObjectUID, Revision: s.Revision, RecordedAt: s.Recorded, Unit: s.Unit, ServiceTasks: s.ServiceTasks,
			Start: s.Start, End: given(s.End), Accepted: s.Accepted, Deleted: s.Deleted, Missed: s.Missed,
		})
	}
	answer.States = &states
	if page.Next != nil {
		answer.Next = x.sealCursor(binding, page.Next)
	}
	return nil
}

// historyOf reads all that is recorded of a client's or an object's relationships in the registry.
func (x *exchange) historyOf(query store.RelationshipHistoryQuery) (h history.History, stopped *outcome) {
	query.Registry, query.Limit = x.registry, store.MaxPage
	for {
		page, err := x.server.opts.Store.RelationshipStates(x.context(), query)
		if err != nil {
			return h, ended(x.storeFailed(err))
		}
		h.States = append(h.States, page.States...)
		if query.After = page.Next; query.After == nil {
			break
		}
	}
	for _, document := range history.Documents(h.States) {
		words, err := x.server.opts.Store.RelationshipWords(x.context(), document)
		if err != nil {
			return h, ended(x.storeFailed(err))
		}
		h.Words = append(h.Words, words...)
	}
	return h, nil
}

func hasDocument(words []store.RelationshipWord, document uuid.UUID) bool {
	for i := range words {
		if words[i].DocumentID == document {
			return true
		}
	}
	return false
}

// cursorBinding digests the caller and what was asked, so that a cursor serves neither another caller nor another
// question.
func (x *exchange) cursorBinding(asked ...string) [sha256.Size]byte {
	raw, err := json.Marshal(append([]string{x.operation.String(), x.identity.String(), x.registry}, asked...))
	if err != nil {
		panic("archive: texts do not marshal")
	}
	return sha256.Sum256(raw)
}

func (x *exchange) sealCursor(binding [sha256.Size]byte, place any) string {
	raw, err := json.Marshal(place)
	if err != nil {
		panic("archive: a cursor does not marshal")
	}
	return x.server.cursors.Seal(binding, raw)
}

func (x *exchange) openCursor(binding [sha256.Size]byte, token string, place any) *outcome {
	raw, err := x.server.cursors.Open(binding, token)
	if err == nil {
		err = json.Unmarshal(raw, place)
	}
	if err != nil {
		return ended(failed(problem.Of(problem.CursorInvalid)))
	}
	return nil
}

// historyQuestion reads and checks the body, and notes the criteria in the row.
func (x *exchange) historyQuestion() (ask historyQuestion, stopped *outcome) {
	body := relationshipHistoryRequest{Limit: defaultLimit}
	if stopped := x.requestJSON(&body); stopped != nil {
		return ask, stopped
	}
	f := fields{invalid: invalidField}
	ask = historyQuestion{
		client: f.uuid("client", body.Client), at: f.time("at", body.At), knownAt: f.time("knownAt", body.KnownAt),
		limit: body.Limit, cursor: body.Cursor,
	}
	f.page(body.Limit, body.Cursor)
	now := x.now()
	switch {
	case ask.at.IsZero() && !ask.knownAt.IsZero():
		f.fail("knownAt", "belongs to at")
	case !ask.at.IsZero() && ask.cursor != "":
		f.fail("cursor", "does not belong to at")
	case ask.knownAt.After(now):
		f.fail("knownAt", "must not be in the future")
	case !ask.at.IsZero() && ask.knownAt.IsZero():
		ask.knownAt = now
	}
	if f.wrong == nil {
		x.noteCriteria(struct {
			At       *time.Time `json:"at,omitempty"`
			KnownAt  *time.Time `json:"knownAt,omitempty"`
			NextPage bool       `json:"nextPage,omitempty"`
		}{given(ask.at), given(ask.knownAt), ask.cursor != ""})
	}
	return ask, f.wrong
}

// page checks what every paged question has.
func (f *fields) page(limit int, cursor string) {
	if limit < 1 || limit > store.MaxPage {
		f.fail("limit", "must be 1 to 200")
	}
	if len(cursor) > maxCursor {
		f.fail("cursor", "is too long")
	}
}

// noteCriteria notes in the row what was asked for.
func (x *exchange) noteCriteria(criteria any) {
	if raw, err := json.Marshal(criteria); err == nil { // checked times and codes always marshal
		x.row.Criteria = raw
	}
}
