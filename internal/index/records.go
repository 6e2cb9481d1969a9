// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// Key is the namespace and name of a namespaced object.
type Key struct {
	// Namespace is the object's namespace.
	Namespace string
	// Name is the object's name.
	Name string
}

// DocumentID is the random id of a document.
type DocumentID [16]byte

// Credential is one line of a ledger. One without a fingerprint is not kept: nothing can match it.
type Credential struct {
	// Fingerprint is that of the certificate.
	Fingerprint access.Fingerprint
	// NotBefore is when the certificate becomes valid.
	NotBefore time.Time
	// NotAfter is when the certificate ends, exclusive.
	NotAfter time.Time
	// AcceptUntil is set on a superseded certificate only: it is not accepted from that instant on.
	AcceptUntil time.Time
}

// Registry is what the index takes in of a client registry.
type Registry struct {
	Key      Key
	UID      access.UID
	Revision uint64
	// OID is the registry's.
	OID string
	// Controller is the OID of the registry controller.
	Controller string
	// Organization is the organizer's OID.
	Organization string
	// ClientSystem is the name of the one that the organizer uses.
	ClientSystem string
	// Purpose tells whether the clients in it are real.
	Purpose access.Purpose
	// Accepted tells that the controller accepted the observed generation.
	Accepted bool
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
	// ProducerBound is how old a view may be for a producer unit; zero means the archive's, see Index.SetBounds.
	ProducerBound time.Duration
	// OrganizerBound is how old a view may be for the organizer; zero means the archive's, see Index.SetBounds.
	OrganizerBound time.Duration
	// ShowNonDisclosure tells that documents under a non-disclosure reach producer units unmasked.
	ShowNonDisclosure bool
	// Test is what the registry was made for; the zero one where it was not made for a deployment test.
	Test Test
	// Credentials is the ledger of the organizer's own system.
	Credentials []Credential
}

// Test is the deployment test that a registry was made for.
type Test struct {
	// Registry is the OID of the registry that the combination of systems is wanted for.
	Registry string
	// Unit is the OID of the one unit that takes part.
	Unit string
	// Simulated tells that the unit need not accept the test.
	Simulated bool
	// StartsAt is the instant that the unit has to have accepted, together with ClosesAt or a later end.
	StartsAt time.Time
	// ClosesAt is when the registry is closed.
	ClosesAt time.Time
}

// AcceptedTest is a deployment test that a unit takes part in.
type AcceptedTest struct {
	// Registry is the OID of the registry that the combination of systems is wanted for.
	Registry string
	// Own is the OID of the registry that the test is run in.
	Own string
	// StartsAt is the test's instant, ClosesAt the last one at which its window may close.
	StartsAt, ClosesAt time.Time
}

// Grant is what the index takes in of a register access grant.
type Grant struct {
	Key      Key
	UID      access.UID
	Revision uint64
	// RegistryName is the registry's name in the grant's namespace.
	RegistryName string
	// Unit is the producer unit's OID.
	Unit string
	// Extent is how far the grant reaches.
	Extent access.Extent
	// Ready tells that the controller found every prerequisite fulfilled for the observed generation.
	Ready bool
	// NotReadyReason is the eligibility reason while not ready.
	NotReadyReason string
	// Suspended tells that the organizer has suspended it.
	Suspended bool
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
	// ValidFrom is when the agreement starts; zero means open.
	ValidFrom time.Time
	// ValidUntil is when the agreement ends, exclusive; zero means open.
	ValidUntil time.Time
	// Tasks are the service tasks that the agreement covers; empty means no restriction.
	Tasks []string
	// Buys is what the agreement buys.
	Buys access.Bought
	// Credentials is the ledger of the unit for this registry.
	Credentials []Credential
}

// Relationship is what the index takes in of a service relationship.
type Relationship struct {
	Key      Key
	UID      access.UID
	Revision uint64
	// RegistryName is the registry's name in the relationship's namespace.
	RegistryName string
	// Unit is the producer unit's OID.
	Unit string
	// Client is the client's opaque id. A zero one never matches a request.
	Client access.ClientID
	// Tasks are the service tasks that the relationship covers; none cover nothing.
	Tasks []string
	// Start is when it starts.
	Start time.Time
	// End is when it ends, exclusive; zero means open.
	End time.Time
	// Document is the client relationship document that says the same; the zero one for none.
	Document DocumentID
	// Accepted tells that the controller accepted the observed generation.
	Accepted bool
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
}

// Unit is what the index takes in of a producer unit.
type Unit struct {
	Key      Key
	UID      access.UID
	Revision uint64
	// OID is the unit's.
	OID string
	// Organization is the producer's OID.
	Organization string
	// ClientSystem is the name of the one that the unit uses.
	ClientSystem string
	// AcceptFrom are the OIDs of the organizers that the unit accepts.
	AcceptFrom []string
	// AcceptTests are the deployment tests that the unit takes part in.
	AcceptTests []AcceptedTest
	// Accepted tells that the controller accepted the observed generation, OID claim included.
	Accepted bool
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
}

// Organization is what the index takes in of an organization.
type Organization struct {
	Name     string
	UID      access.UID
	Revision uint64
	// OID is the organization's.
	OID string
	// Accepted tells that the controller accepted the observed generation.
	Accepted bool
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
	// JoinedFrom is when it joined; zero means open.
	JoinedFrom time.Time
	// EndedAt is when its joining ends or ended; zero means open.
	EndedAt time.Time
	// MainJoiner is the OID of the organization through which it joined; empty means directly.
	MainJoiner string
}

// ClientSystem is what the index takes in of a client system.
type ClientSystem struct {
	Name     string
	UID      access.UID
	Revision uint64
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
	// ValidFrom is when its certificate starts; zero means open.
	ValidFrom time.Time
	// ValidUntil is when its certificate ends, exclusive; zero means open.
	ValidUntil time.Time
}
