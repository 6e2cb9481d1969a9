// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types that every kind shares. Their reasons are provided as a help
// for people and alerts; they are not part of the declarative API.
const (
	// ReadyCondition is True when the object is reconciled and does what its spec says.
	// For a ServiceRelationship that has ended, that is: the end has been enforced.
	ReadyCondition = "Ready"

	// AcceptedCondition is True when the claims of the object are believed: the namespace may
	// speak for the OIDs it uses, and no older object claims the same.
	AcceptedCondition = "Accepted"

	// ReconcilingCondition is present, and True, only while a controller still works on the
	// object or waits for something that may come without a change to it (kstatus).
	ReconcilingCondition = "Reconciling"

	// StalledCondition is present, and True, only when a person must change something before
	// the object can make progress (kstatus).
	StalledCondition = "Stalled"

	// CredentialIssuedCondition is True when an active credential is in the ledger and has been delivered.
	CredentialIssuedCondition = "CredentialIssued"

	// EligibleCondition is True when every prerequisite of a register access grant holds.
	EligibleCondition = "Eligible"

	// RevocationEnforcedCondition is present only once access has ended. It is True when every
	// live replica of the archive has applied the revision that ended it.
	RevocationEnforcedCondition = "RevocationEnforced"
)

// Reasons that several conditions share.
const (
	// SucceededReason surfaces when everything the condition speaks of holds.
	SucceededReason = "Succeeded"
	// ProgressingReason surfaces when a controller is at work on the object.
	ProgressingReason = "Progressing"
	// SuspendedReason surfaces when a person suspended the object.
	SuspendedReason = "Suspended"
	// DeletingReason surfaces when the object is being deleted.
	DeletingReason = "Deleting"
)

// Reasons of the Accepted condition.
const (
	// OrganizationUnknownReason surfaces when no Organization has the OID that the object names.
	OrganizationUnknownReason = "OrganizationUnknown"
	// NamespaceNotBoundReason surfaces when the Organization does not let the object's namespace act for it.
	NamespaceNotBoundReason = "NamespaceNotBound"
	// OrganizationNotStandingReason surfaces when the Organization, or its main joiner, has not joined or has ended.
	OrganizationNotStandingReason = "OrganizationNotStanding"
	// OIDNotListedReason surfaces when the Organization does not list the OID of the unit that the object claims.
	OIDNotListedReason = "OIDNotListed"
	// OIDClaimedReason surfaces when an older object already claims the same OID.
	OIDClaimedReason = "OIDClaimed"
	// ArchiveUnknownReason surfaces when no Archive has the name that the object gives.
	ArchiveUnknownReason = "ArchiveUnknown"
	// ArchiveNotReadyReason surfaces when the Archive has no certificate authority yet.
	ArchiveNotReadyReason = "ArchiveNotReady"
	// ArchiveNotManagedReason surfaces when the Archive is in a namespace that the manager does not work in.
	ArchiveNotManagedReason = "ArchiveNotManaged"
	// ClientSystemUnknownReason surfaces when no ClientSystem has the name that the object gives.
	ClientSystemUnknownReason = "ClientSystemUnknown"
	// NameTakenReason surfaces when an older Archive in another namespace has the same name.
	NameTakenReason = "NameTaken"
)

// Reasons of the CredentialIssued condition.
const (
	// CredentialActiveReason surfaces when the active credential has been delivered.
	CredentialActiveReason = "CredentialActive"
	// CredentialPendingReason surfaces while a credential is being issued.
	CredentialPendingReason = "CredentialPending"
	// CredentialRevokedReason surfaces when the right was lost and the ledger has been emptied.
	CredentialRevokedReason = "CredentialRevoked"
	// SecretConflictReason surfaces when a Secret with the credential's name exists that Valtuus did not make.
	SecretConflictReason = "SecretConflict"
	// SecretUndeliverableReason surfaces when the Secret cannot be written, for example because its namespace is being deleted.
	SecretUndeliverableReason = "SecretUndeliverable"
	// CertificateRequestInvalidReason surfaces when the unit's certificate request cannot be used.
	CertificateRequestInvalidReason = "CertificateRequestInvalid"
	// IssuerUnavailableReason surfaces when the archive's certificate authority cannot be read.
	IssuerUnavailableReason = "IssuerUnavailable"
)

// Reasons of the RevocationEnforced condition.
const (
	// AppliedReason surfaces when every live archive replica has applied the ending revision.
	AppliedReason = "Applied"
	// NoLiveReplicaReason surfaces when no archive replica is live, and the staleness bound has passed, so that none can serve the right.
	NoLiveReplicaReason = "NoLiveReplica"
	// AwaitingArchiveReason surfaces when a live archive replica has not yet applied the ending revision.
	AwaitingArchiveReason = "AwaitingArchive"
)
