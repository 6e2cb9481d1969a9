// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Sector tells whether an organization is public or private.
//
// +kubebuilder:validation:Enum=Public;Private
type Sector string

const (
	// SectorPublic is a public organization, such as a welfare area.
	SectorPublic Sector = "Public"
	// SectorPrivate is a private organization, such as a company.
	SectorPrivate Sector = "Private"
)

// CareSector is a branch of care that an organization is registered for, or that an agreement buys.
//
// +kubebuilder:validation:Enum=Social;Health
type CareSector string

const (
	// CareSectorSocial is social care.
	CareSectorSocial CareSector = "Social"
	// CareSectorHealth is health care.
	CareSectorHealth CareSector = "Health"
)

// JoiningMode tells how an organization joined the archive.
//
// +kubebuilder:validation:Enum=Direct;Joint
type JoiningMode string

const (
	// JoiningDirect is an organization's own commitment.
	JoiningDirect JoiningMode = "Direct"
	// JoiningJoint is a joint connection (yhteisliittyminen) through a main joiner (pääliittyjä).
	JoiningJoint JoiningMode = "Joint"
)

// Joining tells how, since when and until when an organization is a joined user of the archive.
//
// +kubebuilder:validation:XValidation:rule="self.mode == 'Joint' ? has(self.mainJoiner) : !has(self.mainJoiner)",message="mainJoiner is given exactly when mode is Joint"
// +kubebuilder:validation:XValidation:rule="!has(self.endedAt) || self.endedAt > self.joinedAt",message="endedAt must be after joinedAt"
type Joining struct {
	// mode is Direct, or Joint when the organization joined through a main joiner.
	// +required
	Mode JoiningMode `json:"mode,omitempty"`

	// mainJoiner is the OID of the organization through which this one joined. This one stands only while that one stands.
	// +optional
	MainJoiner OID `json:"mainJoiner,omitempty"`

	// joinedAt is the instant from which the organization is a joined user.
	// +required
	JoinedAt metav1.Time `json:"joinedAt,omitempty,omitzero"`

	// endedAt is the instant from which the organization is not a joined user any more.
	// +optional
	EndedAt *metav1.Time `json:"endedAt,omitempty"`
}

// OrganizationSpec is what the platform knows of an organization from the national registers.
//
// +kubebuilder:validation:XValidation:rule="self.joining.mode != 'Joint' || self.joining.mainJoiner != self.oid",message="an organization cannot be its own main joiner"
// +kubebuilder:validation:XValidation:rule="self.joining.mode != 'Joint' || self.sector == 'Private'",message="joint connection is for private organizations"
type OrganizationSpec struct {
	// oid identifies the organization.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="oid is immutable"
	OID OID `json:"oid,omitempty"`

	// displayName is the organization's name.
	// +required
	DisplayName LocalizedName `json:"displayName,omitempty,omitzero"`

	// sector tells whether the organization is public or private.
	// +required
	Sector Sector `json:"sector,omitempty"`

	// joining tells how and when the organization joined the archive.
	// +required
	Joining Joining `json:"joining,omitempty,omitzero"`

	// registeredFor lists the branches of care that the organization is registered for.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	RegisteredFor []CareSector `json:"registeredFor,omitempty"`

	// namespaces lists the namespaces that may act for the organization. An OID is believed in no other namespace.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Namespaces []string `json:"namespaces,omitempty"`

	// unitOIDs lists the OIDs of the organization's service units, as the national organization register has them.
	// A ProducerUnit of the organization is believed only for these.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2048
	UnitOIDs []OID `json:"unitOIDs,omitempty"`
}

// OrganizationStatus is what the controller found.
type OrganizationStatus struct {
	// observedGeneration is the generation that the status speaks of, -1 before the first.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions tell whether the organization stands.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Organization's Ready condition has the reasons of organization standing:
// NotYetJoined surfaces before joinedAt, Ended from endedAt on, MainJoinerMissing,
// MainJoinerEnded and MainJoinerNotDirect when a joint connection does not carry,
// OIDClaimed when an older Organization has the same OID.

// Organization is an organization that the platform knows: organizer or producer.
// It binds OIDs to namespaces and is written by the platform only.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=vorg,categories=valtuus
// +kubebuilder:selectablefield:JSONPath=`.spec.oid`
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.spec.displayName.fi`
// +kubebuilder:printcolumn:name="OID",type=string,JSONPath=`.spec.oid`
// +kubebuilder:printcolumn:name="Sector",type=string,JSONPath=`.spec.sector`
// +kubebuilder:printcolumn:name="Joined",type=string,JSONPath=`.spec.joining.mode`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
type Organization struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what the platform knows of the organization.
	// +required
	Spec OrganizationSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status OrganizationStatus `json:"status,omitempty,omitzero"`
}

// OrganizationList is a list of Organizations.
//
// +kubebuilder:object:root=true
type OrganizationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Organization `json:"items"`
}
