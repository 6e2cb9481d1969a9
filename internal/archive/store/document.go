// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"time"

	"github.com/google/uuid"
)

// IdentityHash is HMAC-SHA-256 of an identity code under a key that the store never sees.
type IdentityHash [sha256.Size]byte

// String hides the hash: with the key leaked, it would name a person.
func (IdentityHash) String() string { return "[identity hash]" }

// GoString hides the hash from %#v as well.
func (h IdentityHash) GoString() string { return h.String() }

// Content types a document may have.
const (
	ContentJSON  = "application/json"
	ContentXHTML = "application/xhtml+xml"
)

// NewDocument is a document to store. All strings are codes, OIDs or ids, never free text.
type NewDocument struct {
	// ID is chosen by the caller, at random.
	ID uuid.UUID
	// Registry is the registry's OID.
	Registry string
	// ClientID is the random id of the client, registered in that registry before.
	ClientID uuid.UUID
	// Type is the code of the document type.
	Type string
	// ServiceTasks are 1 to 8 distinct service-task codes.
	ServiceTasks []string
	// Author says who made it.
	Author Author
	// Created is when it was authored, by its maker's word.
	Created time.Time
	// Stored is when the archive took it.
	Stored time.Time
	// ContentType is ContentJSON or ContentXHTML.
	ContentType string
	// Body is kept verbatim; not empty.
	Body []byte
	// ViewRevision is the revision of the index that allowed the store.
	ViewRevision string
}

// Author is who made a document.
type Author struct {
	// Organization is the OID of the maker's organization.
	Organization string
	// Unit is the OID of the producer's unit; empty for the organizer's own system.
	Unit string
	// Professional is the id of the professional, as the card says it.
	Professional string
}

// Facts are what is known of a stored document besides its bytes.
type Facts struct {
	ID           uuid.UUID
	Registry     string
	ClientID     uuid.UUID
	Type         string
	ServiceTasks []string
	Author       Author
	// Created and Stored are in UTC with microseconds.
	Created, Stored time.Time
	ContentType     string
	// Size is in bytes.
	Size int64
	// Digest is SHA-256 of the stored bytes.
	Digest       [sha256.Size]byte
	ViewRevision string
}

// Document is a stored document with its bytes, verbatim.
type Document struct {
	Facts
	Body []byte
}

// Facts gives what the store will say of the document once it is stored.
func (d *NewDocument) Facts() Facts {
	return Facts{
		ID:           d.ID,
		Registry:     d.Registry,
		ClientID:     d.ClientID,
		Type:         d.Type,
		ServiceTasks: append([]string(nil), d.ServiceTasks...),
		Author:       d.Author,
		Created:      Instant(d.Created),
		Stored:       Instant(d.Stored),
		ContentType:  d.ContentType,
		Size:         int64(len(d.Body)),
		Digest:       sha256.Sum256(d.Body),
		ViewRevision: d.ViewRevision,
	}
}

// Verify gives ErrCorrupt unless the bytes match the digest.
func (d *Document) Verify() error {
	if sha256.Sum256(d.Body) != d.Digest {
		return ErrCorrupt
	}
	return nil
}
