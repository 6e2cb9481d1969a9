// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// LogSupervision reads the log for those who watch over the use of a registry, and for the clients whose data it is
// about.
type LogSupervision interface {
	// SearchLog gives one page of a registry's rows, newest first. ErrCursor for a cursor that was not made for
	// this caller and query.
	SearchLog(ctx context.Context, query LogSearch) (LogFound, error)

	// LogFacts gives what supervision looks at of each row of a registry in a time span, newest first. An error of
	// take ends it and is returned.
	LogFacts(ctx context.Context, span LogSpan, take func(LogFact) error) error

	// LogFirsts gives, for each unit and client, the first allowed row in the span about the client, in no order: of each
	// the time, the unit and the client. An error of take ends it and is returned.
	LogFirsts(ctx context.Context, span LogSpan, take func(LogFact) error) error

	// ClientLog gives all rows about the client, oldest first: those that name the client, and those about a document,
	// also one that was destroyed, or a matter of the client that name another client of it, or none. Of these last the
	// documents are cut to the client's, and ClientID is the client. An error of take ends it and is returned.
	ClientLog(ctx context.Context, query ClientLogQuery, take func(LogRow) error) error
}

// ClientLogQuery selects rows about one client.
type ClientLogQuery struct {
	Registry string
	ClientID uuid.UUID
	// From is inclusive, Until exclusive.
	From, Until time.Time
	// Entries narrow to rows with these ids, MaxWithheld at most; none does not narrow.
	Entries []uuid.UUID
}

// LogSearch selects rows of one registry. Zero fields do not narrow.
type LogSearch struct {
	// Registry is the registry's OID.
	Registry string
	ClientID uuid.UUID
	// Professional is the id on the card, Unit the OID of a producer unit; both as the row has them, and so are
	// Operation, Outcome and Reason.
	Professional, Unit, Operation, Reason string
	Outcome                               Outcome
	// From is inclusive, Until exclusive.
	From, Until time.Time

	// Limit is the page size, 1 to MaxPage.
	Limit int
	// Cursor is LogFound.Next of the page before, or empty for the first page.
	Cursor string
	// CallerBinding ties cursors to the caller; a cursor made under another binding is ErrCursor.
	CallerBinding string
}

// LogFound is one page of a search of the log.
type LogFound struct {
	// Rows are newest first; ties by id, descending.
	Rows []LogRow
	// Next continues after the last row; empty when there is nothing more.
	Next string
}

// Validate gives *InvalidError for the first field outside its bounds.
func (q *LogSearch) Validate() error {
	return firstError(
		checkCode("Registry", q.Registry, false),
		checkCode("Professional", q.Professional, true),
		checkCode("Unit", q.Unit, true),
		checkCode("Operation", q.Operation, true),
		checkCode("Outcome", string(q.Outcome), true),
		checkCode("Reason", q.Reason, true),
		checkLimit(q.Limit),
	)
}

// Matches tells whether the search selects the row, page and cursor aside.
func (q *LogSearch) Matches(row LogRow) bool {
	return row.Registry == q.Registry &&
		(q.ClientID == uuid.Nil || row.ClientID == q.ClientID) &&
		(q.Professional == "" || row.Professional == q.Professional) &&
		(q.Unit == "" || row.Unit == q.Unit) &&
		(q.Operation == "" || row.Operation == q.Operation) &&
		(q.Outcome == "" || row.Outcome == q.Outcome) &&
		(q.Reason == "" || row.Reason == q.Reason) &&
		within(Instant(row.Time), q.From, q.Until)
}

// Binding is what a cursor of this search is tied to: all but the page.
func (q *LogSearch) Binding() [sha256.Size]byte {
	raw, err := json.Marshal([]any{
		"log", q.CallerBinding, q.Registry, q.ClientID.String(), q.Professional, q.Unit, q.Operation, q.Outcome, q.Reason,
		boundMicros(q.From), boundMicros(q.Until),
	})
	if err != nil {
		panic("store: strings and numbers always marshal: " + err.Error())
	}
	return sha256.Sum256(raw)
}

// LogSpan selects rows of one registry by time.
type LogSpan struct {
	Registry string
	// From is inclusive, Until exclusive.
	From, Until time.Time
	// Operations narrow to rows of these; none does not narrow.
	Operations []string
}

// LogFact is what supervision looks at of a row; see LogRow.
type LogFact struct {
	Time                                      time.Time
	Operation                                 string
	Outcome                                   Outcome
	Reason                                    string
	ClientID                                  uuid.UUID
	Unit, CertificateThumbprint, Professional string
}
