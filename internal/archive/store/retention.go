// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Kept is a document with all that its retention time may be counted from.
type Kept struct {
	ID       uuid.UUID
	Registry string
	// Type, and of the current version its number, matter, service tasks and when it was written and stored.
	Type            string
	Version         int
	Matter          string
	ServiceTasks    []string
	Created, Stored time.Time
	ClientIDs       []uuid.UUID
	// Unsettled tells that it is a client relationship document which does not agree with its ServiceRelationship.
	Unsettled bool

	// Clients are those of the document and of its matter, as far as the archive knows them.
	Clients []KeptClient
	// Matters are its own, as far as the archive knows it, and all of its clients.
	Matters []KeptMatter
}

// KeptClient is what retention times are counted from of a client. Days are YYYY-MM-DD; empty: not known.
type KeptClient struct {
	ID             uuid.UUID
	BornOn, DiedOn string
}

// KeptMatter is what retention times are counted from of a matter.
type KeptMatter struct {
	ID           string
	ClientIDs    []uuid.UUID
	ServiceTasks []string
	Opened       time.Time
	// Closed is zero while it is open.
	Closed time.Time
	// Documents is how many documents name it, annulled ones included.
	Documents int
}

// KeptPerson is a client with all that decides how long its identifiers and basic data are kept.
type KeptPerson struct {
	KeptClient
	Registry string
	// Documents is how many documents there are of the client, annulled ones included.
	Documents int
	// Matters are the client's, and Clients all clients of these that the archive knows.
	Matters []KeptMatter
	Clients []KeptClient
}

// OpDestroy is the operation of a row of the access log that tells of a destruction.
const OpDestroy = "Destroy"

// DestroyedKind is what was destroyed.
type DestroyedKind string

// The kinds.
const (
	KindDocument DestroyedKind = "document"
	KindMatter   DestroyedKind = "matter"
	KindClient   DestroyedKind = "client"
	KindLog      DestroyedKind = "log"
)

// Due is why something is destroyed.
type Due struct {
	// Rule is the code of the retention rule, CountedFrom the event that it counts from, and StartedOn the day of
	// that event. DueOn is the first day on which it is no longer kept.
	Rule, CountedFrom, StartedOn, DueOn string
}

// DestroyedRecord is what stays of what was destroyed. It holds no content and no identity code.
type DestroyedRecord struct {
	Kind DestroyedKind
	// Subject is the id of the document or the client; of a matter the OID of its registry, a slash and its identifier;
	// of a month of the log the OID of its registry, a space and the month.
	Subject  string
	Registry string
	// ClientIDs are the random ids of those whom it was about.
	ClientIDs []uuid.UUID
	// Type is the document's, Versions how many it had; of a month of the log, how many rows. ServiceTasks are the document's or the matter's.
	Type         string
	ServiceTasks []string
	Versions     int
	Due
	Destroyed time.Time
}

// RecordPosition is a place among the records, which are in the order of kind and subject.
type RecordPosition struct {
	Kind    DestroyedKind
	Subject string
}

// RetentionStore destroys what is no longer to be kept. The judge of a destruction is pure: it is called in the
// transaction, perhaps more than once, with what is there then, so that nothing is destroyed by what was read before.
type RetentionStore interface {
	// Kept gives up to limit documents by id after the one given (the nil UUID for the first).
	Kept(ctx context.Context, after uuid.UUID, limit int) ([]Kept, error)

	// KeptDocument gives one; ErrNotFound if the registry has no such document.
	KeptDocument(ctx context.Context, registry string, id uuid.UUID) (Kept, error)

	// KeptPersons gives up to limit clients by id after the one given.
	KeptPersons(ctx context.Context, after uuid.UUID, limit int) ([]KeptPerson, error)

	// Destroy removes a document with all its versions, writes its record and the log row for each of its clients, all in
	// one transaction. The rows are completed with the registry, the client and the document. ErrKept if the judge says that it is to
	// be kept, ErrNotFound if it is not there, ErrDestroyed if it was destroyed before.
	Destroy(ctx context.Context, id uuid.UUID, at time.Time, judge func(Kept) (Due, bool), row LogRow) error

	// DestroyClient removes a client with its identifiers and the key that these are sealed under, and with the
	// matters that have no other client, in one transaction with their records and the log row. Errors as Destroy.
	DestroyClient(ctx context.Context, id uuid.UUID, at time.Time, judge func(KeptPerson) (PersonDue, bool), row LogRow) error

	// DestroyedDocument gives what stays of a document of the registry; ErrNotFound if none was destroyed.
	DestroyedDocument(ctx context.Context, registry string, id uuid.UUID) (DestroyedRecord, error)

	// DestroyedRecords gives up to limit records after the position, nil for the first.
	DestroyedRecords(ctx context.Context, after *RecordPosition, limit int) ([]DestroyedRecord, error)
}

// PersonDue is why a client is destroyed, and each of its matters, in their order in KeptPerson.
type PersonDue struct {
	Due
	Matters []Due
}
