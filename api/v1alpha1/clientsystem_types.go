// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SystemClass is the class of a client system in the national certification.
//
// +kubebuilder:validation:Enum=A1;A2;A3;B
type SystemClass string

// SystemFeature is a feature that a client system is certified for.
//
// +kubebuilder:validation:Enum=RegisterAccess;ExtendedRegisterAccess;StructuredNotes;Signature
type SystemFeature string

const (
	// FeatureRegisterAccess is use of the register access right.
	FeatureRegisterAccess SystemFeature = "RegisterAccess"
	// FeatureExtendedRegisterAccess is use of the extended register access right.
	FeatureExtendedRegisterAccess SystemFeature = "ExtendedRegisterAccess"
	// FeatureStructuredNotes is structured case notes.
	FeatureStructuredNotes SystemFeature = "StructuredNotes"
	// FeatureSignature is a professional's electronic signature.
	FeatureSignature SystemFeature = "Signature"
)

// DocumentFormat is a format of client documents that a system both produces and reads.
//
// +kubebuilder:validation:Enum=JSON;XHTML
type DocumentFormat string

const (
	// FormatJSON is a structured document.
	FormatJSON DocumentFormat = "JSON"
	// FormatXHTML is a human-readable document.
	FormatXHTML DocumentFormat = "XHTML"
)

// SystemCertificate is a system's certificate of conformity.
//
// +kubebuilder:validation:XValidation:rule="self.validUntil > self.validFrom",message="validUntil must be after validFrom"
type SystemCertificate struct {
	// class is the system's class.
	// +required
	Class SystemClass `json:"class,omitempty"`

	// phase is the phase of the national deployment that the system is certified for.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=9
	Phase int32 `json:"phase,omitempty"`

	// validFrom is the instant from which the certificate holds.
	// +required
	ValidFrom metav1.Time `json:"validFrom,omitempty,omitzero"`

	// validUntil is the instant from which the certificate does not hold any more.
	// +required
	ValidUntil metav1.Time `json:"validUntil,omitempty,omitzero"`
}

// ClientSystemSpec is what the platform knows of a client information system.
type ClientSystemSpec struct {
	// vendor is the maker of the system.
	// +required
	Vendor Reference `json:"vendor,omitempty"`

	// product is the product's name.
	// +required
	Product Reference `json:"product,omitempty"`

	// version is the certified version.
	// +required
	Version Reference `json:"version,omitempty"`

	// certificate is the system's certificate of conformity.
	// +required
	Certificate SystemCertificate `json:"certificate,omitempty,omitzero"`

	// features lists the features that the system is certified for.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Features []SystemFeature `json:"features,omitempty"`

	// formats lists the document formats that the system produces and reads.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Formats []DocumentFormat `json:"formats,omitempty"`
}

// Reasons of ClientSystem's Ready condition.
const (
	// SystemCertifiedReason surfaces when the certificate holds now.
	SystemCertifiedReason = "Certified"
	// SystemNotYetCertifiedReason surfaces before the certificate's validFrom.
	SystemNotYetCertifiedReason = "NotYetCertified"
	// SystemExpiredReason surfaces from the certificate's validUntil on.
	SystemExpiredReason = "CertificateExpired"
)

// ClientSystemStatus is what the controller found.
type ClientSystemStatus struct {
	// observedGeneration is the generation that the status speaks of, -1 before the first.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions tell whether the system's certificate holds.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ClientSystem is a client information system (asiakastietojärjestelmä) that has been certified.
// It is written by the platform only.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=csys,categories=valtuus
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.spec.product`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.certificate.class`
// +kubebuilder:printcolumn:name="Valid Until",type=string,JSONPath=`.spec.certificate.validUntil`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Features",type=string,JSONPath=`.spec.features`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
type ClientSystem struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what the platform knows of the system.
	// +required
	Spec ClientSystemSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ClientSystemStatus `json:"status,omitempty,omitzero"`
}

// ClientSystemList is a list of ClientSystems.
//
// +kubebuilder:object:root=true
type ClientSystemList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClientSystem `json:"items"`
}
