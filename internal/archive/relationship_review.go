// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"cmp"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/history"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	// mostReviewed is how many ends one page of a review looks at.
	mostReviewed = 50
	// carryOut is how long after a document said an end its object may come to say it, for the end to be found without
	// naming the client.
	carryOut = 24 * time.Hour
)

// reviewRequest asks for backdated ends: of one client, or of the registry; by when they were recorded.
type reviewRequest struct {
	Client string `json:"client"`
	From   string `json:"from"`
	Until  string `json:"until"`
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor"`
}

// reviewAnswer is one page. It may be empty and yet have a next one.
type reviewAnswer struct {
	Items []reviewJSON `json:"items"`
	Next  string       `json:"next,omitempty"`
}

// reviewJSON is a backdated end with what the unit did before it was recorded.
type reviewJSON struct {
	Relationship string    `json:"relationship"`
	Client       uuid.UUID `json:"client"`
	Unit         string    `json:"unit"`
	// EndedAt is the end, RecordedAt when it came to be known.
	EndedAt    time.Time      `json:"endedAt"`
	RecordedAt time.Time      `json:"recordedAt"`
	EndSaidBy  history.Ground `json:"endSaidBy"`
	// From and Until bound the uses to review.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Uses  []useJSON `json:"uses"`
	// Complete tells that these are all; if not, Next goes on with this end alone.
	Complete bool   `json:"complete"`
	Next     string `json:"next,omitempty"`
}

// useJSON is a use that was allowed then.
type useJSON struct {
	Time         time.Time `json:"time"`
	RequestID    string    `json:"requestId"`
	Operation    string    `json:"operation"`
	Professional string    `json:"professional"`
	Role         string    `json:"role"`
	// Documents is how many were handled.
	Documents int `json:"documents"`
	// Relationship is the one that the use rested on, which may be another that held.
	Relationship string `json:"relationship,omitempty"`
}

// review is a checked reviewRequest.
type review struct {
	client      uuid.UUID
	from, until time.Time
	limit       int
	binding     [sha256.Size]byte
	after       reviewPlace
}

// reviewPlace is where a page goes on: after an end or a state, or within the uses of one end.
type reviewPlace struct {
	Recorded time.Time          `json:"r"`
	Object   string             `json:"o"`
	Use      *store.LogPosition `json:"u,omitempty"`
}

// reviewRelationships lists the ends that were recorded after they had taken effect, each with what the unit did to the
// client's data meanwhile. That was lawful; whether it was needed is for a person to say.
func (x *exchange) reviewRelationships() outcome {
	ask, stopped := x.reviewQuestion()
	if stopped != nil {
		return *stopped
	}
	x.about(ask.client)
	if stopped := x.decideOnHistory(ask.client); stopped != nil {
		return *stopped
	}
	answer := reviewAnswer{Items: []reviewJSON{}}
	switch {
	case ask.after.Use != nil:
		stopped = x.reviewRest(&ask, &answer)
	case ask.client != uuid.Nil:
		stopped = x.reviewClient(&ask, &answer)
	default:
		stopped = x.reviewRegistry(&ask, &answer)
	}
	if stopped != nil {
		return *stopped
	}
	if stopped := x.decideOnHistory(ask.client); stopped != nil {
		return *stopped
	}
	return allowed(jsonAnswer(http.StatusOK, answer))
}

// full tells whether another end has no place on the page.
func (a *reviewAnswer) full(ask *review) bool {
	uses := 0
	for i := range a.Items {
		uses += len(a.Items[i].Uses)
	}
	return uses >= ask.limit || len(a.Items) >= mostReviewed
}

func (x *exchange) reviewClient(ask *review, answer *reviewAnswer) *outcome {
	recorded, stopped := x.historyOf(store.RelationshipHistoryQuery{ClientID: ask.client})
	if stopped != nil {
		return stopped
	}
	if len(recorded.States) == 0 {
		return x.knownClient(ask.client)
	}
	last := ask.after
	for _, end := range history.BackdatedEnds(recorded) {
		place := reviewPlace{Recorded: end.RecordedAt, Object: end.ObjectUID}
		if !ask.asks(&end) || !place.past(&ask.after) {
			continue
		}
		if answer.full(ask) {
			answer.Next = x.sealCursor(ask.binding, last)
			return nil
		}
		if stopped := x.addReviewed(ask, answer, &end, nil); stopped != nil {
			return stopped
		}
		last = place
	}
	return nil
}

// reviewRegistry goes through the states that say an end. Each brings the backdated ends that came to be known since
// the state before it that says one.
func (x *exchange) reviewRegistry(ask *review, answer *reviewAnswer) *outcome {
	query := store.RelationshipHistoryQuery{Registry: x.registry, Ended: true, From: ask.from, Limit: mostReviewed}
	if !ask.until.IsZero() {
		query.Until = ask.until.Add(carryOut)
	}
	if ask.after.Object != "" {
		query.After = &store.RelationshipHistoryPosition{Recorded: ask.after.Recorded, ObjectUID: ask.after.Object}
	}
	page, err := x.server.opts.Store.RelationshipStates(x.context(), query)
	if err != nil {
		return ended(x.storeFailed(err))
	}
	last := ask.after
	for i := range page.States {
		state := &page.States[i]
		if answer.full(ask) {
			answer.Next = x.sealCursor(ask.binding, last)
			return nil
		}
		recorded, stopped := x.historyOf(store.RelationshipHistoryQuery{ObjectUID: state.ObjectUID})
		if stopped != nil {
			return stopped
		}
		since := formerEnd(recorded.States, state)
		for _, end := range history.BackdatedEnds(recorded) {
			if ask.asks(&end) && end.RecordedAt.After(since) && !end.RecordedAt.After(state.Recorded) {
				if stopped := x.addReviewed(ask, answer, &end, nil); stopped != nil {
					return stopped
				}
			}
		}
		last = reviewPlace{Recorded: state.Recorded, Object: state.ObjectUID}
	}
	if page.Next != nil {
		answer.Next = x.sealCursor(ask.binding, last)
	}
	return nil
}

// formerEnd is when the state before it that says an end was recorded.
func formerEnd(states []store.RelationshipState, of *store.RelationshipState) (recorded time.Time) {
	for i := range states {
		s := &states[i]
		if s.Ordinal < of.Ordinal && (!s.End.IsZero() || s.Deleted) && s.Recorded.After(recorded) {
			recorded = s.Recorded
		}
	}
	return recorded
}

// reviewRest goes on with the uses of one end.
func (x *exchange) reviewRest(ask *review, answer *reviewAnswer) *outcome {
	recorded, stopped := x.historyOf(store.RelationshipHistoryQuery{ObjectUID: ask.after.Object})
	if stopped != nil {
		return stopped
	}
	for _, end := range history.BackdatedEnds(recorded) {
		if end.RecordedAt.Equal(ask.after.Recorded) {
			return x.addReviewed(ask, answer, &end, ask.after.Use)
		}
	}
	return ended(failed(problem.Of(problem.CursorInvalid)))
}

// addReviewed puts an end on the page, with its uses as far as they fit.
func (x *exchange) addReviewed(ask *review, answer *reviewAnswer, end *history.BackdatedEnd, after *store.LogPosition) *outcome {
	page, err := x.server.opts.Store.Log(x.context(), store.LogQuery{
		Registry: x.registry, ClientID: end.ClientID, Unit: end.Unit, Outcome: store.OutcomeAllowed,
		From: end.From, Until: end.Until, After: after, Limit: ask.limit,
	})
	if err != nil {
		return ended(x.storeFailed(err))
	}
	item := reviewJSON{
		Relationship: end.ObjectUID, Client: end.ClientID, Unit: end.Unit, EndedAt: end.EndsAt, RecordedAt: end.RecordedAt,
		EndSaidBy: end.Ground, From: end.From, Until: end.Until, Uses: []useJSON{}, Complete: page.Next == nil,
	}
	for i := range page.Rows {
		row := &page.Rows[i]
		if row.Operation == opExplain.String() {
			continue // it told of the right, and of no data
		}
		item.Uses = append(item.Uses, useJSON{
			Time: row.Time, RequestID: row.RequestID, Operation: row.Operation, Professional: row.Professional, Role: row.Role,
			Documents: row.DocumentCount, Relationship: row.Relationship.UID,
		})
	}
	if page.Next != nil {
		item.Next = x.sealCursor(ask.binding, reviewPlace{Recorded: end.RecordedAt, Object: end.ObjectUID, Use: page.Next})
	}
	answer.Items = append(answer.Items, item)
	return nil
}

// asks tells whether the end was recorded in the time asked for.
func (r *review) asks(end *history.BackdatedEnd) bool {
	return !end.RecordedAt.Before(store.Instant(r.from)) && (r.until.IsZero() || end.RecordedAt.Before(store.Instant(r.until)))
}

// past tells whether a place comes after another one.
func (p *reviewPlace) past(other *reviewPlace) bool {
	return cmp.Or(p.Recorded.Compare(other.Recorded), cmp.Compare(p.Object, other.Object)) > 0
}

// reviewQuestion reads and checks the body, and notes the criteria in the row.
func (x *exchange) reviewQuestion() (ask review, stopped *outcome) {
	body := reviewRequest{Limit: defaultLimit}
	if stopped := x.requestJSON(&body); stopped != nil {
		return ask, stopped
	}
	f := fields{invalid: invalidField}
	ask = review{from: f.time("from", body.From), until: f.time("until", body.Until), limit: body.Limit}
	if body.Client != "" {
		ask.client = f.uuid("client", body.Client)
	}
	f.page(body.Limit, body.Cursor)
	if f.wrong != nil {
		return ask, f.wrong
	}
	ask.binding = x.cursorBinding(ask.client.String(), body.From, body.Until)
	if body.Cursor != "" {
		if stopped := x.openCursor(ask.binding, body.Cursor, &ask.after); stopped != nil {
			return ask, stopped
		}
	}
	x.noteCriteria(struct {
		From     *time.Time `json:"from,omitempty"`
		Until    *time.Time `json:"until,omitempty"`
		NextPage bool       `json:"nextPage,omitempty"`
	}{given(ask.from), given(ask.until), body.Cursor != ""})
	return ask, nil
}
