// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GrantExtent tells how far a grant reaches.
//
// +kubebuilder:validation:Enum=Basic;Extended
type GrantExtent string

const (
	// ExtentBasic lets a unit search, read and store within its live relationships.
	ExtentBasic GrantExtent = "Basic"
	// ExtentExtended lets a unit also act for the organizer within the agreement (laaja rekisterinkäyttöoikeus).
	ExtentExtended GrantExtent = "Extended"
)

// Agreement is what the organizer and the producer agreed on.
//
// +kubebuilder:validation:XValidation:rule="!has(self.validUntil) || self.validUntil > self.validFrom",message="validUntil must be after validFrom"
type Agreement struct {
	// reference is the number or name under which both parties know the agreement.
	// +required
	Reference Reference `json:"reference,omitempty"`

	// validFrom is the instant from which the agreement holds.
	// +required
	ValidFrom metav1.Time `json:"validFrom,omitempty,omitzero"`

	// validUntil is the instant from which the agreement does not hold any more.
	// +optional
	ValidUntil *metav1.Time `json:"validUntil,omitempty"`

	// serviceTasks lists what is bought; every task that the unit is registered for when left out.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ServiceTasks []ServiceTaskCode `json:"serviceTasks,omitempty"`

	// buys lists the branches of care that are bought; social care when left out. Where health care is bought
	// besides, health documents belong in the patient data repository, not in this registry.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Buys []CareSector `json:"buys,omitempty"`
}

// RegistryAccessGrantSpec is what the organizer grants to one unit in one registry.
//
// +kubebuilder:validation:XValidation:rule="self.registryRef == oldSelf.registryRef",message="registryRef is immutable"
// +kubebuilder:validation:XValidation:rule="self.producerUnit == oldSelf.producerUnit",message="producerUnit is immutable"
// +kubebuilder:validation:XValidation:rule="self.extent != 'Extended' || has(self.agreement)",message="an extended grant needs an agreement"
type RegistryAccessGrantSpec struct {
	// registryRef names the Registry, in the same namespace, that the grant opens.
	// +required
	RegistryRef RegistryReference `json:"registryRef,omitempty,omitzero"`

	// producerUnit is the OID of the unit that the grant is for.
	// +required
	ProducerUnit OID `json:"producerUnit,omitempty"`

	// extent tells how far the grant reaches.
	// +required
	Extent GrantExtent `json:"extent,omitempty"`

	// agreement is what the parties agreed on.
	// +optional
	Agreement *Agreement `json:"agreement,omitempty"`

	// suspend ends all access under the grant at once, and revokes its credentials, until it is taken away again.
	// +optional
	Suspend *bool `json:"suspend,omitempty"` //nolint:kubeapilinter // the field's meaning is a switch a person throws; the name is the field's standard term
}

// Reasons of RegistryAccessGrant's Ready condition beside those of the grant chain.
const (
	// GrantReadyReason surfaces when every prerequisite holds and the credential has been delivered.
	GrantReadyReason = "GrantReady"
	// GrantReadyTestMissingReason surfaces when the grant is ready but the deployment test is missing and the registry's policy only reports it.
	GrantReadyTestMissingReason = "GrantReadyTestMissing"
)

// RegistryAccessGrantStatus holds the credential ledger and how the grant stands.
type RegistryAccessGrantStatus struct {
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

	// credentials is the ledger: the archive accepts these certificates and no others.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Credentials []Credential `json:"credentials,omitempty"`

	// secretRef names the Secret that holds the newest credential.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`

	// credentialExpiresAt is the instant at which the active credential expires.
	// +optional
	CredentialExpiresAt *metav1.Time `json:"credentialExpiresAt,omitempty"`

	// caBundleHash is the SHA-256, in base64url without padding, of the authorities that were made known to the holder of the
	// credential to verify the archive against: in PEM, as the Secret holds them.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	CABundleHash string `json:"caBundleHash,omitempty"`

	// registryOID is the OID of the registry that the grant opens.
	// +optional
	RegistryOID OID `json:"registryOID,omitempty"`

	// liveRelationships is the number of relationships that have started and not ended.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LiveRelationships *int32 `json:"liveRelationships,omitempty"`

	// validUntil is the instant at which the first of the prerequisites runs out by itself.
	// +optional
	ValidUntil *metav1.Time `json:"validUntil,omitempty"`
}

// RegistryAccessGrant is the register access right (rekisterinkäyttöoikeus) of one producer unit in one registry. A grant with no live relationship opens nothing.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=rag,categories=valtuus
// +kubebuilder:selectablefield:JSONPath=`.spec.registryRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.producerUnit`
// +kubebuilder:printcolumn:name="Registry",type=string,JSONPath=`.spec.registryRef.name`
// +kubebuilder:printcolumn:name="Unit",type=string,JSONPath=`.spec.producerUnit`
// +kubebuilder:printcolumn:name="Extent",type=string,JSONPath=`.spec.extent`
// +kubebuilder:printcolumn:name="Live",type=integer,JSONPath=`.status.liveRelationships`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Credential Until",type=string,JSONPath=`.status.credentialExpiresAt`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
type RegistryAccessGrant struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec RegistryAccessGrantSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status RegistryAccessGrantStatus `json:"status,omitempty,omitzero"`
}

// RegistryAccessGrantList is a list of RegistryAccessGrants.
//
// +kubebuilder:object:root=true
type RegistryAccessGrantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RegistryAccessGrant `json:"items"`
}
