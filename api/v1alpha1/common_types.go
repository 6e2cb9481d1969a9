// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OID is an object identifier in dotted decimal, for example
// 1.2.246.10.32213086.19.0, as the national registers and code systems give them.
//
// +kubebuilder:validation:MinLength=5
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[0-2](\.(0|[1-9][0-9]*)){2,}$`
type OID string

// Reference is a person's reference to something kept elsewhere, such as the
// number of an agreement or of a report. It never holds personal data; what looks
// like a personal identity code is refused.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="must not hold anything that looks like a personal identity code"
type Reference string

// ServiceTaskCode is a code of the national service-task classification
// (palvelutehtävä). The codes are data: nothing here depends on their values.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="must not hold anything that looks like a personal identity code"
type ServiceTaskCode string

// ObjectName is the name of a Kubernetes object.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
type ObjectName string

// RegistryReference names a Registry in the namespace of the object that refers to it.
type RegistryReference struct {
	// name is the name of the Registry.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// LocalizedName is a name in the languages people use it in.
type LocalizedName struct {
	// fi is the name in Finnish.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="must not hold anything that looks like a personal identity code"
	Fi string `json:"fi,omitempty"`

	// sv is the name in Swedish.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="must not hold anything that looks like a personal identity code"
	Sv string `json:"sv,omitempty"`

	// en is the name in English.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="must not hold anything that looks like a personal identity code"
	En string `json:"en,omitempty"`
}

// CredentialState tells where a credential is in its life.
//
// +kubebuilder:validation:Enum=Issuing;Active;Superseded
type CredentialState string

const (
	// CredentialIssuing says that the credential is recorded but not yet delivered; the archive refuses it.
	CredentialIssuing CredentialState = "Issuing"
	// CredentialActive says that the credential is delivered and the archive accepts it while it is valid.
	CredentialActive CredentialState = "Active"
	// CredentialSuperseded says that a newer credential is active; the archive accepts this one until acceptUntil.
	CredentialSuperseded CredentialState = "Superseded"
)

// Credential is one line of a credential ledger. The ledger is the archive's
// allow-list: removing a line revokes the credential. It never holds a private key.
type Credential struct {
	// id is the serial number of the certificate in hexadecimal, chosen before the certificate is issued.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// state tells where the credential is in its life.
	// +required
	State CredentialState `json:"state,omitempty"`

	// fingerprint is the SHA-256 of the DER-encoded certificate in base64url without padding (x5t#S256 of RFC 8705).
	// +required
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Fingerprint string `json:"fingerprint,omitempty"`

	// notBefore is the instant from which the certificate is valid.
	// +required
	NotBefore metav1.Time `json:"notBefore,omitempty,omitzero"`

	// notAfter is the instant from which the certificate is not valid any more.
	// +required
	NotAfter metav1.Time `json:"notAfter,omitempty,omitzero"`

	// renewAt is the instant of renewal, chosen once when the credential was issued.
	// +required
	RenewAt metav1.Time `json:"renewAt,omitempty,omitzero"`

	// acceptUntil is the instant until which a superseded credential is still accepted.
	// +optional
	AcceptUntil *metav1.Time `json:"acceptUntil,omitempty"`

	// publicKeyHash is the SHA-256 of the subject public key in base64url, where the holder brought its own key.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	PublicKeyHash string `json:"publicKeyHash,omitempty"`

	// authority is the fingerprint of the certificate authority that issued the certificate.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Authority string `json:"authority,omitempty"`

	// certificate is the certificate in PEM, where the holder brought its own key.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Certificate string `json:"certificate,omitempty"`
}

// SecretReference names the Secret that a credential was delivered to.
type SecretReference struct {
	// namespace is the namespace of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// name is the name of the Secret.
	// +required
	Name ObjectName `json:"name,omitempty"`
}
