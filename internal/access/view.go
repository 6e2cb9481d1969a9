// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "time"

// View is what the decision asks about the world. One decision must see one state: an implementation
// holds its state still while Decide runs. So that nothing is allocated or copied, lookups return pointers
// into that state, which are not to be written to nor kept; those that find nothing return false.
// Handles are the implementation's own and mean nothing outside the one decision.
type View interface {
	// Freshness tells whether and until when the view is known to be whole.
	Freshness() *Freshness
	// Registry returns the one accepted registry with the OID. Failing that, it returns a registry
	// that claims the OID but is not accepted. Several accepted ones count as none.
	Registry(oid string) (*Registry, bool)
	// RegistryCredential looks a certificate up in a registry's own ledger.
	RegistryCredential(registry Handle, fingerprint Fingerprint) (Credential, bool)
	// Unit returns the one accepted producer unit with the OID. Several count as none.
	Unit(oid string) (*Unit, bool)
	// UnitAccepts tells whether the unit accepts to work in the registry: the organizer behind it or, where it was made for
	// a deployment test, the test.
	UnitAccepts(unit Handle, registry *Registry) bool
	// Organization returns the one accepted organization behind the handle.
	Organization(organization Handle) (*Organization, bool)
	// ClientSystem returns the client system behind the handle.
	ClientSystem(system Handle) (*ClientSystem, bool)
	// Pair returns what hangs on the registry and the unit together; the zero Pair if nothing does.
	Pair(registry, unit Handle) Pair
	// Grant returns the grant that the pair names as the first or another grant as the next.
	Grant(grant Handle) (*Grant, bool)
	// GrantCredential looks a certificate up in a grant's ledger.
	GrantCredential(grant Handle, fingerprint Fingerprint) (Credential, bool)
	// FirstRelationship returns a relationship of the client in the pair, if there is any.
	FirstRelationship(pair Handle, client ClientID) (Relationship, bool)
	// Relationship returns the relationship that another one names as the next.
	Relationship(next Handle) (Relationship, bool)
}

// Handle stands for one object or name inside a View. The zero Handle stands for nothing.
type Handle uint32

// Freshness is how far the view can be believed.
type Freshness struct {
	// Complete tells that every kind has been loaded once.
	Complete bool
	// ProvenAt is the instant before which everything committed is in the view; zero if not proven yet.
	ProvenAt time.Time
	// ProducerBound is how old the view may be for a producer unit where the registry says nothing; zero
	// means DefaultProducerBound.
	ProducerBound time.Duration
	// OrganizerBound is how old the view may be for the organizer where the registry says nothing; zero
	// means DefaultOrganizerBound.
	OrganizerBound time.Duration
}

// Purpose tells what a registry is for.
type Purpose uint8

// The purposes. The zero value is neither; treat it as production.
const (
	// PurposeProduction is a registry of real clients.
	PurposeProduction Purpose = iota + 1
	// PurposeTest is a registry of 900-series test clients.
	PurposeTest
)

// Live is a service relationship that is live: accepted, begun and not ended.
type Live struct {
	Ref Ref
	// Unit is the OID of the producer unit.
	Unit string
	// Tasks are the service tasks that it covers.
	Tasks TaskSet
	// Start is when it started; End is when it ends, exclusive, zero means open.
	Start, End time.Time
}

// Registry is a client registry as the decision sees it.
type Registry struct {
	Ref Ref
	// Handle is for the view's other lookups.
	Handle Handle
	// Purpose tells whether the clients in it are real.
	Purpose Purpose
	// Accepted tells that the registry is accepted and not being deleted.
	Accepted bool
	// Organization is the organizer.
	Organization Handle
	// ClientSystem is the one that the organizer uses.
	ClientSystem Handle
	// ProducerBound is how old a view may be for a producer unit; zero means the Freshness's.
	ProducerBound time.Duration
	// OrganizerBound is how old a view may be for the organizer; zero means the Freshness's.
	OrganizerBound time.Duration
	// ShowNonDisclosure tells that documents under a non-disclosure for personal safety reach producer units
	// unmasked.
	ShowNonDisclosure bool
	// ClosesAt is when the window of the deployment test that the registry was made for closes; zero means open.
	ClosesAt time.Time
}

// Unit is a producer unit that is accepted and not being deleted.
type Unit struct {
	Ref Ref
	// Handle is for the view's other lookups.
	Handle Handle
	// Organization is the producer.
	Organization Handle
	// ClientSystem is the one that the unit uses.
	ClientSystem Handle
}

// Organization is an organization that is accepted and not being deleted.
type Organization struct {
	// JoinedFrom is when it joined; zero means that no date limits it.
	JoinedFrom time.Time
	// EndedAt is when its joining ends or ended; zero means open.
	EndedAt time.Time
	// MainJoiner is through whom it joined; zero means directly.
	MainJoiner Handle
}

// ClientSystem is a client system that is not being deleted.
type ClientSystem struct {
	// ValidFrom is when its certificate starts; zero means that no date limits it.
	ValidFrom time.Time
	// ValidUntil is when its certificate ends; zero means open.
	ValidUntil time.Time
}

// Pair is what hangs on a registry and a unit together.
type Pair struct {
	// Handle is for the view's other lookups.
	Handle Handle
	// Grant is the pair's first grant; zero if there is none.
	Grant Handle
}

// Grant is a register access grant that is not being deleted.
type Grant struct {
	Ref Ref
	// Handle is for the view's other lookups.
	Handle Handle
	// Next is the next grant of the same pair; zero if there is none.
	Next Handle
	// Extent is how far it reaches.
	Extent Extent
	// Ready tells that the controller found every prerequisite fulfilled.
	Ready bool
	// NotReadyReason is the eligibility reason while not ready.
	NotReadyReason string
	// Suspended tells that the organizer has suspended it.
	Suspended bool
	// ValidFrom is when the agreement starts; zero means that no date limits it.
	ValidFrom time.Time
	// ValidUntil is when the agreement ends; zero means open.
	ValidUntil time.Time
	// Tasks are the service tasks that the agreement covers; AllTasks when it restricts none.
	Tasks *TaskSet
	// Buys is what the agreement buys.
	Buys Bought
}

// Credential is one line of a ledger.
type Credential struct {
	// NotBefore is when the certificate becomes valid.
	NotBefore time.Time
	// NotAfter is when the certificate ends; it is not valid at that instant.
	NotAfter time.Time
	// AcceptUntil is set on a superseded certificate: it is not accepted from that instant on.
	AcceptUntil time.Time
}

// Relationship is a service relationship that is not being deleted.
type Relationship struct {
	Ref Ref
	// Next is the next relationship of the same pair and client; zero if there is none.
	Next Handle
	// Accepted tells that the controller accepted it.
	Accepted bool
	// Start is when it starts.
	Start time.Time
	// End is when it ends, exclusive; zero means open.
	End time.Time
	// Tasks are the service tasks that it covers.
	Tasks *TaskSet
}
