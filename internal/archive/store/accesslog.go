// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Outcome is how a request ended.
type Outcome string

// The outcomes of a log row.
const (
	OutcomeAllowed Outcome = "allowed"
	OutcomeRefused Outcome = "refused"
	OutcomeError   Outcome = "error"
)

// LogRow is one row of the access log: who did or tried what to whose documents, and what the
// decision rested on. Unknown parts stay empty. No identity code and no document content goes in.
type LogRow struct {
	// ID is given by the store when it is the nil UUID.
	ID uuid.UUID
	// Time is when the decision was made.
	Time time.Time
	// RequestID is the id the caller got in the answer.
	RequestID string
	// Registry is the OID that the request named.
	Registry string
	// Operation names the endpoint, e.g. "document.read".
	Operation string
	// Outcome and Reason: the reason code is set unless the outcome is allowed.
	Outcome Outcome
	Reason  string
	// ClientID is the nil UUID when the request was about no known client.
	ClientID uuid.UUID

	// Caller is the identity URI of the certificate; Organization and Unit are OIDs;
	// CertificateThumbprint is the certificate's fingerprint in the ledger's form.
	Caller, Organization, Unit, CertificateThumbprint string
	// Professional is the id on the card, Role the role claimed, CardThumbprint the fingerprint of
	// the card's certificate.
	Professional, Role, CardThumbprint string
	// AssertionKey is the hash under which a replay guard knows the assertion; empty without an
	// accepted assertion. AssertionExpires is when the assertion expires.
	AssertionKey     string
	AssertionExpires time.Time

	// Criteria are the search criteria as a JSON object, or nil.
	Criteria json.RawMessage
	// DocumentIDs are the documents handled; DocumentCount their number.
	DocumentIDs   []uuid.UUID
	DocumentCount int

	// What the decision rested on.
	Relationship, Grant, RegistryObject ObjectRef
	// ViewAge is how old the view was when the decision was made, to the millisecond.
	ViewAge time.Duration
	// CutAt is how many bytes of the answer's body had left when it was cut, at the most. A row that tells so comes after
	// the one that the answer began with, with the same RequestID; 0 in any other.
	CutAt int64
}

// ObjectRef names one revision of a Kubernetes object.
type ObjectRef struct {
	UID, Revision string
}

// SeenAssertion is an assertion that was used.
type SeenAssertion struct {
	// Key is the hash under which a replay guard knows it.
	Key string
	// Expires is when it expires, in UTC.
	Expires time.Time
}

// LogQuery selects rows of the log. Zero fields do not narrow.
type LogQuery struct {
	Registry string
	ClientID uuid.UUID
	// Unit is the OID of the producer unit that acted.
	Unit    string
	Outcome Outcome
	// From is inclusive, Until exclusive.
	From, Until time.Time
	// After is LogPage.Next of the page before.
	After *LogPosition
	// Limit is the page size, 1 to MaxPage.
	Limit int
}

// LogPosition is a place in the log's order (time, then id).
type LogPosition struct {
	Time time.Time
	ID   uuid.UUID
}

// LogPage is one page of the log.
type LogPage struct {
	Rows []LogRow
	// Next continues after the last row; nil when there is nothing more.
	Next *LogPosition
}

// Validate gives *InvalidError for the first field outside its bounds.
func (q *LogQuery) Validate() error { return checkLimit(q.Limit) }
