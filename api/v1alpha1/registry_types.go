// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RegistryPurpose tells whether a registry holds real clients.
//
// +kubebuilder:validation:Enum=Production;Test
type RegistryPurpose string

const (
	// PurposeProduction is a registry of real clients.
	PurposeProduction RegistryPurpose = "Production"
	// PurposeTest is a registry that accepts 900-series identity codes only.
	PurposeTest RegistryPurpose = "Test"
)

// DeploymentTestPolicy tells what a missing deployment test does.
//
// +kubebuilder:validation:Enum=Enforce;Report
type DeploymentTestPolicy string

const (
	// DeploymentTestEnforce keeps a grant closed until the combination of systems has been tested.
	DeploymentTestEnforce DeploymentTestPolicy = "Enforce"
	// DeploymentTestReport lets the grant open and tells that the test is missing.
	DeploymentTestReport DeploymentTestPolicy = "Report"
)

// AutomaticGrants tells whether a service relationship makes the grant it needs.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type AutomaticGrants string

const (
	// AutomaticGrantsEnabled lets a relationship make a basic grant for its pair of registry and unit.
	AutomaticGrantsEnabled AutomaticGrants = "Enabled"
	// AutomaticGrantsDisabled leaves every grant to a person.
	AutomaticGrantsDisabled AutomaticGrants = "Disabled"
)

// NonDisclosurePolicy tells how documents under a non-disclosure for personal safety (turvakielto) reach producer units.
//
// +kubebuilder:validation:Enum=Mask;Show
type NonDisclosurePolicy string

const (
	// NonDisclosureMask masks address and contact data in what a producer unit reads.
	NonDisclosureMask NonDisclosurePolicy = "Mask"
	// NonDisclosureShow lets producer units read such documents as they were stored.
	NonDisclosureShow NonDisclosurePolicy = "Show"
)

// DeploymentTestProof tells what state of a deployment test counts.
//
// +kubebuilder:validation:Enum=Tested;Reported
type DeploymentTestProof string

const (
	// ProofTested lets a test count when it has passed.
	ProofTested DeploymentTestProof = "Tested"
	// ProofReported lets a test count when it has passed and has been reported.
	ProofReported DeploymentTestProof = "Reported"
)

// SimulatedTests tells whether tests that no party's own system took part in count.
//
// +kubebuilder:validation:Enum=Refused;Accepted
type SimulatedTests string

const (
	// SimulatedTestsRefused lets no simulated test count.
	SimulatedTestsRefused SimulatedTests = "Refused"
	// SimulatedTestsAccepted lets simulated tests count as others do.
	SimulatedTestsAccepted SimulatedTests = "Accepted"
)

// Retest tells which change of a system's version takes a new deployment test.
//
// +kubebuilder:validation:Enum=None;Major;Any
type Retest string

const (
	// RetestNone lets a test count for all later versions.
	RetestNone Retest = "None"
	// RetestMajor takes a new test when the first number of a system's version changes.
	RetestMajor Retest = "Major"
	// RetestAny takes a new test when a system's version changes.
	RetestAny Retest = "Any"
)

// RegistryPolicies are the choices that a registry controller has.
type RegistryPolicies struct {
	// deploymentTest tells what a missing deployment test does.
	// +required
	DeploymentTest DeploymentTestPolicy `json:"deploymentTest,omitempty"`

	// deploymentTestProof tells what state of a deployment test counts; Tested when left out.
	// +optional
	DeploymentTestProof DeploymentTestProof `json:"deploymentTestProof,omitempty"`

	// simulatedTests tells whether tests that no party's own system took part in count; Refused when left out.
	// +optional
	SimulatedTests SimulatedTests `json:"simulatedTests,omitempty"`

	// retest tells which change of a system's version takes a new deployment test; None when left out.
	// +optional
	Retest Retest `json:"retest,omitempty"`

	// automaticGrants tells whether a service relationship makes the grant it needs.
	// +required
	AutomaticGrants AutomaticGrants `json:"automaticGrants,omitempty"`

	// staleness bounds the age of the archive's view for this registry; the Archive's bounds hold when left out.
	// +optional
	Staleness *Staleness `json:"staleness,omitempty"`

	// nonDisclosure tells how documents under a non-disclosure for personal safety (turvakielto) reach producer
	// units: Mask, which holds when left out, masks address and contact data; Show gives them as they were stored.
	// +optional
	NonDisclosure NonDisclosurePolicy `json:"nonDisclosure,omitempty"`
}

// RegistrySpec describes the client registry (asiakasrekisteri).
//
// +kubebuilder:validation:XValidation:rule="self.purpose == oldSelf.purpose",message="purpose is immutable"
// +kubebuilder:validation:XValidation:rule="self.archiveName == oldSelf.archiveName",message="archiveName is immutable"
// +kubebuilder:validation:XValidation:rule="self.organization == oldSelf.organization",message="organization is immutable"
type RegistrySpec struct {
	// oid identifies the registry in URLs and certificates. Where the register has no OID of its own, it is its controller's.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="oid is immutable"
	OID OID `json:"oid,omitempty"`

	// controllerOID is the OID of the registry controller (rekisterinpitäjä) in the national controller register.
	// +required
	ControllerOID OID `json:"controllerOID,omitempty"`

	// organization is the OID of the Organization that organizes the services: the organizer (palvelunjärjestäjä).
	// +required
	Organization OID `json:"organization,omitempty"`

	// archiveName is the name of the Archive that keeps the registry. An Archive's name is believed once in a cluster.
	// +required
	ArchiveName ObjectName `json:"archiveName,omitempty"`

	// clientSystem is the name of the ClientSystem that the organizer uses.
	// +required
	ClientSystem ObjectName `json:"clientSystem,omitempty"`

	// purpose tells whether the registry holds real clients.
	// +required
	Purpose RegistryPurpose `json:"purpose,omitempty"`

	// policies are the choices that the registry controller has.
	// +required
	Policies RegistryPolicies `json:"policies,omitempty,omitzero"`
}

// TestRegistryForgedReason surfaces in a Registry's Accepted condition when its OID is under 2.25 and no deployment test
// made it: such OIDs are kept for the registries of deployment tests.
const TestRegistryForgedReason = "TestRegistryForged"

// TestRegistryClosedReason surfaces in a Registry's Accepted condition when the window of its deployment test is not open.
const TestRegistryClosedReason = "TestRegistryClosed"

// RegistryTest is the deployment test that a registry was made for, as far as access depends on it.
type RegistryTest struct {
	// mode is the test's. Where it is Observed, the unit has to have accepted the time.
	// +required
	Mode DeploymentTestMode `json:"mode,omitempty"`

	// registryOID is the OID of the registry that the combination of systems is wanted for.
	// +required
	RegistryOID OID `json:"registryOID,omitempty"`

	// producerUnit is the OID of the one unit that may use the registry.
	// +required
	ProducerUnit OID `json:"producerUnit,omitempty"`

	// startsAt is the instant that the unit has to have accepted.
	// +required
	StartsAt metav1.Time `json:"startsAt,omitempty,omitzero"`

	// closesAt is the instant from which the archive answers nobody in this registry.
	// +required
	ClosesAt metav1.Time `json:"closesAt,omitempty,omitzero"`
}

// RegistryStatus is what the controller found and did.
type RegistryStatus struct {
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

	// test is the deployment test that the registry was made for, while its window is open.
	// +optional
	Test *RegistryTest `json:"test,omitempty"`

	// caBundleHash is the SHA-256, in base64url without padding, of the authorities that were made known to the holder of the
	// credential to verify the archive against: in PEM, as the Secret holds them.
	// +optional
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	CABundleHash string `json:"caBundleHash,omitempty"`
}

// Registry is a client registry (asiakasrekisteri) of an organizer.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=reg,categories=valtuus
// +kubebuilder:selectablefield:JSONPath=`.spec.oid`
// +kubebuilder:selectablefield:JSONPath=`.spec.organization`
// +kubebuilder:printcolumn:name="OID",type=string,JSONPath=`.spec.oid`
// +kubebuilder:printcolumn:name="Purpose",type=string,JSONPath=`.spec.purpose`
// +kubebuilder:printcolumn:name="Archive",type=string,JSONPath=`.spec.archiveName`
// +kubebuilder:printcolumn:name="System",type=string,JSONPath=`.spec.clientSystem`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Credential Until",type=string,JSONPath=`.status.credentialExpiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 120",message="the name must have at most 120 characters: names of Secrets and grants are made of it"
type Registry struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec RegistrySpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status RegistryStatus `json:"status,omitempty,omitzero"`
}

// RegistryList is a list of Registries.
//
// +kubebuilder:object:root=true
type RegistryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Registry `json:"items"`
}
