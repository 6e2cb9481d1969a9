// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Procurement tells how the organizer buys the service.
//
// +kubebuilder:validation:Enum=Outsourced;Voucher;PaymentCommitment
type Procurement string

const (
	// ProcurementOutsourced is an outsourced service (ostopalvelu).
	ProcurementOutsourced Procurement = "Outsourced"
	// ProcurementVoucher is a service voucher (palveluseteli).
	ProcurementVoucher Procurement = "Voucher"
	// ProcurementPaymentCommitment is a payment commitment (maksusitoumus).
	ProcurementPaymentCommitment Procurement = "PaymentCommitment"
)

// ServiceRelationshipSpec is what the organizer recorded. Only the end can change: another
// unit, client, task or start is another relationship.
//
// +kubebuilder:validation:XValidation:rule="!has(self.end) || self.end > self.start",message="end must be after start"
// +kubebuilder:validation:XValidation:rule="self.registryRef == oldSelf.registryRef",message="registryRef is immutable"
// +kubebuilder:validation:XValidation:rule="self.producerUnit == oldSelf.producerUnit",message="producerUnit is immutable: end this relationship and record another"
// +kubebuilder:validation:XValidation:rule="self.clientID == oldSelf.clientID",message="clientID is immutable"
// +kubebuilder:validation:XValidation:rule="self.serviceTasks == oldSelf.serviceTasks",message="serviceTasks is immutable: end this relationship and record another"
// +kubebuilder:validation:XValidation:rule="self.start == oldSelf.start",message="start is immutable: delete this relationship and record another"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.document) || (has(self.document) && self.document.id == oldSelf.document.id)",message="document is immutable but for its version: once the archive has set it, it stays"
type ServiceRelationshipSpec struct {
	// registryRef names the Registry, in the same namespace, whose data the unit may use.
	// +required
	RegistryRef RegistryReference `json:"registryRef,omitempty,omitzero"`

	// producerUnit is the OID of the unit that gives the service.
	// +required
	ProducerUnit OID `json:"producerUnit,omitempty"`

	// clientID is the random identifier that the archive gave for the client. It is never an identity code.
	// +required
	// +kubebuilder:validation:MinLength=36
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
	ClientID string `json:"clientID,omitempty"`

	// serviceTasks lists the service tasks that the unit carries out for the client.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ServiceTasks []ServiceTaskCode `json:"serviceTasks,omitempty"`

	// procurement tells how the service is bought.
	// +required
	Procurement Procurement `json:"procurement,omitempty"`

	// start is the instant from which the unit has access.
	// +required
	Start metav1.Time `json:"start,omitempty,omitzero"`

	// end is the instant from which the unit has no access any more; an end in the past ends access at once.
	// +optional
	End *metav1.Time `json:"end,omitempty"`

	// document names the client relationship document that says the same as this relationship. The archive writes it.
	// +optional
	Document *RelationshipDocument `json:"document,omitempty"`
}

// RelationshipDocument names a client relationship document (asiakkuusasiakirja) in the archive.
type RelationshipDocument struct {
	// id is the random identifier of the document.
	// +required
	// +kubebuilder:validation:MinLength=36
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
	ID string `json:"id,omitempty"`

	// version is the version of the document that this relationship was last brought to.
	// +required
	// +kubebuilder:validation:Minimum=1
	Version int64 `json:"version,omitempty"`
}

// DocumentState tells whether a relationship and its client relationship document say the same.
//
// +kubebuilder:validation:Enum=Pending;Agreed;Conflict;Refused
type DocumentState string

const (
	// DocumentPending says that one of the two is still to be brought up to the other.
	DocumentPending DocumentState = "Pending"
	// DocumentAgreed says that both say the same.
	DocumentAgreed DocumentState = "Agreed"
	// DocumentConflict says that a person must settle what differs; until then the earlier end holds in the archive.
	DocumentConflict DocumentState = "Conflict"
	// DocumentRefused says that the relationship cannot have a document, or cannot follow the one it has.
	DocumentRefused DocumentState = "Refused"
)

// RelationshipDocumentStatus tells how a relationship and its client relationship document stand.
type RelationshipDocumentStatus struct {
	// state tells it in one word.
	// +required
	State DocumentState `json:"state,omitempty"`

	// version is the version of the document that the state speaks of; none while there is no document.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Version int64 `json:"version,omitempty"`

	// observedGeneration is the generation of the relationship that the state speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// message tells what a person should know beyond the state.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// RelationshipAccess tells in one word what a relationship opens.
//
// +kubebuilder:validation:Enum=Granted;Waiting;Refused;Ended
type RelationshipAccess string

const (
	// AccessGranted says that the unit has access between start and end.
	AccessGranted RelationshipAccess = "Granted"
	// AccessWaiting says that something is missing that may still come; the Ready condition tells what.
	AccessWaiting RelationshipAccess = "Waiting"
	// AccessRefused says that a person must change something; the Accepted condition tells what.
	AccessRefused RelationshipAccess = "Refused"
	// AccessEnded says that the relationship has ended and that the archive enforces it.
	AccessEnded RelationshipAccess = "Ended"
)

// Reasons of ServiceRelationship's Ready condition beside those of the relationship chain.
const (
	// AccessGrantedReason surfaces when the unit has access between start and end.
	AccessGrantedReason = "AccessGranted"
	// GrantNotReadyReason surfaces when the relationship is accepted but the grant it rests on is not ready.
	GrantNotReadyReason = "GrantNotReady"
	// EndedReason surfaces when the relationship has ended.
	EndedReason = "Ended"
)

// ServiceRelationshipStatus is what the controller accepted and enforced.
type ServiceRelationshipStatus struct {
	// observedGeneration is the generation that the status speaks of, -1 before the first.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions tell the state of the object in words.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// access tells in one word what the relationship opens.
	// +optional
	Access RelationshipAccess `json:"access,omitempty"`

	// acceptedEnd is the end that the controller has accepted; none while the relationship is open-ended.
	// The archive holds to the earlier of this and spec.end, so that an end needs no controller and a later end does.
	// +optional
	AcceptedEnd *metav1.Time `json:"acceptedEnd,omitempty"`

	// grantName is the name of the RegistryAccessGrant that the access rests on.
	// +optional
	GrantName ObjectName `json:"grantName,omitempty"`

	// document tells how the relationship and its client relationship document stand. The archive alone writes it.
	// +optional
	Document *RelationshipDocumentStatus `json:"document,omitempty"`
}

// ServiceRelationship is a client's service relationship (asiakkuus) in a producer's unit, as the organizer recorded it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=srel,categories=valtuus
// +kubebuilder:selectablefield:JSONPath=`.spec.registryRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.producerUnit`
// +kubebuilder:selectablefield:JSONPath=`.spec.clientID`
// +kubebuilder:printcolumn:name="Unit",type=string,JSONPath=`.spec.producerUnit`
// +kubebuilder:printcolumn:name="Task",type=string,JSONPath=`.spec.serviceTasks`
// +kubebuilder:printcolumn:name="Start",type=string,JSONPath=`.spec.start`
// +kubebuilder:printcolumn:name="End",type=string,JSONPath=`.spec.end`
// +kubebuilder:printcolumn:name="Access",type=string,JSONPath=`.status.access`
// +kubebuilder:printcolumn:name="Enforced",type=string,JSONPath=`.status.conditions[?(@.type=="RevocationEnforced")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Document",type=string,JSONPath=`.status.document.state`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
type ServiceRelationship struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec ServiceRelationshipSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ServiceRelationshipStatus `json:"status,omitempty,omitzero"`
}

// ServiceRelationshipList is a list of ServiceRelationships.
//
// +kubebuilder:object:root=true
type ServiceRelationshipList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ServiceRelationship `json:"items"`
}
