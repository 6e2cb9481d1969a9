// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CredentialDelivery tells how a unit gets its credentials.
//
// +kubebuilder:validation:Enum=Secret;CertificateRequest
type CredentialDelivery string

const (
	// DeliverySecret puts key and certificate into a Secret in the unit's namespace, one for each registry.
	DeliverySecret CredentialDelivery = "Secret"
	// DeliveryCertificateRequest issues for the unit's own key; the certificate appears in the unit's and the grant's status.
	DeliveryCertificateRequest CredentialDelivery = "CertificateRequest"
)

// UnitCredential tells how a unit gets its credentials.
//
// +kubebuilder:validation:XValidation:rule="self.delivery == 'CertificateRequest' ? has(self.certificateRequest) : !has(self.certificateRequest)",message="certificateRequest is given exactly when delivery is CertificateRequest"
type UnitCredential struct {
	// delivery is Secret, or CertificateRequest when the unit keeps its own key.
	// +required
	Delivery CredentialDelivery `json:"delivery,omitempty"`

	// certificateRequest is a PKCS #10 certificate request in PEM for a P-256 key. It proves possession of the key;
	// its subject is ignored.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	CertificateRequest string `json:"certificateRequest,omitempty"`
}

// TestAcceptance is the unit's word that it takes part in one deployment test at a time. The fields have the names that they
// have in status.deploymentTests, where the unit is told of the test: they can be copied.
//
// +kubebuilder:validation:XValidation:rule="self.closesAt > self.startsAt",message="closesAt must be after startsAt"
type TestAcceptance struct {
	// registryOID is the OID of the registry that the combination of systems is wanted for.
	// +required
	RegistryOID OID `json:"registryOID,omitempty"`

	// testRegistryOID is the OID of the registry that the test is run in. It is the test's own: another test of the same
	// registry needs another acceptance.
	// +required
	TestRegistryOID OID `json:"testRegistryOID,omitempty"`

	// startsAt is the instant at which the test starts, as the organizer proposed it.
	// +required
	StartsAt metav1.Time `json:"startsAt,omitempty,omitzero"`

	// closesAt is the last instant at which the window may close; a longer or extended one is not accepted.
	// +required
	ClosesAt metav1.Time `json:"closesAt,omitempty,omitzero"`
}

// ProducerUnitSpec describes a producer's service unit and what it is ready for.
type ProducerUnitSpec struct {
	// oid identifies the unit in the national organization register.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="oid is immutable"
	OID OID `json:"oid,omitempty"`

	// organization is the OID of the Organization that the unit belongs to: the producer (palveluntuottaja).
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="organization is immutable"
	Organization OID `json:"organization,omitempty"`

	// clientSystem is the name of the ClientSystem that the unit uses.
	// +required
	ClientSystem ObjectName `json:"clientSystem,omitempty"`

	// serviceTasks lists the service tasks (palvelutehtävä) that the unit is registered for.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ServiceTasks []ServiceTaskCode `json:"serviceTasks,omitempty"`

	// acceptFrom lists the OIDs of the organizers' organizations that the unit is ready to work for.
	// Removing one ends the unit's access to that organizer's registries at once.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	AcceptFrom []OID `json:"acceptFrom,omitempty"`

	// acceptTests lists the deployment tests that the unit takes part in, and when. status.deploymentTests tells what to accept.
	// +optional
	// +listType=map
	// +listMapKey=testRegistryOID
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	AcceptTests []TestAcceptance `json:"acceptTests,omitempty"`

	// credential tells how the unit gets its credentials.
	// +required
	Credential UnitCredential `json:"credential,omitempty,omitzero"`
}

// UnitRegistryAccess tells a unit how its access to one registry stands, since it cannot see the organizer's namespace.
type UnitRegistryAccess struct {
	// registryOID is the OID of the registry.
	// +required
	RegistryOID OID `json:"registryOID,omitempty"`

	// reason tells in one word how the grant stands; Succeeded when it is ready.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`

	// message tells in words what is missing.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// secretName is the name of the Secret with the credential.
	// +optional
	SecretName ObjectName `json:"secretName,omitempty"`

	// certificate is the active certificate in PEM, where the unit keeps its own key.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Certificate string `json:"certificate,omitempty"`

	// caBundle holds, in PEM, the authorities to verify the archive against, where the unit keeps its own key: there are
	// two while one takes the other's place. Read it each time that the certificate is read.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	CABundle string `json:"caBundle,omitempty"`
}

// UnitDeploymentTest tells a unit of a deployment test that it is asked to take part in.
type UnitDeploymentTest struct {
	// registryOID is the OID of the registry that the combination of systems is wanted for.
	// +required
	RegistryOID OID `json:"registryOID,omitempty"`

	// testRegistryOID is the OID of the registry that the test is run in.
	// +required
	TestRegistryOID OID `json:"testRegistryOID,omitempty"`

	// startsAt is the instant that the organizer proposes; the unit accepts the test in spec.acceptTests.
	// +required
	StartsAt metav1.Time `json:"startsAt,omitempty,omitzero"`

	// closesAt is the instant at which the window closes, or is to close by an extension that the organizer asks for.
	// +required
	ClosesAt metav1.Time `json:"closesAt,omitempty,omitzero"`

	// state tells how far the test has come.
	// +required
	State DeploymentTestState `json:"state,omitempty"`

	// message tells what the unit should do, or what is missing.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// ProducerUnitStatus is what the controller found.
type ProducerUnitStatus struct {
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

	// registries tells how the unit's access to each registry that grants it something stands.
	// +optional
	// +listType=map
	// +listMapKey=registryOID
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Registries []UnitRegistryAccess `json:"registries,omitempty"`

	// deploymentTests tells of the deployment tests that the unit is asked to take part in and that have not ended.
	// +optional
	// +listType=map
	// +listMapKey=testRegistryOID
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	DeploymentTests []UnitDeploymentTest `json:"deploymentTests,omitempty"`
}

// ProducerUnit is a producer's service unit (palveluyksikkö).
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=pu,categories=valtuus
// +kubebuilder:selectablefield:JSONPath=`.spec.oid`
// +kubebuilder:selectablefield:JSONPath=`.spec.organization`
// +kubebuilder:printcolumn:name="OID",type=string,JSONPath=`.spec.oid`
// +kubebuilder:printcolumn:name="Organization",type=string,JSONPath=`.spec.organization`
// +kubebuilder:printcolumn:name="System",type=string,JSONPath=`.spec.clientSystem`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Tasks",type=string,JSONPath=`.spec.serviceTasks`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 120",message="the name must have at most 120 characters: names of Secrets are made of it"
type ProducerUnit struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec ProducerUnitSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ProducerUnitStatus `json:"status,omitempty,omitzero"`
}

// ProducerUnitList is a list of ProducerUnits.
//
// +kubebuilder:object:root=true
type ProducerUnitList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ProducerUnit `json:"items"`
}
