// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeploymentTestMode tells how a deployment test comes to its result.
//
// +kubebuilder:validation:Enum=Recorded
type DeploymentTestMode string

// ModeRecorded is a test that was done elsewhere, and recorded here by the organizer.
const ModeRecorded DeploymentTestMode = "Recorded"

// DeploymentTestResult is the result of a deployment test.
//
// +kubebuilder:validation:Enum=Passed;Failed
type DeploymentTestResult string

const (
	// ResultPassed says that each system could read what the other stored.
	ResultPassed DeploymentTestResult = "Passed"
	// ResultFailed says that the systems do not work together yet.
	ResultFailed DeploymentTestResult = "Failed"
)

// SystemCombination is the pair of client systems that a test covers.
type SystemCombination struct {
	// organizer is the name of the ClientSystem that the organizer uses.
	// +required
	Organizer ObjectName `json:"organizer,omitempty"`

	// producer is the name of the ClientSystem that the producer uses.
	// +required
	Producer ObjectName `json:"producer,omitempty"`
}

// RecordedTest is what the organizer recorded of a test.
type RecordedTest struct {
	// testedAt is the instant at which the test was run.
	// +required
	TestedAt metav1.Time `json:"testedAt,omitempty,omitzero"`

	// result is the test's result.
	// +required
	Result DeploymentTestResult `json:"result,omitempty"`

	// reportReference is the reference of the joint report of the test.
	// +required
	ReportReference Reference `json:"reportReference,omitempty"`
}

// DeploymentTestSpec describes the test of a combination of client systems.
//
// +kubebuilder:validation:XValidation:rule="self.systems == oldSelf.systems",message="systems is immutable: record another test"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Recorded' || has(self.recorded)",message="recorded is required when mode is Recorded"
type DeploymentTestSpec struct {
	// systems is the combination of client systems.
	// +required
	Systems SystemCombination `json:"systems,omitempty,omitzero"`

	// mode tells how the test comes to its result.
	// +required
	Mode DeploymentTestMode `json:"mode,omitempty"`

	// recorded is what the organizer recorded of the test.
	// +optional
	Recorded *RecordedTest `json:"recorded,omitempty"`
}

// Reasons of DeploymentTest's Ready condition.
const (
	// TestPassedReason surfaces when the test passed and counts for its combination.
	TestPassedReason = "TestPassed"
	// TestFailedReason surfaces when the test failed.
	TestFailedReason = "TestFailed"
	// TestInFutureReason surfaces when testedAt has not come yet.
	TestInFutureReason = "TestInFuture"
	// TestSystemUnknownReason surfaces when one of the systems is not known.
	TestSystemUnknownReason = "ClientSystemUnknown"
)

// DeploymentTestStatus is the test's result as it counts.
type DeploymentTestStatus struct {
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

	// result is the result that counts for the combination of systems.
	// +optional
	Result DeploymentTestResult `json:"result,omitempty"`
}

// DeploymentTest is the deployment test (käyttöönottokoe) of a combination of client systems. It counts for the registries in its namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=dtest,categories=valtuus
// +kubebuilder:printcolumn:name="Organizer System",type=string,JSONPath=`.spec.systems.organizer`
// +kubebuilder:printcolumn:name="Producer System",type=string,JSONPath=`.spec.systems.producer`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.matches('(^|[^0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Za-z]($|[^0-9A-Za-z])')",message="the name must not hold anything that looks like a personal identity code"
type DeploymentTest struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec DeploymentTestSpec `json:"spec,omitempty,omitzero"`

	// status is what the controller found and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status DeploymentTestStatus `json:"status,omitempty,omitzero"`
}

// DeploymentTestList is a list of DeploymentTests.
//
// +kubebuilder:object:root=true
type DeploymentTestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []DeploymentTest `json:"items"`
}
