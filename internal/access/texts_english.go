// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

var textsEnglish = [reasonEnd]Text{
	ReasonAllowed: {
		Title:  "The request is allowed",
		Detail: "Every condition of the register access right holds.",
	},
	ReasonViewIncomplete: {
		Title:  "The archive is starting",
		Detail: "The archive has not yet loaded the rights in force, so it does not answer. Try again in a moment. If this goes on, contact the people who run the archive.",
	},
	ReasonViewStale: {
		Title:  "The archive's view of the rights is too old",
		Detail: "The archive cannot make sure that what it knows of the rights in force is recent enough, so it does not answer. Try again in a moment. If this goes on, contact the people who run the archive.",
	},
	ReasonRegistryUnknown: {
		Title:  "No such registry",
		Detail: "The OID in the request identifies no client registry in this archive. Check the OID. If it is right, the organizer has to take the registry into use in the archive.",
	},
	ReasonRegistryNotAccepted: {
		Title:  "The registry is not in use",
		Detail: "The client registry has not been accepted for use, or it is being removed. The organizer can settle this with the people who run the archive.",
	},
	ReasonRegistryMismatch: {
		Title:  "The certificate is for another registry",
		Detail: "The certificate of this connection was issued for another client registry. Use the one for this registry. If there is none, it is the organizer who grants the register access right.",
	},
	ReasonOrganizerEnded: {
		Title:  "The organizer is not joined",
		Detail: "The organizer, or its main joiner, is not joined to the archive at present. The organizer can settle this with the people who run the archive.",
	},
	ReasonUnitUnknown: {
		Title:  "The producer unit is not known",
		Detail: "The archive knows no accepted producer unit with the OID in the certificate. The producer has to add the unit or correct its details.",
	},
	ReasonUnitWithdrawn: {
		Title:  "The unit does not accept the organizer",
		Detail: "The producer unit has not declared that it takes clients from this organizer, or has withdrawn its declaration. The producer can add the organizer to the unit's details.",
	},
	ReasonProducerEnded: {
		Title:  "The producer is not joined",
		Detail: "The producer, or its main joiner, is not joined to the archive at present. The producer can settle this with its main joiner or with the people who run the archive.",
	},
	ReasonSystemNotValid: {
		Title:  "A client system's certification is not valid",
		Detail: "The client system of the organizer or of the producer unit has no valid certification. Its vendor has to renew the certification, and the people who run the archive have to record it.",
	},
	ReasonGrantMissing: {
		Title:  "No register access right",
		Detail: "The producer unit has no register access right to this client registry. It is the organizer who grants it.",
	},
	ReasonGrantSuspended: {
		Title:  "The register access right is suspended",
		Detail: "The organizer has suspended the producer unit's register access right. Only the organizer can restore it.",
	},
	ReasonGrantExpired: {
		Title:  "The agreement has ended",
		Detail: "The agreement on which the producer unit's register access right rests has ended. The organizer can extend the right if the agreement is renewed.",
	},
	ReasonSocialCareNotBought: {
		Title:  "Social care is not bought",
		Detail: "The agreement on which the producer unit's register access right rests buys health care only. What is born in it belongs in the patient data repository, not in this client registry of social care. The organizer can correct the agreement.",
	},
	ReasonGrantNotReady: {
		Title:  "A prerequisite of the register access right is missing",
		Detail: "The producer unit has been granted the register access right, but one of its prerequisites is not fulfilled. This answer names the missing one. The organizer and the producer mend it, each for its own part.",
	},
	ReasonGrantNotYetValid: {
		Title:  "The agreement is not valid yet",
		Detail: "The agreement on which the producer unit's register access right rests has not started yet. The organizer can check when it starts.",
	},
	ReasonCredentialNotListed: {
		Title:  "The certificate is not on the allow-list",
		Detail: "The certificate of this connection is not on the registry's list of accepted certificates: it was removed, or it was never put into use. Use the certificate delivered last. If that does not help, contact the organizer.",
	},
	ReasonCredentialSuperseded: {
		Title:  "The certificate has been replaced",
		Detail: "The certificate of this connection has been replaced by a newer one, and the old one is no longer accepted. Have the system use the new certificate, which has already been delivered.",
	},
	ReasonCredentialExpired: {
		Title:  "The certificate has expired",
		Detail: "The certificate of this connection has expired. Use the certificate delivered last. If no new one has come, contact the organizer.",
	},
	ReasonCredentialNotYetValid: {
		Title:  "The certificate is not valid yet",
		Detail: "The certificate of this connection is not valid yet. Check the system's clock, and try again once the certificate has become valid.",
	},
	ReasonProfessionalMissing: {
		Title:  "The professional's assertion is missing",
		Detail: "The request carries no accepted assertion of which professional makes it. The client system has to add an assertion signed with the professional's card.",
	},
	ReasonExtentInsufficient: {
		Title:  "The operation is outside the right",
		Detail: "The operation is outside the extent of the register access right. The organizer can do it, or can grant the extended register access right if the operation can belong to it.",
	},
	ReasonDocumentMissing: {
		Title:  "No such document",
		Detail: "The operation is about a document that is not named or that is not in this registry. Check the document's id.",
	},
	ReasonDocumentOtherRegistry: {
		Title:  "The document belongs to another registry",
		Detail: "The document does not belong to the client registry of the request. Check the registry's and the document's ids.",
	},
	ReasonOldClientData: {
		Title:  "The document is old client data",
		Detail: "The document was born before the organizer joined. Old client data is outside the register access right: only the organizer uses it.",
	},
	ReasonClientMissing: {
		Title:  "No client",
		Detail: "The request names no client, or no client is known by this id. Find the client by identity code first.",
	},
	ReasonNoRelationship: {
		Title:  "No service relationship",
		Detail: "The producer unit has no service relationship with this person in this client registry. It is the organizer who records it.",
	},
	ReasonRelationshipNotAccepted: {
		Title:  "The service relationship is not accepted",
		Detail: "The service relationship is recorded but has not been accepted. Its status tells the organizer what is missing.",
	},
	ReasonRelationshipNotStarted: {
		Title:  "The service relationship has not started",
		Detail: "The service relationship is recorded to start later. The right starts at the recorded time. The organizer can record it anew with another time.",
	},
	ReasonRelationshipEnded: {
		Title:  "The service relationship has ended",
		Detail: "The service relationship in the producer unit has ended. From then on the documents, those stored by the unit itself included, are available to the organizer only.",
	},
	ReasonDocumentOtherClient: {
		Title:  "The document is not this client's",
		Detail: "The document does not belong to the client that the request names. Check the client's and the document's ids.",
	},
	ReasonTaskNotCovered: {
		Title:  "The service task is outside the right",
		Detail: "The service task of the request or of the document is missing, or is outside the service relationship and the agreement. Check the service task. The organizer can record a relationship for it.",
	},
	ReasonNotOwnDocument: {
		Title:  "The document was stored by someone else",
		Detail: "A producer unit can make a new version only of a document that it stored itself. Ask the organizer for a correction.",
	},
	ReasonPatientData: {
		Title:  "The document belongs with the patient data",
		Detail: "Both social care and health care are bought from the producer. Health documents then belong in the patient data repository, not in the client registry of social care, so nothing was stored. Store the document there, or check the document type. The organizer can correct the agreement.",
	},
}
