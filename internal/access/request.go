// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

// Caller is who holds the client certificate of the connection.
type Caller struct {
	// TrustedRegistry is the OID of the registry that the certificate was issued for.
	TrustedRegistry string
	// Unit is the OID of the producer unit in the certificate; empty means the organizer's own system.
	Unit string
	// Fingerprint is that of the certificate in use on this connection.
	Fingerprint Fingerprint
}

// IsOrganizer tells whether the caller is the organizer's own system.
func (c Caller) IsOrganizer() bool { return c.Unit == "" }

// Request is one question to the decision.
type Request struct {
	// Caller is the connection's certificate holder.
	Caller Caller
	// Professional tells that a professional assertion was presented and verified.
	Professional bool
	// Registry is the OID in the request's path.
	Registry string
	// Operation is what the caller wants to do.
	Operation Operation
	// Client is whose data it is about; zero when none is named or known. For FindClient it is the
	// client that the identity code belongs to, zero if there is no such client: a producer unit gets
	// the same refusal for both, so that identity codes cannot be probed.
	Client ClientID
	// ServiceTask is the service task that the caller says it acts in; empty when it names none.
	ServiceTask string
	// IncomingTasks are the service tasks on the document that Store, NewVersion or Correct brings in.
	// Each must be covered; NewVersion and Correct may keep those that the document has already.
	IncomingTasks []string
	// IncomingSector is the branch of care of what Store, NewVersion or Correct brings in.
	IncomingSector CareSector
	// IncomingOldData tells that what Store brings in is old client data.
	IncomingOldData bool
	// Document is the stored document that the operation is about; nil when there is none.
	Document *DocumentFacts
}

// DocumentFacts is what the decision has to know about a stored document.
type DocumentFacts struct {
	// Registry is the OID of the registry that the document belongs to.
	Registry string
	// Client is whose document it is.
	Client ClientID
	// ServiceTasks are the service tasks that the document belongs to.
	ServiceTasks []string
	// AuthorUnit is the OID of the producer unit that stored it; empty means the organizer.
	AuthorUnit string
	// Old tells that it is old client data: outside the register access right, whatever its extent.
	Old bool
}
