// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import "net/http"

// Reason tells why a request was allowed or denied.
type Reason uint8

// The reasons, roughly in the order in which they are checked. The zero value is none of them.
const (
	// ReasonAllowed means that every condition holds.
	ReasonAllowed Reason = iota + 1
	// ReasonViewIncomplete means that the archive has not yet loaded the rights once.
	ReasonViewIncomplete
	// ReasonViewStale means that the archive cannot prove that its view of the rights is recent enough.
	ReasonViewStale
	// ReasonRegistryUnknown means that no registry, or more than one, has the OID.
	ReasonRegistryUnknown
	// ReasonRegistryNotAccepted means that the registry is not accepted, or is being removed.
	ReasonRegistryNotAccepted
	// ReasonRegistryMismatch means that the certificate was issued for another registry.
	ReasonRegistryMismatch
	// ReasonOrganizerEnded means that the organizer is not joined.
	ReasonOrganizerEnded
	// ReasonUnitUnknown means that no accepted producer unit has the OID.
	ReasonUnitUnknown
	// ReasonUnitWithdrawn means that the unit does not accept this organizer.
	ReasonUnitWithdrawn
	// ReasonProducerEnded means that the producer, or its main joiner, is not joined.
	ReasonProducerEnded
	// ReasonSystemNotValid means that a client system's certificate is not valid.
	ReasonSystemNotValid
	// ReasonGrantMissing means that the unit has no register access grant to the registry.
	ReasonGrantMissing
	// ReasonGrantSuspended means that the organizer has suspended the grant.
	ReasonGrantSuspended
	// ReasonGrantExpired means that the grant's agreement has ended.
	ReasonGrantExpired
	// ReasonSocialCareNotBought means that the agreement buys health care only.
	ReasonSocialCareNotBought
	// ReasonGrantNotReady means that a prerequisite of the grant is not fulfilled; Detail tells which.
	ReasonGrantNotReady
	// ReasonGrantNotYetValid means that the grant's agreement has not started.
	ReasonGrantNotYetValid
	// ReasonCredentialNotListed means that the certificate is not on the allow-list.
	ReasonCredentialNotListed
	// ReasonCredentialSuperseded means that a newer certificate has replaced this one.
	ReasonCredentialSuperseded
	// ReasonCredentialExpired means that the certificate has expired.
	ReasonCredentialExpired
	// ReasonCredentialNotYetValid means that the certificate is not valid yet.
	ReasonCredentialNotYetValid
	// ReasonProfessionalMissing means that no verified professional stands behind the request.
	ReasonProfessionalMissing
	// ReasonExtentInsufficient means that the operation needs more than the caller has been given.
	ReasonExtentInsufficient
	// ReasonDocumentMissing means that the operation needs a document and there is none.
	ReasonDocumentMissing
	// ReasonDocumentOtherRegistry means that the document belongs to another registry.
	ReasonDocumentOtherRegistry
	// ReasonOldClientData means that the document is old client data, which is the organizer's alone.
	ReasonOldClientData
	// ReasonClientMissing means that the request names no client.
	ReasonClientMissing
	// ReasonNoRelationship means that the client has no service relationship in the unit.
	ReasonNoRelationship
	// ReasonRelationshipNotAccepted means that the relationship is not accepted.
	ReasonRelationshipNotAccepted
	// ReasonRelationshipNotStarted means that the relationship has not started.
	ReasonRelationshipNotStarted
	// ReasonRelationshipEnded means that the relationship has ended.
	ReasonRelationshipEnded
	// ReasonDocumentOtherClient means that the document is not of the client that the request names.
	ReasonDocumentOtherClient
	// ReasonTaskNotCovered means that the service task is outside the relationship or the agreement, or not named.
	ReasonTaskNotCovered
	// ReasonNotOwnDocument means that another unit or the organizer stored the document.
	ReasonNotOwnDocument
	// ReasonPatientData means that the document belongs with the patient data, because health care is bought besides.
	ReasonPatientData
	reasonEnd
)

// TypeBase is the start of every reason's problem type URI.
const TypeBase = "https://valtuus.io/problems/"

// reasonFacts are the language-independent facts of a reason.
type reasonFacts struct {
	code   string
	status int
}

var reasons = [reasonEnd]reasonFacts{
	ReasonAllowed:                 {"allowed", http.StatusOK},
	ReasonViewIncomplete:          {"view-incomplete", http.StatusServiceUnavailable},
	ReasonViewStale:               {"view-stale", http.StatusServiceUnavailable},
	ReasonRegistryUnknown:         {"registry-unknown", http.StatusNotFound},
	ReasonRegistryNotAccepted:     {"registry-not-accepted", http.StatusForbidden},
	ReasonRegistryMismatch:        {"registry-mismatch", http.StatusForbidden},
	ReasonOrganizerEnded:          {"organizer-ended", http.StatusForbidden},
	ReasonUnitUnknown:             {"unit-unknown", http.StatusForbidden},
	ReasonUnitWithdrawn:           {"unit-withdrawn", http.StatusForbidden},
	ReasonProducerEnded:           {"producer-ended", http.StatusForbidden},
	ReasonSystemNotValid:          {"system-not-valid", http.StatusForbidden},
	ReasonGrantMissing:            {"grant-missing", http.StatusForbidden},
	ReasonGrantSuspended:          {"grant-suspended", http.StatusForbidden},
	ReasonGrantExpired:            {"grant-expired", http.StatusForbidden},
	ReasonSocialCareNotBought:     {"social-care-not-bought", http.StatusForbidden},
	ReasonGrantNotReady:           {"grant-not-ready", http.StatusForbidden},
	ReasonGrantNotYetValid:        {"grant-not-yet-valid", http.StatusForbidden},
	ReasonCredentialNotListed:     {"credential-not-listed", http.StatusForbidden},
	ReasonCredentialSuperseded:    {"credential-superseded", http.StatusForbidden},
	ReasonCredentialExpired:       {"credential-expired", http.StatusForbidden},
	ReasonCredentialNotYetValid:   {"credential-not-yet-valid", http.StatusForbidden},
	ReasonProfessionalMissing:     {"professional-missing", http.StatusUnauthorized},
	ReasonExtentInsufficient:      {"extent-insufficient", http.StatusForbidden},
	ReasonDocumentMissing:         {"document-missing", http.StatusNotFound},
	ReasonDocumentOtherRegistry:   {"document-other-registry", http.StatusNotFound},
	ReasonOldClientData:           {"old-client-data", http.StatusNotFound},
	ReasonClientMissing:           {"client-missing", http.StatusBadRequest},
	ReasonNoRelationship:          {"no-relationship", http.StatusForbidden},
	ReasonRelationshipNotAccepted: {"relationship-not-accepted", http.StatusForbidden},
	ReasonRelationshipNotStarted:  {"relationship-not-started", http.StatusForbidden},
	ReasonRelationshipEnded:       {"relationship-ended", http.StatusForbidden},
	ReasonDocumentOtherClient:     {"document-other-client", http.StatusNotFound},
	ReasonTaskNotCovered:          {"task-not-covered", http.StatusForbidden},
	ReasonNotOwnDocument:          {"not-own-document", http.StatusForbidden},
	ReasonPatientData:             {"patient-data", http.StatusForbidden},
}

// types are built once, so that telling a reason's type allocates nothing.
var types = func() (t [reasonEnd]string) {
	for r := range reasons {
		if reasons[r].code != "" {
			t[r] = TypeBase + reasons[r].code
		}
	}
	return t
}()

// Reasons lists every reason, for documentation and tests.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonEnd-1)
	for r := Reason(1); r < reasonEnd; r++ {
		all = append(all, r)
	}
	return all
}

// Code is the reason's stable name, in kebab case.
func (r Reason) Code() string {
	if r >= reasonEnd {
		return ""
	}
	return reasons[r].code
}

// String is the code.
func (r Reason) String() string { return r.Code() }

// Status is the HTTP status of an answer with this reason. What is no reason is a server error.
func (r Reason) Status() int {
	if r == 0 || r >= reasonEnd {
		return http.StatusInternalServerError
	}
	return reasons[r].status
}

// Type is the stable URI for the type member of a problem (RFC 9457).
func (r Reason) Type() string {
	if r >= reasonEnd {
		return ""
	}
	return types[r]
}
