// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// ClientStore knows clients by random ids. An identifier of a client is in it as a keyed hash, to find the client by,
// and sealed, to tell it; the text itself never is.
type ClientStore interface {
	// RegisterClient gives the client's id in the registry, making one at the first call for the hash; created says
	// whether this call made it. Concurrent calls with the same hash get the same id. An identifier that was taken
	// before identifiers were kept is sealed now. The row is completed with the client id and logged in the same
	// transaction. *InvalidError for a registration or row outside its bounds.
	RegisterClient(ctx context.Context, registry string, registration Registration, now time.Time, row LogRow) (id uuid.UUID, created bool, err error)

	// FindClient gives the id of the client that has or had the identifier with the hash in the registry. It logs
	// nothing: the caller decides whether the finding may be told.
	FindClient(ctx context.Context, registry string, hash IdentityHash) (id uuid.UUID, found bool, err error)

	// ClientExists says whether the registry has a client with the id.
	ClientExists(ctx context.Context, registry string, id uuid.UUID) (bool, error)

	// Client gives what is known of a client besides its identifiers. ErrNotFound if the registry has no such client.
	Client(ctx context.Context, registry string, id uuid.UUID) (Client, error)

	// ClientIdentifiers gives all identifiers that a client has or had, in the order in which they were taken, and
	// the data key they are sealed under. ErrNotFound if the registry has no such client.
	ClientIdentifiers(ctx context.Context, registry string, id uuid.UUID) ([]SealedIdentifier, clientkey.Wrapped, error)

	// UpdateClient sets a client's basic data and logs the row in one transaction. ErrNotFound if the registry has no
	// such client, *InvalidError for a death before the birth.
	UpdateClient(ctx context.Context, registry string, id uuid.UUID, data BasicData, row LogRow) (Client, error)

	// ReplaceIdentity gives a client that has a temporary identifier its personal identity code, and logs the row in
	// the same transaction. The client keeps its id, and with it all that is kept under it; it is found by the former
	// identifier too. Repeating it changes nothing.
	//
	// Where the code belongs to another client, of whom nothing is kept but that one code, the other client is given
	// up for this one: its id is no client's any more, and the row tells it among its criteria.
	//
	// ErrNotFound if the registry has no such client, ErrIdentified if it has another code already, ErrMergeNeeded if
	// the code belongs to another client that cannot be given up, *InvalidError for a registration whose kind is not a
	// code or whose day of birth is after the client's death.
	ReplaceIdentity(ctx context.Context, registry string, id uuid.UUID, registration Registration, now time.Time, row LogRow) (Replacement, error)
}

// Seal seals one identifier for a client under its data key. Where key is zero the client has none yet, and a new one
// is made; kept is the key that the store is to keep. It may be called several times, of which one counts.
type Seal func(client uuid.UUID, key clientkey.Wrapped) (sealed []byte, kept clientkey.Wrapped, err error)

// Registration is an identifier under which a client is registered.
type Registration struct {
	Hash IdentityHash
	Kind identitycode.Kind
	// BornOn is the day of birth that the identifier tells, as YYYY-MM-DD; empty when it tells none.
	BornOn string
	Seal   Seal
}

// Validate gives *InvalidError for the first field outside its bounds.
func (r *Registration) Validate() error {
	switch {
	case !r.Kind.Known():
		return &InvalidError{"Kind", "is none"}
	case r.Seal == nil:
		return &InvalidError{"Seal", "is missing"}
	}
	return checkDay("BornOn", r.BornOn)
}

// Client is what is known of a client besides its identifiers.
type Client struct {
	ID uuid.UUID
	// NonDisclosure tells that a non-disclosure for personal safety (turvakielto) is in force for the client.
	NonDisclosure bool
	// BornOn and DiedOn are days, YYYY-MM-DD; empty when not known.
	BornOn, DiedOn string
	// Created is when the client was registered.
	Created time.Time
}

// BasicData are what the organizer tells of a client.
type BasicData struct {
	NonDisclosure bool
	DiedOn        string
}

// Validate gives *InvalidError for the first field outside its bounds.
func (d *BasicData) Validate() error { return checkDay("DiedOn", d.DiedOn) }

// SealedIdentifier is one identifier of a client.
type SealedIdentifier struct {
	Kind identitycode.Kind
	// Sealed is the identifier under the client's data key; nil where it was taken before identifiers were kept.
	Sealed []byte
	// Since is when it was taken, Replaced when another took its place; zero while none has.
	Since, Replaced time.Time
}

// Replacement is what came of replacing an identifier.
type Replacement struct {
	// Changed tells whether this call did it.
	Changed bool
	// Absorbed is the client that was given up; the nil UUID when there was none.
	Absorbed uuid.UUID
}

func checkDay(field, day string) error {
	if day == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return &InvalidError{field, "is no day"}
	}
	return nil
}
