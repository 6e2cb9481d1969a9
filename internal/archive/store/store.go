// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store keeps clients, documents and the access log of one archive. All methods are safe for
// concurrent use. Errors are those of this package, so that a caller needs to know no engine:
// ErrUnavailable when the storage cannot write or read now, ErrClosed after Close, and the ones a
// method names.
//
// A write whose context ends while it waits returns the context's error, but is not undone: the
// caller does not learn the outcome, and the row it carried stays in the log. So a caller must not
// change bytes it passed, even after such an error.
type Store interface {
	ClientStore
	DocumentStore
	MatterStore
	SummaryStore
	RelationshipStore
	RelationshipHistory
	RetentionStore
	TestRegistryStore
	AccessLog
	LogSupervision
	WithholdingStore
	LogProofs

	// Probe proves that a write can become durable now: it commits one. ErrUnavailable if not.
	Probe(ctx context.Context, now time.Time) error

	// Close commits what is queued, then releases the storage. Later calls give ErrClosed.
	Close() error
}

// DocumentStore keeps documents. What is stored is never changed here, nor removed before its time (RetentionStore):
// a new version takes the place of the former, which stays, and an annulled document stays as evidence.
//
// A write that repeats one that was done (see Facts.RequestDigest) is done no second time: it gives the facts
// of the version that stands for it, created is false, and its log row is written.
//
// A version that names a matter is stored only while the matter is open and takes it (see Matter.Admit):
// ErrMatterUnknown, ErrMatterClosed, ErrClientOutsideMatter or ErrTaskOutsideMatter otherwise. Only a document that
// carried an unknown matter before matters were kept stays in it. No plain version takes a document out of a closed
// matter.
type DocumentStore interface {
	// StoreDocument stores the first version of a document and the log row in one transaction. ErrExists if
	// the id is taken by another document, ErrDestroyed if by one that was destroyed, ErrNotFound if the registry lacks one of the clients,
	// *InvalidError for a document or row outside its bounds.
	StoreDocument(ctx context.Context, doc NewDocument, row LogRow) (facts Facts, created bool, err error)

	// AddVersion stores a further version and the log row in one transaction. ErrNotFound if the registry has
	// no such document, ErrStale if another version than the expected is the current, ErrAnnulled if the
	// document is annulled, *InvalidError as above.
	AddVersion(ctx context.Context, version NewVersion, row LogRow) (facts Facts, created bool, err error)

	// Annul annuls a document with all its versions, and writes the log row, in one transaction. Errors as
	// AddVersion; one that was annulled for the same reason before counts as a repetition.
	Annul(ctx context.Context, annulment NewAnnulment, row LogRow) (facts Facts, created bool, err error)

	// Document gives a version with the bytes of one representation; version 0 is the current one.
	// ErrNotFound if the registry has no such document, version or representation, ErrCorrupt if the bytes
	// no longer match their digest.
	Document(ctx context.Context, registry string, id uuid.UUID, version int, contentType string) (Document, error)

	// Signature gives a version with the signature over one representation; version 0 is the current one.
	// ErrNotFound if the registry has no such document, version or signature, ErrCorrupt if it no longer matches
	// its digest.
	Signature(ctx context.Context, registry string, id uuid.UUID, version int, contentType string) (SignedVersion, error)

	// DocumentFacts gives what Document gives without the bytes.
	DocumentFacts(ctx context.Context, registry string, id uuid.UUID, version int) (Facts, error)

	// Versions gives the facts of every version, newest first; ErrNotFound if the registry has no such document.
	Versions(ctx context.Context, registry string, id uuid.UUID) ([]Facts, error)

	// Search gives one page of the visible documents by their current versions, newest FirstStored first, and
	// the number of all visible ones. ErrCursor for a cursor that was not made for this caller and query.
	Search(ctx context.Context, query SearchQuery) (SearchResult, error)
}

// SummaryStore tells in short what there is of a client.
type SummaryStore interface {
	// Summary gives what the store knows for a summary, of one moment: what Search would find of the documents, and
	// nothing else. ErrNotFound if the registry has no such client.
	Summary(ctx context.Context, query SummaryQuery) (SummaryFacts, error)
}

// AccessLog is the append-only record of who did or tried what.
type AccessLog interface {
	// AppendLog makes the rows durable, all or none, before it returns nil.
	AppendLog(ctx context.Context, rows ...LogRow) error

	// RecentAssertionIDs gives the assertions of rows logged at or after since, oldest first, so
	// that a restarted archive still knows a replay. An assertion may come more than once.
	RecentAssertionIDs(ctx context.Context, since time.Time) ([]SeenAssertion, error)

	// Log gives one page of rows, oldest first.
	Log(ctx context.Context, query LogQuery) (LogPage, error)
}
