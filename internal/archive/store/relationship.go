// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Relationship is what a client relationship document (asiakkuusasiakirja) says of a service relationship.
// The client and the service tasks are those of the document.
type Relationship struct {
	// Unit is the OID of the producer unit.
	Unit string
	// Start is when the relationship starts; End when it ends, zero while open.
	Start, End time.Time
	// Procurement is how the service is bought, as in the API's Procurement.
	Procurement string
}

// Agreement tells whether a client relationship document and its ServiceRelationship agree.
type Agreement string

// The agreements.
const (
	// AgreementPending: one of the two is still to be brought up to the other.
	AgreementPending Agreement = "Pending"
	// AgreementReached: both say the same.
	AgreementReached Agreement = "Agreed"
	// AgreementConflict: both were changed, each in another way; a person must settle it.
	AgreementConflict Agreement = "Conflict"
	// AgreementRefused: the API server does not take what the document says, or no document can be made of
	// the object.
	AgreementRefused Agreement = "Refused"
)

// RelationshipRecord is what the archive keeps of a client relationship document for its ServiceRelationship.
type RelationshipRecord struct {
	DocumentID uuid.UUID
	Registry   string
	ClientID   uuid.UUID
	// Version is the document's current version, ServiceTasks its tasks, and Relationship what it says.
	Version      int
	ServiceTasks []string
	Relationship
	// AnnulledAt is when the document was annulled; zero while it is in force.
	AnnulledAt time.Time

	// Agreement and Detail tell how it stands; Detail is plain English without any data of a person.
	Agreement Agreement
	Detail    string
	// AgreedVersion is the version on which both agreed last; 0 for none.
	AgreedVersion int
	// ObjectUID is the UID of the ServiceRelationship; empty while none is known.
	ObjectUID string
}

// EndsAt is when the relationship ends by the document's word: its end or its annulment, whichever is
// earlier; zero while open.
func (r *RelationshipRecord) EndsAt() time.Time {
	if !r.AnnulledAt.IsZero() && (r.End.IsZero() || r.AnnulledAt.Before(r.End)) {
		return r.AnnulledAt
	}
	return r.End
}

// Settlement is how a client relationship document and its ServiceRelationship stand now.
type Settlement struct {
	DocumentID uuid.UUID
	// Version is the document's current version that this speaks of, and Annulled whether it was annulled.
	Version       int
	Annulled      bool
	Agreement     Agreement
	Detail        string
	AgreedVersion int
	ObjectUID     string
}

// Validate gives *InvalidError for the first field outside its bounds.
func (s *Settlement) Validate() error {
	switch s.Agreement {
	case AgreementPending, AgreementReached, AgreementConflict, AgreementRefused:
		return firstError(checkText("Detail", s.Detail), checkCode("ObjectUID", s.ObjectUID, true))
	default:
		return &InvalidError{"Agreement", "is not Pending, Agreed, Conflict or Refused"}
	}
}

// RelationshipStore keeps how client relationship documents and ServiceRelationships stand. A record is made
// with the document's first version, in the same transaction, as AgreementPending; each further version and an
// annulment set it to AgreementPending again.
type RelationshipStore interface {
	// UnsettledRelationships gives up to limit records that are not AgreementReached, by document id after
	// the one given (the nil UUID for the first).
	UnsettledRelationships(ctx context.Context, after uuid.UUID, limit int) ([]RelationshipRecord, error)

	// RelationshipRecord gives the record of a document; ErrNotFound if it is no client relationship document.
	RelationshipRecord(ctx context.Context, document uuid.UUID) (RelationshipRecord, error)

	// RelationshipVersion gives what a version of the document said; ErrNotFound if there is none.
	RelationshipVersion(ctx context.Context, document uuid.UUID, version int) (Relationship, error)

	// SettleRelationship records how they stand. ErrStale if the document has another current version or has
	// been annulled since the record was read, ErrNotFound if there is no record.
	SettleRelationship(ctx context.Context, settlement Settlement) error
}
